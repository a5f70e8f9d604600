/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Code objects in GPU memory, and launching their kernels by PM4. */
#include <string.h>

#include "guest.h"

/* kernel_code_properties (LLVM AMDGPUUsage): which user SGPRs the kernel wants, in this order. */
enum {
	PROP_PRIVATE_SEGMENT_BUFFER = 1 << 0,
	PROP_DISPATCH_PTR = 1 << 1,
	PROP_QUEUE_PTR = 1 << 2,
	PROP_KERNARG_SEGMENT_PTR = 1 << 3,
	PROP_DISPATCH_ID = 1 << 4,
	PROP_FLAT_SCRATCH_INIT = 1 << 5,
	PROP_PRIVATE_SEGMENT_SIZE = 1 << 6,
	PROP_DYNAMIC_STACK = 1 << 11, /* v5: calls whose stack the compiler does not know */
	PROP_KNOWN = ((1 << 7) - 1) | PROP_DYNAMIC_STACK,
};

/* Scratch buffer resource of gfx9 (LLVM SIInstrInfo::getScratchRsrcWords23): swizzled, the lane
 * number is added, 64 lanes are interleaved. */
enum {
	SCRATCH_RSRC1__BASE_HI__LO = 0,
	SCRATCH_RSRC1__BASE_HI__BITS = 16,
	SCRATCH_RSRC1__SWIZZLE_ENABLE__LO = 31,
	SCRATCH_RSRC1__SWIZZLE_ENABLE__BITS = 1,
	SCRATCH_RSRC3__INDEX_STRIDE__LO = 21,
	SCRATCH_RSRC3__INDEX_STRIDE__BITS = 2,
	SCRATCH_RSRC3__ADD_TID_ENABLE__LO = 23,
	SCRATCH_RSRC3__ADD_TID_ENABLE__BITS = 1,
	INDEX_STRIDE_64 = 3,
};

enum {
	WAVE_LANES = 64,
	MAX_USER_SGPRS = 16,
	MAX_GROUP_ITEMS = 1024,
	LDS_BYTES = 65536,
	LDS_GRANULE = 512,      /* of RSRC2.LDS_SIZE */
	SCRATCH_GRANULE = 1024, /* of TMPRING_SIZE.WAVESIZE */
	MAX_SCRATCH_WAVES = 256,
	MIN_SCRATCH_WAVES = MAX_GROUP_ITEMS / WAVE_LANES,
	DYNAMIC_STACK_BYTES = 16384, /* per work item, as ROCr gives and clang assumes before v5 */
};

/* AQL kernel-dispatch packet (HSA runtime specification 2.9.6): kernels read their sizes from an
 * image of it through the dispatch pointer. */
struct aql_dispatch {
	uint16_t header, setup;
	uint16_t workgroup_size[3];
	uint16_t reserved0;
	uint32_t grid_size[3];
	uint32_t private_segment_size, group_segment_size;
	uint64_t kernel_object, kernarg_address, reserved1, completion_signal;
};
_Static_assert(sizeof(struct aql_dispatch) == 64, "AQL packet");
enum { AQL_TYPE_KERNEL_DISPATCH = 2 };

/* ---- programs --------------------------------------------------------------------- */

static int upload(struct gv_guest_program *p, struct gv_err *err)
{
	uint64_t bytes = p->co ? gv_co_image_bytes(p->co) : p->code_bytes;
	gv_auto_free uint8_t *image = NULL;

	if (!p->co)
		return gv_guest_buf_upload(p->buf, 0, p->code, bytes, err);
	image = malloc(bytes);
	if (!image)
		return gv_fail(err, -ENOMEM, "out of memory for an image of %llu bytes",
		               (unsigned long long)bytes);
	gv_co_image(p->co, p->buf->va, image);
	return gv_guest_buf_upload(p->buf, 0, image, bytes, err);
}

static int program_make(const struct gv_guest_program *from, uint64_t bytes,
                        struct gv_guest_program **out, struct gv_err *err)
{
	struct gv_guest_program *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return gv_fail(err, -ENOMEM, "out of memory");
	*p = *from;
	p->next = p->g->programs;
	rc = gv_guest_buf_new(p->g, NULL, GV_GUEST_VRAM, bytes, &p->buf, err);
	if (!rc)
		rc = upload(p, err);
	if (rc) {
		gv_guest_buf_free(p->buf);
		free(p);
		return rc;
	}
	p->g->programs = p;
	*out = p;
	return 0;
}

int gv_guest_program_new(struct gv_guest *g, const struct gv_co *co, struct gv_guest_program **out,
                         struct gv_err *err)
{
	const struct gv_guest_program p = {.g = g, .co = co};

	return program_make(&p, gv_co_image_bytes(co), out, err);
}

int gv_guest_program_raw(struct gv_guest *g, const void *code, size_t bytes,
                         struct gv_guest_program **out, struct gv_err *err)
{
	const struct gv_guest_program p = {.g = g, .code = code, .code_bytes = bytes};

	return program_make(&p, bytes, out, err);
}

struct gv_guest_program *gv_guest_program_free(struct gv_guest_program *p)
{
	if (!p)
		return NULL;
	for (struct gv_guest_program **at = &p->g->programs; *at; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			break;
		}
	}
	gv_guest_buf_free(p->buf);
	free(p);
	return NULL;
}

int gv_programs_reload(struct gv_guest *g, struct gv_err *err)
{
	int rc = 0;

	for (struct gv_guest_program *p = g->programs; p && !rc; p = p->next)
		rc = upload(p, err);
	return rc;
}

/* ---- checks -------------------------------------------------------------------------- */

/* A launch with its defaults filled in. */
struct shape {
	uint32_t grid[3], block[3], groups[3], rest[3];
	uint64_t total_waves;
	uint32_t lds_bytes;
};

static int check_group(const struct gv_co_kernel *k, const struct shape *s, struct gv_err *err)
{
	uint64_t items = (uint64_t)s->block[0] * s->block[1] * s->block[2];
	uint32_t limit = k->max_flat_workgroup_size ? k->max_flat_workgroup_size : MAX_GROUP_ITEMS;

	for (unsigned i = 0; i < 3; i++) {
		if (s->block[i] > MAX_GROUP_ITEMS)
			return gv_fail(err, -EINVAL, "block of %u in one dimension, at most %u",
			               s->block[i], MAX_GROUP_ITEMS);
		if (k->reqd_workgroup_size[i] && k->reqd_workgroup_size[i] != s->block[i])
			return gv_fail(err, -EINVAL, "kernel '%s' needs --block %u,%u,%u", k->name,
			               k->reqd_workgroup_size[0], k->reqd_workgroup_size[1],
			               k->reqd_workgroup_size[2]);
	}
	limit = GV_MIN(limit, (uint32_t)MAX_GROUP_ITEMS);
	if (items > limit)
		return gv_fail(err, -EINVAL, "group of %llu work items, '%s' allows %u",
		               (unsigned long long)items, k->name, limit);
	return 0;
}

static int make_shape(const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                      struct shape *s, struct gv_err *err)
{
	uint64_t items, groups = 1;
	int rc;

	for (unsigned i = 0; i < 3; i++) {
		s->grid[i] = l->grid[i] ? l->grid[i] : 1;
		s->block[i] = l->block[i] ? l->block[i] : 1;
	}
	rc = check_group(k, s, err);
	if (rc)
		return rc;
	for (unsigned i = 0; i < 3; i++) {
		s->rest[i] = s->grid[i] % s->block[i];
		s->groups[i] = s->grid[i] / s->block[i] + (s->rest[i] != 0);
		if (__builtin_mul_overflow(groups, s->groups[i], &groups))
			return gv_fail(err, -EINVAL, "the grid is too large");
	}
	items = (uint64_t)s->block[0] * s->block[1] * s->block[2];
	if (__builtin_mul_overflow(groups, (items + WAVE_LANES - 1) / WAVE_LANES, &s->total_waves))
		return gv_fail(err, -EINVAL, "the grid is too large");
	if (l->dynamic_lds_bytes > LDS_BYTES - k->lds_bytes)
		return gv_fail(err, -EINVAL, "LDS: %u static and %u dynamic bytes, a group has %u",
		               k->lds_bytes, l->dynamic_lds_bytes, LDS_BYTES);
	s->lds_bytes = k->lds_bytes + l->dynamic_lds_bytes;
	return 0;
}

static int check_kernel(const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                        struct gv_err *err)
{
	uint32_t room = GV_IB_SLOT_BYTES - GV_IB_BYTES - (uint32_t)sizeof(struct aql_dispatch);

	if (k->properties & ~PROP_KNOWN)
		return gv_fail(err, -EOPNOTSUPP,
		               "kernel '%s' wants user SGPRs that gfx900 has not "
		               "(properties 0x%x)",
		               k->name, k->properties);
	if (k->kernarg_bytes > room)
		return gv_fail(err, -EOPNOTSUPP,
		               "kernel '%s' has %u bytes of arguments, at most %u", k->name,
		               k->kernarg_bytes, room);
	if (l->kernarg_bytes > k->kernarg_bytes)
		return gv_fail(err, -EINVAL, "%u bytes of arguments given, kernel '%s' has %u",
		               l->kernarg_bytes, k->name, k->kernarg_bytes);
	return 0;
}

/* ---- scratch --------------------------------------------------------------------------- */

static uint32_t scratch_of(const struct gv_co_kernel *k)
{
	return k->properties & PROP_DYNAMIC_STACK
	               ? GV_MAX(k->scratch_bytes, (uint32_t)DYNAMIC_STACK_BYTES)
	               : k->scratch_bytes;
}

/* Scratch of the queue: one piece per wave that may run at a time. Grows, never shrinks. */
static int get_scratch(struct gv_guest_queue *q, const struct gv_co_kernel *k,
                       const struct shape *s, uint32_t *wave_bytes, uint32_t *waves,
                       struct gv_err *err)
{
	uint64_t per_wave = (uint64_t)scratch_of(k) * WAVE_LANES;
	uint64_t deadline = gv_deadline(q->g);
	unsigned spins = 0;

	*wave_bytes = *waves = 0;
	if (!per_wave)
		return 0;
	per_wave = (per_wave + SCRATCH_GRANULE - 1) / SCRATCH_GRANULE * SCRATCH_GRANULE;
	if (per_wave / SCRATCH_GRANULE > gv_mask(0, COMPUTE_TMPRING_SIZE__WAVESIZE__BITS))
		return gv_fail(err, -EINVAL, "kernel '%s' wants %u bytes of scratch per work item",
		               k->name, scratch_of(k));
	*wave_bytes = (uint32_t)per_wave;
	*waves = (uint32_t)GV_MAX(GV_MIN(s->total_waves, (uint64_t)MAX_SCRATCH_WAVES),
	                          (uint64_t)MIN_SCRATCH_WAVES);
	if (q->scratch && q->scratch->bytes >= per_wave * *waves)
		return 0;
	/* the old one may still be in use */
	while (!gv_ring_done(q, q->scratch_seq) && gv_now_ns() < deadline)
		gv_irq_pause(q->g, &spins, deadline);
	if (!gv_ring_done(q, q->scratch_seq))
		return gv_fail(err, -ETIMEDOUT, "%s: earlier work does not end", q->name);
	q->scratch = gv_guest_buf_free(q->scratch);
	if (gv_guest_buf_new(q->g, NULL, GV_GUEST_VRAM, per_wave * *waves, &q->scratch, err))
		return gv_fail_prefix(err, "scratch");
	return 0;
}

/* ---- registers and packets ------------------------------------------------------------- */

struct writer {
	uint32_t *dw;
	unsigned n;
};

static void put(struct writer *w, uint32_t dw)
{
	w->dw[w->n++] = dw;
}

static void set_sh(struct writer *w, uint32_t reg_dw, unsigned count, const uint32_t *val)
{
	put(w, gv_pm4_header(PM4_SET_SH_REG, count + 1));
	put(w, reg_dw - PM4_SET_SH_REG_START);
	for (unsigned i = 0; i < count; i++)
		put(w, val[i]);
}

static void put_sgpr64(uint32_t *sgpr, unsigned *n, uint64_t val)
{
	sgpr[(*n)++] = (uint32_t)val;
	sgpr[(*n)++] = (uint32_t)(val >> 32);
}

/* User SGPRs in the order of the property bits. @slot_va: command slot; its packet and arguments
 * follow the commands. */
static int user_sgprs(const struct gv_guest_queue *q, const struct gv_co_kernel *k,
                      uint64_t slot_va, uint32_t sgpr[MAX_USER_SGPRS], struct gv_err *err)
{
	uint64_t aql = slot_va + GV_IB_BYTES, scratch = q->scratch ? q->scratch->va : 0;
	uint64_t scratch_bytes = q->scratch ? q->scratch->bytes : 0;
	uint32_t all[MAX_USER_SGPRS + 4] = {0};
	unsigned n = 0;

	if (k->properties & PROP_PRIVATE_SEGMENT_BUFFER) {
		all[n++] = (uint32_t)scratch;
		all[n++] = GV_PUT(SCRATCH_RSRC1, BASE_HI, scratch >> 32) |
		           GV_PUT(SCRATCH_RSRC1, SWIZZLE_ENABLE, 1);
		all[n++] = (uint32_t)GV_MIN(scratch_bytes, (uint64_t)UINT32_MAX);
		all[n++] = GV_PUT(SCRATCH_RSRC3, INDEX_STRIDE, INDEX_STRIDE_64) |
		           GV_PUT(SCRATCH_RSRC3, ADD_TID_ENABLE, 1);
	}
	if (k->properties & PROP_DISPATCH_PTR)
		put_sgpr64(all, &n, aql);
	if (k->properties & PROP_QUEUE_PTR)
		put_sgpr64(all, &n, 0); /* no AQL queue: nothing to point at */
	if (k->properties & PROP_KERNARG_SEGMENT_PTR)
		put_sgpr64(all, &n, aql + sizeof(struct aql_dispatch));
	if (k->properties & PROP_DISPATCH_ID)
		put_sgpr64(all, &n, q->seq + 1);
	if (k->properties & PROP_FLAT_SCRATCH_INIT)
		put_sgpr64(all, &n, scratch);
	if (k->properties & PROP_PRIVATE_SEGMENT_SIZE)
		all[n++] = scratch_of(k);
	if (n > GV_GET(k->rsrc2, COMPUTE_PGM_RSRC2, USER_SGPR) || n > MAX_USER_SGPRS)
		return gv_fail(err, -EBADMSG,
		               "kernel '%s': %u user SGPRs wanted, the descriptor "
		               "has room for %u",
		               k->name, n, GV_GET(k->rsrc2, COMPUTE_PGM_RSRC2, USER_SGPR));
	memcpy(sgpr, all, MAX_USER_SGPRS * sizeof(*sgpr));
	return 0;
}

/* Caches of an earlier program or of memory that the CPU wrote. */
static void acquire_mem(struct writer *w)
{
	put(w, gv_pm4_header(PM4_ACQUIRE_MEM, 6));
	put(w, GV_PUT(PM4_ACQUIRE_MEM, TC_ACTION_ENA, 1) |
	               GV_PUT(PM4_ACQUIRE_MEM, TCL1_ACTION_ENA, 1) |
	               GV_PUT(PM4_ACQUIRE_MEM, SH_KCACHE_ACTION_ENA, 1) |
	               GV_PUT(PM4_ACQUIRE_MEM, SH_ICACHE_ACTION_ENA, 1));
	put(w, UINT32_MAX); /* all of memory */
	put(w, gv_mask(PM4_ACQUIRE_MEM__SIZE_HI__LO, PM4_ACQUIRE_MEM__SIZE_HI__BITS));
	put(w, 0);
	put(w, 0);
	put(w, GV_PUT(PM4_ACQUIRE_MEM, POLL_INTERVAL, 10));
}

static void program_state(struct writer *w, const struct gv_co_kernel *k, uint64_t entry,
                          const struct shape *s, uint32_t wave_bytes, uint32_t waves)
{
	uint32_t lds = (s->lds_bytes + LDS_GRANULE - 1) / LDS_GRANULE;
	uint32_t rsrc[2] = {k->rsrc1, GV_SET(k->rsrc2, COMPUTE_PGM_RSRC2, LDS_SIZE, lds)};
	uint32_t pgm[2] = {(uint32_t)(entry >> 8), (uint32_t)(entry >> 40)};
	uint32_t tmpring = GV_PUT(COMPUTE_TMPRING_SIZE, WAVES, waves) |
	                   GV_PUT(COMPUTE_TMPRING_SIZE, WAVESIZE, wave_bytes / SCRATCH_GRANULE);
	const uint32_t limits[] = {0, UINT32_MAX, UINT32_MAX, tmpring, UINT32_MAX, UINT32_MAX};
	uint32_t start_threads[6] = {0};

	for (unsigned i = 0; i < 3; i++)
		start_threads[3 + i] = GV_PUT(COMPUTE_NUM_THREAD_X, NUM_THREAD_FULL, s->block[i]) |
		                       GV_PUT(COMPUTE_NUM_THREAD_X, NUM_THREAD_PARTIAL,
		                              s->rest[i] ? s->rest[i] : s->block[i]);
	set_sh(w, COMPUTE_START_X__DW, GV_ARRAY_LEN(start_threads), start_threads);
	set_sh(w, COMPUTE_PGM_LO__DW, 2, pgm);
	set_sh(w, COMPUTE_PGM_RSRC1__DW, 2, rsrc);
	/* RESOURCE_LIMITS, CU masks around TMPRING_SIZE: all CUs */
	set_sh(w, COMPUTE_RESOURCE_LIMITS__DW, GV_ARRAY_LEN(limits), limits);
}

static void dispatch(struct writer *w, const struct shape *s)
{
	bool partial = s->rest[0] || s->rest[1] || s->rest[2];

	put(w, gv_pm4_header(PM4_DISPATCH_DIRECT, 4));
	put(w, s->groups[0]);
	put(w, s->groups[1]);
	put(w, s->groups[2]);
	put(w, GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1) |
	               GV_PUT(COMPUTE_DISPATCH_INITIATOR, FORCE_START_AT_000, 1) |
	               GV_PUT(COMPUTE_DISPATCH_INITIATOR, PARTIAL_TG_EN, partial));
	put(w, gv_pm4_header(PM4_EVENT_WRITE, 1));
	put(w, GV_PUT(PM4_EVENT_WRITE, EVENT_TYPE, PM4_EVENT_CS_PARTIAL_FLUSH) |
	               GV_PUT(PM4_EVENT_WRITE, EVENT_INDEX, PM4_EVENT_INDEX_CS_PARTIAL_FLUSH));
}

static unsigned dims_of(const struct shape *s)
{
	return s->grid[2] > 1 ? 3 : s->grid[1] > 1 ? 2 : 1;
}

static uint32_t hidden_value(const struct gv_co_arg *a, const struct shape *s)
{
	switch (a->hidden) {
	case GV_CO_HIDDEN_BLOCK_COUNT:
		return s->grid[a->dim] / s->block[a->dim];
	case GV_CO_HIDDEN_GROUP_SIZE:
		return s->block[a->dim];
	case GV_CO_HIDDEN_REMAINDER:
		return s->rest[a->dim];
	case GV_CO_HIDDEN_GRID_DIMS:
		return dims_of(s);
	case GV_CO_HIDDEN_PRIVATE_BASE:
		return GV_PRIVATE_BASE << (GV_APERTURE_SHIFT - 32);
	case GV_CO_HIDDEN_SHARED_BASE:
		return GV_SHARED_BASE << (GV_APERTURE_SHIFT - 32);
	default:
		return 0;
	}
}

/* Arguments of the caller, then what the compiler added to them. */
static void write_kernarg(uint8_t *to, const struct gv_co_kernel *k,
                          const struct gv_guest_launch *l, const struct shape *s)
{
	memset(to, 0, k->kernarg_bytes);
	if (l->kernarg_bytes)
		memcpy(to, l->kernarg, l->kernarg_bytes);
	for (unsigned i = 0; k->has_hidden && i < k->num_args; i++) {
		uint32_t val = hidden_value(&k->arg[i], s);

		if (k->arg[i].hidden != GV_CO_HIDDEN_ZERO)
			memcpy(to + k->arg[i].offset, &val, k->arg[i].bytes);
	}
}

static void aql_image(struct aql_dispatch *aql, const struct gv_co_kernel *k, const struct shape *s,
                      uint64_t descriptor, uint64_t kernarg)
{
	*aql = (struct aql_dispatch){
	        .header = AQL_TYPE_KERNEL_DISPATCH,
	        .setup = (uint16_t)dims_of(s),
	        .workgroup_size = {(uint16_t)s->block[0], (uint16_t)s->block[1],
	                           (uint16_t)s->block[2]},
	        .grid_size = {s->grid[0], s->grid[1], s->grid[2]},
	        .private_segment_size = scratch_of(k),
	        .group_segment_size = s->lds_bytes,
	        .kernel_object = descriptor,
	        .kernarg_address = kernarg,
	};
}

static int launch_locked(struct gv_guest_queue *q, struct gv_guest_program *p,
                         const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                         const struct shape *s, uint64_t *seq, struct gv_err *err)
{
	uint32_t sgpr[MAX_USER_SGPRS], wave_bytes = 0, waves = 0;
	struct aql_dispatch aql;
	struct writer w = {0};
	unsigned slot = 0;
	uint8_t *cpu;
	uint64_t va;
	int rc = gv_ib_slot(q, &slot, err);

	if (!rc)
		rc = get_scratch(q, k, s, &wave_bytes, &waves, err);
	if (rc)
		return rc;
	va = q->ib->va + slot * GV_IB_SLOT_BYTES;
	cpu = (uint8_t *)q->ib->dma.cpu + slot * GV_IB_SLOT_BYTES;
	rc = user_sgprs(q, k, va, sgpr, err);
	if (rc)
		return rc;
	aql_image(&aql, k, s, p->buf->va + k->descriptor_off, va + GV_IB_BYTES + sizeof(aql));
	memcpy(cpu + GV_IB_BYTES, &aql, sizeof(aql));
	write_kernarg(cpu + GV_IB_BYTES + sizeof(aql), k, l, s);
	w.dw = (uint32_t *)(void *)cpu;
	acquire_mem(&w);
	program_state(&w, k, p->buf->va + k->entry_off, s, wave_bytes, waves);
	set_sh(&w, COMPUTE_USER_DATA_0__DW, MAX_USER_SGPRS, sgpr);
	dispatch(&w, s);
	rc = gv_ib_submit(q, p->buf->vm->vmid, va, w.n, seq, err);
	if (!rc) {
		q->ib_seq[slot] = *seq;
		q->scratch_seq = waves ? *seq : q->scratch_seq;
	}
	return rc;
}

int gv_guest_launch(struct gv_guest_queue *q, struct gv_guest_program *p,
                    const struct gv_co_kernel *k, const struct gv_guest_launch *l, uint64_t *seq,
                    struct gv_err *err)
{
	struct shape s = {0};
	int rc = check_kernel(k, l, err);

	if (!rc)
		rc = make_shape(k, l, &s, err);
	if (rc)
		return rc;
	if (!q->up || q->type != GV_QUEUE_COMPUTE)
		return gv_fail(err, -ENXIO, "%s is not a compute queue that is up", q->name);
	if (atomic_load(&q->g->flr_pending))
		return gv_fail(err, -ECONNRESET, "%s: the PF announced a reset", q->name);
	(void)pthread_mutex_lock(&q->lock);
	rc = launch_locked(q, p, k, l, &s, seq, err);
	(void)pthread_mutex_unlock(&q->lock);
	return rc;
}
