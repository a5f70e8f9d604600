/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AQL packets that run, and what they wait for. */
#include "aql_rig.h"

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

UT_MAIN("aql", UT(a_packet_runs_its_kernel), UT(packets_run_in_order_however_they_are_rung),
        UT(the_ring_goes_round), UT(user_sgprs_are_what_the_descriptor_asks_for),
        UT(three_dimensions_have_all_their_items), UT(barriers_wait_for_signals),
        UT(a_barrier_compares_values), UT(a_vendor_packet_runs_pm4), UT(who_sleeps_is_woken),
        UT(times_are_written_when_profiling_is_on))
