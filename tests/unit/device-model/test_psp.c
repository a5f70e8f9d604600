/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PSP's rings: commands, answers and fences, firmware, resets, and rings of drivers that lie.
 */
#include "mem_rig.h"
#include "ut.h"

#define RING     0x10000ull /* in the VF's frame buffer, or in its system memory */
#define CMD      0x11000ull
#define FENCE    0x12008ull
#define FIRMWARE 0x100000ull
#define VMR      0x400000ull
#define VMR_SIZE 0x400000u
#define GART     0x100000000000ull /* where that system memory is for VMID 0 */
#define TABLE    (24 * GV_MIB)     /* the GART's, in the frame buffer */
#define PATIENCE (5 * GV_S)

#define UNTIL(cond)                                                                                \
	({                                                                                         \
		uint64_t until_end_ = gv_now_ns() + PATIENCE;                                      \
		unsigned until_spins_ = 0;                                                         \
		bool until_ok_;                                                                    \
		while (!(until_ok_ = (cond)) && gv_now_ns() < until_end_)                          \
			gv_poll_pause(&until_spins_);                                              \
		until_ok_;                                                                         \
	})

/* A driver and its ring. */
struct driver {
	struct mem_rig *r;
	struct gv_fn *f;
	uint64_t at; /* what its memory begins at: 0 frame buffer, or GART */
	uint32_t wptr, fence;
};

static void put(struct driver *d, uint64_t off, const void *buf, size_t n)
{
	if (d->at)
		memcpy(d->r->sys[d->f->index] + off, buf, n);
	else
		rig_put(d->f, off, buf, n);
}

static void get(struct driver *d, uint64_t off, void *buf, size_t n)
{
	if (d->at)
		memcpy(buf, d->r->sys[d->f->index] + off, n);
	else
		rig_get(d->f, off, buf, n);
}

static uint32_t fence(struct driver *d)
{
	if (!d->at)
		return rig_get32(d->f, FENCE);
	return __atomic_load_n((uint32_t *)(void *)(d->r->sys[d->f->index] + FENCE),
	                       __ATOMIC_ACQUIRE);
}

/* The GART of MMHUB's VMID 0: all of the function's system memory. */
static void map_gart(struct driver *d)
{
	for (uint64_t page = 0; page < RIG_SYS / 4096; page++)
		rig_put64(d->f, TABLE + 8 * page,
		          (RIG_IOVA + 4096 * page) | RIG_PTE | GV_PTE_SYSTEM);
	rig_context(d->f, 0, 0, TABLE | GV_PTE_VALID, GART, GART + RIG_SYS - 1);
	d->at = GART;
}

/* C2PMSG_101 with its answer. */
static uint32_t ask(struct driver *d, uint32_t command)
{
	const uint32_t done = GV_PUT(PSP_C2PMSG, RESPONSE, 1);

	rig_wr(d->f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, command));
	CU_ASSERT(UNTIL(rig_rd(d->f, MP0_SMN_C2PMSG_101__BYTE) & done));
	return GV_GET(rig_rd(d->f, MP0_SMN_C2PMSG_101__BYTE), PSP_C2PMSG, STATUS);
}

static uint32_t create_at(struct driver *d, uint64_t va)
{
	rig_wr(d->f, MP0_SMN_C2PMSG_102__BYTE, (uint32_t)va);
	rig_wr(d->f, MP0_SMN_C2PMSG_103__BYTE, (uint32_t)(va >> 32));
	d->wptr = 0;
	return ask(d, GV_PSP_INIT_GPCOM_RING);
}

/* As psp_v3_1_ring_create(). */
static void create(struct driver *d)
{
	CU_ASSERT_EQUAL(ask(d, GV_PSP_DESTROY_GPCOM_RING), 0);
	CU_ASSERT_EQUAL(create_at(d, d->at + RING), 0);
}

static struct driver driver_of(struct mem_rig *r, unsigned vf, bool gart)
{
	struct driver d = {.r = r, .f = r->vf[vf]};

	if (gart)
		map_gart(&d);
	create(&d);
	return d;
}

static struct gv_psp_frame frame_of(struct driver *d)
{
	return (struct gv_psp_frame){.cmd_lo = (uint32_t)(d->at + CMD),
	                             .cmd_hi = (uint32_t)((d->at + CMD) >> 32),
	                             .fence_lo = (uint32_t)(d->at + FENCE),
	                             .fence_hi = (uint32_t)((d->at + FENCE) >> 32),
	                             .fence = ++d->fence};
}

static void add_frame(struct driver *d, const struct gv_psp_frame *frame)
{
	put(d, RING + d->wptr * 4ull, frame, sizeof(*frame));
	d->wptr = (d->wptr + GV_PSP_FRAME_DW) % GV_PSP_RING_DW;
}

static void kick(struct driver *d, uint32_t wptr)
{
	rig_wr(d->f, MP0_SMN_C2PMSG_102__BYTE, wptr);
	rig_wr(d->f, MP0_SMN_C2PMSG_101__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_CONSUME_CMD));
}

/* As psp_cmd_submit_buf(): no wait for the answer in C2PMSG_101. */
static struct gv_psp_resp run(struct driver *d, const struct gv_psp_cmd *cmd)
{
	static const struct gv_psp_resp none = {.status = 0xdeadbeef};
	struct gv_psp_frame frame = frame_of(d);
	struct gv_psp_resp resp;

	put(d, CMD, cmd, sizeof(*cmd));
	put(d, CMD + sizeof(*cmd), &none, sizeof(none));
	add_frame(d, &frame);
	kick(d, d->wptr);
	CU_ASSERT(UNTIL(fence(d) == d->fence));
	get(d, CMD + sizeof(*cmd), &resp, sizeof(resp));
	return resp;
}

static uint32_t prog_reg(struct driver *d, uint32_t id, uint32_t val)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = val, .id = id}};

	return run(d, &cmd).status;
}

static uint32_t setup_vmr(struct driver *d, uint64_t va, uint32_t bytes)
{
	const struct gv_psp_cmd cmd = {
	        .id = GV_PSP_SETUP_VMR,
	        .vmr = {.lo = (uint32_t)va, .hi = (uint32_t)(va >> 32), .bytes = bytes}};

	return run(d, &cmd).status;
}

static struct gv_psp_resp load(struct driver *d, unsigned type, uint64_t va, uint32_t bytes)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_LOAD_IP_FW,
	                               .fw = {.lo = (uint32_t)va,
	                                      .hi = (uint32_t)(va >> 32),
	                                      .bytes = bytes,
	                                      .type = type}};

	return run(d, &cmd);
}

static uint64_t errors(struct driver *d)
{
	return atomic_load(&d->f->count.guest_errors);
}

/* ---- commands ------------------------------------------------------------------------- */

static void registers_are_programmed(bool gart)
{
	static const uint32_t bytes[] = {IH_RB_CNTL__BYTE, IH_RB_CNTL_RING1__BYTE,
	                                 IH_RB_CNTL_RING2__BYTE};
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, gart);
	for (uint32_t id = 0; id < GV_ARRAY_LEN(bytes); id++) {
		uint32_t val = GV_PUT(IH_RB_CNTL, RB_SIZE, 10 + id);

		CU_ASSERT_EQUAL(prog_reg(&d, id, val), 0);
		CU_ASSERT_EQUAL(rig_rd(d.f, bytes[id]), val);
		CU_ASSERT_EQUAL(rig_rd(r.vf[1], bytes[id]), 0);
	}
	CU_ASSERT_EQUAL(errors(&d), 0);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.vm_faults), 0);
	rig_close(&r);
}

static void registers_are_programmed_from_the_frame_buffer(void)
{
	registers_are_programmed(false);
}

static void registers_are_programmed_through_the_gart(void)
{
	registers_are_programmed(true);
}

static void an_interrupt_ring_is_on_when_the_fence_is_there(void)
{
	const uint32_t on = GV_PUT(IH_RB_CNTL, RB_ENABLE, 1) | GV_PUT(IH_RB_CNTL, RB_SIZE, 16) |
	                    GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS);
	struct gv_ih_iv iv = gv_ih_iv(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_EOP, 0, 0, GV_HUB_GC);
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	rig_wr(d.f, IH_RB_BASE__BYTE, (uint32_t)(RIG_IOVA >> 8));
	CU_ASSERT_EQUAL(prog_reg(&d, GV_PSP_REG_IH_RB_CNTL, on), 0);
	gv_ih_post(d.f, &iv);
	CU_ASSERT(UNTIL(rig_rd(d.f, IH_RB_WPTR__BYTE) == sizeof(iv)));
	rig_close(&r);
}

static void the_ring_goes_round(void)
{
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	for (uint32_t k = 1; k <= 200; k++) {
		uint32_t val = GV_PUT(IH_RB_CNTL, RB_SIZE, k);

		CU_ASSERT_EQUAL(prog_reg(&d, 0, val), 0);
		CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), val);
	}
	CU_ASSERT_EQUAL(errors(&d), 0);
	rig_close(&r);
}

static void many_frames_are_run_in_their_order(void)
{
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = 0x20}};
	struct gv_psp_frame frame;
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	put(&d, CMD, &cmd, sizeof(cmd));
	for (unsigned k = 0; k < GV_PSP_RING_DW / GV_PSP_FRAME_DW - 1; k++) {
		frame = frame_of(&d);
		add_frame(&d, &frame);
	}
	kick(&d, d.wptr);
	CU_ASSERT(UNTIL(fence(&d) == d.fence));
	CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0x20);
	CU_ASSERT_EQUAL(errors(&d), 0);
	rig_close(&r);
}

static void other_registers_are_refused(void)
{
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	for (uint32_t id = 3; id < 64; id++)
		CU_ASSERT_EQUAL(prog_reg(&d, id, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(prog_reg(&d, IH_RB_CNTL__DW, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(prog_reg(&d, UINT32_MAX, UINT32_MAX), GV_PSP_ACCESS_DENIED);
	CU_ASSERT_EQUAL(errors(&d), 63);
	for (size_t k = 0; k < 3; k++)
		CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0);
	rig_close(&r);
}

static void what_is_not_modelled_is_answered_and_counted(void)
{
	static const uint32_t known[] = {GV_PSP_SETUP_TMR, GV_PSP_LOAD_IP_FW,  GV_PSP_DESTROY_TMR,
	                                 GV_PSP_SETUP_VMR, GV_PSP_DESTROY_VMR, GV_PSP_PROG_REG};
	unsigned unknown = 0;
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	for (uint32_t id = 0; id < 0x40; id++) {
		struct gv_psp_cmd cmd = {.id = id};
		bool is_known = false;

		for (size_t k = 0; k < GV_ARRAY_LEN(known); k++)
			is_known |= id == known[k];
		if (is_known)
			continue;
		CU_ASSERT_EQUAL(run(&d, &cmd).status, GV_PSP_STATUS_UNKNOWN);
		CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), ++unknown);
	}
	CU_ASSERT_EQUAL(ask(&d, 0x0a), GV_PSP_STATUS_UNKNOWN);
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.unimplemented), unknown + 1);
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x40), 0); /* the ring goes on */
	rig_close(&r);
}

/* As psp_v3_1_reroute_ih(): a driver waits for the answer, but goes on without. */
static void interrupt_clients_are_rerouted_with_an_answer(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MP0_SMN_C2PMSG_64__BYTE), 0x80000000);
	for (uint32_t client = 3; client <= 4; client++) {
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_69__BYTE, client);
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_70__BYTE, 0x10121640);
		rig_wr(r.vf[0], MP0_SMN_C2PMSG_64__BYTE,
		       GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_GBR_IH_SET));
		CU_ASSERT_EQUAL(rig_rd(r.vf[0], MP0_SMN_C2PMSG_64__BYTE), 0x80000000);
	}
	CU_ASSERT_EQUAL(atomic_load(&r.vf[0]->count.unimplemented), 0);
	rig_close(&r);
}

/* ---- firmware ----------------------------------------------------------------------------- */

static void fill(struct driver *d, uint64_t off, uint32_t seed, uint32_t bytes, uint8_t *copy)
{
	uint64_t s = seed;

	for (uint32_t k = 0; k < bytes; k++)
		copy[k] = (uint8_t)rig_random(&s);
	put(d, off, copy, bytes);
}

static void firmware_is_loaded(bool gart)
{
	static const struct {
		unsigned type;
		uint32_t bytes;
	} row[] = {{GV_PSP_FW_CP_CE, 8192},      {GV_PSP_FW_CP_PFP, 20000},
	           {GV_PSP_FW_CP_ME, 1},         {GV_PSP_FW_CP_MEC, 1u << 20},
	           {GV_PSP_FW_CP_MEC_ME1, 4096}, {GV_PSP_FW_UVD, 12345},
	           {GV_PSP_FW_CAP, 4096}};
	static uint8_t want[1 << 20], got[1 << 20];
	struct mem_rig r;
	struct driver d;
	uint64_t next;

	rig_open(&r, true);
	d = driver_of(&r, 0, gart);
	next = d.at + VMR;
	CU_ASSERT_EQUAL(setup_vmr(&d, d.at + VMR, VMR_SIZE), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		struct gv_psp_fw fw;
		struct gv_psp_resp resp;

		fill(&d, FIRMWARE, (uint32_t)k + 1, row[k].bytes, want);
		resp = load(&d, row[k].type, d.at + FIRMWARE, row[k].bytes);
		CU_ASSERT_EQUAL(resp.status, 0);
		CU_ASSERT_EQUAL((uint64_t)resp.fw_hi << 32 | resp.fw_lo, next);
		fw = gv_psp_firmware(d.f, row[k].type);
		CU_ASSERT_EQUAL(fw.bytes, row[k].bytes);
		CU_ASSERT_EQUAL(fw.crc, gv_crc32(0, want, row[k].bytes));
		CU_ASSERT_EQUAL(fw.va, next);
		get(&d, next - d.at, got, row[k].bytes);
		CU_ASSERT_EQUAL(memcmp(got, want, row[k].bytes), 0);
		next += (row[k].bytes + 4095) & ~4095ull;
	}
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_VCE).bytes, 0);
	CU_ASSERT_EQUAL(gv_psp_firmware(r.vf[1], GV_PSP_FW_CP_CE).bytes, 0);
	CU_ASSERT_EQUAL(errors(&d), 0);
	rig_close(&r);
}

static void firmware_is_loaded_within_the_frame_buffer(void)
{
	firmware_is_loaded(false);
}

static void firmware_is_loaded_through_the_gart(void)
{
	firmware_is_loaded(true);
}

/* A driver loads it all again after a reset, into the same VMR. */
static void firmware_is_replaced_where_it_is(void)
{
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(setup_vmr(&d, VMR, VMR_SIZE), 0);
	for (unsigned k = 0; k < 100; k++)
		CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_MEC, FIRMWARE, 300000 - k).fw_lo, VMR);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_MEC, FIRMWARE, 400000).status, 0);
	CU_ASSERT_NOT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_MEC).va, VMR);
	CU_ASSERT_EQUAL(setup_vmr(&d, VMR, VMR_SIZE), 0); /* all of it is free again */
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_MEC).bytes, 0);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 400000).fw_lo, VMR);
	rig_close(&r);
}

static void firmware_that_is_none_is_refused(void)
{
	static const struct {
		unsigned type;
		uint64_t va;
		uint32_t bytes, status;
	} row[] = {
	        {GV_PSP_FW_RLC_G, FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_SDMA0, FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {0, FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_TYPES, FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {UINT32_MAX, FIRMWARE, 4096, GV_PSP_ACCESS_DENIED},
	        {GV_PSP_FW_CP_ME, FIRMWARE, 0, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, FIRMWARE + 8, 4096, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, FIRMWARE, GV_MIB + 1, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, FIRMWARE, UINT32_MAX, GV_PSP_BAD_PARAMETERS},
	        {GV_PSP_FW_CP_ME, FIRMWARE, VMR_SIZE / 8 + 1, GV_PSP_OUT_OF_MEMORY},
	        {GV_PSP_FW_CP_ME, RIG_FB, 4096, GV_PSP_BAD_FORMAT},
	        {GV_PSP_FW_CP_ME, RIG_FB - 4096, 8192, GV_PSP_BAD_FORMAT},
	        {GV_PSP_FW_CP_ME, -4096ull, 4096, GV_PSP_BAD_FORMAT},
	};
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 4096).status, GV_PSP_BAD_STATE);
	CU_ASSERT_EQUAL(setup_vmr(&d, VMR, VMR_SIZE / 8), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++) {
		struct gv_psp_resp resp = load(&d, row[k].type, row[k].va, row[k].bytes);

		CU_ASSERT_EQUAL(resp.status, row[k].status);
		CU_ASSERT_EQUAL(resp.fw_lo, 0);
		CU_ASSERT_EQUAL(errors(&d), k + 2);
	}
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_ME).bytes, 0);
	rig_close(&r);
}

static void a_vmr_that_is_none_is_refused(void)
{
	static const struct {
		uint64_t va;
		uint32_t bytes;
	} row[] = {{VMR, 0}, {VMR, 100}, {VMR + 1, 4096}, {VMR, 0x80000000}, {-4096ull, 8192}};
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	for (size_t k = 0; k < GV_ARRAY_LEN(row); k++)
		CU_ASSERT_EQUAL(setup_vmr(&d, row[k].va, row[k].bytes), GV_PSP_BAD_PARAMETERS);
	CU_ASSERT_EQUAL(errors(&d), GV_ARRAY_LEN(row));
	/* what nobody could write to is found out when it is used */
	CU_ASSERT_EQUAL(setup_vmr(&d, RIG_FB, VMR_SIZE), 0);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 4096).status, GV_PSP_BAD_FORMAT);
	rig_close(&r);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void a_destroyed_ring_runs_nothing(void)
{
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x40), 0);
	CU_ASSERT_EQUAL(ask(&d, GV_PSP_DESTROY_GPCOM_RING), 0);
	rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, d.wptr + GV_PSP_FRAME_DW);
	CU_ASSERT_NOT_EQUAL(ask(&d, GV_PSP_CONSUME_CMD), 0);
	CU_ASSERT_EQUAL(errors(&d), 1);
	create(&d); /* and begins at its start again */
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x20), 0);
	CU_ASSERT_EQUAL(rig_rd(d.f, IH_RB_CNTL__BYTE), 0x20);
	rig_close(&r);
}

/* Trap 7 of amdgpu's: nothing of the driver before may be left. */
static void a_reset_forgets_ring_and_firmware(void)
{
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	CU_ASSERT_EQUAL(setup_vmr(&d, VMR, VMR_SIZE), 0);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 4096).status, 0);
	gv_fn_reset(d.f);
	CU_ASSERT_EQUAL(rig_rd(d.f, MP0_SMN_C2PMSG_101__BYTE), 0x80000000);
	CU_ASSERT_EQUAL(gv_psp_firmware(d.f, GV_PSP_FW_CP_ME).bytes, 0);
	rig_wr(r.pf, GVX_VF_FB_EN__BYTE, 3);
	rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, d.wptr + GV_PSP_FRAME_DW);
	CU_ASSERT_NOT_EQUAL(ask(&d, GV_PSP_CONSUME_CMD), 0);
	create(&d);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 4096).status, GV_PSP_BAD_STATE);
	CU_ASSERT_EQUAL(setup_vmr(&d, VMR, VMR_SIZE), 0);
	CU_ASSERT_EQUAL(load(&d, GV_PSP_FW_CP_ME, FIRMWARE, 4096).status, 0);
	rig_close(&r);
}

/* ---- drivers that lie ---------------------------------------------------------------------------
 */

static void rings_that_are_nowhere_are_refused_or_fault(void)
{
	static const uint64_t faults[] = {RIG_FB, 0x7ffffffff000ull, -4096ull, GART + RIG_SYS};
	struct mem_rig r;
	struct driver d;
	uint64_t n = 0;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	CU_ASSERT_NOT_EQUAL(create_at(&d, RING + 64), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(faults); k++) {
		uint64_t before = errors(&d);

		CU_ASSERT_EQUAL(create_at(&d, faults[k]), 0);
		kick(&d, GV_PSP_FRAME_DW);
		CU_ASSERT(UNTIL(errors(&d) > before));
		n++;
	}
	CU_ASSERT_EQUAL(atomic_load(&d.f->count.vm_faults), n);
	CU_ASSERT_EQUAL(atomic_load(&r.vf[1]->count.vm_faults), 0);
	create(&d);
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x20), 0);
	rig_close(&r);
}

static void write_pointers_outside_the_ring_are_refused(void)
{
	static const uint32_t bad[] = {
	        1, 15, 17, GV_PSP_RING_DW, GV_PSP_RING_DW + 16, 0x80000000, UINT32_MAX};
	struct mem_rig r;
	struct driver d;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		rig_wr(d.f, MP0_SMN_C2PMSG_102__BYTE, bad[k]);
		CU_ASSERT_NOT_EQUAL(ask(&d, GV_PSP_CONSUME_CMD), 0);
		CU_ASSERT_EQUAL(errors(&d), k + 1);
	}
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x20), 0);
	rig_close(&r);
}

/* A frame that cannot be run is skipped; the ones behind it are not. */
static void frames_that_point_nowhere_are_skipped(void)
{
	static const uint64_t nowhere[] = {RIG_FB, CMD + 64, -4096ull, 0x7ffffffff000ull};
	const struct gv_psp_cmd cmd = {.id = GV_PSP_PROG_REG, .reg = {.val = 0x20}};
	struct gv_psp_frame frame;
	struct mem_rig r;
	struct driver d;
	uint64_t before;

	rig_open(&r, true);
	d = driver_of(&r, 0, false);
	put(&d, CMD, &cmd, sizeof(cmd));
	for (size_t k = 0; k < GV_ARRAY_LEN(nowhere); k++) {
		frame = frame_of(&d);
		frame.cmd_lo = (uint32_t)nowhere[k];
		frame.cmd_hi = (uint32_t)(nowhere[k] >> 32);
		add_frame(&d, &frame);
		frame = frame_of(&d);
		frame.fence_lo = (uint32_t)(nowhere[k] | 3);
		frame.fence_hi = (uint32_t)(nowhere[k] >> 32);
		if (nowhere[k] != CMD + 64)
			add_frame(&d, &frame);
	}
	frame = frame_of(&d);
	frame.vmid = 3;
	add_frame(&d, &frame);
	before = errors(&d);
	CU_ASSERT_EQUAL(prog_reg(&d, 0, 0x40), 0);
	CU_ASSERT_EQUAL(errors(&d) - before, 2 * GV_ARRAY_LEN(nowhere));
	rig_close(&r);
}

/* Each command that a driver writes lets less than a ring of frames run, whatever they say. */
static void a_flood_does_not_keep_others_from_the_psp(void)
{
	struct mem_rig r;
	struct driver flood, other;

	rig_open(&r, true);
	flood = driver_of(&r, 0, false);
	other = driver_of(&r, 1, false);
	CU_ASSERT_EQUAL(setup_vmr(&flood, VMR, VMR_SIZE), 0);
	(void)load(&flood, GV_PSP_FW_CP_MEC, FIRMWARE, 1u << 20);
	for (unsigned k = 0; k < GV_PSP_RING_DW / GV_PSP_FRAME_DW; k++) {
		struct gv_psp_frame frame = frame_of(&flood);

		add_frame(&flood, &frame);
	}
	for (uint32_t k = 1; k <= 50; k++) {
		kick(&flood, (flood.wptr + k * 48 * GV_PSP_FRAME_DW) % GV_PSP_RING_DW);
		CU_ASSERT_EQUAL(prog_reg(&other, 0, GV_PUT(IH_RB_CNTL, RB_SIZE, k)), 0);
	}
	gv_fn_reset(flood.f); /* and it ends with a reset, at once */
	CU_ASSERT_EQUAL(errors(&other), 0);
	rig_close(&r);
}

UT_MAIN("device-model/psp", UT(registers_are_programmed_from_the_frame_buffer),
        UT(registers_are_programmed_through_the_gart),
        UT(an_interrupt_ring_is_on_when_the_fence_is_there), UT(the_ring_goes_round),
        UT(many_frames_are_run_in_their_order), UT(other_registers_are_refused),
        UT(what_is_not_modelled_is_answered_and_counted),
        UT(interrupt_clients_are_rerouted_with_an_answer),
        UT(firmware_is_loaded_within_the_frame_buffer), UT(firmware_is_loaded_through_the_gart),
        UT(firmware_is_replaced_where_it_is), UT(firmware_that_is_none_is_refused),
        UT(a_vmr_that_is_none_is_refused), UT(a_destroyed_ring_runs_nothing),
        UT(a_reset_forgets_ring_and_firmware), UT(rings_that_are_nowhere_are_refused_or_fault),
        UT(write_pointers_outside_the_ring_are_refused), UT(frames_that_point_nowhere_are_skipped),
        UT(a_flood_does_not_keep_others_from_the_psp))
