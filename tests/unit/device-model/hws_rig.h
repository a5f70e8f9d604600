/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run lists, as KFD writes them: processes with queues of their own, all at the same virtual
 * addresses.
 */
#ifndef GV_HWS_RIG_H
#define GV_HWS_RIG_H

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
#define FLAG(k)    (DATA(k) + 64)
#define SAVED(k)   (RING(k) + 0x3000)

enum { WPTR = 0, RPTR = 8, FENCE = 16 }; /* in the page at CONTROL */

static struct rig r;
static struct user {
	uint64_t wptr;
	uint32_t fence;
} users[PROCESSES][QUEUES];
static uint32_t list[2048];
static size_t list_dw;
static uint64_t statuses;

static inline uint32_t doorbell(unsigned p, unsigned k)
{
	return 0x1000 + p * 0x400 + k * 2;
}

static inline uint32_t pasid(unsigned p)
{
	return 0x8001 + p;
}

/* ---- what KFD does -------------------------------------------------------- */

static inline void make_mqd(unsigned p, unsigned k)
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
static inline void bring_up(uint32_t vmids, uint64_t queues)
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

static inline void up(uint32_t vmids, uint64_t queues)
{
	rig_open(&r);
	bring_up(vmids, queues);
}

static inline void add(const uint32_t *dw, size_t n)
{
	memcpy(list + list_dw, dw, n * sizeof(*dw));
	list_dw += n;
}
#define ADD(...)                                                                                   \
	add((const uint32_t[]){__VA_ARGS__},                                                       \
	    sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static inline void add_process(unsigned p)
{
	ADD(gv_pm4_header(PM4_MAP_PROCESS, 15),
	    GV_PUT(PM4_MAP_PROCESS, PASID, pasid(p)) | GV_PUT(PM4_MAP_PROCESS, PROCESS_QUANTUM, 10),
	    (uint32_t)(TABLE(p) | GV_PTE_VALID), 0, 0x60005000 + p, 0x100c, 0x11, 0, 0x22, 0, 0, 0,
	    0, 0, 0, 0);
}

static inline void add_engine(unsigned p, unsigned k, unsigned engine)
{
	ADD(gv_pm4_header(PM4_MAP_QUEUES, 6),
	    GV_PUT(PM4_MAP_QUEUES, QUEUE_SEL, 1) | GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1) |
	            GV_PUT(PM4_MAP_QUEUES, ENGINE_SEL, engine),
	    GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, doorbell(p, k)), (uint32_t)MQD(p, k), 0,
	    (uint32_t)(USER + CONTROL(k) + WPTR), (uint32_t)((USER + CONTROL(k)) >> 32));
}

static inline void add_queue(unsigned p, unsigned k)
{
	add_engine(p, k, 0);
}

static inline void add_list(uint64_t va, size_t dw)
{
	ADD(gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)va, (uint32_t)(va >> 32),
	    GV_PUT(PM4_RUN_LIST, IB_SIZE, dw) | GV_PUT(PM4_RUN_LIST, CHAIN, 1) |
	            GV_PUT(PM4_RUN_LIST, VALID, 1));
}

/* As for an oversubscribed one: its end leads to its beginning. */
static inline void chain(void)
{
	add_list(LIST, list_dw + 4);
}

static inline void run_at(uint64_t va, size_t dw, unsigned processes)
{
	RIG_EMIT(&r, VF0, RIG_HIQ, gv_pm4_header(PM4_RUN_LIST, 3), (uint32_t)va,
	         (uint32_t)(va >> 32),
	         GV_PUT(PM4_RUN_LIST, IB_SIZE, dw) | GV_PUT(PM4_RUN_LIST, VALID, 1) |
	                 GV_PUT(PM4_RUN_LIST, PROCESS_CNT, processes));
	rig_kick(&r, VF0, RIG_HIQ);
}

static inline void run(unsigned processes)
{
	rig_put(&r, VF0, LIST, list, list_dw * 4);
	run_at(LIST, list_dw, processes);
	list_dw = 0;
}

/* And its fence: KFD waits for that. */
static inline bool unmap(unsigned selection, unsigned action, uint32_t who)
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

static inline bool unmap_all(void)
{
	return unmap(3, 0, 0);
}

/* ---- what processes do ---------------------------------------------------- */

static inline void emit(unsigned p, unsigned k, const uint32_t *dw, size_t n)
{
	struct user *u = &users[p][k];

	for (size_t i = 0; i < n; i++, u->wptr++)
		rig_put32(&r, VF0, PHYS(p) + RING(k) + u->wptr % RING_DW * 4, dw[i]);
}
#define EMIT(p, k, ...)                                                                            \
	emit(p, k, (const uint32_t[]){__VA_ARGS__},                                                \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static inline void ring(unsigned p, unsigned k, uint64_t wptr)
{
	rig_put(&r, VF0, PHYS(p) + CONTROL(k) + WPTR, &wptr, sizeof(wptr));
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(r.dev, VF0, GV_REGION_DOORBELL, doorbell(p, k) * 4ul, &wptr,
	                             sizeof(wptr)),
	                0);
}

static inline void give(unsigned p, unsigned k, unsigned int_sel)
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

/* An IB in the middle of which it stands until FLAG is 1. */
static inline void give_wait_in_ib(unsigned p, unsigned k)
{
	const uint32_t ib[] = {gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	                       0x13,
	                       (uint32_t)(USER + FLAG(k)),
	                       (uint32_t)(USER >> 32),
	                       1,
	                       UINT32_MAX,
	                       4};

	rig_put(&r, VF0, PHYS(p) + DATA(k), ib, sizeof(ib));
	EMIT(p, k, gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)(USER + DATA(k)),
	     (uint32_t)(USER >> 32), GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, GV_ARRAY_LEN(ib)));
	give(p, k, 0);
}

static inline bool is_done(unsigned p, unsigned k, unsigned ms)
{
	return rig_wait_mem(&r, VF0, PHYS(p) + CONTROL(k) + FENCE, users[p][k].fence, ms);
}

/* Queues active now, of HQDs that KFD was given. */
static inline unsigned count_active(uint64_t queues)
{
	unsigned n = 0;

	for (; queues; queues &= queues - 1)
		n += gv_hqd_get(&r.dev->fn[VF0], (unsigned)__builtin_ctzll(queues),
		                GV_REG_CP_HQD_ACTIVE);
	return n;
}

static inline bool wait_active(uint64_t queues, unsigned n)
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
static inline bool wait_errors(uint64_t n)
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

static inline void others_are_well(void)
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

static inline void add_all(unsigned processes, unsigned queues)
{
	for (unsigned p = 0; p < processes; p++) {
		add_process(p);
		for (unsigned k = 0; k < queues; k++)
			add_queue(p, k);
	}
}

static inline void all_run(unsigned processes, unsigned queues, unsigned rounds)
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

/* One word to DATA, what ROCr flushes the HDP with, a fence and a trap. */
static inline void give_copy(unsigned p, unsigned k, uint32_t val)
{
	struct user *u = &users[p][k];
	uint64_t data = USER + DATA(k), fence = USER + CONTROL(k) + FENCE;

	EMIT(p, k, GV_SDMA_HEADER(WRITE_UNTILED), (uint32_t)data, (uint32_t)(data >> 32), 0, val,
	     0x8, 0, 0x80000000, 0, 0, 0, GV_SDMA_HEADER(FENCE), (uint32_t)fence,
	     (uint32_t)(fence >> 32), ++u->fence, GV_SDMA_HEADER(TRAP), 0x33);
	ring(p, k, u->wptr * 4);
}

static inline void make_sdma_mqd(unsigned p, unsigned k)
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

#endif
