/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registers of the two memory hubs: TLB invalidation and page faults.
 */
#include <string.h>
#include <sys/mman.h>

#include "mem.h"

/* Interrupts a function may raise for faults in one period: a storm must not drown the others'. */
#define FAULT_IVS_PER_PERIOD 64u
#define FAULT_PERIOD_NS      (10 * GV_MS)

#define HUB(p, ih)                                                                                 \
	{                                                                                          \
		GV_REG_##p##VM_CONTEXT0_CNTL, GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32,   \
		        GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32,                         \
		        GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32,                        \
		        GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32,                        \
		        GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32,                          \
		        GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32,                          \
		        GV_REG_##p##MC_VM_AGP_TOP, GV_REG_##p##MC_VM_AGP_BOT,                      \
		        GV_REG_##p##MC_VM_AGP_BASE, GV_REG_##p##VM_L2_PROTECTION_FAULT_CNTL,       \
		        GV_REG_##p##VM_L2_PROTECTION_FAULT_STATUS,                                 \
		        GV_REG_##p##VM_L2_PROTECTION_FAULT_ADDR_LO32,                              \
		        GV_REG_##p##VM_L2_PROTECTION_FAULT_ADDR_HI32,                              \
		        GV_REG_##p##VM_INVALIDATE_ENG0_REQ, GV_REG_##p##VM_INVALIDATE_ENG0_ACK, ih \
	}

const struct gv_hub_regs gv_hub[2] = {
        [GV_HUB_GC] = HUB(, GV_IH_CLIENT_UTCL2),
        [GV_HUB_MM] = HUB(MMHUB_, GV_IH_CLIENT_VMC),
};

/* ---- life ----------------------------------------------------------------- */

int gv_gmc_init(struct gv_fn *f)
{
	struct gv_gmc *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->sink =
	        mmap(NULL, GV_GPU_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->sink == MAP_FAILED) {
		free(g);
		return -ENOMEM;
	}
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_mutex_init(&g->slow_lock, NULL);
	f->gmc = g;
	return 0;
}

void gv_gmc_done(struct gv_fn *f)
{
	struct gv_gmc *g = f->gmc;

	if (!g)
		return;
	(void)munmap(g->sink, GV_GPU_PAGE);
	(void)pthread_mutex_destroy(&g->lock);
	(void)pthread_mutex_destroy(&g->slow_lock);
	free(g);
	f->gmc = NULL;
}

void gv_gmc_reset(struct gv_fn *f)
{
	struct gv_gmc *g = f->gmc;

	(void)pthread_mutex_lock(&g->lock);
	g->fault_held[GV_HUB_GC] = g->fault_held[GV_HUB_MM] = false;
	g->iv_since_ns = 0;
	g->iv_count = 0;
	(void)pthread_mutex_unlock(&g->lock);
	memset(g->sink, 0, GV_GPU_PAGE);
	atomic_fetch_add(&f->mem_generation, 1);
}

/* ---- faults --------------------------------------------------------------- */

static uint32_t fault_status(const struct gv_mem *m, unsigned access, const struct gv_fault *fault)
{
	const struct gv_fn *f = m->fn;
	uint32_t s = GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, WALKER_ERROR, fault->walker) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, PERMISSION_FAULTS, fault->permission) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, MAPPING_ERROR, fault->mapping) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, CID, m->client) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, RW, !!(access & GV_ACC_W)) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, ATOMIC, !!(access & GV_ACC_ATOMIC)) |
	             GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, VMID, m->vmid);

	if (gv_fn_is_vf(f))
		s |= GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, VF, 1) |
		     GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, VFID, gv_fn_vf(f));
	return s;
}

/* The first fault stays until it is cleared, unless software asked for the latest. */
static void hold_fault(struct gv_mem *m, uint64_t va, uint32_t status)
{
	const struct gv_hub_regs *h = &gv_hub[m->hub];
	struct gv_fn *f = m->fn;
	uint32_t cntl = gv_reg_get(f, h->fault_cntl, 0);

	if (f->gmc->fault_held[m->hub] &&
	    !GV_GET(cntl, VM_L2_PROTECTION_FAULT_CNTL,
	            ALLOW_SUBSEQUENT_PROTECTION_FAULT_STATUS_ADDR_UPDATES)) {
		gv_reg_put(f, h->fault_status, 0,
		           gv_reg_get(f, h->fault_status, 0) |
		                   GV_PUT(VM_L2_PROTECTION_FAULT_STATUS, MORE_FAULTS, 1));
		return;
	}
	f->gmc->fault_held[m->hub] = true;
	gv_reg_put(f, h->fault_lo, 0, (uint32_t)(va >> GV_GPU_PAGE_SHIFT));
	gv_reg_put(f, h->fault_hi, 0,
	           GV_PUT(VM_L2_PROTECTION_FAULT_ADDR_HI32, LOGICAL_PAGE_ADDR_HI4, va >> 44));
	gv_reg_put(f, h->fault_status, 0, status);
}

/* Whether CONTEXTn_CNTL wants an interrupt for this kind of fault. */
static bool wants_iv(struct gv_mem *m, const struct gv_fault *fault)
{
	uint32_t c = gv_reg_get(m->fn, gv_hub[m->hub].cntl, m->vmid % GV_NUM_VMID);

#define ON(kind) GV_GET(c, VM_CONTEXT0_CNTL, kind##_PROTECTION_FAULT_ENABLE_INTERRUPT)
	if (fault->walker == GV_WALK_RANGE)
		return ON(RANGE);
	if (fault->walker != GV_WALK_OK)
		return ON(PDE0);
	if (fault->permission & GV_PERM_VALID || fault->mapping)
		return ON(VALID);
	return ((fault->permission & GV_PERM_READ) && ON(READ)) ||
	       ((fault->permission & GV_PERM_WRITE) && ON(WRITE)) ||
	       ((fault->permission & GV_PERM_EXECUTE) && ON(EXECUTE));
#undef ON
}

static bool within_budget(struct gv_gmc *g)
{
	uint64_t now = gv_now_ns();

	if (now - g->iv_since_ns > FAULT_PERIOD_NS) {
		g->iv_since_ns = now;
		g->iv_count = 0;
	}
	if (g->iv_count >= FAULT_IVS_PER_PERIOD) {
		atomic_fetch_add(&g->ivs_dropped, 1);
		return false;
	}
	g->iv_count++;
	return true;
}

static void raise_fault(struct gv_mem *m, uint64_t va, unsigned access, bool retry,
                        unsigned permission)
{
	unsigned ring_id = GV_PUT(IH_FAULT_RING, PERMISSION_FAULTS, permission);
	struct gv_ih_iv iv = gv_ih_iv(gv_hub[m->hub].client, GV_IH_SRC_VM_FAULT, ring_id,
	                              m->vmid % GV_NUM_VMID, m->hub);

	iv.dw[4] = (uint32_t)(va >> GV_GPU_PAGE_SHIFT);
	iv.dw[5] = GV_PUT(IH_IV5_FAULT, VA_47_44, va >> 44) |
	           GV_PUT(IH_IV5_FAULT, WRITE, !!(access & GV_ACC_W)) |
	           GV_PUT(IH_IV5_FAULT, RETRY, retry);
	gv_ih_post(m->fn, &iv);
}

/* A page table may still mend it, and both the engine and the context want to wait for that. */
static bool may_retry(struct gv_mem *m, const struct gv_fault *fault)
{
	uint32_t c = gv_reg_get(m->fn, gv_hub[m->hub].cntl, m->vmid % GV_NUM_VMID);

	return m->retry && fault->permission && !fault->mapping &&
	       GV_GET(c, VM_CONTEXT0_CNTL, RETRY_PERMISSION_OR_INVALID_PAGE_FAULT);
}

/* Retry faults do not show in FAULT_STATUS. One that found no room for its interrupt is raised by
 * the next try. */
static int retry_fault(struct gv_mem *m, uint64_t va, unsigned access)
{
	struct gv_gmc *g = m->fn->gmc;
	uint64_t page = va >> GV_GPU_PAGE_SHIFT, *raised = &m->retried[page % GV_MEM_RETRIES];
	bool room;

	if (*raised == page + 1)
		return -EAGAIN;
	atomic_fetch_add_explicit(&m->fn->count.vm_faults, 1, memory_order_relaxed);
	(void)pthread_mutex_lock(&g->lock);
	room = within_budget(g);
	(void)pthread_mutex_unlock(&g->lock);
	if (!room)
		return -EAGAIN;
	*raised = page + 1;
	if (GV_GET(GV_RGET(m->fn, VM_L2_PROTECTION_FAULT_CNTL2), VM_L2_PROTECTION_FAULT_CNTL2,
	           ENABLE_RETRY_FAULT_INTERRUPT))
		raise_fault(m, va, access, true, 0);
	return -EAGAIN;
}

int gv_gmc_fault(struct gv_mem *m, uint64_t va, unsigned access, const struct gv_fault *fault)
{
	struct gv_gmc *g = m->fn->gmc;
	bool raise;

	if (m->quiet)
		return -EFAULT;
	if (may_retry(m, fault))
		return retry_fault(m, va, access);
	atomic_fetch_add_explicit(&m->fn->count.vm_faults, 1, memory_order_relaxed);
	(void)pthread_mutex_lock(&g->lock);
	hold_fault(m, va, fault_status(m, access, fault));
	raise = wants_iv(m, fault) && within_budget(g);
	(void)pthread_mutex_unlock(&g->lock);
	if (raise)
		raise_fault(m, va, access, false, fault->permission);
	return -EFAULT;
}

/* ---- registers ------------------------------------------------------------ */

static void clear_fault(struct gv_fn *f, enum gv_hub hub)
{
	(void)pthread_mutex_lock(&f->gmc->lock);
	f->gmc->fault_held[hub] = false;
	gv_reg_put(f, gv_hub[hub].fault_status, 0, 0);
	gv_reg_put(f, gv_hub[hub].fault_lo, 0, 0);
	gv_reg_put(f, gv_hub[hub].fault_hi, 0, 0);
	(void)pthread_mutex_unlock(&f->gmc->lock);
}

/* Drivers set the clear bit and leave it: each write with it clears (mi300_irqmgr.c). */
static void wrote_fault_cntl(struct gv_fn *f, enum gv_hub hub, uint32_t now)
{
	if (GV_GET(now, VM_L2_PROTECTION_FAULT_CNTL, CLEAR_PROTECTION_FAULT_STATUS_ADDR))
		clear_fault(f, hub);
}

/* Caches look at the generation before each use, so it is the invalidation of all of them. An
 * engine in the middle of a slice finishes its copy of at most 1 MiB with the old translation. */
static void wrote_invalidate(struct gv_fn *f, enum gv_hub hub, uint32_t i, uint32_t now)
{
	uint32_t ack = gv_reg_get(f, gv_hub[hub].inv_ack, i);

	atomic_fetch_add(&f->mem_generation, 1);
	if (GV_GET(now, VM_INVALIDATE_ENG0_REQ, CLEAR_PROTECTION_FAULT_STATUS_ADDR))
		clear_fault(f, hub);
	ack |= GV_PUT(VM_INVALIDATE_ENG0_ACK, PER_VMID_INVALIDATE_ACK,
	              GV_GET(now, VM_INVALIDATE_ENG0_REQ, PER_VMID_INVALIDATE_REQ));
	gv_reg_put(f, gv_hub[hub].inv_ack, i, ack);
}

static void gc_fault_cntl(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was;
	wrote_fault_cntl(f, GV_HUB_GC, now);
}

static void mm_fault_cntl(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i, (void)was;
	wrote_fault_cntl(f, GV_HUB_MM, now);
}

static void gc_invalidate(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)was;
	wrote_invalidate(f, GV_HUB_GC, i, now);
}

static void mm_invalidate(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)was;
	wrote_invalidate(f, GV_HUB_MM, i, now);
}

/* Reading takes the semaphore; nobody else is there to hold it. */
static uint32_t read_sem(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	(void)f, (void)i, (void)stored;
	return GV_PUT(VM_INVALIDATE_ENG0_SEM, SEMAPHORE, 1);
}

/* A context or aperture register changes what addresses mean, without any invalidation. */
static void wrote_context(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	if (was != now)
		atomic_fetch_add(&f->mem_generation, 1);
}

#define CONTEXT_HOOKS(p)                                                                           \
	{GV_REG_##p##VM_CONTEXT0_CNTL, wrote_context, NULL},                                       \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_LO32, wrote_context, NULL},          \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_BASE_ADDR_HI32, wrote_context, NULL},          \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_LO32, wrote_context, NULL},         \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_START_ADDR_HI32, wrote_context, NULL},         \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_LO32, wrote_context, NULL},           \
	        {GV_REG_##p##VM_CONTEXT0_PAGE_TABLE_END_ADDR_HI32, wrote_context, NULL},           \
	        {GV_REG_##p##MC_VM_AGP_TOP, wrote_context, NULL},                                  \
	        {GV_REG_##p##MC_VM_AGP_BOT, wrote_context, NULL},                                  \
	        {GV_REG_##p##MC_VM_AGP_BASE, wrote_context, NULL},                                 \
	{                                                                                          \
		GV_REG_##p##VM_INVALIDATE_ENG0_SEM, NULL, read_sem                                 \
	}

static const struct gv_reg_hook hooks[] = {
        CONTEXT_HOOKS(),
        CONTEXT_HOOKS(MMHUB_),
        {GV_REG_VM_L2_PROTECTION_FAULT_CNTL, gc_fault_cntl, NULL},
        {GV_REG_MMHUB_VM_L2_PROTECTION_FAULT_CNTL, mm_fault_cntl, NULL},
        {GV_REG_VM_INVALIDATE_ENG0_REQ, gc_invalidate, NULL},
        {GV_REG_MMHUB_VM_INVALIDATE_ENG0_REQ, mm_invalidate, NULL},
};
const struct gv_reg_hooks gv_gmc_hooks = {hooks, GV_ARRAY_LEN(hooks)};
