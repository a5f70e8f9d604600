/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue of AQL packets, as ROCr sets one up, written by hand. */
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gv/hsa.h>

#include "cp_rig.h"
#include "ut.h"

#define VF0      GV_DEV_VF(0)
#define Q        1u /* the AQL queue's slot; 2 is a PM4 queue */
#define SLOTS    64u
#define CODE     RIG_SCRATCH_VA
#define OUT      (RIG_SCRATCH_VA + 0x100000ull)
#define AQ       (RIG_SCRATCH_VA + 0x200000ull)
#define KD       (AQ + 0x1000)
#define IB       (AQ + 0x2000)
#define MAIL     (AQ + 0x3000)
#define SIG(n)   (AQ + 0x4000 + (n) * sizeof(struct gv_amd_signal))
#define INACTIVE SIG(60)

#define AQ_FIELD(field) (AQ + offsetof(struct gv_amd_queue, field))
#define VALUE(n)        (SIG(n) + offsetof(struct gv_amd_signal, value))

static struct rig r;
static uint64_t written; /* packets so far */

/* s[0:1] output, s2 workgroup: out[group * 64 + item] = group * 1000 + item */
static const uint32_t store_ids[] = {0x8e038602, 0x68020003, 0x24020282, 0x9204ff02, 0x000003e8,
                                     0x68040004, 0xdc708000, 0x00000201, 0xbf810000};
static const uint32_t endless[] = {0xbf82ffff}; /* s_branch to itself */
static const uint32_t nothing[] = {0xbf810000}; /* s_endpgm */

/* ---- the queue ------------------------------------------------------------ */

static void put64(uint64_t va, uint64_t val)
{
	rig_put(&r, VF0, va, &val, sizeof(val));
}

static uint64_t get64(uint64_t va)
{
	uint64_t val;

	rig_get(&r, VF0, va, &val, sizeof(val));
	return val;
}

static uint64_t slot_va(uint64_t index)
{
	return rig_ring_va(Q) + index % SLOTS * GV_AQL_BYTES;
}

static void make_amd_queue(void)
{
	const struct gv_amd_queue aq = {
	        .hsa = {.base_address = rig_ring_va(Q), .size = SLOTS},
	        .read_dispatch_id_field_base_byte_offset =
	                offsetof(struct gv_amd_queue, read_dispatch_id),
	        .scratch_resource_descriptor = {0x11, 0x22, 0x33, 0x44},
	        .scratch_backing_memory_location = 0x123456789000,
	        .queue_inactive_signal = INACTIVE,
	};

	rig_put(&r, VF0, AQ, &aq, sizeof(aq));
	for (unsigned n = 0; n < 64; n++)
		rig_put(&r, VF0, SIG(n), &(struct gv_amd_signal){.kind = GV_AMD_SIGNAL_USER},
		        sizeof(struct gv_amd_signal));
	for (unsigned i = 0; i < SLOTS; i++)
		rig_put(&r, VF0, slot_va(i), &(uint16_t){GV_AQL_INVALID}, 2);
	written = 0;
}

/* What init_mqd and update_mqd of amdkfd add for this format. */
static void make_mqd(void)
{
	const uint32_t control = GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, 9) | /* 1024 dwords */
	                         GV_PUT(CP_HQD_PQ_CONTROL, SLOT_BASED_WPTR, 2) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_FULL_EN, 1) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, WPP_CLAMP_EN, 1) |
	                         GV_PUT(CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR, 1);
	const uint64_t mqd = rig_mqd_va(Q);

	rig_make_mqd(&r, VF0, Q);
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PQ_CONTROL) * 4, control);
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_AQL_CONTROL) * 4,
	          GV_PUT(CP_HQD_AQL_CONTROL, CONTROL0, 1));
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR) * 4,
	          (uint32_t)AQ_FIELD(read_dispatch_id));
}

static bool map_queue(void)
{
	RIG_EMIT(&r, VF0, RIG_KIQ, gv_pm4_header(PM4_MAP_QUEUES, 6),
	         GV_PUT(PM4_MAP_QUEUES, NUM_QUEUES, 1),
	         GV_PUT(PM4_MAP_QUEUES, DOORBELL_OFFSET, rig_doorbell(Q)), (uint32_t)rig_mqd_va(Q),
	         0, (uint32_t)AQ_FIELD(write_dispatch_id), 0);
	return rig_sync(&r, VF0, RIG_KIQ, 20000) && rig_is_active(&r, VF0, Q);
}

static void put_kernel(const uint32_t *code, size_t bytes, unsigned properties)
{
	const struct gv_kernel_descriptor kd = {
	        .kernel_code_entry_byte_offset = (int64_t)(CODE - KD),
	        .compute_pgm_rsrc1 = GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 1) |
	                             GV_PUT(COMPUTE_PGM_RSRC1, FLOAT_MODE, 0xc0),
	        .compute_pgm_rsrc2 =
	                GV_PUT(COMPUTE_PGM_RSRC2, TGID_X_EN, 1) |
	                GV_PUT(COMPUTE_PGM_RSRC2, USER_SGPR, properties == GV_KD_SGPRS ? 15 : 2),
	        .kernel_code_properties = (uint16_t)properties,
	};

	rig_put(&r, VF0, CODE, code, bytes);
	rig_put(&r, VF0, KD, &kd, sizeof(kd));
}
#define PUT_KERNEL(words, properties) put_kernel(words, sizeof(words), properties)

static void up(void)
{
	rig_open(&r);
	CU_ASSERT_TRUE_FATAL(rig_start(&r, VF0, 2));
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE_FATAL(rig_sync(&r, VF0, RIG_KIQ, 20000));
	make_amd_queue();
	make_mqd();
	CU_ASSERT_TRUE_FATAL(map_queue());
	PUT_KERNEL(store_ids, GV_KD_KERNARG_SEGMENT_PTR);
}

/* ---- packets --------------------------------------------------------------- */

static void ring_doorbell(uint64_t index)
{
	gv_dma_to_device();
	CU_ASSERT_EQUAL(gv_dev_write(r.dev, VF0, GV_REGION_DOORBELL, rig_doorbell(Q) * 4, &index,
	                             sizeof(index)),
	                0);
}

/* As the specification wants it: the header last. */
static void put_packet(uint64_t index, const void *packet)
{
	uint16_t header;

	memcpy(&header, packet, sizeof(header));
	rig_put(&r, VF0, slot_va(index) + 2, (const uint8_t *)packet + 2, GV_AQL_BYTES - 2);
	gv_dma_to_device();
	rig_put(&r, VF0, slot_va(index), &header, sizeof(header));
}

static void submit(const void *packet)
{
	put_packet(written, packet);
	put64(AQ_FIELD(write_dispatch_id), written + 1);
	ring_doorbell(written++);
}

static struct gv_aql_dispatch dispatch_of(uint32_t items, uint16_t group, uint64_t signal)
{
	return (struct gv_aql_dispatch){
	        .header = GV_AQL_KERNEL_DISPATCH,
	        .setup = 1,
	        .workgroup_size = {group, 1, 1},
	        .grid_size = {items, 1, 1},
	        .kernel_object = KD,
	        .kernarg_address = OUT,
	        .completion_signal = signal,
	};
}

static bool signal_is(unsigned n, int64_t want)
{
	return rig_wait_mem(&r, VF0, VALUE(n), (uint32_t)want, 20000) &&
	       (int64_t)get64(VALUE(n)) == want;
}

static bool read_index_is(uint64_t want)
{
	return rig_wait_mem(&r, VF0, AQ_FIELD(read_dispatch_id), (uint32_t)want, 20000);
}

static uint32_t queue_error(unsigned q)
{
	uint32_t error;

	rig_select(&r, VF0, q);
	error = rig_rd(&r, VF0, CP_HQD_ERROR__BYTE);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	return error;
}

/* Another queue of the VF does its work. */
static void others_run(void)
{
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
}

/* ---- cases ----------------------------------------------------------------- */

static void a_packet_runs_its_kernel(void)
{
	struct gv_aql_dispatch p = dispatch_of(160, 64, SIG(0));
	unsigned wrong = 0;

	up();
	put64(VALUE(0), 5);
	rig_put32(&r, VF0, OUT + 160 * 4, 0xdead);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 4));
	for (unsigned i = 0; i < 160; i++)
		wrong += rig_get32(&r, VF0, OUT + i * 4) != i / 64 * 1000 + i % 64;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 160 * 4), 0xdead); /* a partial group */
	CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), 1);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, slot_va(0)) & 0xffff, GV_AQL_INVALID);
	CU_ASSERT_EQUAL(queue_error(Q), 0);
	rig_close(&r);
}

static void packets_run_in_order_however_they_are_rung(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));

	up();
	put64(VALUE(0), 2);
	put_packet(1, &p);
	ring_doorbell(1);
	CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, VALUE(0), 1, 30)); /* the first is still INVALID */
	put_packet(0, &p);
	ring_doorbell(0); /* backwards */
	CU_ASSERT_TRUE(signal_is(0, 0));
	CU_ASSERT_TRUE(read_index_is(2));
	put64(VALUE(0), 1);
	ring_doorbell(2);
	put_packet(2, &p); /* behind its doorbell */
	CU_ASSERT_TRUE(signal_is(0, 0));
	rig_close(&r);
}

static void the_ring_goes_round(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));

	up();
	put64(VALUE(0), 5 * SLOTS);
	for (unsigned i = 0; i < 5 * SLOTS; i++) {
		while (written - get64(AQ_FIELD(read_dispatch_id)) >= SLOTS)
			(void)usleep(50);
		submit(&p);
	}
	CU_ASSERT_TRUE(signal_is(0, 0));
	CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), 5 * SLOTS);
	rig_close(&r);
}

static void user_sgprs_are_what_the_descriptor_asks_for(void)
{
	/* v_mov_b32 v1, sN; global_store_dword v2, v1, s[8:9] offset:4*N */
	uint32_t code[2 + 16 * 3] = {0x7e040280}, got[16];
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));
	const uint32_t want[16] = {
	        0x11,          0x22, 0x33, 0x44, (uint32_t)slot_va(1), 0,      (uint32_t)AQ, 0,
	        (uint32_t)OUT, 0,    1,    0,    0x56789000,           0x1234, 12,           0};

	for (unsigned i = 0; i < 16; i++) {
		code[1 + i * 3] = 0x7e020200 + i;
		code[2 + i * 3] = 0xdc708000 + i * 4;
		code[3 + i * 3] = 0x00080102;
	}
	code[1 + 16 * 3] = 0xbf810000;
	up();
	PUT_KERNEL(nothing, GV_KD_KERNARG_SEGMENT_PTR);
	submit(&p); /* so that the dispatch id is not 0 */
	CU_ASSERT_TRUE(read_index_is(1));
	PUT_KERNEL(code, GV_KD_SGPRS);
	rig_put32(&r, VF0, AQ_FIELD(scratch_workitem_byte_size), 16);
	p.private_segment_size = 12;
	put64(VALUE(0), 1);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	rig_get(&r, VF0, OUT, got, sizeof(got));
	for (unsigned i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(got[i], want[i]);
	rig_close(&r);
}

static void three_dimensions_have_all_their_items(void)
{
	/* v0 + 4 * v1 + 16 * v2 as the address: v_lshlrev_b32 v1,2,v1; v_lshlrev_b32 v2,4,v2;
	 * v_add3_u32 v0,v0,v1,v2; v_lshlrev_b32 v0,2,v0; v_mov_b32 v3,1;
	 * global_atomic_add v0,v3,s[0:1]; s_endpgm */
	static const uint32_t code[] = {0x24020282, 0x24040484, 0xd1ff0000, 0x040a0300, 0x24000082,
	                                0x7e060281, 0xdd088000, 0x00000300, 0xbf810000};
	struct gv_aql_dispatch p = dispatch_of(6, 4, SIG(0));
	struct gv_kernel_descriptor kd;
	unsigned sum = 0;

	up();
	PUT_KERNEL(code, GV_KD_KERNARG_SEGMENT_PTR);
	rig_get(&r, VF0, KD, &kd, sizeof(kd));
	kd.compute_pgm_rsrc2 |= GV_PUT(COMPUTE_PGM_RSRC2, TIDIG_COMP_CNT, 2);
	rig_put(&r, VF0, KD, &kd, sizeof(kd));
	p.setup = 3;
	p.workgroup_size[1] = p.workgroup_size[2] = 4;
	p.grid_size[1] = 5;
	p.grid_size[2] = 7;
	put64(VALUE(0), 1);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	for (unsigned i = 0; i < 64; i++)
		sum += rig_get32(&r, VF0, OUT + i * 4);
	CU_ASSERT_EQUAL(sum, 6 * 5 * 7);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT), 8);          /* item 0,0,0 of all 8 groups */
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 63 * 4), 1); /* 3,3,3: of the full one only */
	rig_close(&r);
}

static void barriers_wait_for_signals(void)
{
	struct gv_aql_barrier p = {.header = GV_AQL_BARRIER_AND,
	                           .dep_signal = {SIG(1), 0, SIG(2)},
	                           .completion_signal = SIG(0)};

	up();
	put64(VALUE(0), 3);
	put64(VALUE(1), 1);
	put64(VALUE(2), 1);
	submit(&p);
	put64(VALUE(1), 0);
	CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, VALUE(0), 2, 30));
	put64(VALUE(2), 0);
	CU_ASSERT_TRUE(signal_is(0, 2));
	p.header = GV_AQL_BARRIER_OR;
	put64(VALUE(1), 1);
	put64(VALUE(2), 1ull << 40); /* all 64 bits count */
	submit(&p);
	CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, VALUE(0), 1, 30));
	put64(VALUE(2), 0);
	CU_ASSERT_TRUE(signal_is(0, 1));
	memset(p.dep_signal, 0, sizeof(p.dep_signal)); /* nothing to wait for */
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	rig_close(&r);
}

static void a_barrier_compares_values(void)
{
	static const struct {
		uint32_t condition;
		int64_t before, after;
	} row[] = {{GV_HSA_EQ, 8, 7}, {GV_HSA_NE, 7, 6}, {GV_HSA_LT, 7, -1}, {GV_HSA_GTE, 6, 7}};

	up();
	for (size_t i = 0; i < GV_ARRAY_LEN(row); i++) {
		struct gv_aql_barrier_value p = {.header = GV_AQL_VENDOR_SPECIFIC,
		                                 .format = GV_AQL_FORMAT_BARRIER_VALUE,
		                                 .signal = SIG(1),
		                                 .value = 7,
		                                 .mask = -1,
		                                 .condition = row[i].condition,
		                                 .completion_signal = SIG(0)};

		put64(VALUE(0), 1);
		put64(VALUE(1), (uint64_t)row[i].before);
		submit(&p);
		CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, VALUE(0), 0, 20));
		put64(VALUE(1), (uint64_t)row[i].after);
		CU_ASSERT_TRUE(signal_is(0, 0));
	}
	rig_close(&r);
}

static void a_vendor_packet_runs_pm4(void)
{
	const uint32_t pm4[] = {
	        gv_pm4_header(PM4_WRITE_DATA, 4),
	        GV_PUT(PM4_WRITE_DATA, DST_SEL, 5),
	        (uint32_t)OUT,
	        0,
	        0xcafe,
	};
	struct gv_aql_pm4_ib p = {
	        .header = GV_AQL_VENDOR_SPECIFIC,
	        .format = GV_AQL_FORMAT_PM4_IB,
	        .ib_jump = {gv_pm4_header(PM4_INDIRECT_BUFFER, 3), (uint32_t)IB, 0,
	                    GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, GV_ARRAY_LEN(pm4)) |
	                            GV_PUT(PM4_INDIRECT_BUFFER, VALID, 1)},
	        .dw_count_remain = 10,
	        .completion_signal = SIG(0),
	};
	struct gv_aql_dispatch next = dispatch_of(64, 64, SIG(0));

	up();
	rig_put(&r, VF0, IB, pm4, sizeof(pm4));
	next.kernarg_address = OUT + 0x1000;
	put64(VALUE(0), 2);
	submit(&p);
	submit(&next);
	CU_ASSERT_TRUE(signal_is(0, 0));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT), 0xcafe);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 0x1000 + 4), 1);
	CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), 2);
	rig_close(&r);
}

static void who_sleeps_is_woken(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));
	struct gv_amd_signal s = {
	        .kind = GV_AMD_SIGNAL_USER, .value = 1, .event_mailbox_ptr = MAIL, .event_id = 77};
	struct gv_ih_iv iv;

	up();
	rig_put(&r, VF0, SIG(0), &s, sizeof(s));
	put64(MAIL, 0);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_EOP, &iv, 20000));
	CU_ASSERT_EQUAL(iv.dw[4], 77);
	CU_ASSERT_EQUAL(get64(MAIL), 77);
	rig_close(&r);
}

static void times_are_written_when_profiling_is_on(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));
	struct gv_amd_signal s;

	up();
	put64(VALUE(0), 2);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 1));
	rig_get(&r, VF0, SIG(0), &s, sizeof(s));
	CU_ASSERT_EQUAL(s.start_ts | s.end_ts, 0);
	rig_put32(&r, VF0, AQ_FIELD(queue_properties), GV_AMD_QUEUE_ENABLE_PROFILING);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	rig_get(&r, VF0, SIG(0), &s, sizeof(s));
	CU_ASSERT_TRUE(s.start_ts > 0 && s.end_ts >= s.start_ts);
	rig_close(&r);
}

static void too_little_scratch_can_be_given(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));

	up();
	p.private_segment_size = 64;
	put64(VALUE(0), 1);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(60, GV_AQL_ERROR_SCRATCH));
	CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), 0); /* the packet is still there */
	CU_ASSERT_EQUAL(get64(VALUE(0)), 1);
	CU_ASSERT_EQUAL(queue_error(Q), 0);
	rig_put32(&r, VF0, AQ_FIELD(scratch_workitem_byte_size), 64);
	put64(VALUE(60), 0);
	CU_ASSERT_TRUE(signal_is(0, 0));
	rig_close(&r);
}

/* What the runtime repairs before it clears the signal counts, however close the two are. */
static void what_was_repaired_is_seen(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));
	unsigned lost = 0;

	up();
	p.private_segment_size = 64;
	for (unsigned i = 0; i < 2000 && !lost; i++) {
		rig_put32(&r, VF0, AQ_FIELD(scratch_workitem_byte_size), 0);
		put64(VALUE(0), 1);
		submit(&p);
		lost += !signal_is(60, GV_AQL_ERROR_SCRATCH);
		rig_put32(&r, VF0, AQ_FIELD(scratch_workitem_byte_size), 64);
		put64(VALUE(60), 0);
		lost += !signal_is(0, 0);
	}
	CU_ASSERT_EQUAL(lost, 0);
	rig_close(&r);
}

/* Each is refused with its code; repaired, the queue goes on. */
static void impossible_packets_are_refused(void)
{
	struct gv_aql_dispatch good = dispatch_of(64, 64, SIG(0)), bad[10];
	uint64_t errors;
	static const uint16_t why[GV_ARRAY_LEN(bad)] = {
	        GV_AQL_ERROR_DIMENSIONS,    GV_AQL_ERROR_DIMENSIONS, GV_AQL_ERROR_DIMENSIONS,
	        GV_AQL_ERROR_DIMENSIONS,    GV_AQL_ERROR_GROUP_SIZE, GV_AQL_ERROR_GROUP_MEMORY,
	        GV_AQL_ERROR_CODE,          GV_AQL_ERROR_CODE,       GV_AQL_ERROR_PACKET,
	        GV_AQL_ERROR_VENDOR_PACKET,
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].setup = 0;
	bad[1].workgroup_size[0] = 0;
	bad[2].grid_size[0] = 0;
	bad[3].grid_size[1] = 2; /* has one dimension */
	bad[4].setup = 3;
	bad[4].workgroup_size[1] = 17;
	bad[5].group_segment_size = 65537;
	bad[6].kernel_object = 0;
	bad[7].kernel_object = KD + 4;
	bad[8].header = GV_AQL_AGENT_DISPATCH;
	bad[9].header = GV_AQL_VENDOR_SPECIFIC;
	up();
	put64(VALUE(0), 0);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		submit(&bad[i]);
		CU_ASSERT_TRUE(signal_is(60, why[i]));
		errors = rig_stats(&r, VF0).guest_errors;
		CU_ASSERT_EQUAL(errors, i + 1); /* told once */
		CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), i);
		CU_ASSERT_TRUE(queue_error(Q) & GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1));
		others_run();
		(void)usleep(2000);
		CU_ASSERT_EQUAL(rig_stats(&r, VF0).guest_errors, errors);
		put_packet(written - 1, &good);
		put64(VALUE(60), 0);
		CU_ASSERT_TRUE(signal_is(0, -(int64_t)i - 1));
	}
	rig_close(&r);
}

static void more_registers_than_there_are_is_refused(void)
{
	struct gv_aql_dispatch p = dispatch_of(1024, 1024, SIG(0));

	up();
	rig_put32(&r, VF0, KD + offsetof(struct gv_kernel_descriptor, compute_pgm_rsrc1),
	          GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 31)); /* 128, 16 waves: 64 are left for each */
	submit(&p);
	CU_ASSERT_TRUE(signal_is(60, GV_AQL_ERROR_REGISTERS));
	rig_close(&r);
}

/* Pointers that lead nowhere stop the queue, and nothing else. */
static void wild_pointers_stop_only_their_queue(void)
{
	const uint64_t wild = 0x7ffff0000000;
	struct gv_aql_dispatch good = dispatch_of(64, 64, 0), p[3] = {good, good, good};
	struct gv_aql_barrier barrier = {.header = GV_AQL_BARRIER_AND, .dep_signal = {wild}};

	p[0].kernel_object = wild;
	p[1].completion_signal = wild;
	for (unsigned i = 0; i < 4; i++) {
		up();
		if (i == 2)
			put64(AQ_FIELD(queue_inactive_signal), wild);
		p[2].setup = 0;
		submit(i == 3 ? (const void *)&barrier : &p[i]);
		for (unsigned ms = 0; ms < 2000 && !queue_error(Q); ms++)
			(void)usleep(1000);
		CU_ASSERT_NOT_EQUAL(queue_error(Q), 0);
		others_run();
		rig_close(&r);
	}
}

static void without_a_signal_the_queue_halts(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, 0);
	struct gv_ih_iv iv;

	up();
	put64(AQ_FIELD(queue_inactive_signal), 0);
	p.setup = 0;
	submit(&p);
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_RESERVED_BIT, &iv, 20000));
	CU_ASSERT_TRUE(queue_error(Q) & GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1));
	others_run();
	rig_close(&r);
}

static void a_queue_goes_on_where_it_was_unmapped(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));

	up();
	put64(VALUE(0), 3);
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 2));
	rig_emit_unmap(&r, VF0, Q, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	submit(&p); /* not mapped: memory says so */
	CU_ASSERT_FALSE(rig_wait_mem(&r, VF0, VALUE(0), 1, 20));
	CU_ASSERT_TRUE(map_queue());
	CU_ASSERT_TRUE(signal_is(0, 1));
	submit(&p);
	CU_ASSERT_TRUE(signal_is(0, 0));
	CU_ASSERT_EQUAL(get64(AQ_FIELD(read_dispatch_id)), 3);
	rig_close(&r);
}

/* Each of its items happens once, and so does its signal. */
static void a_packet_preempted_in_the_middle_goes_on(void)
{
	enum { GROUPS = 300, AREA = 0x800000, AREA_BYTES = 0x100000 };
	/* every item counts to 32768, then adds 1 to its own word */
	static const uint32_t slow[] = {
	        0xbe850080,             /* s_mov_b32 s5, 0 */
	        0x80058105,             /* s_add_u32 s5, s5, 1 */
	        0xbf0aff05, 0x00008000, /* s_cmp_lt_u32 s5, 0x8000 */
	        0xbf85fffc,             /* s_cbranch_scc1 -4 */
	        0x8e038602,             /* s_lshl_b32 s3, s2, 6 */
	        0x68020003,             /* v_add_u32_e32 v1, s3, v0 */
	        0x24020282,             /* v_lshlrev_b32_e32 v1, 2, v1 */
	        0x7e040281,             /* v_mov_b32_e32 v2, 1 */
	        0xdd088000, 0x00000201, /* global_atomic_add v1, v2, s[0:1] */
	        0xbf810000,             /* s_endpgm */
	};
	struct gv_aql_dispatch p = dispatch_of(GROUPS * 64, 64, SIG(0));
	const uint64_t mqd = rig_mqd_va(Q);
	unsigned saves = 0, wrong = 0;

	up();
	PUT_KERNEL(slow, GV_KD_KERNARG_SEGMENT_PTR);
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PERSISTENT_STATE) * 4,
	          GV_PUT(CP_HQD_PERSISTENT_STATE, QSWITCH_MODE, 1));
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_CTX_SAVE_BASE_ADDR_LO) * 4, AREA);
	rig_put32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_CTX_SAVE_SIZE) * 4, AREA_BYTES);
	CU_ASSERT_TRUE(map_queue());
	put64(VALUE(0), 7);
	submit(&p);
	for (unsigned n = 0; n < 3000 && get64(VALUE(0)) == 7; n++) {
		(void)usleep(100);
		rig_emit_unmap(&r, VF0, Q, 0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 3000));
		saves += GV_GET(rig_get32(&r, VF0, mqd + GV_MQD_DW(CP_HQD_PERSISTENT_STATE) * 4),
		                CP_HQD_PERSISTENT_STATE, RELAUNCH_WAVES);
		CU_ASSERT_TRUE(map_queue());
	}
	CU_ASSERT_TRUE(saves > 0); /* how many: as fast as this machine is */
	CU_ASSERT_TRUE(read_index_is(1));
	CU_ASSERT_EQUAL(get64(VALUE(0)), 6);
	for (unsigned i = 0; i < GROUPS * 64; i++)
		wrong += rig_get32(&r, VF0, OUT + 4 * i) != 1;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(queue_error(Q), 0);
	rig_close(&r);
}

static void an_endless_kernel_is_killed_by_a_reset(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));

	up();
	PUT_KERNEL(endless, GV_KD_KERNARG_SEGMENT_PTR);
	put64(VALUE(0), 1);
	submit(&p);
	others_run();
	rig_emit_unmap(&r, VF0, Q, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, Q));
	CU_ASSERT_EQUAL(get64(VALUE(0)), 1);
	rig_close(&r);
}

/* The first packet's index is 0, and 0 is what a fresh page holds. */
static void a_mapped_doorbell_is_seen_the_first_time(void)
{
	struct gv_aql_dispatch p = dispatch_of(64, 64, SIG(0));
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;
	uint8_t *page;

	up();
	CU_ASSERT_EQUAL_FATAL(gv_dev_region_fd(r.dev, VF0, GV_REGION_DOORBELL, &fd, &bytes), 0);
	page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_TRUE_FATAL(page != MAP_FAILED);
	put64(VALUE(0), 1);
	put_packet(0, &p);
	__atomic_store_n((uint64_t *)(void *)(page + rig_doorbell(Q) * 4), 0, __ATOMIC_RELEASE);
	CU_ASSERT_TRUE(signal_is(0, 0));
	(void)munmap(page, bytes);
	rig_close(&r);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(a_packet_runs_its_kernel),
	        UT(packets_run_in_order_however_they_are_rung),
	        UT(the_ring_goes_round),
	        UT(user_sgprs_are_what_the_descriptor_asks_for),
	        UT(three_dimensions_have_all_their_items),
	        UT(barriers_wait_for_signals),
	        UT(a_barrier_compares_values),
	        UT(a_vendor_packet_runs_pm4),
	        UT(who_sleeps_is_woken),
	        UT(times_are_written_when_profiling_is_on),
	        UT(too_little_scratch_can_be_given),
	        UT(what_was_repaired_is_seen),
	        UT(impossible_packets_are_refused),
	        UT(more_registers_than_there_are_is_refused),
	        UT(wild_pointers_stop_only_their_queue),
	        UT(without_a_signal_the_queue_halts),
	        UT(a_queue_goes_on_where_it_was_unmapped),
	        UT(a_packet_preempted_in_the_middle_goes_on),
	        UT(an_endless_kernel_is_killed_by_a_reset),
	        UT(a_mapped_doorbell_is_seen_the_first_time),
	};

	return ut_main(argc, argv, "aql", cases, (int)GV_ARRAY_LEN(cases));
}
