/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AQL packets that cannot run, and queues that are taken away in the middle of one. */
#include <sys/mman.h>
#include <unistd.h>

#include "aql_rig.h"

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

UT_MAIN("aql, refused", UT(too_little_scratch_can_be_given), UT(what_was_repaired_is_seen),
        UT(impossible_packets_are_refused), UT(more_registers_than_there_are_is_refused),
        UT(wild_pointers_stop_only_their_queue), UT(without_a_signal_the_queue_halts),
        UT(a_queue_goes_on_where_it_was_unmapped), UT(a_packet_preempted_in_the_middle_goes_on),
        UT(an_endless_kernel_is_killed_by_a_reset), UT(a_mapped_doorbell_is_seen_the_first_time))
