/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encode rings of UVD and VCE: what a driver puts around its IBs is done, the IBs' tasks are not.
 */
#include "mm.h"

#define SLICE       64u   /* commands of one ring before others get their turn */
#define IB_MAX      8192u /* dwords */
#define RING_MIN_DW 64u
#define POLL_NS     (200 * GV_US)

const struct gv_mm_regs gv_mm_regs[GV_MM_ENGINES] = {
        [GV_MM_UVD] = {"UVD", GV_DOORBELL_UVD_RING0, GV_REG_UVD_RB_BASE_LO, GV_REG_UVD_RB_BASE_HI,
                       GV_REG_UVD_RB_SIZE, GV_REG_UVD_RB_RPTR, GV_REG_UVD_MASTINT_EN,
                       1u << UVD_MASTINT_EN__VCPU_EN__LO | 1u << UVD_MASTINT_EN__SYS_EN__LO,
                       GV_IH_CLIENT_UVD, GV_IH_SRC_UVD_ENC_GEN_PURP},
        [GV_MM_VCE] = {"VCE", GV_DOORBELL_VCE_RING0, GV_REG_VCE_RB_BASE_LO, GV_REG_VCE_RB_BASE_HI,
                       GV_REG_VCE_RB_SIZE, GV_REG_VCE_RB_RPTR, GV_REG_VCE_SYS_INT_EN,
                       1u << VCE_SYS_INT_EN__VCE_SYS_INT_TRAP_INTERRUPT_EN__LO, GV_IH_CLIENT_VCE0,
                       GV_IH_SRC_VCE_TRAP},
};

struct run {
	struct gv_fn *f;
	struct gv_mm_ring *r;
	const struct gv_mm_regs *regs;
	uint32_t dw[5]; /* the command */
};

/* It stops for good, as a hung engine does: the driver's job times out. */
static int fail(const struct run *x, const char *why)
{
	gv_guest_error(x->f, "%s ring at dword 0x%x: %s", x->regs->name, x->r->rptr, why);
	x->r->halted = true;
	return -EIO;
}

/* ---- commands: 0, -EAGAIN (try again later), -EIO (halted) --------------------------------- */

static uint64_t va_at(const struct run *x, unsigned i)
{
	return (uint64_t)x->dw[i + 1] << 32 | x->dw[i];
}

static int fence(struct run *x)
{
	gv_dma_to_device(); /* whatever was written before is there when the fence says so */
	return gv_mem_write32(&x->f->mm->mem, va_at(x, 1), x->dw[3]) ? fail(x, "fence") : 0;
}

static int trap(struct run *x)
{
	struct gv_ih_iv iv = gv_ih_iv(x->regs->client, x->regs->src, 0, 0, GV_HUB_MM);
	uint32_t on = gv_reg_get(x->f, x->regs->enable, 0) & x->regs->enable_bits;

	if (on == x->regs->enable_bits)
		gv_ih_post(x->f, &iv);
	return 0;
}

static bool is_known(uint32_t task)
{
	static const uint32_t known[] = {GV_ENC_SESSION, GV_ENC_TASK_INFO, GV_VCE_CREATE,
	                                 GV_VCE_DESTROY, GV_VCE_FEEDBACK,  GV_UVD_OP_INITIALIZE,
	                                 GV_UVD_OP_CLOSE};

	for (size_t k = 0; k < GV_ARRAY_LEN(known); k++)
		if (known[k] == task)
			return true;
	return false;
}

/* A list of tasks, which ends with a size of 0 or with the IB. */
static int run_ib(struct run *x)
{
	struct gv_mem *m = &x->f->mm->ib;
	uint64_t at = va_at(x, 2), end = at + x->dw[4] * 4ull;
	uint32_t task[2] = {0};

	if (x->dw[1] >= GV_NUM_VMID || x->dw[4] > IB_MAX || at > UINT64_MAX - IB_MAX * 4ull)
		return fail(x, "no such IB");
	if (m->vmid != x->dw[1])
		gv_mem_init(m, x->f, GV_HUB_MM, (uint8_t)x->dw[1], 0);
	for (; end - at >= sizeof(task); at += task[0]) {
		if (gv_mem_read(m, at, task, sizeof(task)))
			return fail(x, "IB is not readable");
		if (!task[0])
			return 0;
		if (task[0] < sizeof(task) || task[0] % 4 || task[0] > end - at)
			return fail(x, "task of an impossible size");
		if (!is_known(task[1]))
			gv_unimplemented(x->f, "video task 0x%x", task[1]);
	}
	return 0;
}

/* As a packet of another engine does: the table's columns decide. */
static int reg_write(struct run *x)
{
	gv_mmio_write32(x->f, x->dw[1], x->dw[2], GV_ORIGIN_ENGINE);
	return 0;
}

static int reg_wait(struct run *x)
{
	uint32_t val = gv_mmio_read32(x->f, x->dw[1], GV_ORIGIN_ENGINE);

	return ((val ^ x->dw[3]) & x->dw[2]) ? -EAGAIN : 0;
}

static int nothing(struct run *x)
{
	(void)x;
	return 0;
}

static const struct command {
	enum gv_enc_cmd id;
	unsigned n;
	int (*run)(struct run *x);
} commands[] = {
        {GV_ENC_NO_OP, 1, nothing},     {GV_ENC_END, 1, nothing},  {GV_ENC_FENCE, 4, fence},
        {GV_ENC_TRAP, 1, trap},         {GV_ENC_IB_VM, 5, run_ib}, {GV_ENC_REG_WRITE, 3, reg_write},
        {GV_ENC_REG_WAIT, 4, reg_wait},
};

static const struct command *find(uint32_t id)
{
	for (size_t k = 0; k < GV_ARRAY_LEN(commands); k++)
		if (commands[k].id == id)
			return &commands[k];
	return NULL;
}

/* ---- the ring ----------------------------------------------------------------------------------
 */

static int fetch(struct run *x, unsigned i)
{
	uint32_t at = (x->r->rptr + i) & (x->r->dw - 1);

	return gv_mem_read32(&x->f->mm->mem, x->r->base + at * 4ull, &x->dw[i])
	               ? fail(x, "not readable")
	               : 0;
}

/* The next command; @ready: dwords up to the write pointer. */
static int step(struct run *x, uint32_t ready)
{
	const struct command *c;
	int rc = fetch(x, 0);

	if (rc)
		return rc;
	c = find(x->dw[0]);
	if (!c) {
		gv_unimplemented(x->f, "encode ring command 0x%x", x->dw[0]);
		return fail(x, "unknown command");
	}
	if (c->n > ready)
		return fail(x, "command is cut off");
	for (unsigned i = 1; i < c->n && !rc; i++)
		rc = fetch(x, i);
	if (!rc)
		rc = c->run(x);
	if (!rc)
		x->r->rptr = (x->r->rptr + c->n) & (x->r->dw - 1);
	return rc;
}

uint64_t gv_mm_ring_run(struct gv_fn *f, enum gv_mm_engine e)
{
	struct run x = {.f = f, .r = &f->mm->ring[e], .regs = &gv_mm_regs[e]};
	uint32_t wptr = atomic_load(&x.r->wptr);
	int rc = 0;

	if (!atomic_load(&x.r->on) || x.r->halted)
		return UINT64_MAX;
	if (wptr >= x.r->dw) {
		(void)fail(&x, "write pointer outside");
		return UINT64_MAX;
	}
	for (unsigned k = 0; k < SLICE && !rc && x.r->rptr != wptr && !gv_fn_stopping(f); k++)
		rc = step(&x, (wptr - x.r->rptr) & (x.r->dw - 1));
	gv_reg_put(f, x.regs->rptr, 0, x.r->rptr & gv_reg_info(x.regs->rptr)->rw);
	if (rc == -EAGAIN)
		return POLL_NS;
	return x.r->halted || x.r->rptr == wptr ? UINT64_MAX : 0;
}

static void watch(struct gv_fn *f, enum gv_mm_engine e, bool on)
{
	(void)pthread_mutex_lock(&f->dev->lock);
	if (atomic_load(&f->mm->ring[e].on) != on)
		gv_doorbell_watch(f, gv_mm_regs[e].doorbell, on);
	atomic_store(&f->mm->ring[e].on, on);
	(void)pthread_mutex_unlock(&f->dev->lock);
}

void gv_mm_ring_stop(struct gv_fn *f, enum gv_mm_engine e)
{
	watch(f, e, false);
}

bool gv_mm_ring_start(struct gv_fn *f, enum gv_mm_engine e)
{
	const struct gv_mm_regs *regs = &gv_mm_regs[e];
	struct gv_mm_ring *r = &f->mm->ring[e];

	r->dw = gv_reg_get(f, regs->size, 0);
	if (r->dw < RING_MIN_DW || (r->dw & (r->dw - 1))) {
		gv_guest_error(f, "%s ring of %u dwords", regs->name, r->dw);
		return false;
	}
	r->base = (uint64_t)gv_reg_get(f, regs->base_hi, 0) << 32 | gv_reg_get(f, regs->base_lo, 0);
	r->rptr = 0;
	r->halted = false;
	atomic_store(&r->wptr, 0);
	gv_reg_put(f, regs->rptr, 0, 0);
	watch(f, e, true);
	return true;
}
