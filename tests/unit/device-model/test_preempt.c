/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queues that are preempted with waves in flight. The kernels of save.cl, compiled by clang, are
 * moved from the bench of the interpreter into a VF and launched there by PM4 packets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp.h"
#include "cp_rig.h"
#include "cu_rig.h"
#include "ut.h"

#define VF0 GV_DEV_VF(0)

/* Memory of the VF: what the bench has at 0, then scratch, then the save area. */
#define IMAGE       0x400000ull
#define IMAGE_BYTES 0x500000ull
#define SCRATCH     0xa00000ull
#define AREA        0xe00000ull
#define AREA_BYTES  0x180000u
#define STACK_BYTES 0x1000u
#define IB          0x380000ull
#define WAVES       16u

#define ITEMS 600u
#define GROUP 256u

static struct rig r;
static struct cu_rig bench;
static uint32_t expected[ITEMS];
static uint64_t out_va;
static struct gv_cu_dispatch d;

/* ---- a kernel ------------------------------------------------------------ */

static uint64_t moved(uint64_t va)
{
	uint64_t at = va - CU_RIG_VA;

	return at < IMAGE_BYTES ? IMAGE + at : SCRATCH;
}

/* Pointers of the bench become those of the VF: in user SGPRs, in pairs, and in the V# of
 * scratch, which has other bits above them. */
static void move_pointers(uint32_t *sgpr, unsigned n)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		uint64_t va = (uint64_t)(sgpr[i + 1] & 0xffff) << 32 | sgpr[i];

		if (va < CU_RIG_VA || va - CU_RIG_VA >= bench.bytes)
			continue;
		va = moved(va);
		sgpr[i] = (uint32_t)va;
		sgpr[i + 1] = (sgpr[i + 1] & 0xffff0000u) | (uint32_t)(va >> 32);
		i++;
	}
}

/* What @name stores on the bench goes to `expected`; then its image is in the VF. */
static void load_kernel(const char *name, uint32_t rounds)
{
	const uint32_t items[3] = {ITEMS, 1, 1}, group[3] = {GROUP, 1, 1};
	struct {
		uint64_t out;
		uint32_t rounds;
	} args;
	uint32_t *out;

	cu_rig_reset(&bench);
	out = cu_rig_alloc(&bench, sizeof(expected));
	args.out = cu_rig_va(&bench, out);
	args.rounds = rounds;
	CU_ASSERT_EQUAL_FATAL(
	        cu_rig_prepare(&bench, name, items, group, &args, sizeof(args), 0, &d), 0);
	CU_ASSERT_EQUAL_FATAL(cu_rig_dispatch(&bench, &d), GV_CU_DONE);
	memcpy(expected, out, sizeof(expected));
	memset(out, 0, sizeof(expected));
	out_va = moved(args.out);
	for (uint8_t *p = bench.mem; p < bench.mem + IMAGE_BYTES; p += 8) /* the kernarg segment */
		if (memcmp(p, &args.out, 8) == 0)
			memcpy(p, &out_va, 8);
	move_pointers(d.user_data, 16);
	d.pgm_va = moved(d.pgm_va);
	d.tmpring_size = WAVES | (d.tmpring_size & ~0xfffu);
	rig_put(&r, VF0, IMAGE, bench.mem, IMAGE_BYTES);
}

static unsigned wrong(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ITEMS; i++)
		n += rig_get32(&r, VF0, out_va + 4 * i) != expected[i];
	return n;
}

/* SET_SH_REG of everything a dispatch takes, and the dispatch. */
static unsigned launch_words(uint32_t *dw)
{
	uint32_t reg[41 + 23 + 16] = {0}; /* from COMPUTE_DISPATCH_INITIATOR on */
	unsigned n = 0, count = GV_ARRAY_LEN(reg);
#define REG(name) reg[name##__DW - COMPUTE_DISPATCH_INITIATOR__DW]
	for (unsigned k = 0; k < 3; k++)
		(&REG(COMPUTE_NUM_THREAD_X))[k] = d.num_thread[k] | d.partial[k] << 16;
	REG(COMPUTE_PGM_LO) = (uint32_t)(d.pgm_va >> 8);
	REG(COMPUTE_PGM_HI) = (uint32_t)(d.pgm_va >> 40);
	REG(COMPUTE_PGM_RSRC1) = d.rsrc1;
	REG(COMPUTE_PGM_RSRC2) = d.rsrc2;
	REG(COMPUTE_TMPRING_SIZE) = d.tmpring_size;
	for (unsigned k = 0; k < 8; k++) /* all CUs */
		reg[(uint32_t[]){
		            COMPUTE_STATIC_THREAD_MGMT_SE0__DW, COMPUTE_STATIC_THREAD_MGMT_SE1__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE2__DW, COMPUTE_STATIC_THREAD_MGMT_SE3__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE4__DW, COMPUTE_STATIC_THREAD_MGMT_SE5__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE6__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE7__DW}[k] -
		    COMPUTE_DISPATCH_INITIATOR__DW] = UINT32_MAX;
	memcpy(&REG(COMPUTE_USER_DATA_0), d.user_data, sizeof(d.user_data));
#undef REG
	dw[n++] = gv_pm4_header(PM4_SET_SH_REG, 1 + count);
	dw[n++] = COMPUTE_DISPATCH_INITIATOR__DW - PM4_SET_SH_REG_START;
	memcpy(dw + n, reg, sizeof(reg));
	n += count;
	dw[n++] = gv_pm4_header(PM4_DISPATCH_DIRECT, 4);
	for (unsigned k = 0; k < 3; k++)
		dw[n++] = d.dim[k];
	dw[n++] = GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1) |
	          GV_PUT(COMPUTE_DISPATCH_INITIATOR, PARTIAL_TG_EN, 1);
	return n;
}

static void launch(unsigned q)
{
	uint32_t dw[128];

	rig_emit(&r, VF0, q, dw, launch_words(dw));
}

/* ---- a queue with a save area -------------------------------------------- */

static void put_mqd(unsigned q, uint32_t dw, uint32_t val)
{
	rig_put32(&r, VF0, rig_mqd_va(q) + 4 * dw, val);
}

static uint32_t get_mqd(unsigned q, uint32_t dw)
{
	return rig_get32(&r, VF0, rig_mqd_va(q) + 4 * dw);
}

static bool is_saved(unsigned q)
{
	return GV_GET(get_mqd(q, GV_MQD_DW(CP_HQD_PERSISTENT_STATE)), CP_HQD_PERSISTENT_STATE,
	              RELAUNCH_WAVES);
}

static void give_area(unsigned q, uint64_t va, uint32_t bytes)
{
	put_mqd(q, GV_MQD_DW(CP_HQD_PERSISTENT_STATE),
	        GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1));
	put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_LO), (uint32_t)va);
	put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_HI), (uint32_t)(va >> 32));
	put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE), bytes);
	put_mqd(q, GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), STACK_BYTES);
	put_mqd(q, GV_MQD_DW(CP_HQD_CNTL_STACK_OFFSET), STACK_BYTES);
	put_mqd(q, GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), STACK_BYTES);
}

/* On any slot of the first MEC, with the MQD as it is. */
static bool map_at(unsigned q, unsigned slot)
{
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, QUEUE, slot / 4) | GV_PUT(PM4_MAP_QUEUES, PIPE, slot % 4) |
	                 GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(q)), (uint32_t)rig_mqd_va(q),
	         0, (uint32_t)rig_wptr_va(q), 0);
	return rig_sync(&r, VF0, RIG_KIQ, 2000);
}

static bool preempt(unsigned q)
{
	rig_emit_unmap(&r, VF0, q, 0);
	return rig_sync(&r, VF0, RIG_KIQ, 3000);
}

static bool kill_queue(unsigned q)
{
	rig_emit_unmap(&r, VF0, q, 1);
	return rig_sync(&r, VF0, RIG_KIQ, 2000);
}

static void up(uint64_t area, uint32_t bytes)
{
	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	rig_wr(&r, VF0, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	CU_ASSERT_TRUE(kill_queue(1));
	rig_make_mqd(&r, VF0, 1);
	if (bytes)
		give_area(1, area, bytes);
	CU_ASSERT_TRUE(map_at(1, 0));
}

static uint32_t queue_error(unsigned slot)
{
	uint32_t error;

	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE,
	       GV_PUT(GRBM_GFX_CNTL, MEID, 1) | GV_PUT(GRBM_GFX_CNTL, PIPEID, slot % 4) |
	               GV_PUT(GRBM_GFX_CNTL, QUEUEID, slot / 4));
	error = rig_rd(&r, VF0, CP_HQD_ERROR__BYTE);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	return error;
}

static bool fence_is(unsigned q, uint32_t seq)
{
	return rig_get32(&r, VF0, rig_fence_va(q)) == seq;
}

/* ---- cases --------------------------------------------------------------- */

/* Unmapped and mapped again, each time elsewhere, until its fence is there. Returns how often it
 * was saved. */
static unsigned run_preempted(uint32_t seq)
{
	unsigned saves = 0, tries = 0;

	while (!fence_is(1, seq) && tries++ < 5000) {
		(void)usleep(20 + tries % 7 * 20);
		CU_ASSERT_TRUE(preempt(1));
		saves += is_saved(1);
		CU_ASSERT_TRUE(map_at(1, tries % 8 == 1 ? 2 : tries % 8)); /* 1 is queue 2's */
		CU_ASSERT_FALSE(is_saved(1));
	}
	CU_ASSERT_TRUE(fence_is(1, seq));
	return saves;
}

static void a_kernel_preempted_hundreds_of_times_gives_the_same_bits(void)
{
	static const struct {
		const char *name;
		uint32_t rounds;
	} t[] = {{"sort", 30000}, {"atomics", 30000}, {"scratch", 10000}, {"divergent", 15000}};
	unsigned saves = 0;

	up(AREA, AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&bench, "save.cl", "-O2"), 0);
	for (unsigned i = 0; i < GV_ARRAY_LEN(t); i++) {
		uint32_t seq;
		unsigned now;

		load_kernel(t[i].name, t[i].rounds);
		CU_ASSERT_NOT_EQUAL(wrong(), 0);
		launch(1);
		seq = rig_emit_fence(&r, VF0, 1, 0);
		rig_kick(&r, VF0, 1);
		now = run_preempted(seq);
		saves += now;
		if (getenv("GV_TEST_VERBOSE"))
			printf("%s: saved %u times\n", t[i].name, now);
		CU_ASSERT_EQUAL(wrong(), 0);
		CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, i + 1);
	}
	CU_ASSERT_TRUE(saves >= 100);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, 0);
	cu_rig_close(&bench);
	rig_close(&r);
}

/* A program that never ends, on queue 1. */
static void launch_endless(void)
{
	static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */

	d = (struct gv_cu_dispatch){
	        .pgm_va = IMAGE,
	        .rsrc1 = 3,
	        .rsrc2 = 2u << 15, /* 1 KiB of LDS */
	        .dim = {1, 1, 1},
	        .num_thread = {128, 1, 1},
	};
	rig_put(&r, VF0, IMAGE, endless, sizeof(endless));
	launch(1);
	(void)rig_emit_fence(&r, VF0, 1, 0);
	rig_kick(&r, VF0, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 2000)); /* same worker: it was launched */
}

static void an_endless_kernel_is_saved_at_once_and_can_be_killed(void)
{
	uint64_t start;

	up(AREA, AREA_BYTES);
	launch_endless();
	for (unsigned n = 0; n < 20; n++) {
		start = gv_now_ns();
		CU_ASSERT_TRUE(preempt(1));
		CU_ASSERT_TRUE(gv_now_ns() - start < GV_DRAIN_NS / 2);
		CU_ASSERT_TRUE(is_saved(1));
		CU_ASSERT_TRUE(map_at(1, 4 * (n & 1)));
	}
	CU_ASSERT_TRUE(fence_is(1, 0));
	CU_ASSERT_EQUAL(queue_error(4), 0);
	CU_ASSERT_TRUE(kill_queue(1));
	CU_ASSERT_FALSE(is_saved(1));
	CU_ASSERT_TRUE(map_at(1, 0));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 2000));
	/* saved, and then the function is reset: nothing of it is left */
	CU_ASSERT_TRUE(preempt(1));
	CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
	rig_admit_vf(&r, 0);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 2000));
	rig_close(&r);
}

/* An area that is too small, one that is not mapped: the queue gets its time, then stops. */
static void without_room_a_queue_drains(void)
{
	const struct {
		uint64_t va;
		uint32_t bytes;
		uint32_t error; /* while it drains */
	} t[] = {
	        {AREA, 0x2000, 0},
	        {0x100000000000, AREA_BYTES, GV_PUT(CP_HQD_ERROR, SR_UTCL1_ERROR, 1)},
	};

	for (unsigned i = 0; i < GV_ARRAY_LEN(t); i++) {
		uint64_t start;

		up(t[i].va, t[i].bytes);
		launch_endless();
		start = gv_now_ns();
		rig_emit_unmap(&r, VF0, 1, 0);
		rig_kick(&r, VF0, RIG_KIQ);
		(void)usleep(50000);
		CU_ASSERT_EQUAL(queue_error(0), t[i].error);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 4000));
		CU_ASSERT_TRUE(gv_now_ns() - start >= GV_DRAIN_NS);
		CU_ASSERT_FALSE(is_saved(1));
		CU_ASSERT_EQUAL(rig_stats(&r, VF0).vm_faults, t[i].error != 0);
		rig_close(&r);
	}
}

/* The packets behind the dispatch are in an IB as well: each happens once. */
static void a_dispatch_in_an_ib_goes_on_behind_it(void)
{
	uint32_t dw[256], seq;
	unsigned n, saves;

	up(AREA, AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&bench, "save.cl", "-O0"), 0);
	load_kernel("sort", 1000);
	n = launch_words(dw);
	for (unsigned k = 0; k < 2; k++) { /* wait for it, then count */
		dw[n++] = gv_pm4_header(PM4_EVENT_WRITE, 1);
		dw[n++] = GV_PUT(PM4_EVENT_WRITE, EVENT_TYPE, PM4_EVENT_CS_PARTIAL_FLUSH) |
		          GV_PUT(PM4_EVENT_WRITE, EVENT_INDEX, 4);
		dw[n++] = gv_pm4_header(PM4_ATOMIC_MEM, 8);
		dw[n++] = GV_PUT(PM4_ATOMIC_MEM, ATOMIC, GV_TC_ADD_RTN_32);
		dw[n++] = (uint32_t)IB - 0x100;
		dw[n++] = 0;
		dw[n++] = 1;
		memset(dw + n, 0, 16);
		n += 4;
	}
	rig_put32(&r, VF0, IB - 0x100, 0);
	rig_put(&r, VF0, IB, dw, n * 4);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)IB, 0, n | 1u << 23);
	seq = rig_emit_fence(&r, VF0, 1, 0);
	rig_kick(&r, VF0, 1);
	saves = run_preempted(seq);
	CU_ASSERT_TRUE(saves >= 5);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, IB - 0x100), 2);
	CU_ASSERT_EQUAL(wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, 1);
	cu_rig_close(&bench);
	rig_close(&r);
}

/* Everything is in guest memory: another process of the model, with other threads, goes on. */
static void another_gpu_goes_on_with_the_same_memory(void)
{
	static uint8_t memory[RIG_FB_BYTES];
	struct rig_queue queue;
	uint32_t seq;

	up(AREA, AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&bench, "save.cl", "-O2"), 0);
	load_kernel("sort", 30000);
	launch(1);
	seq = rig_emit_fence(&r, VF0, 1, 0);
	rig_kick(&r, VF0, 1);
	(void)usleep(3000);
	CU_ASSERT_TRUE(preempt(1));
	CU_ASSERT_TRUE(is_saved(1));
	CU_ASSERT_FALSE(fence_is(1, seq));
	rig_get(&r, VF0, 0, memory, sizeof(memory));
	queue = r.queue[VF0][1];
	rig_close(&r);

	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	rig_wr(&r, VF0, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	CU_ASSERT_TRUE(kill_queue(1));
	rig_put(&r, VF0, rig_ring_va(1), memory + rig_ring_va(1), 0x10000);
	rig_put(&r, VF0, IMAGE, memory + IMAGE, RIG_FB_BYTES - IMAGE);
	r.queue[VF0][1] = queue;
	CU_ASSERT_TRUE(is_saved(1));
	CU_ASSERT_TRUE(map_at(1, 2));
	CU_ASSERT_TRUE(rig_wait_mem(&r, VF0, rig_fence_va(1), seq, 10000));
	CU_ASSERT_EQUAL(wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, 1);
	cu_rig_close(&bench);
	rig_close(&r);
}

/* DEQUEUE_REQUEST 3 saves; 1 drains, and saves what does not end. */
static void a_dequeue_request_saves_waves(void)
{
	static const uint64_t least[] = {0, GV_DRAIN_NS};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t start;

		up(AREA, AREA_BYTES);
		launch_endless();
		start = gv_now_ns();
		rig_select(&r, VF0, 1);
		rig_wr(&r, VF0, CP_HQD_DEQUEUE_REQUEST__BYTE, i ? 1 : 3);
		CU_ASSERT_TRUE(rig_wait_reg(&r, VF0, CP_HQD_ACTIVE__BYTE, 0, 4000));
		rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
		CU_ASSERT_TRUE(gv_now_ns() - start >= least[i]);
		CU_ASSERT_TRUE(gv_now_ns() - start < least[i] + GV_DRAIN_NS);
		CU_ASSERT_TRUE(is_saved(1));
		/* the registers say so as well: ACTIVE alone goes on */
		rig_select(&r, VF0, 1);
		rig_wr(&r, VF0, CP_HQD_ACTIVE__BYTE, 1);
		rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 2000));
		CU_ASSERT_EQUAL(queue_error(0), 0);
		CU_ASSERT_FALSE(is_saved(1));
		CU_ASSERT_TRUE(preempt(1));
		CU_ASSERT_TRUE(is_saved(1));
		rig_close(&r);
	}
}

/* Words of the area and of the MQD that a guest changed: the queue fails, nothing else does. */
static void a_forged_context_fails_the_queue(void)
{
	enum { CONTEXT = 0, GRID = 96, PART = 96 + 160, RUN = PART + 8 };
	static const struct {
		unsigned at;
		uint32_t bad;
	} area[] = {
	        {CONTEXT, 0},
	        {CONTEXT + 4, 2},
	        {CONTEXT + 8, 0},
	        {CONTEXT + 8, 96},
	        {CONTEXT + 12, 1},
	        {CONTEXT + 16, 0x7fffffff},
	        {CONTEXT + 20, 1},
	        {CONTEXT + 36, 3},
	        {CONTEXT + 36, UINT32_MAX},
	        {CONTEXT + 40, 2},
	        {GRID + 24, 63},
	        {GRID + 36, 65536},
	        {GRID + 116, 0},
	        {GRID + 128, 0},
	        {GRID + 128, 1025},
	        {GRID + 128, 64},
	        {GRID + 140, 129},
	        {GRID + 152, 16},
	        {GRID + 156, 2},
	        {GRID + 156, 257},
	        {GRID + 156, UINT32_MAX},
	        {PART, 256},
	        {PART, UINT32_MAX},
	        {PART + 4, 0},
	        {PART + 4, 0x10000},
	        {PART + 4, 12},
	        {PART + 4, UINT32_MAX},
	        {RUN, 0},
	        {RUN + 8, 0},
	        {RUN + 20, 16},
	        {RUN + 24, 255},
	        {RUN + 36, 9},
	        {RUN + 120, 2},
	        {RUN + 136, 77},
	};
	static const struct {
		uint32_t dw, bad;
	} mqd[] = {
	        {GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), 0},
	        {GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), STACK_BYTES + 95},
	        {GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), UINT32_MAX},
	        {GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), UINT32_MAX},
	        {GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), 0},
	        {GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE), 0x1000},
	        {GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_HI), 0xffff},
	        {GV_MQD_DW(CP_HQD_PQ_WPTR_LO), 0x80000},
	};
	const unsigned areas = GV_ARRAY_LEN(area), all = areas + GV_ARRAY_LEN(mqd);

	up(AREA, AREA_BYTES);
	for (unsigned i = 0; i < all; i++) {
		uint64_t va = i < areas ? AREA + STACK_BYTES + area[i].at
		                        : rig_mqd_va(1) + 4 * mqd[i - areas].dw;
		uint32_t bad = i < areas ? area[i].bad : mqd[i - areas].bad;

		CU_ASSERT_TRUE(kill_queue(1));
		rig_make_mqd(&r, VF0, 1);
		give_area(1, AREA, AREA_BYTES);
		CU_ASSERT_TRUE(map_at(1, 0));
		launch_endless();
		CU_ASSERT_TRUE(preempt(1));
		CU_ASSERT_TRUE(is_saved(1));
		CU_ASSERT_NOT_EQUAL(rig_get32(&r, VF0, va), bad);
		rig_put32(&r, VF0, va, bad);
		CU_ASSERT_TRUE(map_at(1, 0));
		if (!queue_error(0))
			printf("forged word %u was taken\n", i);
		CU_ASSERT_NOT_EQUAL(queue_error(0), 0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 2000));
	}
	rig_close(&r);
}

static void the_wave_limit_of_the_device_ends_an_endless_kernel(void)
{
	struct gv_ih_iv iv;

	up(0, 0);
	r.dev->cfg.wave_limit = 1000000;
	launch_endless();
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_SQ, &iv, 5000));
	CU_ASSERT_NOT_EQUAL(queue_error(0), 0);
	CU_ASSERT_TRUE(fence_is(1, 0));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 2000));
	rig_close(&r);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(a_kernel_preempted_hundreds_of_times_gives_the_same_bits),
	        UT(an_endless_kernel_is_saved_at_once_and_can_be_killed),
	        UT(without_room_a_queue_drains),
	        UT(a_dispatch_in_an_ib_goes_on_behind_it),
	        UT(another_gpu_goes_on_with_the_same_memory),
	        UT(a_dequeue_request_saves_waves),
	        UT(a_forged_context_fails_the_queue),
	        UT(the_wave_limit_of_the_device_ends_an_endless_kernel),
	};

	if (!cu_rig_has("clang-14")) {
		printf("SKIP: clang-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "preempt", cases, (int)GV_ARRAY_LEN(cases));
}
