/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queues that are preempted with waves in flight. The kernels of save.cl, compiled by clang, are
 * moved from the wave_bench of the interpreter into a VF and launched there by PM4 packets.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp.h"
#include "ut.h"
#include "wave_rig.h"

/* Unmapped and mapped again, each time elsewhere, until its fence is there; left alone for longer
 * where that takes many times: a busy host may give it no instruction in between. Returns how often
 * it was saved. */
static unsigned run_preempted(uint32_t seq)
{
	unsigned saves = 0, tries = 0;

	while (!wave_fence_is(1, seq) && tries++ < 5000) {
		(void)usleep((20 + tries % 7 * 20) << GV_MIN(tries / 100, 8u));
		CU_ASSERT_TRUE(wave_preempt(1));
		saves += wave_is_saved(1);
		CU_ASSERT_TRUE(wave_map_at(1, tries % 8 == 1 ? 2 : tries % 8)); /* 1 is queue 2's */
		CU_ASSERT_FALSE(wave_is_saved(1));
	}
	CU_ASSERT_TRUE(wave_fence_is(1, seq));
	return saves;
}

/* On queue 1, with a fence behind it: its number. */
static uint32_t start_kernel(const char *name, uint32_t rounds)
{
	uint32_t seq;

	wave_load_kernel(name, rounds);
	CU_ASSERT_NOT_EQUAL(wave_wrong(), 0);
	wave_launch(1);
	seq = rig_emit_fence(&wave_rig, WAVE_VF, 1, 0);
	rig_kick(&wave_rig, WAVE_VF, 1);
	return seq;
}

/* Launched until it was saved @least times: how often that is per launch depends on the host. */
static unsigned launch_preempted(const char *name, uint32_t rounds, unsigned least)
{
	unsigned launches = 0, saves = 0;

	while (saves < least && launches < 400) {
		saves += run_preempted(start_kernel(name, rounds));
		launches++;
		CU_ASSERT_EQUAL(wave_wrong(), 0);
	}
	CU_ASSERT_TRUE(saves >= least);
	if (getenv("GV_TEST_VERBOSE"))
		printf("%s: %u launches, saved %u times\n", name, launches, saves);
	return launches;
}

/* GV_TEST_SAVES=1000: of each kernel. */
static void a_kernel_preempted_hundreds_of_times_gives_the_same_bits(void)
{
	const char *asked = getenv("GV_TEST_SAVES");
	unsigned least = asked ? (unsigned)atoi(asked) : 50, launches = 0;

	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O2"), 0);
	launches += launch_preempted("sort", 8000, least);
	launches += launch_preempted("atomics", 4000, least);
	launches += launch_preempted("scratch", 3000, least);
	launches += launch_preempted("divergent", 6000, least);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, launches);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).guest_errors, 0);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

static void an_endless_kernel_is_saved_at_once_and_can_be_killed(void)
{
	uint64_t start;

	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	wave_launch_endless();
	for (unsigned n = 0; n < 20; n++) {
		start = gv_now_ns();
		CU_ASSERT_TRUE(wave_preempt(1));
		CU_ASSERT_TRUE(gv_now_ns() - start < GV_DRAIN_NS / 2);
		CU_ASSERT_TRUE(wave_is_saved(1));
		CU_ASSERT_TRUE(wave_map_at(1, 4 * (n & 1)));
	}
	CU_ASSERT_TRUE(wave_fence_is(1, 0));
	CU_ASSERT_EQUAL(wave_queue_error(4), 0);
	CU_ASSERT_TRUE(wave_kill_queue(1));
	CU_ASSERT_FALSE(wave_is_saved(1));
	CU_ASSERT_TRUE(wave_map_at(1, 0));
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
	/* saved, and then the function is reset: nothing of it is left */
	CU_ASSERT_TRUE(wave_preempt(1));
	CU_ASSERT_EQUAL(gv_dev_reset(wave_rig.dev, WAVE_VF), 0);
	rig_admit_vf(&wave_rig, 0);
	CU_ASSERT_TRUE(rig_start(&wave_rig, WAVE_VF, 2));
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 1, 20000));
	rig_close(&wave_rig);
}

/* An area that is too small, one that is not mapped: the queue gets its time, then stops. */
static void without_room_a_queue_drains(void)
{
	const struct {
		uint64_t va;
		uint32_t bytes;
		uint32_t error; /* while it drains */
	} t[] = {
	        {WAVE_AREA, 0x2000, 0},
	        {0x100000000000, WAVE_AREA_BYTES, GV_PUT(CP_HQD_ERROR, SR_UTCL1_ERROR, 1)},
	};

	for (unsigned i = 0; i < GV_ARRAY_LEN(t); i++) {
		uint64_t start;

		wave_up(t[i].va, t[i].bytes);
		wave_launch_endless();
		start = gv_now_ns();
		rig_emit_unmap(&wave_rig, WAVE_VF, 1, 0);
		rig_kick(&wave_rig, WAVE_VF, RIG_KIQ);
		(void)usleep(50000);
		CU_ASSERT_EQUAL(wave_queue_error(0), t[i].error);
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, RIG_KIQ, 4000));
		CU_ASSERT_TRUE(gv_now_ns() - start >= GV_DRAIN_NS);
		CU_ASSERT_FALSE(wave_is_saved(1));
		CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).vm_faults, t[i].error != 0);
		rig_close(&wave_rig);
	}
}

/* The packets behind the dispatch are in an WAVE_IB as well: each happens once. */
static void a_dispatch_in_an_ib_goes_on_behind_it(void)
{
	uint32_t dw[256], seq;
	unsigned n, saves;

	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O0"), 0);
	wave_load_kernel("sort", 1000);
	n = wave_launch_words(dw);
	for (unsigned k = 0; k < 2; k++) { /* wait for it, then count */
		dw[n++] = gv_pm4_header(PM4_EVENT_WRITE, 1);
		dw[n++] = GV_PUT(PM4_EVENT_WRITE, EVENT_TYPE, PM4_EVENT_CS_PARTIAL_FLUSH) |
		          GV_PUT(PM4_EVENT_WRITE, EVENT_INDEX, 4);
		dw[n++] = gv_pm4_header(PM4_ATOMIC_MEM, 8);
		dw[n++] = GV_PUT(PM4_ATOMIC_MEM, ATOMIC, GV_TC_ADD_RTN_32);
		dw[n++] = (uint32_t)WAVE_IB - 0x100;
		dw[n++] = 0;
		dw[n++] = 1;
		memset(dw + n, 0, 16);
		n += 4;
	}
	rig_put32(&wave_rig, WAVE_VF, WAVE_IB - 0x100, 0);
	rig_put(&wave_rig, WAVE_VF, WAVE_IB, dw, n * 4);
	RIG_EMIT(&wave_rig, WAVE_VF, 1, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)WAVE_IB, 0,
	         n | 1u << 23);
	seq = rig_emit_fence(&wave_rig, WAVE_VF, 1, 0);
	rig_kick(&wave_rig, WAVE_VF, 1);
	saves = run_preempted(seq);
	CU_ASSERT_TRUE(saves >= 5);
	CU_ASSERT_EQUAL(rig_get32(&wave_rig, WAVE_VF, WAVE_IB - 0x100), 2);
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, 1);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

/* Everything is in guest memory: another process of the model, with other threads, goes on. */
static void another_gpu_goes_on_with_the_same_memory(void)
{
	static uint8_t memory[RIG_FB_BYTES];
	struct rig_queue queue;
	unsigned launches = 0;
	uint32_t seq;

	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O2"), 0);
	do { /* until it was not over already */
		seq = start_kernel("sort", 6000);
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000)); /* it is launched */
		CU_ASSERT_TRUE(wave_preempt(1));
		launches++;
		if (wave_is_saved(1))
			break;
		CU_ASSERT_TRUE(wave_map_at(1, 0));
		CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(1), seq, 10000));
	} while (launches < 50);
	CU_ASSERT_TRUE_FATAL(wave_is_saved(1));
	CU_ASSERT_FALSE(wave_fence_is(1, seq));
	rig_get(&wave_rig, WAVE_VF, 0, memory, sizeof(memory));
	queue = wave_rig.queue[WAVE_VF][1];
	rig_close(&wave_rig);

	rig_open(&wave_rig);
	CU_ASSERT_TRUE(rig_start(&wave_rig, WAVE_VF, 2));
	rig_wr(&wave_rig, WAVE_VF, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	CU_ASSERT_TRUE(wave_kill_queue(1));
	rig_put(&wave_rig, WAVE_VF, rig_ring_va(1), memory + rig_ring_va(1), 0x10000);
	rig_put(&wave_rig, WAVE_VF, WAVE_IMAGE, memory + WAVE_IMAGE, RIG_FB_BYTES - WAVE_IMAGE);
	wave_rig.queue[WAVE_VF][1] = queue;
	CU_ASSERT_TRUE(wave_is_saved(1));
	CU_ASSERT_TRUE(wave_map_at(1, 2));
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(1), seq, 10000));
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, 1);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

/* DEQUEUE_REQUEST 3 saves; 1 drains, and saves what does not end. */
static void a_dequeue_request_saves_waves(void)
{
	static const uint64_t least[] = {0, GV_DRAIN_NS};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t start;

		wave_up(WAVE_AREA, WAVE_AREA_BYTES);
		wave_launch_endless();
		start = gv_now_ns();
		rig_select(&wave_rig, WAVE_VF, 1);
		rig_wr(&wave_rig, WAVE_VF, CP_HQD_DEQUEUE_REQUEST__BYTE, i ? 1 : 3);
		CU_ASSERT_TRUE(rig_wait_reg(&wave_rig, WAVE_VF, CP_HQD_ACTIVE__BYTE, 0, 4000));
		rig_wr(&wave_rig, WAVE_VF, GRBM_GFX_CNTL__BYTE, 0);
		CU_ASSERT_TRUE(gv_now_ns() - start >= least[i]);
		CU_ASSERT_TRUE(gv_now_ns() - start < least[i] + GV_DRAIN_NS);
		CU_ASSERT_TRUE(wave_is_saved(1));
		/* the registers say so as well: ACTIVE alone goes on */
		rig_select(&wave_rig, WAVE_VF, 1);
		rig_wr(&wave_rig, WAVE_VF, CP_HQD_ACTIVE__BYTE, 1);
		rig_wr(&wave_rig, WAVE_VF, GRBM_GFX_CNTL__BYTE, 0);
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
		CU_ASSERT_EQUAL(wave_queue_error(0), 0);
		CU_ASSERT_FALSE(wave_is_saved(1));
		CU_ASSERT_TRUE(wave_preempt(1));
		CU_ASSERT_TRUE(wave_is_saved(1));
		rig_close(&wave_rig);
	}
}

/* In the area, behind the control stack. */
enum { CONTEXT = 0, GRID = 96, PART = 96 + 160, RUN = PART + 8 };

/* Words of the area and of the MQD that a guest changed: the queue fails, nothing else does. */
static void a_forged_context_fails_the_queue(void)
{
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
	        {GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), WAVE_STACK_BYTES + 95},
	        {GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), UINT32_MAX},
	        {GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), UINT32_MAX},
	        {GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), 0},
	        {GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE), 0x1000},
	        {GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_HI), 0xffff},
	        {GV_MQD_DW(CP_HQD_PQ_WPTR_LO), 0x80000},
	};
	const unsigned areas = GV_ARRAY_LEN(area), all = areas + GV_ARRAY_LEN(mqd);

	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	for (unsigned i = 0; i < all; i++) {
		uint64_t va = i < areas ? WAVE_AREA + WAVE_STACK_BYTES + area[i].at
		                        : rig_mqd_va(1) + 4 * mqd[i - areas].dw;
		uint32_t bad = i < areas ? area[i].bad : mqd[i - areas].bad;

		CU_ASSERT_TRUE(wave_kill_queue(1));
		rig_make_mqd(&wave_rig, WAVE_VF, 1);
		wave_give_area(1, WAVE_AREA, WAVE_AREA_BYTES);
		CU_ASSERT_TRUE(wave_map_at(1, 0));
		wave_launch_endless();
		CU_ASSERT_TRUE(wave_preempt(1));
		CU_ASSERT_TRUE(wave_is_saved(1));
		CU_ASSERT_NOT_EQUAL(rig_get32(&wave_rig, WAVE_VF, va), bad);
		rig_put32(&wave_rig, WAVE_VF, va, bad);
		CU_ASSERT_TRUE(wave_map_at(1, 0));
		if (!wave_queue_error(0))
			printf("forged word %u was taken\n", i);
		CU_ASSERT_NOT_EQUAL(wave_queue_error(0), 0);
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
	}
	rig_close(&wave_rig);
}

static void save_endless(void)
{
	wave_up(WAVE_AREA, WAVE_AREA_BYTES);
	wave_launch_endless();
	CU_ASSERT_TRUE(wave_preempt(1));
	CU_ASSERT_TRUE(wave_is_saved(1));
}

static void add32(uint64_t va, uint32_t by)
{
	rig_put32(&wave_rig, WAVE_VF, va, rig_get32(&wave_rig, WAVE_VF, va) + by);
}

/* A byte more of LDS: what the dispatch is rounded up by shows nothing of the host's. */
static void nothing_of_the_host_is_saved(void)
{
	uint64_t from = WAVE_AREA + WAVE_STACK_BYTES, end;
	uint64_t offset = rig_mqd_va(1) + 4 * GV_MQD_DW(CP_HQD_WG_STATE_OFFSET);
	uint8_t pad[7];

	(void)mallopt(M_PERTURB, 0x5a);
	save_endless();
	add32(offset, 8);
	add32(from + CONTEXT + 8, 8);
	add32(from + GRID + 36, 1025);
	add32(from + PART + 4, 8);
	add32(from + RUN + 8, 1);
	add32(from + RUN + 28, 1);
	end = WAVE_AREA + rig_get32(&wave_rig, WAVE_VF, offset);
	CU_ASSERT_TRUE(wave_map_at(1, 0));
	CU_ASSERT_EQUAL(wave_queue_error(0), 0);
	CU_ASSERT_TRUE(wave_preempt(1));
	CU_ASSERT_TRUE(wave_is_saved(1));
	CU_ASSERT_EQUAL(WAVE_AREA + rig_get32(&wave_rig, WAVE_VF, offset), end);
	rig_get(&wave_rig, WAVE_VF, end - sizeof(pad), pad, sizeof(pad));
	for (size_t n = 0; n < sizeof(pad); n++)
		CU_ASSERT_EQUAL(pad[n], 0);
	rig_close(&wave_rig);
	(void)mallopt(M_PERTURB, 0);
}

static void switch_world(struct gv_fn *f)
{
	static uint8_t buf[1 << 20];
	size_t bytes = 0;

	gv_cp_pause(f);
	gv_fn_mem_enter(f);
	CU_ASSERT_EQUAL(gv_cp_save(f, buf, 40, &bytes), -ENOSPC);
	CU_ASSERT_EQUAL_FATAL(gv_cp_save(f, buf, sizeof(buf), &bytes), 0);
	gv_cp_forget(f);
	CU_ASSERT_EQUAL(gv_cp_restore(f, buf, bytes - 1), -EINVAL);
	CU_ASSERT_EQUAL(gv_cp_restore(f, buf, bytes), 0);
	gv_fn_mem_leave(f);
	gv_cp_resume(f);
}

/* Its registers say that there is a saved context besides the one that the switch brings; another
 * queue runs a kernel as well. */
static void a_function_that_claims_a_context_goes_on_where_it_was(void)
{
	const uint32_t both = GV_PUT(CP_HQD_PERSISTENT_STATE, RELAUNCH_WAVES, 1) |
	                      GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1);
	const unsigned slot = GV_HQD_SLOT(0, 2, 0);
	uint32_t offset;
	struct gv_fn *f;

	save_endless();
	f = &wave_rig.dev->fn[WAVE_VF];
	offset = rig_get32(&wave_rig, WAVE_VF,
	                   rig_mqd_va(1) + 4 * GV_MQD_DW(CP_HQD_WG_STATE_OFFSET));
	CU_ASSERT_TRUE(wave_map_at(1, 2));
	wave_launch(2);
	rig_kick(&wave_rig, WAVE_VF, 2);
	for (unsigned n = 0; n < 3; n++) {
		CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, RIG_KIQ, 20000));
		gv_hqd_put(f, slot, GV_REG_CP_HQD_PERSISTENT_STATE, both);
		gv_hqd_put(f, slot, GV_REG_CP_HQD_WG_STATE_OFFSET, offset);
		switch_world(f);
		CU_ASSERT_EQUAL(wave_queue_error(2), 0);
	}
	CU_ASSERT_TRUE(wave_kill_queue(2));
	CU_ASSERT_TRUE(wave_preempt(1));
	CU_ASSERT_TRUE(wave_is_saved(1));
	rig_close(&wave_rig);
}

/* A kernel in the middle on one queue, a wait on another. */
static void a_function_goes_on_after_its_queues_were_elsewhere(void)
{
	unsigned switches = 0, launches = 0;
	struct gv_fn *f;
	uint32_t waits;

	wave_up(0, 0);
	f = &wave_rig.dev->fn[WAVE_VF];
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O2"), 0);
	rig_put32(&wave_rig, WAVE_VF, WAVE_IB - 0x100, 0);
	RIG_EMIT(&wave_rig, WAVE_VF, 2, gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	         GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, 3) | GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1),
	         (uint32_t)WAVE_IB - 0x100, 0, 1, 0xffffffff, 4);
	waits = rig_emit_fence(&wave_rig, WAVE_VF, 2, 0);
	rig_kick(&wave_rig, WAVE_VF, 2);
	while (switches < 30 && launches < 50) {
		uint32_t seq = start_kernel("sort", 6000);

		launches++;
		for (unsigned n = 0; !wave_fence_is(1, seq) && n < 5000; n++, switches++) {
			(void)usleep(100);
			switch_world(f);
		}
		CU_ASSERT_TRUE(wave_fence_is(1, seq));
		CU_ASSERT_EQUAL(wave_wrong(), 0);
	}
	CU_ASSERT_TRUE(switches >= 30);
	CU_ASSERT_FALSE(wave_fence_is(2, waits));
	rig_put32(&wave_rig, WAVE_VF, WAVE_IB - 0x100, 1);
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(2), waits, 20000));
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).dispatches, launches);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

/* The scheduler is one still, and queues hear their doorbells. */
static void idle_queues_go_on_after_they_were_elsewhere(void)
{
	wave_up(0, 0);
	for (unsigned i = 0; i < 20; i++) {
		switch_world(&wave_rig.dev->fn[WAVE_VF]);
		for (unsigned q = 0; q < 3; q++)
			CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, q, 20000));
	}
	CU_ASSERT_TRUE(wave_preempt(1));
	CU_ASSERT_EQUAL(rig_stats(&wave_rig, WAVE_VF).guest_errors, 0);
	rig_close(&wave_rig);
}

/* SQ_SHADER_TBA and TMA of the VMID: the handler stores where TMA says. */
static void a_trap_handler_is_found_by_its_registers(void)
{
	static const uint32_t traps[] = {0xbf920001, 0xbf810000}; /* s_trap 1; s_endpgm */
	static const uint32_t handler[] = {
	        0xb8f0f812,             /* s_getreg_b32 ttmp4, hwreg(18) */
	        0xb8f1f813,             /* s_getreg_b32 ttmp5, hwreg(19) */
	        0x8ef08870,             /* s_lshl_b64 ttmp[4:5], ttmp[4:5], 8 */
	        0x24040082,             /* v_lshlrev_b32_e32 v2, 2, v0 */
	        0xdc708000, 0x00700002, /* global_store_dword v2, v0, ttmp[4:5] */
	        0x806c846c,             /* s_add_u32 ttmp0, ttmp0, 4 */
	        0x826d806d,             /* s_addc_u32 ttmp1, ttmp1, 0 */
	        0xbe801f6c,             /* s_rfe_b64 ttmp[0:1] */
	};
	const uint64_t tba = WAVE_IMAGE + 0x1000, tma = WAVE_IMAGE + 0x2000;

	wave_up(0, 0);
	wave_dispatch = (struct gv_cu_dispatch){
	        .pgm_va = WAVE_IMAGE,
	        .rsrc1 = 3,
	        .rsrc2 = GV_PUT(COMPUTE_PGM_RSRC2, TRAP_PRESENT, 1),
	        .dim = {1, 1, 1},
	        .num_thread = {64, 1, 1},
	};
	rig_put(&wave_rig, WAVE_VF, WAVE_IMAGE, traps, sizeof(traps));
	rig_put(&wave_rig, WAVE_VF, tba, handler, sizeof(handler));
	rig_wr(&wave_rig, WAVE_VF, SQ_SHADER_TBA_LO__BYTE, (uint32_t)(tba >> 8));
	rig_wr(&wave_rig, WAVE_VF, SQ_SHADER_TMA_LO__BYTE, (uint32_t)(tma >> 8));
	wave_launch(1);
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 1, 20000));
	for (uint32_t i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(rig_get32(&wave_rig, WAVE_VF, tma + 4 * i), i);
	/* without TRAP_PRESENT nobody is there */
	wave_dispatch.rsrc2 = 0;
	wave_launch(1);
	CU_ASSERT_FALSE(rig_sync(&wave_rig, WAVE_VF, 1, 50));
	CU_ASSERT_NOT_EQUAL(wave_queue_error(0), 0);
	rig_close(&wave_rig);
}

static void the_wave_limit_of_the_device_ends_an_endless_kernel(void)
{
	struct gv_ih_iv iv;

	wave_up(0, 0);
	wave_rig.dev->cfg.wave_limit = 1000000;
	wave_launch_endless();
	CU_ASSERT_TRUE(rig_find_iv(&wave_rig, WAVE_VF, GV_IH_SRC_CP_SQ, &iv, 5000));
	CU_ASSERT_NOT_EQUAL(wave_queue_error(0), 0);
	CU_ASSERT_TRUE(wave_fence_is(1, 0));
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
	rig_close(&wave_rig);
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
	        UT(nothing_of_the_host_is_saved),
	        UT(a_function_that_claims_a_context_goes_on_where_it_was),
	        UT(a_function_goes_on_after_its_queues_were_elsewhere),
	        UT(idle_queues_go_on_after_they_were_elsewhere),
	        UT(a_trap_handler_is_found_by_its_registers),
	        UT(the_wave_limit_of_the_device_ends_an_endless_kernel),
	};

	if (!cu_rig_has("clang-14")) {
		printf("SKIP: clang-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "preempt", cases, (int)GV_ARRAY_LEN(cases));
}
