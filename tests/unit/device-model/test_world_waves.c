/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VFs that take turns while they compute: kernels of save.cl on eight queues each, AQL packets and
 * SDMA copies. However often and wherever they are switched, they come to the same bits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gv/hsa.h>

#include "cp.h"
#include "sdma.h"
#include "ut.h"
#include "wave_rig.h"
#include "world_rig.h"

#define QUEUES     7u /* of PM4 packets: 1..7, each with a kernel in flight; 8 is AQL */
#define AQL        8u
#define OUT_VA(q)  (0x900000ull + (q)*0x1000)
#define ARG_VA(q)  (0x910000ull + (q)*0x100)
#define ARG_BYTES  256u
#define OUT_BYTES  (CU_RIG_SAVE_ITEMS * 4)
#define SDMA_RING  0x920000ull
#define SDMA_FENCE 0x92f000ull
#define AQ         0x930000ull /* amd_queue, then signal, descriptor, code, output */
#define AQ_SIGNAL  (AQ + 0x1000)
#define AQ_KD      (AQ + 0x2000)
#define AQ_CODE    (AQ + 0x3000)
#define AQ_OUT     (AQ + 0x4000)
#define AQ_SLOTS   64u
#define AQ_PACKETS 12u
#define COPY_FROM  0xb00000ull
#define COPY_TO    0xd80000ull
#define COPY_BYTES 0x280000ull /* of which one step of the engine is a part */
#define COPIES     6u
#define EMPTY_KIB                                                                                  \
	12u /* an image of idle queues is less, and a wave is more than the difference             \
	     */

static const unsigned vfs[] = {0, 1};
static uint32_t seed = 1;
static unsigned with_waves; /* switches that had some to save */

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* ---- kernels on PM4 queues ----------------------------------------------- */

static uint64_t find_args(void)
{
	for (uint64_t at = WAVE_IMAGE; at < WAVE_IMAGE + WAVE_IMAGE_BYTES; at += 8) {
		uint64_t val;

		rig_get(&wave_rig, WAVE_VF, at, &val, sizeof(val));
		if (val == wave_out_va)
			return at;
	}
	return 0;
}

/* Each queue has arguments, hence an output, of its own. */
static void launch_on(unsigned fn, unsigned q, uint64_t args)
{
	uint8_t copy[ARG_BYTES];
	struct gv_cu_dispatch was = wave_dispatch;
	uint64_t out = OUT_VA(q);
	uint32_t dw[128];

	rig_get(&wave_rig, fn, args, copy, sizeof(copy));
	memcpy(copy, &out, sizeof(out));
	rig_put(&wave_rig, fn, ARG_VA(q), copy, sizeof(copy));
	rig_put(&wave_rig, fn, out, (uint8_t[OUT_BYTES]){0}, OUT_BYTES);
	for (unsigned i = 0; i + 1 < 16; i++)
		if (wave_dispatch.user_data[i] == (uint32_t)args && !wave_dispatch.user_data[i + 1])
			wave_dispatch.user_data[i] = (uint32_t)ARG_VA(q);
	rig_emit(&wave_rig, fn, q, dw, wave_launch_words(dw));
	wave_dispatch = was;
}

/* Not equal to what the kernel stored when nothing disturbed it. */
static unsigned wrong_on(unsigned fn, unsigned q, const uint32_t *expected)
{
	uint32_t out[CU_RIG_SAVE_ITEMS];
	unsigned n = 0;

	rig_get(&wave_rig, fn, OUT_VA(q), out, sizeof(out));
	for (unsigned i = 0; i < CU_RIG_SAVE_ITEMS; i++)
		n += out[i] != expected[i];
	return n;
}

/* ---- an AQL queue -------------------------------------------------------- */

/* s[0:1] output, s2 workgroup: a loop, then out[group * 64 + item] = group * 1000 + item */
static const uint32_t slow_ids[] = {
        0xb0042000,                         /* s_movk_i32 s4, 0x2000 */
        0x80848104, 0xbf078004, 0xbf85fffd, /* s4 = s4 - 1; until it is 0 */
        0x8e038602, 0x68020003, 0x24020282, 0x9204ff02, 0x000003e8,
        0x68040004, 0xdc708000, 0x00000201, 0xbf810000};

static void put64(unsigned fn, uint64_t va, uint64_t val)
{
	rig_put(&wave_rig, fn, va, &val, sizeof(val));
}

static uint64_t get64(unsigned fn, uint64_t va)
{
	uint64_t val;

	rig_get(&wave_rig, fn, va, &val, sizeof(val));
	return val;
}

#define AQ_FIELD(field) (AQ + offsetof(struct gv_amd_queue, field))
#define AQ_VALUE        (AQ_SIGNAL + offsetof(struct gv_amd_signal, value))

static void make_aql_queue(unsigned fn)
{
	const struct gv_amd_queue aq = {
	        .hsa = {.base_address = rig_ring_va(AQL), .size = AQ_SLOTS},
	        .read_dispatch_id_field_base_byte_offset =
	                offsetof(struct gv_amd_queue, read_dispatch_id),
	};
	const struct gv_kernel_descriptor kd = {
	        .kernel_code_entry_byte_offset = (int64_t)(AQ_CODE - AQ_KD),
	        .compute_pgm_rsrc1 = GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 1) |
	                             GV_PUT(COMPUTE_PGM_RSRC1, FLOAT_MODE, 0xc0),
	        .compute_pgm_rsrc2 = GV_PUT(COMPUTE_PGM_RSRC2, TGID_X_EN, 1) |
	                             GV_PUT(COMPUTE_PGM_RSRC2, USER_SGPR, 2),
	        .kernel_code_properties = GV_KD_KERNARG_SEGMENT_PTR,
	};
	uint64_t mqd = rig_mqd_va(AQL);

	rig_put(&wave_rig, fn, AQ, &aq, sizeof(aq));
	rig_put(&wave_rig, fn, AQ_SIGNAL, &(struct gv_amd_signal){.kind = GV_AMD_SIGNAL_USER},
	        sizeof(struct gv_amd_signal));
	rig_put(&wave_rig, fn, AQ_KD, &kd, sizeof(kd));
	rig_put(&wave_rig, fn, AQ_CODE, slow_ids, sizeof(slow_ids));
	for (unsigned i = 0; i < AQ_SLOTS; i++)
		rig_put(&wave_rig, fn, rig_ring_va(AQL) + i * GV_AQL_BYTES,
		        &(uint16_t){GV_AQL_INVALID}, 2);
	rig_make_mqd(&wave_rig, fn, AQL);
	rig_put32(&wave_rig, fn, mqd + GV_MQD_DW(CP_HQD_PQ_CONTROL) * 4,
	          GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 9) |
	                  GV_PUT(CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR, 1));
	rig_put32(&wave_rig, fn, mqd + GV_MQD_DW(CP_HQD_AQL_CONTROL) * 4,
	          GV_PUT(CP_HQD_AQL_CONTROL, CONTROL0, 1));
	rig_put32(&wave_rig, fn, mqd + GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR) * 4,
	          (uint32_t)AQ_FIELD(read_dispatch_id));
	rig_put32(&wave_rig, fn, mqd + GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR) * 4,
	          (uint32_t)AQ_FIELD(write_dispatch_id));
	RIG_EMIT(&wave_rig, fn, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, PIPE, (AQL - 1) % 4) |
	                 GV_PUT(PM4_MAP_QUEUES, QUEUE, (AQL - 1) / 4) |
	                 GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(AQL)), (uint32_t)mqd, 0,
	         (uint32_t)AQ_FIELD(write_dispatch_id), 0);
	CU_ASSERT_TRUE(rig_sync(&wave_rig, fn, RIG_KIQ, 20000));
}

static void submit_aql(unsigned fn)
{
	uint64_t first = get64(fn, AQ_FIELD(write_dispatch_id)), last = first + AQ_PACKETS - 1;

	put64(fn, AQ_VALUE, AQ_PACKETS);
	for (uint64_t i = first; i <= last; i++) {
		const struct gv_aql_dispatch p = {
		        .header = GV_AQL_KERNEL_DISPATCH,
		        .setup = 1,
		        .workgroup_size = {64, 1, 1},
		        .grid_size = {192, 1, 1},
		        .kernel_object = AQ_KD,
		        .kernarg_address = AQ_OUT + (i - first) * 0x400,
		        .completion_signal = AQ_SIGNAL,
		};

		rig_put(&wave_rig, fn, rig_ring_va(AQL) + i % AQ_SLOTS * GV_AQL_BYTES, &p,
		        sizeof(p));
	}
	rig_put(&wave_rig, fn, AQ_OUT, (uint8_t[AQ_PACKETS * 0x400]){0}, AQ_PACKETS * 0x400);
	put64(fn, AQ_FIELD(write_dispatch_id), last + 1);
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(wave_rig.dev, fn, GV_REGION_DOORBELL, rig_doorbell(AQL) * 4,
	                             &last, sizeof(last)),
	                0);
}

static unsigned wrong_aql(unsigned fn)
{
	unsigned n = 0;

	for (unsigned p = 0; p < AQ_PACKETS; p++)
		for (unsigned i = 0; i < 192; i++)
			n += rig_get32(&wave_rig, fn, AQ_OUT + p * 0x400 + i * 4) !=
			     i / 64 * 1000 + i % 64;
	return n;
}

/* ---- copies -------------------------------------------------------------- */

static uint64_t sdma_wptr[GV_DEV_MAX_FUNCS];

static void start_sdma(unsigned fn)
{
	uint32_t cntl = GV_PUT(SDMA0_GFX_RB_CNTL, RB_SIZE, 12);

	sdma_wptr[fn] = 0;
	rig_wr(&wave_rig, fn, SDMA0_GFX_RB_BASE__BYTE, (uint32_t)(SDMA_RING >> 8));
	rig_wr(&wave_rig, fn, SDMA0_GFX_DOORBELL_OFFSET__BYTE,
	       GV_PUT(SDMA0_GFX_DOORBELL_OFFSET, OFFSET, GV_DOORBELL_SDMA0));
	rig_wr(&wave_rig, fn, SDMA0_GFX_DOORBELL__BYTE, GV_PUT(SDMA0_GFX_DOORBELL, ENABLE, 1));
	rig_wr(&wave_rig, fn, SDMA0_GFX_RB_CNTL__BYTE,
	       cntl | GV_PUT(SDMA0_GFX_RB_CNTL, RB_ENABLE, 1));
	rig_wr(&wave_rig, fn, SDMA0_F32_CNTL__BYTE, 0);
}

static void emit_sdma(unsigned fn, const uint32_t *dw, unsigned n)
{
	for (unsigned i = 0; i < n; i++, sdma_wptr[fn] += 4)
		rig_put32(&wave_rig, fn, SDMA_RING + sdma_wptr[fn] % 0x4000, dw[i]);
}

/* There and back, with a fence behind each. */
static void submit_copies(unsigned fn)
{
	rig_put32(&wave_rig, fn, SDMA_FENCE, 0);
	for (unsigned k = 0; k < COPIES; k++) {
		uint32_t from = (uint32_t)(k % 2 ? COPY_TO : COPY_FROM);
		uint32_t to = (uint32_t)(k % 2 ? COPY_FROM : COPY_TO);
		const uint32_t copy[] = {
		        GV_SDMA_HEADER(COPY_LINEAR), COPY_BYTES - 1, 0, from, 0, to, 0};
		const uint32_t fence[] = {GV_SDMA_HEADER(FENCE), (uint32_t)SDMA_FENCE, 0, k + 1};

		emit_sdma(fn, copy, GV_ARRAY_LEN(copy));
		emit_sdma(fn, fence, GV_ARRAY_LEN(fence));
	}
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(wave_rig.dev, fn, GV_REGION_DOORBELL, GV_DOORBELL_SDMA0 * 4,
	                             &sdma_wptr[fn], sizeof(uint64_t)),
	                0);
}

static void fill_source(unsigned fn, uint32_t salt)
{
	uint32_t *at = (uint32_t *)(void *)(wave_rig.vram[fn] + COPY_FROM);

	memset(wave_rig.vram[fn] + COPY_TO, 0, COPY_BYTES);
	for (size_t i = 0; i < COPY_BYTES / 4; i++)
		at[i] = (uint32_t)i * 2654435761u ^ salt;
}

static unsigned wrong_copies(unsigned fn, uint32_t salt)
{
	const uint32_t *from = (const uint32_t *)(const void *)(wave_rig.vram[fn] + COPY_FROM);
	const uint32_t *to = (const uint32_t *)(const void *)(wave_rig.vram[fn] + COPY_TO);
	unsigned n = 0;

	for (size_t i = 0; i < COPY_BYTES / 4; i++) {
		uint32_t want = (uint32_t)i * 2654435761u ^ salt;

		n += (from[i] != want) + (to[i] != want);
	}
	return n;
}

/* ---- all of it ----------------------------------------------------------- */

static void vf_up(unsigned fn)
{
	CU_ASSERT_TRUE(rig_start(&wave_rig, fn, QUEUES));
	rig_wr(&wave_rig, fn, SH_MEM_BASES__BYTE,
	       GV_PUT(SH_MEM_BASES, PRIVATE_BASE, 1) | GV_PUT(SH_MEM_BASES, SHARED_BASE, 2));
	make_aql_queue(fn);
	start_sdma(fn);
}

static void up(void)
{
	rig_open(&wave_rig);
	world_set_area(&wave_rig, WORLD_CSA, WORLD_SLOT);
	for (size_t k = 0; k < GV_ARRAY_LEN(vfs); k++)
		vf_up(GV_DEV_VF(vfs[k]));
	CU_ASSERT_EQUAL_FATAL(cu_rig_open(&wave_bench, "save.cl", "-O2"), 0);
}

static bool vf_is_done(unsigned fn, const uint32_t *fence)
{
	for (unsigned q = 1; q <= QUEUES; q++)
		if (rig_get32(&wave_rig, fn, rig_fence_va(q)) != fence[q])
			return false;
	return rig_get32(&wave_rig, fn, SDMA_FENCE) == COPIES && get64(fn, AQ_VALUE) == 0;
}

/* Work for all engines of a VF. */
static void submit_all(unsigned fn, uint64_t args, uint32_t *fence, uint32_t salt)
{
	fill_source(fn, salt);
	for (unsigned q = 1; q <= QUEUES; q++) {
		launch_on(fn, q, args);
		fence[q] = rig_emit_fence(&wave_rig, fn, q, 2);
		rig_kick(&wave_rig, fn, q);
	}
	submit_aql(fn);
	submit_copies(fn);
}

/* One after the other gets the engines, each for a while of its own. */
static unsigned take_turns(uint32_t fence[][QUEUES + 1])
{
	uint64_t end = gv_now_ns() + 60 * GV_S;
	unsigned switches = 0, on = 0;

	CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_IDLE, 1), GV_GIOV_DONE);
	CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_SAVE, 1), GV_GIOV_DONE);
	while (!vf_is_done(GV_DEV_VF(0), fence[0]) || !vf_is_done(GV_DEV_VF(1), fence[1])) {
		if (any(4))
			(void)usleep(any(300));
		CU_ASSERT_EQUAL_FATAL(world_switch(&wave_rig, on, !on), GV_GIOV_DONE);
		with_waves += GV_GET(rig_rd(&wave_rig, GV_DEV_PF, GV_BYTE_N(GVX_VF0_WORLD, on)),
		                     GVX_VF0_WORLD, SAVED_KIB) > EMPTY_KIB;
		on = !on;
		switches++;
		CU_ASSERT_TRUE_FATAL(gv_now_ns() < end);
	}
	CU_ASSERT_EQUAL(world_switch(&wave_rig, on, on), GV_GIOV_DONE);
	CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_LOAD, !on), GV_GIOV_DONE);
	CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_RUN, !on), GV_GIOV_DONE);
	return switches + 1;
}

static unsigned run_kernel(const char *name, uint32_t rounds)
{
	uint32_t fence[GV_ARRAY_LEN(vfs)][QUEUES + 1], expected[CU_RIG_SAVE_ITEMS];
	static uint8_t image[WAVE_IMAGE_BYTES];
	unsigned switches;
	uint64_t args;

	wave_load_kernel(name, rounds);
	args = find_args();
	CU_ASSERT_NOT_EQUAL_FATAL(args, 0);
	rig_get(&wave_rig, WAVE_VF, WAVE_IMAGE, image, sizeof(image));
	rig_put(&wave_rig, GV_DEV_VF(1), WAVE_IMAGE, image, sizeof(image));
	/* undisturbed first: wave_wrong() knows what it is to store */
	wave_launch(1);
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 1, 60000));
	CU_ASSERT_EQUAL(wave_wrong(), 0);
	rig_get(&wave_rig, WAVE_VF, wave_out_va, expected, sizeof(expected));
	for (size_t k = 0; k < GV_ARRAY_LEN(vfs); k++)
		submit_all(GV_DEV_VF(vfs[k]), args, fence[k], rounds + (uint32_t)k);
	switches = take_turns(fence);
	for (size_t k = 0; k < GV_ARRAY_LEN(vfs); k++) {
		unsigned fn = GV_DEV_VF(vfs[k]);

		for (unsigned q = 1; q <= QUEUES; q++)
			CU_ASSERT_EQUAL(wrong_on(fn, q, expected), 0);
		CU_ASSERT_EQUAL(wrong_aql(fn), 0);
		CU_ASSERT_EQUAL(wrong_copies(fn, rounds + (uint32_t)k), 0);
	}
	return switches;
}

/* GV_TEST_SWITCHES=1000: so many that find waves in flight. */
static void kernels_switched_hundreds_of_times_give_the_same_bits(void)
{
	static const struct {
		const char *name;
		uint32_t rounds;
	} kernel[] = {{"sort", 6000}, {"divergent", 5000}, {"atomics", 3000}};
	const char *asked = getenv("GV_TEST_SWITCHES");
	unsigned least = asked ? (unsigned)atoi(asked) : 300, switches = 0, launches = 0;

	up();
	while (with_waves < least && launches < 1000) {
		const size_t k = launches++ % GV_ARRAY_LEN(kernel);

		switches += run_kernel(kernel[k].name, kernel[k].rounds);
	}
	CU_ASSERT_TRUE(with_waves >= least);
	for (size_t k = 0; k < GV_ARRAY_LEN(vfs); k++)
		CU_ASSERT_EQUAL(rig_stats(&wave_rig, GV_DEV_VF(vfs[k])).guest_errors, 0);
	if (getenv("GV_TEST_VERBOSE"))
		printf("%u rounds, %u switches, %u of them with waves\n", launches, switches,
		       with_waves);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

/* What host memory the engine keeps is no state: with other memory it is the same. */
static void the_image_is_all_there_is(void)
{
	uint32_t expected[CU_RIG_SAVE_ITEMS], fence;
	struct gv_fn *f;
	uint64_t args;

	up();
	f = &wave_rig.dev->fn[WAVE_VF];
	wave_load_kernel("sort", 20000);
	args = find_args();
	wave_launch(1);
	CU_ASSERT_TRUE(rig_sync(&wave_rig, WAVE_VF, 1, 60000));
	rig_get(&wave_rig, WAVE_VF, wave_out_va, expected, sizeof(expected));
	launch_on(WAVE_VF, 2, args);
	fence = rig_emit_fence(&wave_rig, WAVE_VF, 2, 0);
	rig_kick(&wave_rig, WAVE_VF, 2);
	for (unsigned n = 0; !wave_fence_is(2, fence) && n < 50; n++) {
		(void)usleep(200);
		CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_IDLE, 0), GV_GIOV_DONE);
		CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_SAVE, 0), GV_GIOV_DONE);
		for (unsigned i = 0; i < GV_NUM_HQD; i++)
			gv_dispatch_free(&f->cp->queue[i]);
		CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_LOAD, 0), GV_GIOV_DONE);
		CU_ASSERT_EQUAL(world_do(&wave_rig, GV_GIOV_RUN, 0), GV_GIOV_DONE);
	}
	CU_ASSERT_TRUE(rig_wait_mem(&wave_rig, WAVE_VF, rig_fence_va(2), fence, 60000));
	CU_ASSERT_EQUAL(wrong_on(WAVE_VF, 2, expected), 0);
	cu_rig_close(&wave_bench);
	rig_close(&wave_rig);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(kernels_switched_hundreds_of_times_give_the_same_bits),
	        UT(the_image_is_all_there_is),
	};

	if (!cu_rig_has("clang-14")) {
		printf("SKIP: clang-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "world_waves", cases, (int)GV_ARRAY_LEN(cases));
}
