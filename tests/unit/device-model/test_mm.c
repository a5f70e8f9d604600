/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multimedia scheduler and encode rings, as uvd_v7_0.c and vce_v4_0.c of a VF use them. */
#include "mem_rig.h"
#include "mm.h"
#include "ut.h"

#define TABLE   0x10000ull /* all in the VF's frame buffer */
#define IB      0x12000ull
#define FENCE   0x14000ull
#define RING(e) (0x20000ull + (e)*0x1000ull)
#define RING_DW 512u

struct driver {
	struct mem_rig r;
	struct gv_fn *f;
	uint32_t table[512];
	uint32_t n;
	uint32_t wptr[GV_MM_ENGINES];
};

/* ---- init tables ------------------------------------------------------------------------ */

static void add(struct driver *d, uint32_t dw)
{
	d->table[d->n++] = dw;
}

static void add_write(struct driver *d, uint32_t reg_dw, uint32_t val)
{
	add(d, GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_WRITE) | reg_dw);
	add(d, val);
}

static void add_modify(struct driver *d, uint32_t reg_dw, uint32_t keep, uint32_t set)
{
	add(d, GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_MODIFY) | reg_dw);
	add(d, set);
	add(d, keep);
}

static void add_poll(struct driver *d, uint32_t reg_dw, uint32_t mask, uint32_t val)
{
	add(d, GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_POLL) | reg_dw);
	add(d, mask);
	add(d, val);
}

static void add_end(struct driver *d)
{
	add(d, GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_END));
}

/* The essence of uvd_v7_0_sriov_start() and vce_v4_0_sriov_start(). */
static void add_uvd(struct driver *d)
{
	const uint32_t on = GV_PUT(UVD_MASTINT_EN, VCPU_EN, 1) | GV_PUT(UVD_MASTINT_EN, SYS_EN, 1);

	add_modify(d, UVD_STATUS__DW, UINT32_MAX, 4);
	add_write(d, UVD_VCPU_CACHE_SIZE0__DW, 0x5000);
	add_write(d, UVD_SOFT_RESET__DW, GV_PUT(UVD_SOFT_RESET, VCPU_SOFT_RESET, 1));
	add_write(d, UVD_VCPU_CNTL__DW, GV_PUT(UVD_VCPU_CNTL, CLK_EN, 1));
	add_modify(d, UVD_MASTINT_EN__DW, ~on, on);
	add_modify(d, UVD_STATUS__DW, ~4u, 0);
	add_write(d, UVD_RB_BASE_LO__DW, (uint32_t)RING(GV_MM_UVD));
	add_write(d, UVD_RB_BASE_HI__DW, 0);
	add_write(d, UVD_RB_SIZE__DW, RING_DW);
	add_write(d, UVD_SOFT_RESET__DW, 0);
	add_poll(d, UVD_STATUS__DW, 2, 2);
	add_end(d);
}

static void add_vce(struct driver *d)
{
	const uint32_t trap = GV_PUT(VCE_SYS_INT_EN, VCE_SYS_INT_TRAP_INTERRUPT_EN, 1);
	const uint32_t busy = GV_PUT(VCE_STATUS, JOB_BUSY, 1);

	add_write(d, VCE_RB_BASE_LO__DW, (uint32_t)RING(GV_MM_VCE));
	add_write(d, VCE_RB_BASE_HI__DW, 0);
	add_write(d, VCE_RB_SIZE__DW, RING_DW);
	add_modify(d, VCE_SYS_INT_EN__DW, trap, trap);
	add_modify(d, VCE_VCPU_CNTL__DW, ~0x200001u, 1);
	add_modify(d, VCE_SOFT_RESET__DW, ~GV_PUT(VCE_SOFT_RESET, ECPU_SOFT_RESET, 1), 0);
	add_poll(d, VCE_STATUS__DW, 2, 2);
	add_modify(d, VCE_STATUS__DW, ~busy, 0);
	add_end(d);
}

static uint64_t complaints(struct driver *d)
{
	return atomic_load(&d->f->count.guest_errors) + atomic_load(&d->f->count.unimplemented);
}

/* As uvd_v7_0_mmsch_start(); returns the answer. */
static uint32_t start(struct driver *d, uint64_t at, uint32_t dwords)
{
	uint64_t before = complaints(d);

	rig_wr(d->f, VCE_MMSCH_VF_CTX_ADDR_LO__BYTE, (uint32_t)at);
	rig_wr(d->f, VCE_MMSCH_VF_CTX_ADDR_HI__BYTE, (uint32_t)(at >> 32));
	rig_wr(d->f, VCE_MMSCH_VF_VMID__BYTE, 0);
	rig_wr(d->f, VCE_MMSCH_VF_CTX_SIZE__BYTE, dwords);
	rig_wr(d->f, VCE_MMSCH_VF_MAILBOX_RESP__BYTE, 0);
	memset(d->wptr, 0, sizeof(d->wptr));
	rig_wr(d->f, VCE_MMSCH_VF_MAILBOX_HOST__BYTE, GV_MMSCH_INIT);
	(void)UNTIL(rig_rd(d->f, VCE_MMSCH_VF_MAILBOX_RESP__BYTE) || complaints(d) > before);
	return rig_rd(d->f, VCE_MMSCH_VF_MAILBOX_RESP__BYTE);
}

/* Header and what add_*() put into the table, as UVD's. */
static uint32_t start_table(struct driver *d)
{
	const struct gv_mmsch_init h = {.version = GV_MMSCH_VERSION,
	                                .header_dw = sizeof(h) / 4,
	                                .uvd_off = sizeof(h) / 4,
	                                .uvd_dw = d->n};

	rig_put(d->f, TABLE, &h, sizeof(h));
	rig_put(d->f, TABLE + sizeof(h), d->table, d->n * 4ul);
	return start(d, TABLE, (uint32_t)(sizeof(h) / 4) + d->n);
}

/* UVD alone, then with VCE behind it, as the two blocks of a driver do it. */
static void start_both(struct driver *d)
{
	struct gv_mmsch_init h = {.version = GV_MMSCH_VERSION, .header_dw = sizeof(h) / 4};

	d->n = 0;
	add_uvd(d);
	CU_ASSERT_EQUAL(start_table(d), GV_MMSCH_INIT_DONE);
	h.uvd_off = sizeof(h) / 4;
	h.uvd_dw = d->n;
	h.vce_off = h.uvd_off + h.uvd_dw;
	add_vce(d);
	h.vce_dw = d->n - h.uvd_dw;
	rig_put(d->f, TABLE, &h, sizeof(h));
	rig_put(d->f, TABLE + sizeof(h), d->table, d->n * 4ul);
	CU_ASSERT_EQUAL(start(d, TABLE, (uint32_t)(sizeof(h) / 4) + d->n), GV_MMSCH_INIT_DONE);
}

static void open_driver(struct driver *d)
{
	memset(d, 0, sizeof(*d));
	rig_open(&d->r, true);
	d->f = d->r.vf[0];
}

/* ---- rings --------------------------------------------------------------------------------- */

static void emit(struct driver *d, enum gv_mm_engine e, const uint32_t *dw, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		rig_put(d->f, RING(e) + d->wptr[e] * 4ull, &dw[k], 4);
		d->wptr[e] = (d->wptr[e] + 1) % RING_DW;
	}
}
#define EMIT(d, e, ...)                                                                            \
	emit(d, e, (const uint32_t[]){__VA_ARGS__},                                                \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void ring(struct driver *d, enum gv_mm_engine e)
{
	uint32_t val = d->wptr[e];

	CU_ASSERT_EQUAL(gv_doorbell_access(d->f, gv_mm_regs[e].doorbell * 4ull, &val, 4, true), 0);
}

static void emit_fence(struct driver *d, enum gv_mm_engine e, uint32_t val)
{
	EMIT(d, e, GV_ENC_FENCE, (uint32_t)FENCE, 0, val, GV_ENC_TRAP, GV_ENC_END);
}

static bool fenced(struct driver *d, uint32_t val)
{
	return UNTIL(rig_get32(d->f, FENCE) == val);
}

static void emit_ib(struct driver *d, enum gv_mm_engine e, const uint32_t *dw, uint32_t n)
{
	rig_put(d->f, IB, dw, n * 4ul);
	EMIT(d, e, GV_ENC_IB_VM, 0, (uint32_t)IB, 0, n);
}

static bool halts(struct driver *d, enum gv_mm_engine e)
{
	uint64_t before = atomic_load(&d->f->count.guest_errors);

	ring(d, e);
	return UNTIL(atomic_load(&d->f->count.guest_errors) > before);
}

static void interrupts_on(struct driver *d)
{
	rig_wr(d->f, IH_RB_BASE__BYTE, (uint32_t)(RIG_IOVA >> 8));
	rig_wr(d->f, IH_RB_CNTL__BYTE,
	       GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 10) |
	               GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS));
}

/* The @n-th entry of the interrupt ring. */
static bool interrupted(struct driver *d, unsigned n, unsigned client, unsigned src)
{
	struct gv_ih_iv iv;

	if (!UNTIL(rig_rd(d->f, IH_RB_WPTR__BYTE) == (n + 1) * sizeof(iv)))
		return false;
	memcpy(&iv, d->r.sys[d->f->index] + n * sizeof(iv), sizeof(iv));
	return GV_GET(iv.dw[0], IH_IV0, CLIENT_ID) == client &&
	       GV_GET(iv.dw[0], IH_IV0, SRC_ID) == src && iv.dw[4] == 0;
}

/* ---- cases -------------------------------------------------------------------------------------
 */

static void an_init_table_sets_up_registers(void)
{
	struct driver d;

	open_driver(&d);
	start_both(&d);
	CU_ASSERT_EQUAL(rig_rd(d.f, UVD_VCPU_CACHE_SIZE0__BYTE), 0x5000);
	CU_ASSERT_EQUAL(rig_rd(d.f, UVD_STATUS__BYTE), 2);
	CU_ASSERT_EQUAL(rig_rd(d.f, VCE_STATUS__BYTE), 2);
	CU_ASSERT_EQUAL(rig_rd(d.f, VCE_VCPU_CNTL__BYTE), 1);
	CU_ASSERT_EQUAL(rig_rd(d.r.vf[1], UVD_VCPU_CACHE_SIZE0__BYTE), 0);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.guest_errors), 0);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), 0);
	rig_close(&d.r);
}

/* uvd_v7_0_enc_ring_test_ib(), amdgpu_vce_ring_test_ib(). */
static void sessions_are_opened_and_closed_with_fence_and_trap(void)
{
	static const uint32_t uvd[] = {0x18, 1, 1, 0, 0,         0x5000, 0x14, 2,
	                               0x1c, 0, 0, 8, 0x8000001, 0,      0,    0};
	static const uint32_t vce[] = {0xc,       1,   1,    0x30, 0x1000001, 0,         0x42, 0xa,
	                               1,         128, 96,   256,  256,       12,        0,    0x14,
	                               0x5000005, 0,   4096, 1,    0x20,      2,         ~0u,  1,
	                               0,         0,   ~0u,  0,    8,         0x2000001, 0,    0};
	struct driver d;

	open_driver(&d);
	interrupts_on(&d);
	start_both(&d);
	emit_ib(&d, GV_MM_UVD, uvd, GV_ARRAY_LEN(uvd));
	emit_fence(&d, GV_MM_UVD, 1);
	ring(&d, GV_MM_UVD);
	CU_ASSERT(fenced(&d, 1));
	CU_ASSERT(interrupted(&d, 0, GV_IH_CLIENT_UVD, GV_IH_SRC_UVD_ENC_GEN_PURP));
	emit_ib(&d, GV_MM_VCE, vce, GV_ARRAY_LEN(vce));
	emit_fence(&d, GV_MM_VCE, 2);
	ring(&d, GV_MM_VCE);
	CU_ASSERT(fenced(&d, 2));
	CU_ASSERT(interrupted(&d, 1, GV_IH_CLIENT_VCE0, GV_IH_SRC_VCE_TRAP));
	CU_ASSERT(UNTIL(rig_rd(d.f, UVD_RB_RPTR__BYTE) == (d.wptr[GV_MM_UVD] & ~15u)));
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.guest_errors), 0);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), 0);
	rig_close(&d.r);
}

static void video_tasks_are_counted(void)
{
	static const uint32_t ib[] = {0xc, 1, 1, 8, 0x0b000001, 8, 0x03000001};
	struct driver d;

	open_driver(&d);
	start_both(&d);
	emit_ib(&d, GV_MM_VCE, ib, GV_ARRAY_LEN(ib));
	emit_fence(&d, GV_MM_VCE, 7);
	ring(&d, GV_MM_VCE);
	CU_ASSERT(fenced(&d, 7));
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), 2);
	rig_close(&d.r);
}

/* gmc_v9_0_emit_flush_gpu_tlb() on such a ring. */
static void translations_are_flushed_from_a_ring(void)
{
	const uint32_t base = MMHUB_VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32__BYTE + 3 * 8;
	const uint32_t req = GV_BYTE_N(MMHUB_VM_INVALIDATE_ENG0_REQ, 1);
	const uint32_t ack = GV_BYTE_N(MMHUB_VM_INVALIDATE_ENG0_ACK, 1);
	struct driver d;

	open_driver(&d);
	start_both(&d);
	EMIT(&d, GV_MM_UVD, GV_ENC_REG_WRITE, base, 0x123001, GV_ENC_REG_WRITE, req, 1u << 3,
	     GV_ENC_REG_WAIT, ack, 1u << 3, 1u << 3, GV_ENC_REG_WAIT, base, ~0u, 0x123001);
	emit_fence(&d, GV_MM_UVD, 5);
	ring(&d, GV_MM_UVD);
	CU_ASSERT(fenced(&d, 5));
	CU_ASSERT_EQUAL(rig_rd(d.f, base), 0x123001);
	rig_close(&d.r);
}

static void a_wait_holds_its_ring_until_it_is_over(void)
{
	struct driver d;

	open_driver(&d);
	start_both(&d);
	EMIT(&d, GV_MM_UVD, GV_ENC_REG_WAIT, UVD_GP_SCRATCH4__BYTE, ~0u, 9);
	emit_fence(&d, GV_MM_UVD, 5);
	ring(&d, GV_MM_UVD);
	emit_fence(&d, GV_MM_VCE, 6);
	ring(&d, GV_MM_VCE); /* another ring goes on */
	CU_ASSERT(fenced(&d, 6));
	rig_wr(d.f, UVD_GP_SCRATCH4__BYTE, 9);
	CU_ASSERT(fenced(&d, 5));
	rig_close(&d.r);
}

static void the_ring_goes_round(void)
{
	struct driver d;

	open_driver(&d);
	start_both(&d);
	for (uint32_t k = 1; k <= 300; k++) {
		EMIT(&d, GV_MM_UVD, GV_ENC_NO_OP);
		emit_fence(&d, GV_MM_UVD, k);
		ring(&d, GV_MM_UVD);
		CU_ASSERT(fenced(&d, k));
	}
	rig_close(&d.r);
}

static void a_reset_stops_the_rings(void)
{
	struct driver d;

	open_driver(&d);
	start_both(&d);
	gv_fn_reset(d.f);
	rig_wr(d.r.pf, GVX_VF_FB_EN__BYTE, 3);
	rig_wr(d.r.pf, GVX_VF_DOORBELL_EN__BYTE, 3);
	CU_ASSERT_EQUAL(rig_rd(d.f, UVD_RB_SIZE__BYTE), 0);
	emit_fence(&d, GV_MM_UVD, 1);
	ring(&d, GV_MM_UVD);
	start_both(&d);
	CU_ASSERT_EQUAL(rig_get32(d.f, FENCE), 0);
	emit_fence(&d, GV_MM_UVD, 2);
	ring(&d, GV_MM_UVD);
	CU_ASSERT(fenced(&d, 2));
	rig_close(&d.r);
}

/* ---- drivers that lie
 * ------------------------------------------------------------------------------ */

static void tables_reach_no_other_registers(void)
{
	static const uint32_t dws[] = {
	        IH_RB_CNTL__DW, GVX_VF_FB_EN__DW,   SCRATCH_REG0__DW, VCE_MMSCH_VF_MAILBOX_HOST__DW,
	        0xfffffff,      UVD_STATUS__DW + 1, MM_DATA__DW};

	for (size_t k = 0; k < GV_ARRAY_LEN(dws); k++) {
		struct driver d;

		open_driver(&d);
		add_write(&d, dws[k], 0xffffffff);
		add_end(&d);
		CU_ASSERT_EQUAL(start_table(&d), 0);
		CU_ASSERT_EQUAL(atomic_load(&d.f->count.guest_errors), 1);
		rig_close(&d.r);
	}
}

static void tables_that_are_none_are_not_answered(void)
{
	static const struct {
		uint64_t at;
		uint32_t dwords;
	} row[] = {{TABLE, 0}, {TABLE, 7}, {TABLE, ~0u}, {RIG_FB, 100}, {-64ull, 100}};
	struct driver d;

	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		open_driver(&d);
		CU_ASSERT_EQUAL(start(&d, row[k].at, row[k].dwords), 0);
		CU_ASSERT(atomic_load(&d.f->count.guest_errors) > 0);
		rig_close(&d.r);
	}
	open_driver(&d);
	add_write(&d, UVD_STATUS__DW, 0); /* no end */
	CU_ASSERT_EQUAL(start_table(&d), 0);
	rig_close(&d.r);
	open_driver(&d);
	add(&d, GV_PUT(MMSCH_CMD, TYPE, GV_MMSCH_MODIFY) | UVD_STATUS__DW); /* cut off */
	CU_ASSERT_EQUAL(start_table(&d), 0);
	rig_close(&d.r);
	open_driver(&d);
	add_poll(&d, UVD_STATUS__DW, 2, 2); /* for ever */
	add_end(&d);
	CU_ASSERT_EQUAL(start_table(&d), 0);
	rig_close(&d.r);
}

static void sections_outside_the_table_are_refused(void)
{
	static const uint32_t row[][2] = {{8, 1000}, {1000, 1}, {UINT32_MAX, 2}, {8, UINT32_MAX}};
	struct driver d;

	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		struct gv_mmsch_init h = {
		        .version = GV_MMSCH_VERSION, .vce_off = row[k][0], .vce_dw = row[k][1]};

		open_driver(&d);
		rig_put(d.f, TABLE, &h, sizeof(h));
		CU_ASSERT_EQUAL(start(&d, TABLE, 100), 0);
		CU_ASSERT_EQUAL(atomic_load(&d.f->count.guest_errors), 1);
		rig_close(&d.r);
	}
}

static void bad_commands_halt_only_their_ring(void)
{
	static const uint32_t bad[][5] = {
	        {0x777, 0, 0, 0, 0},
	        {GV_ENC_FENCE, (uint32_t)RIG_FB, 0, 1, 0},
	        {GV_ENC_IB_VM, 16, (uint32_t)IB, 0, 4},
	        {GV_ENC_IB_VM, 0, (uint32_t)IB, 0, UINT32_MAX},
	        {GV_ENC_IB_VM, 0, (uint32_t)RIG_FB, 0, 4},
	        {GV_ENC_IB_VM, 5, (uint32_t)IB, 0, 4},
	        {GV_ENC_IB_VM, 0, (uint32_t)IB, 0, 4},
	};
	static const uint32_t endless[] = {4, 1, 4, 1};
	struct driver d;

	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		open_driver(&d);
		start_both(&d);
		rig_put(d.f, IB, endless, sizeof(endless));
		emit(&d, GV_MM_UVD, bad[k], 5);
		emit_fence(&d, GV_MM_UVD, 1);
		CU_ASSERT(halts(&d, GV_MM_UVD));
		emit_fence(&d, GV_MM_VCE, 2);
		ring(&d, GV_MM_VCE);
		CU_ASSERT(fenced(&d, 2));
		CU_ASSERT_EQUAL(atomic_load(&d.r.vf[1]->count.guest_errors), 0);
		start_both(&d); /* and it begins anew */
		emit_fence(&d, GV_MM_UVD, 3);
		ring(&d, GV_MM_UVD);
		CU_ASSERT(fenced(&d, 3));
		rig_close(&d.r);
	}
}

static void write_pointers_and_ends_outside_are_refused(void)
{
	struct driver d;

	open_driver(&d);
	start_both(&d);
	EMIT(&d, GV_MM_UVD, GV_ENC_FENCE, 0);
	CU_ASSERT(halts(&d, GV_MM_UVD)); /* cut off */
	start_both(&d);
	d.wptr[GV_MM_UVD] = RING_DW;
	CU_ASSERT(halts(&d, GV_MM_UVD));
	d.n = 0;
	add_write(&d, UVD_RB_SIZE__DW, 48);
	add_end(&d);
	CU_ASSERT_EQUAL(start_table(&d), 0);
	rig_close(&d.r);
}

UT_MAIN("device-model/mm", UT(an_init_table_sets_up_registers),
        UT(sessions_are_opened_and_closed_with_fence_and_trap), UT(video_tasks_are_counted),
        UT(translations_are_flushed_from_a_ring), UT(a_wait_holds_its_ring_until_it_is_over),
        UT(the_ring_goes_round), UT(a_reset_stops_the_rings), UT(tables_reach_no_other_registers),
        UT(tables_that_are_none_are_not_answered), UT(sections_outside_the_table_are_refused),
        UT(bad_commands_halt_only_their_ring), UT(write_pointers_and_ends_outside_are_refused))
