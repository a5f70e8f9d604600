/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Apply is a transaction: whatever single thing goes wrong on its way, all is as it was before.
 *
 * Each case runs an apply once without a fault and counts what it does to the GPU. Then again and
 * again, and the k-th thing that it does goes wrong, for every k. An apply that fails must leave
 * the GPU exactly as before; one that succeeds all the same must have made it exactly what the
 * plan says. GV_APPLY_FAULTS=all tries every place in the last case, too (10 s).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

/* What goes wrong with the k-th operation of its kind. */
enum fault {
	HONEST,
	LOST,  /* a write of a register, of configuration space, of VRAM; VF Enable: no effect */
	ERROR, /* a copy from or to a region, or enabling VFs, gives -EIO */
	LIE,   /* a register or a region reads back changed */
	FAULTS,
};

static const char *const fault_name[FAULTS] = {"honest", "lost", "error", "lie"};

struct faulty {
	struct gv_bus bus;
	struct gv_bus *real;
	enum fault fault;
	unsigned k, n[FAULTS], samples;
	bool half_push; /* of what goes into the ring, the first copy only */
	bool pushed;
	uint64_t unfilled; /* this piece of memory gets no zeros, 0: all do */
	char what[96];
};

/* The PF's SDMA ring and write-back page. A write that is lost there is a command that is never
 * run, which apply finds out by a deadline of 20 s; how often it looks at its fence is by chance.
 */
#define RING_BEGIN GV_MIB
#define RING_END   (GV_MIB + 128 * GV_KIB)

static struct faulty *of(struct gv_bus *bus)
{
	return (struct faulty *)(void *)bus;
}

/* Is it this one? */
static bool strikes(struct faulty *f, enum fault kind, const char *what, uint64_t where)
{
	if (f->n[kind]++ != f->k || f->fault != kind)
		return false;
	(void)snprintf(f->what, sizeof(f->what), "%s of %s at 0x%llx", fault_name[kind], what,
	               (unsigned long long)where);
	return true;
}

static bool in_ring(enum gv_region region, uint64_t off)
{
	return region == GV_REGION_VRAM && off >= RING_BEGIN && off < RING_END;
}

/* Looks at scrubbed memory are many, and all alike. */
static bool is_sample(enum gv_region region, uint64_t off, size_t n)
{
	return region == GV_REGION_VRAM && off >= 64 * GV_MIB && n == 64;
}

/* Registers that are looked at until they change. */
static bool is_polled(uint32_t byte)
{
	return byte >= GVX_VF0_L2_INVALIDATE__BYTE &&
	       byte < GV_BYTE_N(GVX_VF0_L2_INVALIDATE, GV_PF_MAX_VFS) &&
	       (byte - GVX_VF0_L2_INVALIDATE__BYTE) % GVX_VF0_L2_INVALIDATE__STRIDE == 0;
}

static uint32_t f_read32(struct gv_bus *bus, uint32_t byte)
{
	uint32_t v = gv_rd32(of(bus)->real, byte);

	return !is_polled(byte) && strikes(of(bus), LIE, "register", byte) ? ~v : v;
}

static void f_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	if (!strikes(of(bus), LOST, "register", byte))
		gv_wr32(of(bus)->real, byte, val);
}

static void f_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	gv_doorbell64(of(bus)->real, byte, val);
}

static int f_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	int rc = gv_bus_read(of(bus)->real, region, off, buf, n);

	if (in_ring(region, off) || (is_sample(region, off, n) && of(bus)->samples++ % 16))
		return rc;
	if (strikes(of(bus), ERROR, "reading a region", off))
		return -EIO;
	if (!rc && strikes(of(bus), LIE, "region", off))
		*(uint8_t *)buf ^= 0xff;
	return rc;
}

/* The engine is told to put something else there. */
static int write_spoilt(struct faulty *f, uint64_t off, const void *buf, size_t n)
{
	gv_auto_free uint32_t *dw = malloc(n);

	if (!dw)
		return -ENOMEM;
	memcpy(dw, buf, n);
	for (size_t i = 0; i + SDMA_CONSTANT_FILL__DW <= n / 4; i++)
		if (dw[i] == GV_SDMA_HEADER(CONSTANT_FILL) && dw[i + 1] == (uint32_t)f->unfilled)
			dw[i + 3] = 0x5ec2e7;
	return gv_bus_write(f->real, GV_REGION_VRAM, off, dw, n);
}

static int f_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                   size_t n)
{
	if (strikes(of(bus), ERROR, "writing a region", off))
		return -EIO;
	if (of(bus)->half_push && in_ring(region, off)) {
		of(bus)->pushed = !of(bus)->pushed;
		if (!of(bus)->pushed)
			return -EIO;
	}
	if (of(bus)->unfilled && in_ring(region, off))
		return write_spoilt(of(bus), off, buf, n);
	if (!in_ring(region, off) && strikes(of(bus), LOST, "region", off))
		return 0;
	return gv_bus_write(of(bus)->real, region, off, buf, n);
}

static int f_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	return gv_bus_region_bytes(of(bus)->real, region, bytes);
}

static int f_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
                 void **cpu)
{
	return gv_bus_map(of(bus)->real, region, off, bytes, cpu);
}

static int f_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	return gv_dma_alloc(of(bus)->real, bytes, dma);
}

static void f_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct gv_dma copy = *dma;

	gv_dma_free(of(bus)->real, &copy);
}

static int f_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd)
{
	return gv_bus_irq_enable(of(bus)->real, vector, eventfd);
}

static int f_reset(struct gv_bus *bus)
{
	return gv_bus_reset(of(bus)->real);
}

static int f_status(struct gv_bus *bus)
{
	return gv_bus_status(of(bus)->real);
}

static int f_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	if (strikes(of(bus), ERROR, "enabling VFs", num_vfs))
		return -EIO;
	if (strikes(of(bus), LOST, "enabling VFs", num_vfs))
		return 0;
	return gv_bus_enable_vfs(of(bus)->real, num_vfs, NULL);
}

static void f_close(struct gv_bus *bus)
{
	of(bus)->real = gv_bus_close(of(bus)->real);
}

static const struct gv_bus_ops ops = {
        .read32 = f_read32,
        .write32 = f_write32,
        .doorbell64 = f_doorbell64,
        .read = f_read,
        .write = f_write,
        .region_bytes = f_region_bytes,
        .map = f_map,
        .dma_alloc = f_dma_alloc,
        .dma_free = f_dma_free,
        .irq_enable = f_irq_enable,
        .reset = f_reset,
        .status = f_status,
        .enable_vfs = f_enable_vfs,
        .close = f_close,
};

/* ---- the state --------------------------------------------------------------------------- */

#define MAX_REGS    4096u
#define TABLES      (2 * GV_MIB) /* of the PF's window, from here on: tables, save areas */
#define TABLE_BYTES GV_MIB
#define PAGES_BYTES (192 * GV_KIB) /* at the start of each slice */

struct state {
	uint32_t reg[MAX_REGS];
	unsigned num_regs;
	uint8_t cfg[GV_CFG_BYTES];
	uint8_t tables[TABLE_BYTES];
	uint8_t pages[4][PAGES_BYTES];
	unsigned num_vfs;
	bool has_plan;
	struct gv_pf_plan plan;
};

static struct {
	struct gv_dev *dev;
	struct faulty faulty;
	struct gv_pf *pf;
	struct gv_err err;
} t;

/* Counters, and what the PF uses all the time: pointers of its rings, windows, selections. */
static bool is_restless(enum gv_reg reg)
{
	static const enum gv_reg restless[] = {GV_REG_MM_INDEX,
	                                       GV_REG_MM_INDEX_HI,
	                                       GV_REG_MM_DATA,
	                                       GV_REG_PCIE_DATA2,
	                                       GV_REG_MAILBOX_INDEX,
	                                       GV_REG_IH_RB_RPTR,
	                                       GV_REG_IH_RB_WPTR,
	                                       GV_REG_SDMA0_GFX_RB_RPTR,
	                                       GV_REG_SDMA0_GFX_RB_WPTR,
	                                       GV_REG_SDMA0_GFX_DOORBELL_LOG,
	                                       GV_REG_SDMA0_GFX_CONTEXT_STATUS,
	                                       GV_REG_SDMA0_STATUS_REG,
	                                       GV_REG_RLC_GPU_IOV_ACTIVE_FCN_ID,
	                                       GV_REG_GVX_UNIMPLEMENTED,
	                                       GV_REG_GVX_GUEST_ERRORS,
	                                       GV_REG_GVX_VF0_INTERRUPTS,
	                                       GV_REG_GVX_VF0_FAULTS,
	                                       GV_REG_GVX_VF0_ERRORS,
	                                       GV_REG_GVX_VF0_DOORBELLS};

	for (size_t i = 0; i < GV_ARRAY_LEN(restless); i++)
		if (restless[i] == reg)
			return true;
	return gv_reg_info(reg)->bank == GV_BANK_MBX || gv_reg_info(reg)->pf == GV_NONE;
}

static void take_registers(struct state *s, uint32_t *where)
{
	s->num_regs = 0;
	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);

		if (is_restless((enum gv_reg)r) ||
		    (info->bank != GV_BANK_FN && info->bank != GV_BANK_GPU))
			continue;
		for (uint32_t i = 0; i < info->count && s->num_regs < MAX_REGS; i++) {
			uint32_t byte = info->byte + i * info->stride;

			where[s->num_regs] = byte;
			s->reg[s->num_regs++] = gv_rd32(t.faulty.real, byte);
		}
	}
}

static void take_vram(uint64_t device, void *buf, size_t n)
{
	CU_ASSERT_EQUAL_FATAL(gv_bus_read(t.faulty.real, GV_REGION_VRAM, device, buf, n), 0);
}

/* Exchange pages are of the plan @plan, which was or is in force. */
static void take(struct state *s, const struct gv_pf_plan *plan, uint32_t *where)
{
	const struct gv_pf_plan *now = gv_pf_get_plan(t.pf);

	memset(s, 0, sizeof(*s));
	take_registers(s, where);
	CU_ASSERT_EQUAL_FATAL(
	        gv_bus_read(t.faulty.real, GV_REGION_CONFIG, 0, s->cfg, sizeof(s->cfg)), 0);
	/* Which function's engines were last touched is the hardware's own affair. */
	memset(s->cfg + GV_CFG_GPUIOV + GIOV_GFXSCH_DW5__OFF, 0, 4);
	take_vram(TABLES, s->tables, sizeof(s->tables));
	for (unsigned i = 0; plan && i < plan->num_vfs; i++)
		take_vram(plan->vf[i].fb_offset_mib * GV_MIB, s->pages[i], PAGES_BYTES);
	s->num_vfs = gv_dev_num_vfs(t.dev);
	s->has_plan = now != NULL;
	if (now)
		s->plan = *now;
}

static bool same_bytes(const char *what, const void *a, const void *b, size_t n)
{
	const uint8_t *was = a, *is = b;

	for (size_t i = 0; i < n; i++)
		if (was[i] != is[i]) {
			printf("\n    %s: byte 0x%zx of %s was 0x%02x, is 0x%02x ", t.faulty.what,
			       i, what, was[i], is[i]);
			return false;
		}
	return true;
}

static bool same(const struct state *was, const struct gv_pf_plan *plan)
{
	static uint32_t where[MAX_REGS];
	static struct state is;
	bool ok = true;
	char line[256];

	take(&is, plan, where);
	for (unsigned i = 0; i < is.num_regs; i++)
		if (was->reg[i] != is.reg[i]) {
			gv_reg_format(line, sizeof(line), where[i], is.reg[i]);
			printf("\n    %s: was 0x%x: %s ", t.faulty.what, was->reg[i], line);
			ok = false;
		}
	ok &= same_bytes("configuration space", was->cfg, is.cfg, sizeof(is.cfg));
	ok &= same_bytes("the tables", was->tables, is.tables, sizeof(is.tables));
	for (unsigned i = 0; plan && i < plan->num_vfs; i++)
		ok &= same_bytes("exchange pages", was->pages[i], is.pages[i], PAGES_BYTES);
	ok &= was->num_vfs == is.num_vfs && was->has_plan == is.has_plan;
	return ok && memcmp(&was->plan, &is.plan, sizeof(is.plan)) == 0;
}

/* ---- applying ------------------------------------------------------------------------------ */

static struct gv_pf_plan make_plan(const uint32_t *fb_mib, uint32_t num_vfs)
{
	struct gv_cfg cfg = {.num_vfs = num_vfs};
	struct gv_pf_plan plan;

	for (uint32_t i = 0; i < num_vfs; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = fb_mib[i], .quantum_ms = 6, .weight = 1};
	CU_ASSERT_EQUAL_FATAL(gv_pf_plan(gv_pf_get_caps(t.pf), &cfg, &plan, &t.err), 0);
	return plan;
}

static int apply(const struct gv_pf_plan *plan, enum fault fault, unsigned k)
{
	int rc;

	memset(t.faulty.n, 0, sizeof(t.faulty.n));
	t.faulty.samples = 0;
	t.faulty.k = k;
	t.faulty.fault = fault;
	if (!fault)
		memcpy(t.faulty.what, "no fault", 9);
	rc = plan ? gv_pf_apply(t.pf, plan, 0, &t.err) : gv_pf_disable(t.pf, 0, &t.err);
	t.faulty.fault = HONEST;
	return rc;
}

static void up(void)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 4, .engine_threads = 1};

	memset(&t, 0, sizeof(t));
	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &t.dev, &t.err), 0);
	CU_ASSERT_EQUAL_FATAL(gv_dev_bus(t.dev, GV_DEV_PF, &t.faulty.real, &t.err), 0);
	t.faulty.bus.ops = &ops;
	memcpy(t.faulty.bus.name, "test:PF", 8);
	CU_ASSERT_EQUAL_FATAL(gv_pf_new(&t.faulty.bus, NULL, &t.pf, &t.err), 0);
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(t.pf, &t.err), 0);
}

static void down(void)
{
	t.pf = gv_pf_close(t.pf);
	(void)gv_bus_close(&t.faulty.bus);
	t.dev = gv_dev_free(t.dev);
}

/* From @from (NULL: no VF) to @to, with a fault at every @step-th place. */
static void every_place(const struct gv_pf_plan *from, const struct gv_pf_plan *to, unsigned step)
{
	static struct state before, after;
	static uint32_t where[MAX_REGS];
	unsigned n[FAULTS], failed = 0;

	CU_ASSERT_EQUAL_FATAL(apply(from, HONEST, 0), 0);
	take(&before, from, where);
	CU_ASSERT_EQUAL_FATAL(apply(to, HONEST, 0), 0);
	memcpy(n, t.faulty.n, sizeof(n));
	take(&after, to, where);
	CU_ASSERT_EQUAL_FATAL(apply(from, HONEST, 0), 0);
	CU_ASSERT_TRUE(same(&before, from)); /* and back again */
	for (enum fault fault = LOST; fault < FAULTS; fault++)
		for (unsigned k = 0; k < n[fault]; k += step) {
			int rc = apply(to, fault, k);

			failed += rc != 0;
			CU_ASSERT_TRUE(rc ? same(&before, from) : same(&after, to));
			CU_ASSERT_EQUAL_FATAL(apply(from, HONEST, 0), 0);
			CU_ASSERT_TRUE(same(&before, from));
		}
	printf("[of %u lost, %u errors, %u lies: %u failed] ", n[LOST], n[ERROR], n[LIE], failed);
	CU_ASSERT(n[LOST] > 20 && n[ERROR] > 20 && n[LIE] > 20 && failed > 20 / step);
}

static void a_first_plan_that_fails_anywhere_leaves_no_trace(void)
{
	static const uint32_t mib[] = {64, 96};
	struct gv_pf_plan plan;

	up();
	plan = make_plan(mib, 2);
	every_place(NULL, &plan, 1);
	down();
}

/* Nothing was ever applied: also what apply does not undo when VFs are disabled is as at first. */
static void the_very_first_apply_leaves_no_trace_either(void)
{
	static const uint32_t mib[] = {64};
	static struct state before;
	static uint32_t where[MAX_REGS];
	struct gv_pf_plan plan;

	up();
	plan = make_plan(mib, 1);
	take(&before, NULL, where);
	CU_ASSERT(apply(&plan, ERROR, 0) < 0);
	CU_ASSERT_TRUE(same(&before, NULL));
	CU_ASSERT_EQUAL(apply(&plan, HONEST, 0), 0);
	CU_ASSERT_EQUAL(apply(NULL, HONEST, 0), 0);
	CU_ASSERT_TRUE(same(&before, NULL));
	down();
}

static void a_change_that_fails_anywhere_leaves_the_earlier_plan(void)
{
	static const uint32_t small[] = {64, 64}, large[] = {112, 64};
	struct gv_pf_plan from, to;

	up();
	from = make_plan(small, 2);
	to = make_plan(large, 2);
	every_place(&from, &to, 1);
	down();
}

static void more_vfs_or_fewer_that_fail_anywhere_leave_the_earlier_plan(void)
{
	static const uint32_t one[] = {160}, three[] = {64, 64, 64};
	const char *all = getenv("GV_APPLY_FAULTS");
	unsigned step = all && !strcmp(all, "all") ? 1 : 7;
	struct gv_pf_plan few, many;

	up();
	few = make_plan(one, 1);
	many = make_plan(three, 3);
	every_place(&few, &many, step);
	every_place(&many, &few, step);
	down();
}

/* The ring took the fill and not the fence behind it. What was half pushed may not run with what
 * is pushed next: by then the memory is somebody's. */
static void half_a_scrub_is_never_run_later(void)
{
	static const uint32_t low[] = {64}, both[] = {64, 64};
	uint32_t mark = 0x5ec2e7, now = 0;
	struct gv_pf_plan plan, other;
	uint64_t at;

	up();
	plan = make_plan(low, 1);
	other = make_plan(both, 2);
	at = plan.vf[0].fb_offset_mib * GV_MIB + 40 * GV_MIB;
	t.faulty.half_push = true;
	CU_ASSERT(apply(&plan, HONEST, 0) < 0);
	t.faulty.half_push = false;
	CU_ASSERT_EQUAL(gv_bus_write(t.faulty.real, GV_REGION_VRAM, at, &mark, sizeof(mark)), 0);
	/* as if VF0 were there already and VF1 alone were scrubbed */
	other.vf[0].fb_offset_mib = other.vf[1].fb_offset_mib;
	other.vf[0].l2_offset = other.vf[1].l2_offset;
	other.num_vfs = 1;
	CU_ASSERT_EQUAL(apply(&other, HONEST, 0), 0);
	CU_ASSERT_EQUAL(gv_bus_read(t.faulty.real, GV_REGION_VRAM, at, &now, sizeof(now)), 0);
	CU_ASSERT_EQUAL(now, mark);
	down();
}

/* No piece that the engine fills at once is so small that nobody looks into it. */
static void what_is_not_zero_after_a_scrub_is_found(void)
{
	static const uint32_t sizes[] = {64, 64};
	struct gv_pf_plan plan;

	up();
	plan = make_plan(sizes, 2);
	for (uint64_t at = 0; at < 64 * GV_MIB; at += 20 * GV_MIB) {
		t.faulty.unfilled = plan.vf[1].fb_offset_mib * GV_MIB + at;
		CU_ASSERT_EQUAL(apply(&plan, HONEST, 0), -EIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(t.err.text, "is not clean after the scrub"));
		CU_ASSERT_PTR_NULL(gv_pf_get_plan(t.pf));
	}
	t.faulty.unfilled = 0;
	CU_ASSERT_EQUAL(apply(&plan, HONEST, 0), 0);
	down();
}

UT_MAIN("pf-driver/apply_faults", UT(half_a_scrub_is_never_run_later),
        UT(what_is_not_zero_after_a_scrub_is_found),
        UT(a_first_plan_that_fails_anywhere_leaves_no_trace),
        UT(the_very_first_apply_leaves_no_trace_either),
        UT(a_change_that_fails_anywhere_leaves_the_earlier_plan),
        UT(more_vfs_or_fewer_that_fail_anywhere_leave_the_earlier_plan))
