/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run lists, as KFD writes them: processes with queues of their own, all at the same virtual
 * addresses.
 */
#include <string.h>

#include "ut.h"
#include "world_rig.h"

#include "cp.h"

#define VF0 GV_DEV_VF(0)
#define VF1 GV_DEV_VF(1)

enum { PROCESSES = 6, QUEUES = 8, RING_DW = 1024, PAGES = 64, FIRST_VMID = 8 };

#define LIST       0x340000ull
#define MQD(p, k)  (0x380000ull + ((p)*QUEUES + (k)) * 0x1000)
#define TABLE(p)   (0x3c0000ull + (p)*0x1000)
#define STATUS     0x3f0000ull /* of QUERY_STATUS */
#define PHYS(p)    (0x400000ull + (p)*PAGES * GV_GPU_PAGE)
#define USER       0x7000000000ull
#define RING(k)    ((k)*0x4000ull) /* from USER, or PHYS */
#define CONTROL(k) (RING(k) + 0x1000)
#define DATA(k)    (RING(k) + 0x2000)

enum { WPTR = 0, RPTR = 8, FENCE = 16 }; /* in the page at CONTROL */

static struct rig r;
static struct user {
	uint64_t wptr;
	uint32_t fence;
} users[PROCESSES][QUEUES];
static uint32_t list[2048];
static size_t list_dw;
static uint64_t statuses;

static uint32_t doorbell(unsigned p, unsigned k)
{
	return 0x1000 + p * 0x400 + k * 2;
}

static uint32_t pasid(unsigned p)
{
	return 0x8001 + p;
}

/* ---- what KFD does -------------------------------------------------------- */

static void make_mqd(unsigned p, unsigned k)
{
	uint32_t mqd[GV_MQD_DWORDS] = {0};

	mqd[GV_MQD_HEADER] = (uint32_t)GV_MQD_HEADER_MAGIC;
	mqd[GV_MQD_COMPUTE_DW(COMPUTE_STATIC_THREAD_MGMT_SE0)] = UINT32_MAX;
	mqd[GV_MQD_DW(CP_HQD_PQ_BASE)] = (uint32_t)((USER + RING(k)) >> 8);
	mqd[GV_MQD_DW(CP_HQD_PQ_BASE_HI)] = (uint32_t)((USER + RING(k)) >> 40);
	mqd[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR)] = (uint32_t)(USER + CONTROL(k) + RPTR);
	mqd[GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR_HI)] = (uint32_t)((USER + CONTROL(k)) >> 32);
	mqd[GV_MQD_DW(CP_HQD_PQ_CONTROL)] = GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 9);
	rig_put(&r, VF0, MQD(p, k), mqd, sizeof(mqd));
	memset(&users[p][k], 0, sizeof(users[p][k]));
}

/* KFD gets VMIDs @vmids and HQDs @queues. */
static void bring_up(uint32_t vmids, uint64_t queues)
{
	static const uint8_t zero[PAGES * GV_GPU_PAGE];

	CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_map(&r, VF0, RIG_HIQ));
	for (unsigned vmid = 1; vmid < GV_NUM_VMID; vmid++)
		rig_open_vmid(&r, VF0, vmid, USER, PAGES + 1, 0); /* the last is not there */
	for (unsigned p = 0; p < PROCESSES; p++) {
		rig_make_table(&r, VF0, TABLE(p), PHYS(p), PAGES);
		rig_put(&r, VF0, PHYS(p), zero, sizeof(zero));
		for (unsigned k = 0; k < QUEUES; k++)
			make_mqd(p, k);
	}
	RIG_EMIT(&r, VF0, RIG_HIQ, gv_pm4_header(PM4_SET_RESOURCES, 7),
	         GV_PUT(PM4_SET_RESOURCES, VMID_MASK, vmids) |
	                 GV_PUT(PM4_SET_RESOURCES, QUEUE_TYPE, 1),
	         (uint32_t)queues, (uint32_t)(queues >> 32), 0, 0, 0, 0);
	list_dw = 0;
}

static void up(uint32_t vmids, uint64_t queues)
{
	rig_open(&r);
	bring_up(vmids, queues);
}

static void add(const uint32_t *dw, size_t n)
{
	memcpy(list + list_dw, dw, n * sizeof(*dw));
	list_dw += n;
}
#define ADD(...)                                                                                   \
	add((const uint32_t[]){__VA_ARGS__},                                                       \
	    sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void add_process(unsigned p)
{
	ADD(gv_pm4_header(PM4_MAP_PROCESS, 15),
	    GV_PUT(PM4_MAP_PROCESS, PASID, pasid(p)) | GV_PUT(PM4_MAP_PROCESS, PROCESS_QUANTUM, 10),
	    (uint32_t)(TABLE(p) | GV_PTE_VALID), 0, 0x60005000 + p, 0x100c, 0x11, 0, 0x22, 0, 0, 0,
	    0, 0, 0, 0);
}

static void add_engine(unsigned p, unsigned k, unsigned engine)
{
	ADD(gv_pm4_header(PM4_MAP_QUEUES, 6),
	    GV_PUT(PM4_MAP_QUEUES, QUEUE_SEL, 1) | GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1) |
	            GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, engine),
	    GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, doorbell(p, k)), (uint32_t)MQD(p, k), 0,
	    (uint32_t)(USER + CONTROL(k) + WPTR), (uint32_t)((USER + CONTROL(k)) >> 32));
}

static void add_queue(unsigned p, unsigned k)
{
	add_engine(p, k, 0);
}

static void add_list(uint64_t va, size_t dw)
{
	ADD(gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)va, (uint32_t)(va >> 32),
	    GV_PUT(PM4_RUN_LIST, IB_SIZE, dw) | GV_PUT(PM4_RUN_LIST, CHAIN, 1) |
	            GV_PUT(PM4_RUN_LIST, VALID, 1));
}

/* As for an oversubscribed one: its end leads to its beginning. */
static void chain(void)
{
	add_list(LIST, list_dw + 4);
}

static void run_at(uint64_t va, size_t dw, unsigned processes)
{
	RIG_EMIT(&r, VF0, RIG_HIQ, gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)va,
	         (uint32_t)(va >> 32),
	         GV_PUT(PM4_RUN_LIST, IB_SIZE, dw) | GV_PUT(PM4_RUN_LIST, VALID, 1) |
	                 GV_PUT(PM4_RUN_LIST, PROCESS_CNT, processes));
	rig_kick(&r, VF0, RIG_HIQ);
}

static void run(unsigned processes)
{
	rig_put(&r, VF0, LIST, list, list_dw * 4);
	run_at(LIST, list_dw, processes);
	list_dw = 0;
}

/* And its fence: KFD waits for that. */
static bool unmap(unsigned selection, unsigned action, uint32_t who)
{
	RIG_EMIT(&r, VF0, RIG_HIQ, gv_pm4_header(PM4_UNMAP_QUEUES, 5),
	         GV_PUT(PM4_UNMAP_QUEUES, ACTION, action) |
	                 GV_PUT(PM4_UNMAP_QUEUES, QUEUE_SEL, selection),
	         who, 0, 0, 0);
	RIG_EMIT(&r, VF0, RIG_HIQ, gv_pm4_header(PM4_QUERY_STATUS, 6),
	         GV_PUT(PM4_QUERY_STATUS, COMMAND, 2), 0, (uint32_t)STATUS, 0, (uint32_t)++statuses,
	         0);
	rig_kick(&r, VF0, RIG_HIQ);
	return rig_wait_mem(&r, VF0, STATUS, (uint32_t)statuses, 20000);
}

static bool unmap_all(void)
{
	return unmap(3, 0, 0);
}

/* ---- what processes do ---------------------------------------------------- */

static void emit(unsigned p, unsigned k, const uint32_t *dw, size_t n)
{
	struct user *u = &users[p][k];

	for (size_t i = 0; i < n; i++, u->wptr++)
		rig_put32(&r, VF0, PHYS(p) + RING(k) + u->wptr % RING_DW * 4, dw[i]);
}
#define EMIT(p, k, ...)                                                                            \
	emit(p, k, (const uint32_t[]){__VA_ARGS__},                                                \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void ring(unsigned p, unsigned k, uint64_t wptr)
{
	rig_put(&r, VF0, PHYS(p) + CONTROL(k) + WPTR, &wptr, sizeof(wptr));
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(r.dev, VF0, GV_REGION_DOORBELL, doorbell(p, k) * 4ul, &wptr,
	                             sizeof(wptr)),
	                0);
}

static void give(unsigned p, unsigned k, unsigned int_sel)
{
	struct user *u = &users[p][k];

	EMIT(p, k, gv_pm4_header(PM4_RELEASE_MEM, 7),
	     GV_PUT(PM4_RELEASE_MEM, EVENT_TYPE, PM4_EVENT_CACHE_FLUSH_AND_INV_TS) |
	             GV_PUT(PM4_RELEASE_MEM, EVENT_INDEX, PM4_EVENT_INDEX_EOP),
	     GV_PUT(PM4_RELEASE_MEM, DATA_SEL, 1) | GV_PUT(PM4_RELEASE_MEM, INT_SEL, int_sel),
	     (uint32_t)(USER + CONTROL(k) + FENCE), (uint32_t)((USER + CONTROL(k)) >> 32),
	     ++u->fence, 0, 0x70 + k);
	ring(p, k, u->wptr);
}

static bool is_done(unsigned p, unsigned k, unsigned ms)
{
	return rig_wait_mem(&r, VF0, PHYS(p) + CONTROL(k) + FENCE, users[p][k].fence, ms);
}

/* Queues active now, of HQDs that KFD was given. */
static unsigned count_active(uint64_t queues)
{
	unsigned n = 0;

	for (; queues; queues &= queues - 1)
		n += gv_hqd_get(&r.dev->fn[VF0], (unsigned)__builtin_ctzll(queues),
		                GV_REG_CP_HQD_ACTIVE);
	return n;
}

static bool wait_active(uint64_t queues, unsigned n)
{
	uint64_t end = gv_now_ns() + 20 * GV_S;
	unsigned spins = 0;

	while (count_active(queues) != n) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

/* The list is read after the packet that names it is over. */
static bool wait_errors(uint64_t n)
{
	uint64_t end = gv_now_ns() + 20 * GV_S;
	unsigned spins = 0;

	while (rig_stats(&r, VF0).guest_errors < n) {
		if (gv_now_ns() > end)
			return false;
		gv_poll_pause(&spins);
	}
	return true;
}

static void others_are_well(void)
{
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_start_kiq(&r, VF1);
	CU_ASSERT_TRUE(rig_sync(&r, VF1, RIG_KIQ, 20000));
	CU_ASSERT_EQUAL(rig_stats(&r, VF1).guest_errors, 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF1).vm_faults, 0);
}

#define SLOTS  0x3f00ull /* HQDs 8 to 13 */
#define VMIDS  0xff00u
#define ERRORS rig_stats(&r, VF0).guest_errors

/* ---- what must work ------------------------------------------------------- */

static void a_process_runs_in_a_vmid_with_its_pasid(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	give(2, 0, 2); /* rung before it is mapped */
	add_process(2);
	add_queue(2, 0);
	run(1);
	CU_ASSERT_TRUE(is_done(2, 0, 20000));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_EOP, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), FIRST_VMID);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, RING_ID), 1 << 2 | 1); /* me1 pipe1 queue0 */
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(2));
	CU_ASSERT_EQUAL(iv.dw[4], 0x70);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SH_MEM_BASES), 0x60005002);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SQ_SHADER_TBA_LO), 0x11);
	CU_ASSERT_EQUAL(gv_vmid_get(&r.dev->fn[VF0], FIRST_VMID, GV_REG_SQ_SHADER_TMA_LO), 0x22);
	for (unsigned i = 0; i < 5; i++) {
		give(2, 0, 0);
		CU_ASSERT_TRUE(is_done(2, 0, 20000));
	}
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, MQD(2, 0) + GV_MQD_DW(CP_HQD_PQ_RPTR) * 4),
	                users[2][0].wptr);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* KFD takes everything down and puts it up again for every change. */
static void every_change_maps_all_again(void)
{
	up(VMIDS, SLOTS);
	for (unsigned round = 1; round <= 12; round++) {
		unsigned processes = 1 + round % 3;

		for (unsigned p = 0; p < processes; p++) {
			add_process(p);
			add_queue(p, 0);
			add_queue(p, 1);
		}
		run(processes);
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < 2; k++)
				give(p, k, 0);
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < 2; k++)
				CU_ASSERT_TRUE(is_done(p, k, 20000));
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	}
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

static void what_is_not_kfds_stays(void)
{
	up(VMIDS, SLOTS);
	add_process(0);
	add_queue(0, 0);
	run(1);
	CU_ASSERT_TRUE(wait_active(SLOTS, 1));
	CU_ASSERT_TRUE(unmap(2, 0, 0)); /* all */
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_is_active(&r, VF0, RIG_KIQ));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void unmapping_by_pasid_takes_only_that_process(void)
{
	up(VMIDS, SLOTS);
	for (unsigned p = 0; p < 2; p++) {
		add_process(p);
		add_queue(p, 0);
	}
	run(2);
	CU_ASSERT_TRUE(wait_active(SLOTS, 2));
	CU_ASSERT_TRUE(unmap(1, 0, pasid(0)));
	give(0, 0, 0);
	give(1, 0, 0);
	CU_ASSERT_TRUE(is_done(1, 0, 20000));
	CU_ASSERT_FALSE(is_done(0, 0, 30));
	CU_ASSERT_TRUE(unmap(1, 0, 0x1234)); /* nobody's */
	CU_ASSERT_EQUAL(count_active(SLOTS), 1);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* A reset stores nothing that is not so, and takes a queue at once that would never stop. */
static void a_reset_action_does_not_wait(void)
{
	up(VMIDS, SLOTS);
	add_process(0);
	add_queue(0, 0);
	EMIT(0, 0, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)(USER + DATA(0)),
	     (uint32_t)(USER >> 32), GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, 7));
	rig_put(&r, VF0, PHYS(0) + DATA(0),
	        (const uint32_t[]){gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13,
	                           (uint32_t)(USER + DATA(0) + 64), (uint32_t)(USER >> 32), 1,
	                           UINT32_MAX, 4},
	        28);
	give(0, 0, 0);
	run(1);
	CU_ASSERT_TRUE(wait_active(SLOTS, 1));
	CU_ASSERT_TRUE(unmap(3, 1, 0));
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_FALSE(is_done(0, 0, 10));
	rig_close(&r);
}

static void a_fault_names_the_process(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	for (unsigned p = 0; p < 2; p++) {
		add_process(p);
		add_queue(p, 0);
	}
	run(2);
	EMIT(1, 0, gv_pm4_header(PM4_WRITE_DATA, 4), 0x100, (uint32_t)(USER + PAGES * GV_GPU_PAGE),
	     (uint32_t)(USER >> 32), 1);
	give(1, 0, 0);
	give(0, 0, 0);
	CU_ASSERT_TRUE(is_done(0, 0, 20000));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, 0, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_UTCL2);
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(1));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, VMID), FIRST_VMID + 1);
	CU_ASSERT_FALSE(is_done(1, 0, 10));
	CU_ASSERT_TRUE(unmap_all()); /* also the one that failed */
	CU_ASSERT_EQUAL(count_active(SLOTS), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).vm_faults, 1);
	rig_close(&r);
}

/* ---- turns ---------------------------------------------------------------- */

static void add_all(unsigned processes, unsigned queues)
{
	for (unsigned p = 0; p < processes; p++) {
		add_process(p);
		for (unsigned k = 0; k < queues; k++)
			add_queue(p, k);
	}
}

static void all_run(unsigned processes, unsigned queues, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < queues; k++)
				give(p, k, 0);
		for (unsigned p = 0; p < processes; p++)
			for (unsigned k = 0; k < queues; k++)
				CU_ASSERT_TRUE(is_done(p, k, 20000));
	}
}

static void more_queues_than_hqds_take_turns(void)
{
	up(VMIDS, 0x300);
	add_all(1, 5);
	chain();
	run(1);
	all_run(1, 5, 4);
	CU_ASSERT_TRUE(count_active(0x300) <= 2);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(0x300), 0);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* Also without a RUN_LIST at its end. */
static void more_processes_than_vmids_take_turns(void)
{
	for (unsigned chained = 0; chained < 2; chained++) {
		up(0x300, SLOTS);
		add_all(PROCESSES, 2);
		if (chained)
			chain();
		run(chained ? 2 : 0);
		all_run(PROCESSES, 2, 3);
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(count_active(SLOTS), 0);
		CU_ASSERT_EQUAL(ERRORS, 0);
		rig_close(&r);
	}
}

static void no_more_processes_at_a_time_than_the_list_says(void)
{
	up(VMIDS, SLOTS);
	add_all(3, 1);
	chain();
	run(1);
	all_run(3, 1, 2);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_TRUE(count_active(SLOTS) <= 1);
	CU_ASSERT_TRUE(unmap_all());
	rig_close(&r);
}

/* One waits for the other, which has no place at first. */
static void a_queue_that_waits_lets_the_others_have_a_turn(void)
{
	up(VMIDS, 0x100);
	add_all(1, 3);
	chain();
	EMIT(0, 0, gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13, (uint32_t)(USER + CONTROL(2) + FENCE),
	     (uint32_t)(USER >> 32), 1, UINT32_MAX, 4);
	run(1);
	all_run(1, 3, 1);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* What is in the middle of a wait in an IB has no area to be saved in: it keeps its HQD. */
static void what_cannot_be_preempted_keeps_its_place(void)
{
	up(VMIDS, 0x300);
	add_all(1, 5);
	chain();
	EMIT(0, 0, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)(USER + DATA(0)),
	     (uint32_t)(USER >> 32), GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, 7));
	rig_put(&r, VF0, PHYS(0) + DATA(0),
	        (const uint32_t[]){gv_pm4_header(PM4_WAIT_REG_MEM, 6), 0x13,
	                           (uint32_t)(USER + DATA(0) + 64), (uint32_t)(USER >> 32), 1,
	                           UINT32_MAX, 4},
	        28);
	give(0, 0, 0);
	run(1);
	for (unsigned k = 1; k < 5; k++)
		give(0, k, 0);
	for (unsigned k = 1; k < 5; k++)
		CU_ASSERT_TRUE(is_done(0, k, 20000));
	CU_ASSERT_FALSE(is_done(0, 0, 1));
	rig_put32(&r, VF0, PHYS(0) + DATA(0) + 64, 1);
	CU_ASSERT_TRUE(is_done(0, 0, 20000));
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* A world switch in the middle of turns, forty times. */
static void turns_survive_switches_of_worlds(void)
{
	up(0x300, 0x300);
	world_set_area(&r, WORLD_CSA, WORLD_SLOT);
	add_all(3, 4);
	chain();
	run(2);
	for (unsigned i = 0; i < 40; i++) {
		give(i % 3, i % 4, 0);
		DONE(IDLE, 0);
		DONE(SAVE, 0);
		CU_ASSERT_EQUAL(r.dev->fn[VF0].cp->hws.state, GV_HWS_OFF);
		DONE(LOAD, 0);
		DONE(RUN, 0);
	}
	all_run(3, 4, 2);
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(count_active(0x300), 0);
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* ---- SDMA ----------------------------------------------------------------- */

/* One word to DATA, what ROCr flushes the HDP with, a fence and a trap. */
static void give_copy(unsigned p, unsigned k, uint32_t val)
{
	struct user *u = &users[p][k];
	uint64_t data = USER + DATA(k), fence = USER + CONTROL(k) + FENCE;

	EMIT(p, k, GV_SDMA_HEADER(WRITE_UNTILED), (uint32_t)data, (uint32_t)(data >> 32), 0, val,
	     0x8, 0, 0x80000000, 0, 0, 0, GV_SDMA_HEADER(FENCE), (uint32_t)fence,
	     (uint32_t)(fence >> 32), ++u->fence, GV_SDMA_HEADER(TRAP), 0x33);
	ring(p, k, u->wptr * 4);
}

static void make_sdma_mqd(unsigned p, unsigned k)
{
	uint32_t mqd[GV_SDMA_MQD_DWORDS] = {0};

	mqd[GV_SDMA_MQD_RB_CNTL] = GV_PUT(SDMA0_RLC0_RB_CNTL, RB_SIZE, 10) |
	                           GV_PUT(SDMA0_RLC0_RB_CNTL, RPTR_WRITEBACK_ENABLE, 1);
	mqd[GV_SDMA_MQD_RB_BASE] = (uint32_t)((USER + RING(k)) >> 8);
	mqd[GV_SDMA_MQD_RB_BASE_HI] = (uint32_t)((USER + RING(k)) >> 40);
	mqd[GV_SDMA_MQD_RB_RPTR_ADDR_LO] = (uint32_t)(USER + CONTROL(k) + RPTR);
	mqd[GV_SDMA_MQD_RB_RPTR_ADDR_HI] = (uint32_t)((USER + CONTROL(k)) >> 32);
	rig_put(&r, VF0, MQD(p, k), mqd, sizeof(mqd));
}

static void sdma_queues_of_a_process_copy_for_it(void)
{
	struct gv_ih_iv iv;

	up(VMIDS, SLOTS);
	rig_wr(&r, VF0, SDMA0_F32_CNTL__BYTE, 0);
	rig_wr(&r, VF0, SDMA1_F32_CNTL__BYTE, 0);
	rig_wr(&r, VF0, SDMA0_CNTL__BYTE, GV_PUT(SDMA0_CNTL, TRAP_ENABLE, 1));
	for (unsigned k = 2; k < 4; k++)
		make_sdma_mqd(1, k);
	for (unsigned round = 0; round < 4; round++) {
		add_process(0);
		add_queue(0, 0);
		add_process(1);
		add_queue(1, 0);
		add_engine(1, 2, 2);
		add_engine(1, 3, 3);
		run(2);
		for (unsigned k = 2; k < 4; k++)
			give_copy(1, k, 0x500 + round * 2 + k);
		give(1, 0, 0);
		for (unsigned k = 2; k < 4; k++) {
			CU_ASSERT_TRUE(is_done(1, k, 20000));
			CU_ASSERT_EQUAL(rig_get32(&r, VF0, PHYS(1) + DATA(k)),
			                0x500 + round * 2 + k);
		}
		CU_ASSERT_TRUE(is_done(1, 0, 20000));
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(gv_sdma_listed_vmids(&r.dev->fn[VF0]), 0);
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, MQD(1, 2) + GV_SDMA_MQD_RB_RPTR * 4),
		                users[1][2].wptr * 4);
	}
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_SDMA_TRAP, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[0], IH_IV0, CLIENT_ID), GV_IH_CLIENT_SDMA0);
	CU_ASSERT_EQUAL(iv.dw[3] & 0xffff, pasid(1));
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* Two an engine. */
static void more_sdma_queues_than_there_are_take_turns(void)
{
	up(VMIDS, SLOTS);
	rig_wr(&r, VF0, SDMA0_F32_CNTL__BYTE, 0);
	add_process(0);
	for (unsigned k = 0; k < 5; k++) {
		make_sdma_mqd(0, k);
		add_engine(0, k, 2);
	}
	chain();
	run(1);
	for (unsigned k = 0; k < 5; k++)
		give_copy(0, k, 0x600 + k);
	for (unsigned k = 0; k < 5; k++)
		CU_ASSERT_TRUE(is_done(0, k, 20000));
	CU_ASSERT_TRUE(unmap_all());
	CU_ASSERT_EQUAL(ERRORS, 0);
	rig_close(&r);
}

/* ---- what means harm ------------------------------------------------------ */

static bool hiq_lives(void)
{
	return rig_sync(&r, VF0, RIG_HIQ, 20000);
}

/* They end, are said to be wrong, and KFD's queue goes on. */
static void lists_that_are_none_are_given_up(void)
{
	for (unsigned k = 0; k < 6; k++) {
		up(VMIDS, SLOTS);
		switch (k) {
		case 0:
			add_queue(0, 0); /* of no process */
			break;
		case 1:
			ADD(gv_pm4_header(PM4_WRITE_DATA, 4), 0x100, (uint32_t)STATUS, 0, 7);
			break;
		case 2: /* ends in the middle of a packet */
			add_process(0);
			list_dw -= 3;
			break;
		case 3: /* too short to be one */
			ADD(gv_pm4_header(PM4_MAP_PROCESS, 4), 1, 2, 3, 4);
			break;
		case 4:
			ADD(0xffffffff);
			break;
		default: /* longer than any */
			add_process(0);
			add_list(LIST + 0x1000, 0xfffff);
			for (uint64_t at = 0; at < 0x10000; at += 4)
				rig_put32(&r, VF0, LIST + 0x1000 + at, GV_PM4_NOP1);
		}
		run(1);
		CU_ASSERT_TRUE(wait_errors(1));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, STATUS), (uint32_t)statuses);
		/* and a good one runs */
		add_process(0);
		add_queue(0, 0);
		run(1);
		all_run(1, 1, 1);
		others_are_well();
		rig_close(&r);
	}
}

/* Where there is no memory the queue that gave the list stops, as with any IB. */
static void a_list_outside_of_memory_faults(void)
{
	static const uint64_t where[] = {RIG_FB_BYTES, UINT64_C(1) << 40, 0xfffffffffffcull,
	                                 RIG_FB_BYTES - 8};

	for (size_t k = 0; k < GV_ARRAY_LEN(where); k++) {
		up(VMIDS, SLOTS);
		rig_put32(&r, VF0, RIG_FB_BYTES - 8, GV_PM4_NOP1);
		rig_put32(&r, VF0, RIG_FB_BYTES - 4, GV_PM4_NOP1);
		run_at(where[k], 0xfffff, 1);
		(void)rig_sync(&r, VF0, RIG_HIQ, 10);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, RIG_HIQ, 10));
		CU_ASSERT_TRUE(rig_stats(&r, VF0).vm_faults > 0);
		others_are_well();
		rig_close(&r);
	}
}

/* Lists that lead to themselves and to each other, with and without anything in them. */
static void endless_lists_take_no_time_from_others(void)
{
	for (unsigned k = 0; k < 4; k++) {
		up(VMIDS, SLOTS);
		if (k == 1 || k == 3)
			add_process(0);
		if (k == 3)
			add_queue(0, 0);
		if (k < 2)
			chain();
		else /* to one that leads to itself */
			add_list(LIST + 0x1000, 4);
		rig_put(&r, VF0, LIST + 0x1000,
		        (const uint32_t[]){gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)LIST + 0x1000,
		                           0, 4},
		        16);
		run(1);
		for (unsigned i = 0; i < 3; i++)
			CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		others_are_well();
		rig_close(&r);
	}
}

/* Nothing of it can ever be mapped. */
static void without_a_vmid_or_hqd_it_says_so(void)
{
	static const struct {
		uint32_t vmids;
		uint64_t queues;
	} none[] = {{0, SLOTS}, {1, SLOTS}, {VMIDS, 0}, {VMIDS, 1ull << 32}};

	for (size_t k = 0; k < GV_ARRAY_LEN(none); k++) {
		up(none[k].vmids, none[k].queues);
		if (none[k].queues >> 32) /* the HIQ's own: it is in use */
			CU_ASSERT_TRUE(rig_is_active(&r, VF0, RIG_HIQ));
		add_all(2, 1);
		chain();
		run(1);
		CU_ASSERT_TRUE(wait_errors(1));
		CU_ASSERT_TRUE(hiq_lives());
		CU_ASSERT_TRUE(unmap_all());
		CU_ASSERT_EQUAL(ERRORS, 1);
		rig_close(&r);
	}
}

/* Page tables that lead nowhere: its own faults. The same process and queue over and over. */
static void bad_processes_harm_only_themselves(void)
{
	up(VMIDS, SLOTS);
	ADD(gv_pm4_header(PM4_MAP_PROCESS, 15), pasid(5), UINT32_MAX, UINT32_MAX, UINT32_MAX,
	    UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0, 0, UINT32_MAX,
	    UINT32_MAX, UINT32_MAX);
	add_queue(5, 0);
	for (unsigned i = 0; i < 20; i++) {
		add_process(0);
		add_queue(0, 0);
		add_queue(0, 1);
	}
	give(5, 0, 0);
	run(8);
	all_run(1, 2, 3);
	CU_ASSERT_FALSE(is_done(5, 0, 10));
	CU_ASSERT_EQUAL(count_active(SLOTS), 3);
	CU_ASSERT_TRUE(unmap_all());
	others_are_well();
	rig_close(&r);
}

static void noise_in_lists_leaves_the_other_function_alone(void)
{
	uint64_t seed = 7;

	up(VMIDS, SLOTS);
	for (unsigned round = 0; round < 60; round++) {
		static const uint32_t ops[] = {PM4_MAP_PROCESS, PM4_MAP_QUEUES, PM4_RUN_LIST,
		                               PM4_NOP};
		static const unsigned lens[] = {15, 6, 3, 2};

		list_dw = 0;
		for (unsigned i = 0; i < 10; i++) {
			unsigned op = (unsigned)(seed >> 33) % 4;
			uint32_t dw[16] = {gv_pm4_header(ops[op], lens[op])};

			for (unsigned j = 1; j <= lens[op]; j++) {
				seed = seed * 6364136223846793005ull + 1442695040888963407ull;
				dw[j] = (uint32_t)(seed >> 32) &
				        (round & 1 ? UINT32_MAX : 0x00ffffffu);
			}
			add(dw, lens[op] + 1);
		}
		run(round % 16);
		(void)rig_sync(&r, VF0, RIG_HIQ, 5);
		if (round % 4 == 3) {
			CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
			CU_ASSERT_EQUAL(r.dev->fn[VF0].cp->hws.state, GV_HWS_OFF);
			rig_admit_vf(&r, 0);
			CU_ASSERT_TRUE(rig_start(&r, VF0, 1));
			CU_ASSERT_TRUE(rig_map(&r, VF0, RIG_HIQ));
		}
	}
	others_are_well();
	rig_close(&r);
}

/* ---- the reset contract ----------------------------------------------------- */

/* The first that does not read as after a reset, or -1. */
static int changed_register(struct gv_fn *f)
{
	for (int reg = 0; reg < GV_REG_COUNT; reg++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)reg);
		bool fn = info->bank == GV_BANK_FN, hqd = info->bank == GV_BANK_HQD;

		if (reg == GV_REG_RLC_CP_SCHEDULERS) /* none is set up: the PF sees it there */
			continue;
		for (uint32_t i = 0; fn && i < info->count; i++)
			if (gv_reg_get(f, (enum gv_reg)reg, i) != info->reset)
				return reg;
		for (unsigned q = 0; hqd && q < GV_CP_QUEUES; q++)
			if (gv_hqd_get(f, q, (enum gv_reg)reg) != info->reset)
				return reg;
		for (unsigned v = 0; info->bank == GV_BANK_VMID && v < GV_NUM_VMID; v++)
			if (gv_vmid_get(f, v, (enum gv_reg)reg) != info->reset)
				return reg;
	}
	return -1;
}

/* KFD, graphics and SDMA in full swing, then an FLR: the next driver finds no HQD, no ring pointer,
 * no address space and no doorbell of this one. */
static void a_reset_leaves_nothing_of_a_guest(void)
{
	struct gv_fn *f;
	uint64_t wptr = 0;
	int reg;

	up(0x300, 0x300);
	f = &r.dev->fn[VF0];
	for (unsigned round = 0; round < 3; round++) {
		rig_start_gfx(&r, VF0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_GFX, 20000));
		add_all(3, 3);
		make_sdma_mqd(0, 4);
		add_engine(0, 4, 2);
		chain();
		run(2);
		all_run(3, 3, 1);
		for (unsigned k = 0; k < 3; k++)
			give(k, k, 2);
		CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
		reg = changed_register(f);
		if (reg >= 0)
			printf("%s\n", gv_reg_info((enum gv_reg)reg)->name);
		CU_ASSERT_EQUAL(reg, -1);
		CU_ASSERT_EQUAL(f->cp->hws.state, GV_HWS_OFF);
		CU_ASSERT_EQUAL(f->cp->mapped, 0);
		CU_ASSERT_EQUAL(gv_sdma_listed_vmids(f), 0);
		for (unsigned k = 0; k < 3; k++) {
			(void)gv_dev_read(r.dev, VF0, GV_REGION_DOORBELL, doorbell(k, k) * 4ul,
			                  &wptr, sizeof(wptr));
			CU_ASSERT_EQUAL(wptr, 0);
		}
		rig_admit_vf(&r, 0);
		bring_up(0x300, 0x300);
	}
	rig_close(&r);
}

static void only_schedulers_run_lists(void)
{
	up(VMIDS, SLOTS);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)LIST, 0, 4);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 20));
	CU_ASSERT_EQUAL(ERRORS, 1);
	rig_close(&r);
}

UT_MAIN("hws", UT(a_process_runs_in_a_vmid_with_its_pasid), UT(every_change_maps_all_again),
        UT(what_is_not_kfds_stays), UT(unmapping_by_pasid_takes_only_that_process),
        UT(a_reset_action_does_not_wait), UT(a_fault_names_the_process),
        UT(more_queues_than_hqds_take_turns), UT(more_processes_than_vmids_take_turns),
        UT(no_more_processes_at_a_time_than_the_list_says),
        UT(a_queue_that_waits_lets_the_others_have_a_turn),
        UT(what_cannot_be_preempted_keeps_its_place), UT(turns_survive_switches_of_worlds),
        UT(sdma_queues_of_a_process_copy_for_it), UT(more_sdma_queues_than_there_are_take_turns),
        UT(lists_that_are_none_are_given_up), UT(a_list_outside_of_memory_faults),
        UT(endless_lists_take_no_time_from_others), UT(without_a_vmid_or_hqd_it_says_so),
        UT(bad_processes_harm_only_themselves), UT(noise_in_lists_leaves_the_other_function_alone),
        UT(a_reset_leaves_nothing_of_a_guest), UT(only_schedulers_run_lists))
