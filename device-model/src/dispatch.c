/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DISPATCH packets: COMPUTE_* registers become a grid.
 *
 * The first slice runs on the CP's own thread, so a small launch costs no thread hop; what is
 * left goes to the pool. Each thread that helps runs its own part (a gv_cu_run). A queue runs one
 * grid at a time: the next DISPATCH waits for it, other packets do not.
 *
 * A fault ends the grid and stops the queue (see cp.h): no fence behind it is ever signalled.
 */
#include <stdio.h>

#include <string.h>

#include "dispatch.h"

#define CUS_PER_ENGINE 16 /* Vega10: 4 engines of 1 array */
#define FIRST_SLICE_NS (200 * GV_US)
#define SLICE_NS       (700 * GV_US)
#define RETRY_MIN      (100 * GV_US) /* first and longest pause before */
#define RETRY_MAX      (5 * GV_MS)   /* a part that waits for memory is tried again */

/* Wave instructions: a switch of worlds waits for a STEP, so it is a few microseconds; the clock is
 * dearer than that. */
#define FIRST_STEP     1024u
#define STEP           128u
#define STEPS_PER_LOOK 32u

static struct gv_grid *grid_of(struct gv_grid_head *head)
{
	return (struct gv_grid *)((char *)head - offsetof(struct gv_grid, head));
}

/* ---- memory -------------------------------------------------------------- */

static unsigned to_acc(unsigned access)
{
	bool atomic = (access & (GV_CU_R | GV_CU_W)) == (GV_CU_R | GV_CU_W);

	return (access & GV_CU_R ? GV_ACC_R : 0u) | (access & GV_CU_W ? GV_ACC_W : 0u) |
	       (access & GV_CU_X ? GV_ACC_X : 0u) | (atomic ? GV_ACC_ATOMIC : 0u);
}

static unsigned from_acc(unsigned access)
{
	return (access & GV_ACC_R ? GV_CU_R : 0u) | (access & GV_ACC_W ? GV_CU_W : 0u) |
	       (access & GV_ACC_X ? GV_CU_X : 0u);
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	struct gv_part *part = ctx;
	struct gv_window win;
	int rc = gv_mem_window(&part->mem, va, to_acc(access), &win);

	if (rc)
		return rc;
	*w = (struct gv_cu_window){win.va, win.bytes, win.host, from_acc(win.access)};
	return 0;
}

static int copy(void *ctx, uint64_t va, void *buf, size_t n, bool write)
{
	struct gv_part *part = ctx;

	return write ? gv_mem_write(&part->mem, va, buf, n) : gv_mem_read(&part->mem, va, buf, n);
}

static int update(void *ctx, uint64_t va, size_t n, uint64_t (*next)(const void *arg, uint64_t old),
                  const void *arg, uint64_t *old)
{
	struct gv_part *part = ctx;

	return gv_mem_update(&part->mem, va, n, next, arg, old);
}

/* ---- parts --------------------------------------------------------------- */

/* Memory of the last dispatch is used again, and what it decoded (gv_cu_again). */
int gv_dispatch_begin_part(struct gv_grid *g, unsigned n)
{
	struct gv_part *part = &g->part[n];
	struct gv_cu_dispatch d = g->d;
	int rc;

	d.mem.ctx = part;
	d.scratch_slot = n * gv_cu_waves_per_group(&g->d);
	rc = part->run ? gv_cu_again(part->run, &d) : gv_cu_begin(&part->run, &d);
	part->begun = !rc;
	return rc;
}

static bool wanted(struct gv_grid *g)
{
	return !gv_fn_stopping(g->head.fn) &&
	       !atomic_load_explicit(&g->head.cancel, memory_order_relaxed);
}

/* Most launches are over before it matters how long they take. */
static void step_part(struct gv_grid *g, struct gv_part *part, uint64_t slice_ns)
{
	uint64_t end;

	part->status = gv_cu_step(part->run, FIRST_STEP);
	if (part->status != GV_CU_YIELD)
		return;
	end = gv_now_ns() + slice_ns;
	for (unsigned n = 1; part->status == GV_CU_YIELD && wanted(g); n++) {
		part->status = gv_cu_step(part->run, STEP);
		if (n % STEPS_PER_LOOK == 0 && gv_now_ns() >= end)
			break;
	}
}

static bool groups_left(struct gv_grid *g)
{
	return __atomic_load_n(&g->shared.next_group, __ATOMIC_RELAXED) < g->groups &&
	       !__atomic_load_n(&g->shared.stop, __ATOMIC_RELAXED);
}

/* Its time has come, or translations were dropped: the page may be there now. */
static bool try_again(const struct gv_grid *g, const struct gv_part *part)
{
	return part->generation != atomic_load(&g->head.fn->mem_generation) ||
	       gv_now_ns() >= part->retry_at;
}

/* The part a thread should take: one that waits, else a new one. */
static struct gv_part *find_part(struct gv_grid *g)
{
	for (unsigned i = 0; i < g->begun; i++)
		if (g->part[i].state == GV_PART_PARKED ||
		    (g->part[i].state == GV_PART_WAITING && try_again(g, &g->part[i])))
			return &g->part[i];
	return g->begun < g->max_parts && groups_left(g) ? &g->part[g->begun] : NULL;
}

static bool has_work(struct gv_grid_head *head)
{
	return find_part(grid_of(head)) != NULL;
}

static void *take_part(struct gv_grid_head *head)
{
	struct gv_grid *g = grid_of(head);
	struct gv_part *part = find_part(g);

	if (part->state == GV_PART_UNUSED)
		g->begun++;
	if (part->state == GV_PART_WAITING)
		head->waiting--;
	part->state = GV_PART_RUNNING;
	return part;
}

static void slice(struct gv_grid_head *head, void *arg)
{
	struct gv_grid *g = grid_of(head);
	struct gv_part *part = arg;

	if (part->begun || gv_dispatch_begin_part(g, (unsigned)(part - g->part)) == 0)
		step_part(g, part, SLICE_NS);
}

/* Nothing in it can go on: it is tried again, less and less often. */
static void put_waiting(struct gv_grid_head *head, struct gv_part *part)
{
	part->state = GV_PART_WAITING;
	part->generation = atomic_load(&head->fn->mem_generation);
	part->backoff = part->backoff ? GV_MIN(part->backoff * 2, RETRY_MAX) : RETRY_MIN;
	part->retry_at = gv_now_ns() + part->backoff;
	head->waiting++;
}

/* A part that could not begin is no loss: those that run take its groups. */
static void put_part(struct gv_grid_head *head, void *arg)
{
	struct gv_part *part = arg;

	if (part->begun && part->status == GV_CU_RETRY) {
		put_waiting(head, part);
		return;
	}
	part->backoff = 0;
	part->state = part->begun && part->status == GV_CU_YIELD ? GV_PART_PARKED : GV_PART_DONE;
}

/* ---- end ----------------------------------------------------------------- */

/* Runs that only a restored dispatch had (dispatch_save.c) are not kept for the next. */
void gv_dispatch_end_parts(struct gv_grid *g)
{
	for (unsigned i = 0; i < g->begun; i++) {
		g->part[i].begun = false;
		g->part[i].state = GV_PART_UNUSED;
		g->part[i].backoff = 0;
		if (i >= g->head.fn->dev->cfg.engine_threads)
			g->part[i].run = gv_cu_free(g->part[i].run);
	}
	g->begun = 0;
}

static void free_runs(struct gv_grid *g)
{
	for (unsigned i = 0; i < g->num_parts; i++)
		g->part[i].run = gv_cu_free(g->part[i].run);
}

static void report_messages(struct gv_queue *q, struct gv_grid *g)
{
	uint64_t messages = 0;

	for (unsigned i = 0; i < g->begun; i++)
		if (g->part[i].begun)
			messages += gv_cu_counters(g->part[i].run)->messages;
	if (messages) /* one interrupt for all of a grid */
		gv_queue_irq(q, GV_IH_SRC_CP_SQ, g->part[0].mem.vmid,
		             GV_PUT(IH_IV4_SQ, ENCODING, IH_SQ_ENCODING_MESSAGE) |
		                     GV_PUT(IH_IV4_SQ, DATA, GV_MIN(messages, 0xfffull)));
}

static void report_fault(struct gv_queue *q, const struct gv_cu_fault *fault, unsigned vmid)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "vmid %u, ", vmid);
	bool memory = fault->reason == GV_CU_MEMORY_FAULT || fault->reason == GV_CU_FETCH_FAULT;

	(void)gv_cu_fault_text(fault, text + n, (unsigned)(sizeof(text) - (size_t)n));
	if (fault->reason == GV_CU_UNIMPLEMENTED)
		gv_unimplemented(q->fn, "shader: %s", text);
	(void)gv_queue_fail(q,
	                    memory ? GV_PUT(CP_HQD_ERROR, TC_UTCL1_ERROR, 1)
	                           : GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1),
	                    GV_IH_SRC_CP_SQ, text);
}

static void count_instructions(struct gv_queue *q, struct gv_grid *g)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < g->begun; i++)
		if (g->part[i].begun)
			n += gv_cu_counters(g->part[i].run)->instructions;
	atomic_fetch_add(&q->fn->count.wave_instructions, n);
}

static void finish(struct gv_queue *q)
{
	struct gv_grid *g = q->grid;

	q->grid = NULL;
	for (unsigned i = 0; i < g->begun && !q->halted; i++)
		if (g->part[i].begun && g->part[i].status == GV_CU_FAULT)
			report_fault(q, gv_cu_fault(g->part[i].run), g->part[i].mem.vmid);
	if (!q->halted) {
		report_messages(q, g);
		atomic_fetch_add(&q->fn->count.dispatches, 1);
		count_instructions(q, g);
	}
	gv_dispatch_end_parts(g);
}

void gv_dispatch_reap(struct gv_queue *q)
{
	if (!q->grid || !atomic_load(&q->grid->head.over))
		return;
	gv_cu_pool_remove(q->fn->dev->cu_pool, &q->grid->head);
	finish(q);
}

int gv_dispatch_wait(struct gv_queue *q)
{
	gv_dispatch_reap(q);
	if (q->halted)
		return -EIO;
	return q->grid ? gv_queue_sleep(q) : 0;
}

void gv_dispatch_drop(struct gv_queue *q)
{
	if (!q->grid)
		return;
	gv_cu_pool_remove(q->fn->dev->cu_pool, &q->grid->head);
	gv_dispatch_end_parts(q->grid);
	q->grid = NULL;
}

void gv_dispatch_kill(struct gv_queue *q)
{
	gv_dispatch_drop(q);
	if (q->store)
		free_runs(q->store);
}

void gv_dispatch_free(struct gv_queue *q)
{
	gv_dispatch_kill(q);
	free(q->store);
	q->store = NULL;
}

/* ---- start --------------------------------------------------------------- */

static uint32_t sh(const struct gv_queue *q, uint32_t dw)
{
	return q->sh[dw - COMPUTE_DISPATCH_INITIATOR__DW];
}

static uint64_t sh64(const struct gv_queue *q, uint32_t lo_dw)
{
	return (uint64_t)sh(q, lo_dw + 1) << 32 | sh(q, lo_dw);
}

/* Workgroups and sizes of one axis. */
static void set_axis(struct gv_queue *q, struct gv_cu_dispatch *d, unsigned i, uint32_t initiator)
{
	uint32_t threads = sh(q, COMPUTE_NUM_THREAD_X__DW + i);
	uint32_t full = GV_GET(threads, COMPUTE_NUM_THREAD_X, NUM_THREAD_FULL);
	uint32_t dim = sh(q, COMPUTE_DIM_X__DW + i);

	d->num_thread[i] = full;
	if (!GV_GET(initiator, COMPUTE_DISPATCH_INITIATOR, FORCE_START_AT_000))
		d->start[i] = sh(q, COMPUTE_START_X__DW + i);
	d->dim[i] = dim;
	if (GV_GET(initiator, COMPUTE_DISPATCH_INITIATOR, USE_THREAD_DIMENSIONS) && full) {
		d->dim[i] = dim / full + (dim % full != 0);
		d->partial[i] = dim % full;
	} else if (GV_GET(initiator, COMPUTE_DISPATCH_INITIATOR, PARTIAL_TG_EN)) {
		d->partial[i] = GV_GET(threads, COMPUTE_NUM_THREAD_X, NUM_THREAD_PARTIAL);
	}
}

static uint64_t trap_va(struct gv_fn *f, unsigned vmid, enum gv_reg lo, enum gv_reg hi)
{
	return ((uint64_t)gv_vmid_get(f, vmid, hi) << 32 | gv_vmid_get(f, vmid, lo)) << 8;
}

/* What a dispatch gets from its VMID and from the device, not from COMPUTE_*. */
void gv_dispatch_set_memory(struct gv_grid *g, unsigned vmid)
{
	struct gv_fn *f = g->head.fn;
	uint32_t bases = gv_vmid_get(f, vmid, GV_REG_SH_MEM_BASES);
	struct gv_cu_dispatch *d = &g->d;

	d->mem = (struct gv_cu_mem){
	        .translate = translate,
	        .copy = copy,
	        .update = update,
	        .generation = (const uint64_t *)(const void *)&f->mem_generation,
	};
	d->shared = &g->shared;
	d->code_room = &f->cp->code_room;
	d->private_base = (uint64_t)GV_GET(bases, SH_MEM_BASES, PRIVATE_BASE) << GV_APERTURE_SHIFT;
	d->shared_base = (uint64_t)GV_GET(bases, SH_MEM_BASES, SHARED_BASE) << GV_APERTURE_SHIFT;
	d->wave_limit = f->dev->cfg.wave_limit;
	if (GV_GET(d->rsrc2, COMPUTE_PGM_RSRC2, TRAP_PRESENT)) {
		d->tba = trap_va(f, vmid, GV_REG_SQ_SHADER_TBA_LO, GV_REG_SQ_SHADER_TBA_HI);
		d->tma = trap_va(f, vmid, GV_REG_SQ_SHADER_TMA_LO, GV_REG_SQ_SHADER_TMA_HI);
	}
}

static const uint32_t cu_masks[] = {
        COMPUTE_STATIC_THREAD_MGMT_SE0__DW,
        COMPUTE_STATIC_THREAD_MGMT_SE1__DW,
        COMPUTE_STATIC_THREAD_MGMT_SE2__DW,
        COMPUTE_STATIC_THREAD_MGMT_SE3__DW,
};

void gv_dispatch_defaults(struct gv_queue *q)
{
	memset(q->sh, 0, sizeof(q->sh));
	for (size_t i = 0; i < GV_ARRAY_LEN(cu_masks); i++)
		q->sh[cu_masks[i] - COMPUTE_DISPATCH_INITIATOR__DW] = UINT32_MAX;
}

/* Each has a bit, of its shader engine's only array. */
unsigned gv_dispatch_enabled_cus(const struct gv_queue *q)
{
	unsigned n = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(cu_masks); i++)
		n += (unsigned)__builtin_popcount(sh(q, cu_masks[i]) & gv_mask(0, CUS_PER_ENGINE));
	return n;
}

static void set_dispatch(struct gv_queue *q, struct gv_grid *g, unsigned vmid, uint32_t initiator)
{
	struct gv_cu_dispatch *d = &g->d;

	*d = (struct gv_cu_dispatch){
	        .pgm_va = sh64(q, COMPUTE_PGM_LO__DW) << 8,
	        .rsrc1 = sh(q, COMPUTE_PGM_RSRC1__DW),
	        .rsrc2 = sh(q, COMPUTE_PGM_RSRC2__DW),
	        .tmpring_size = sh(q, COMPUTE_TMPRING_SIZE__DW),
	        .scratch_base = sh64(q, COMPUTE_DISPATCH_SCRATCH_BASE_LO__DW) << 8,
	};
	gv_dispatch_set_memory(g, vmid);
	for (unsigned i = 0; i < 3; i++)
		set_axis(q, d, i, initiator);
	for (unsigned i = 0; i < GV_ARRAY_LEN(d->user_data); i++)
		d->user_data[i] = sh(q, COMPUTE_USER_DATA_0__DW + i);
	g->shared = (struct gv_cu_shared){0};
}

uint64_t gv_dispatch_count_groups(const struct gv_cu_dispatch *d)
{
	uint64_t n = 1;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t axis = d->dim[i] > d->start[i] ? d->dim[i] - d->start[i] : 0;

		if (__builtin_mul_overflow(n, axis, &n))
			n = UINT64_MAX;
		if (!axis)
			return 0;
	}
	return n;
}

struct gv_grid *gv_dispatch_get_grid(struct gv_queue *q, unsigned vmid, unsigned min_parts)
{
	unsigned parts = GV_MAX(q->fn->dev->cfg.engine_threads, min_parts);
	uint32_t config = gv_vmid_get(q->fn, vmid, GV_REG_SH_MEM_CONFIG);
	struct gv_grid *g = q->store;

	if (g && g->num_parts < parts) {
		gv_dispatch_free(q);
		g = NULL;
	}
	if (!g) {
		g = calloc(1, sizeof(*g) + parts * sizeof(struct gv_part));
		if (!g)
			return NULL;
		g->num_parts = parts;
		q->store = g;
	}
	g->head = (struct gv_grid_head){.fn = q->fn,
	                                .has_work = has_work,
	                                .take = take_part,
	                                .slice = slice,
	                                .put = put_part};
	for (unsigned i = 0; i < g->num_parts; i++) {
		struct gv_part *part = &g->part[i];

		if (!part->mem_ready || part->mem.vmid != vmid) {
			part->run = gv_cu_free(part->run); /* it knows another VMID's memory */
			gv_mem_init(&part->mem, q->fn, GV_HUB_GC, (uint8_t)vmid, GV_CID_TCP);
			part->mem_ready = true;
		}
		part->mem.retry = !GV_GET(config, SH_MEM_CONFIG, RETRY_DISABLE);
	}
	return g;
}

/* First slice here; the pool gets what it did not finish. */
static void start_grid(struct gv_queue *q, struct gv_grid *g)
{
	struct gv_part *first = &g->part[0];

	q->grid = g;
	g->begun = 1;
	step_part(g, first, FIRST_SLICE_NS);
	put_part(&g->head, first);
	if (has_work(&g->head) || g->head.waiting)
		gv_cu_pool_add(q->fn->dev->cu_pool, &g->head);
	else
		finish(q);
}

int gv_dispatch_start(struct gv_queue *q, unsigned vmid, uint32_t initiator)
{
	struct gv_grid *g;
	int rc;

	if (!GV_GET(initiator, COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN))
		return 0;
	if (!gv_dispatch_enabled_cus(q)) /* it waits for a unit until the queue is taken down */
		return gv_queue_sleep(q);
	g = gv_dispatch_get_grid(q, vmid, 1);
	if (!g)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1), 0, "no host memory");
	set_dispatch(q, g, vmid, initiator);
	g->groups = gv_dispatch_count_groups(&g->d);
	if (!g->groups)
		return 0;
	g->max_parts =
	        GV_MIN(GV_MIN(gv_cu_max_runs(&g->d), g->num_parts), gv_dispatch_enabled_cus(q));
	rc = gv_dispatch_begin_part(g, 0);
	if (rc == -ENOMEM)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1), 0, "no host memory");
	if (rc)
		return rc;
	start_grid(q, g);
	return q->halted ? -EIO : 0;
}

static int dispatch(struct gv_queue *q, const struct gv_pkt *p, uint32_t initiator)
{
	int rc = gv_dispatch_start(q, p->vmid, initiator);

	if (rc == -EINVAL || rc == -ENOSPC)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1), GV_IH_SRC_CP_SQ,
		                     rc == -ENOSPC ? "dispatch: too little scratch"
		                                   : "dispatch: impossible workgroup");
	return rc;
}

int gv_pm4_dispatch_direct(struct gv_queue *q, const struct gv_pkt *p)
{
	int rc = gv_dispatch_wait(q);

	if (rc)
		return rc;
	for (unsigned i = 0; i < 3; i++)
		gv_pm4_reg_write(q, COMPUTE_DIM_X__DW + i, p->dw[1 + i]);
	return dispatch(q, p, GV_PKT(p, DISPATCH_DIRECT, DISPATCH_INITIATOR));
}

int gv_pm4_dispatch_indirect(struct gv_queue *q, const struct gv_pkt *p)
{
	uint64_t va = gv_pkt_va(p->dw[1], GV_PKT(p, DISPATCH_INDIRECT, ADDR_HI));
	uint32_t dim[3];
	int rc = gv_dispatch_wait(q);

	if (!rc)
		rc = gv_pm4_mem_rc(q, gv_mem_read(p->mem, va, dim, sizeof(dim)),
		                   GV_PUT(CP_HQD_ERROR, TC_UTCL1_ERROR, 1));
	if (rc)
		return rc;
	for (unsigned i = 0; i < 3; i++)
		gv_pm4_reg_write(q, COMPUTE_DIM_X__DW + i, dim[i]);
	return dispatch(q, p, GV_PKT(p, DISPATCH_INDIRECT, DISPATCH_INITIATOR));
}
