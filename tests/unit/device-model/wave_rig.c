/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <CUnit/CUnit.h>

#include "wave_rig.h"

#define SCRATCH 0xa00000ull
#define WAVES   16u

struct rig wave_rig;
struct cu_rig wave_bench;
static uint32_t expected[CU_RIG_SAVE_ITEMS];
uint64_t wave_out_va;
struct gv_cu_dispatch wave_dispatch;

/* ---- a kernel ------------------------------------------------------------ */

static uint64_t moved(uint64_t va)
{
	uint64_t at = va - CU_RIG_VA;

	return at < WAVE_IMAGE_BYTES ? WAVE_IMAGE + at : SCRATCH;
}

/* Pointers of the wave_bench become those of the VF: in user SGPRs, in pairs, and in the V# of
 * scratch, which has other bits above them. */
static void move_pointers(uint32_t *sgpr, unsigned n)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		uint64_t va = (uint64_t)(sgpr[i + 1] & 0xffff) << 32 | sgpr[i];

		if (va < CU_RIG_VA || va - CU_RIG_VA >= wave_bench.bytes)
			continue;
		va = moved(va);
		sgpr[i] = (uint32_t)va;
		sgpr[i + 1] = (sgpr[i + 1] & 0xffff0000u) | (uint32_t)(va >> 32);
		i++;
	}
}

/* What @name stores on the wave_bench goes to `expected`; then its image is in the VF. */
void wave_load_kernel(const char *name, uint32_t rounds)
{
	const uint32_t *out =
	        cu_rig_run_straight(&wave_bench, name, rounds, expected, &wave_dispatch);
	uint64_t out_va = cu_rig_va(&wave_bench, out);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	wave_out_va = moved(out_va);
	for (uint8_t *p = wave_bench.mem; p < wave_bench.mem + WAVE_IMAGE_BYTES;
	     p += 8) /* the kernarg segment */
		if (memcmp(p, &out_va, 8) == 0)
			memcpy(p, &wave_out_va, 8);
	move_pointers(wave_dispatch.user_data, 16);
	wave_dispatch.pgm_va = moved(wave_dispatch.pgm_va);
	wave_dispatch.tmpring_size = WAVES | (wave_dispatch.tmpring_size & ~0xfffu);
	rig_put(&wave_rig, WAVE_VF, WAVE_IMAGE, wave_bench.mem, WAVE_IMAGE_BYTES);
}

unsigned wave_wrong(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CU_RIG_SAVE_ITEMS; i++)
		n += rig_get32(&wave_rig, WAVE_VF, wave_out_va + 4 * i) != expected[i];
	return n;
}

/* SET_SH_REG of everything a dispatch takes, and the dispatch. */
unsigned wave_launch_words(uint32_t *dw)
{
	uint32_t reg[41 + 23 + 16] = {0}; /* from COMPUTE_DISPATCH_INITIATOR on */
	unsigned n = 0, count = GV_ARRAY_LEN(reg);
#define REG(name) reg[name##__DW - COMPUTE_DISPATCH_INITIATOR__DW]
	for (unsigned k = 0; k < 3; k++)
		(&REG(COMPUTE_NUM_THREAD_X))[k] =
		        wave_dispatch.num_thread[k] | wave_dispatch.partial[k] << 16;
	REG(COMPUTE_PGM_LO) = (uint32_t)(wave_dispatch.pgm_va >> 8);
	REG(COMPUTE_PGM_HI) = (uint32_t)(wave_dispatch.pgm_va >> 40);
	REG(COMPUTE_PGM_RSRC1) = wave_dispatch.rsrc1;
	REG(COMPUTE_PGM_RSRC2) = wave_dispatch.rsrc2;
	REG(COMPUTE_TMPRING_SIZE) = wave_dispatch.tmpring_size;
	for (unsigned k = 0; k < 8; k++) /* all CUs */
		reg[(uint32_t[]){
		            COMPUTE_STATIC_THREAD_MGMT_SE0__DW, COMPUTE_STATIC_THREAD_MGMT_SE1__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE2__DW, COMPUTE_STATIC_THREAD_MGMT_SE3__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE4__DW, COMPUTE_STATIC_THREAD_MGMT_SE5__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE6__DW,
		            COMPUTE_STATIC_THREAD_MGMT_SE7__DW}[k] -
		    COMPUTE_DISPATCH_INITIATOR__DW] = UINT32_MAX;
	memcpy(&REG(COMPUTE_USER_DATA_0), wave_dispatch.user_data, sizeof(wave_dispatch.user_data));
#undef REG
	dw[n++] = gv_pm4_header(PM4_SET_SH_REG, 1 + count);
	dw[n++] = COMPUTE_DISPATCH_INITIATOR__DW - PM4_SET_SH_REG_START;
	memcpy(dw + n, reg, sizeof(reg));
	n += count;
	dw[n++] = gv_pm4_header(PM4_DISPATCH_DIRECT, 4);
	for (unsigned k = 0; k < 3; k++)
		dw[n++] = wave_dispatch.dim[k];
	dw[n++] = GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1) |
	          GV_PUT(COMPUTE_DISPATCH_INITIATOR, PARTIAL_TG_EN, 1);
	return n;
}

void wave_launch(unsigned q)
{
	uint32_t dw[128];

	rig_emit(&wave_rig, WAVE_VF, q, dw, wave_launch_words(dw));
}

/* ---- a queue with a save area -------------------------------------------- */

void wave_put_mqd(unsigned q, uint32_t dw, uint32_t val)
{
	rig_put32(&wave_rig, WAVE_VF, rig_mqd_va(q) + 4 * dw, val);
}

static uint32_t get_mqd(unsigned q, uint32_t dw)
{
	return rig_get32(&wave_rig, WAVE_VF, rig_mqd_va(q) + 4 * dw);
}

bool wave_is_saved(unsigned q)
{
	return GV_GET(get_mqd(q, GV_MQD_DW(CP_HQD_PERSISTENT_STATE)), CP_HQD_PERSISTENT_STATE,
	              RELAUNCH_WAVES);
}

void wave_give_area(unsigned q, uint64_t va, uint32_t bytes)
{
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_PERSISTENT_STATE),
	             GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1));
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_LO), (uint32_t)va);
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_HI), (uint32_t)(va >> 32));
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE), bytes);
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_CNTL_STACK_SIZE), WAVE_STACK_BYTES);
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_CNTL_STACK_OFFSET), WAVE_STACK_BYTES);
	wave_put_mqd(q, GV_MQD_DW(CP_HQD_WG_STATE_OFFSET), WAVE_STACK_BYTES);
}

/* On any slot of the first MEC, with the MQD as it is. */
bool wave_map_at(unsigned q, unsigned slot)
{
	RIG_EMIT(&wave_rig, WAVE_VF, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, QUEUE, slot / 4) | GV_PUT(PM4_MAP_QUEUES, PIPE, slot % 4) |
	                 GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(q)), (uint32_t)rig_mqd_va(q),
	         0, (uint32_t)rig_wptr_va(q), 0);
	return rig_sync(&wave_rig, WAVE_VF, RIG_KIQ, 20000);
}

bool wave_preempt(unsigned q)
{
	rig_emit_unmap(&wave_rig, WAVE_VF, q, 0);
	return rig_sync(&wave_rig, WAVE_VF, RIG_KIQ, 3000);
}

bool wave_kill_queue(unsigned q)
{
	rig_emit_unmap(&wave_rig, WAVE_VF, q, 1);
	return rig_sync(&wave_rig, WAVE_VF, RIG_KIQ, 20000);
}

void wave_up(uint64_t area, uint32_t bytes)
{
	rig_open(&wave_rig);
	CU_ASSERT_TRUE(rig_start(&wave_rig, WAVE_VF, 2));
	rig_wr(&wave_rig, WAVE_VF, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	CU_ASSERT_TRUE(wave_kill_queue(1));
	rig_make_mqd(&wave_rig, WAVE_VF, 1);
	if (bytes)
		wave_give_area(1, area, bytes);
	CU_ASSERT_TRUE(wave_map_at(1, 0));
}

uint32_t wave_queue_error(unsigned slot)
{
	uint32_t error;

	rig_wr(&wave_rig, WAVE_VF, GRBM_GFX_CNTL__BYTE,
	       GV_PUT(GRBM_GFX_CNTL, MEID, 1) | GV_PUT(GRBM_GFX_CNTL, PIPEID, slot % 4) |
	               GV_PUT(GRBM_GFX_CNTL, QUEUEID, slot / 4));
	error = rig_rd(&wave_rig, WAVE_VF, CP_HQD_ERROR__BYTE);
	rig_wr(&wave_rig, WAVE_VF, GRBM_GFX_CNTL__BYTE, 0);
	return error;
}

bool wave_fence_is(unsigned q, uint32_t seq)
{
	return rig_get32(&wave_rig, WAVE_VF, rig_fence_va(q)) == seq;
}

/* A program that never ends, on queue 1. */
void wave_launch_endless(void)
{
	static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */

	wave_dispatch = (struct gv_cu_dispatch){
	        .pgm_va = WAVE_IMAGE,
	        .rsrc1 = 3,
	        .rsrc2 = 2u << 15, /* 1 KiB of LDS */
	        .dim = {1, 1, 1},
	        .num_thread = {128, 1, 1},
	};
	rig_put(&wave_rig, WAVE_VF, WAVE_IMAGE, endless, sizeof(endless));
	wave_launch(1);
	(void)rig_emit_fence(&wave_rig, WAVE_VF, 1, 0);
	rig_kick(&wave_rig, WAVE_VF, 1);
	/* Same worker, queues in turn: between two turns of queue 2 it was launched. */
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 2, 20000));
}
