/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Launches: checked, given arguments and scratch, and queued as PM4. */
#include <string.h>

#include "launch.h"

enum {
	/* v5: calls whose stack the compiler does not know */
	PROP_DYNAMIC_STACK = 1 << 11,
	PROP_KNOWN = GV_KD_SGPRS | PROP_DYNAMIC_STACK,
};

enum {
	MAX_SCRATCH_WAVES = 256,
	MIN_SCRATCH_WAVES = GV9_GROUP_ITEMS / GV9_LANES,
	DYNAMIC_STACK_BYTES = 16384, /* per work item, as ROCr gives and clang assumes before v5 */
};

/* ---- checks -------------------------------------------------------------------------- */

static int check_group(const struct gv_co_kernel *k, const struct gv_shape *s, struct gv_err *err)
{
	uint64_t items = (uint64_t)s->block[0] * s->block[1] * s->block[2];
	uint32_t limit = k->max_flat_workgroup_size ? k->max_flat_workgroup_size : GV9_GROUP_ITEMS;

	for (unsigned i = 0; i < 3; i++) {
		if (s->block[i] > GV9_GROUP_ITEMS)
			return gv_fail(err, -EINVAL, "block of %u in one dimension, at most %u",
			               s->block[i], GV9_GROUP_ITEMS);
		if (k->reqd_workgroup_size[i] && k->reqd_workgroup_size[i] != s->block[i])
			return gv_fail(err, -EINVAL, "kernel '%s' needs --block %u,%u,%u", k->name,
			               k->reqd_workgroup_size[0], k->reqd_workgroup_size[1],
			               k->reqd_workgroup_size[2]);
	}
	limit = GV_MIN(limit, (uint32_t)GV9_GROUP_ITEMS);
	if (items > limit)
		return gv_fail(err, -EINVAL, "group of %llu work items, '%s' allows %u",
		               (unsigned long long)items, k->name, limit);
	return 0;
}

static int make_shape(const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                      struct gv_shape *s, struct gv_err *err)
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
	if (__builtin_mul_overflow(groups, (items + GV9_LANES - 1) / GV9_LANES, &s->total_waves))
		return gv_fail(err, -EINVAL, "the grid is too large");
	if (l->dynamic_lds_bytes > GV9_LDS_BYTES - k->lds_bytes)
		return gv_fail(err, -EINVAL, "LDS: %u static and %u dynamic bytes, a group has %u",
		               k->lds_bytes, l->dynamic_lds_bytes, GV9_LDS_BYTES);
	s->lds_bytes = k->lds_bytes + l->dynamic_lds_bytes;
	return 0;
}

static int check_kernel(const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                        uint32_t room, struct gv_err *err)
{
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

int gv_launch_shape(const struct gv_co_kernel *k, const struct gv_guest_launch *l, uint32_t room,
                    struct gv_shape *s, struct gv_err *err)
{
	int rc = check_kernel(k, l, room, err);

	return rc ? rc : make_shape(k, l, s, err);
}

/* ---- scratch --------------------------------------------------------------------------- */

static uint32_t scratch_of(const struct gv_co_kernel *k)
{
	return k->properties & PROP_DYNAMIC_STACK
	               ? GV_MAX(k->scratch_bytes, (uint32_t)DYNAMIC_STACK_BYTES)
	               : k->scratch_bytes;
}

int gv_launch_scratch(const struct gv_co_kernel *k, const struct gv_shape *s,
                      struct gv_scratch_need *need, struct gv_err *err)
{
	uint64_t per_wave = (uint64_t)scratch_of(k) * GV9_LANES;
	uint64_t waves = GV_MAX(GV_MIN(s->total_waves, (uint64_t)MAX_SCRATCH_WAVES),
	                        (uint64_t)MIN_SCRATCH_WAVES);

	*need = (struct gv_scratch_need){0};
	if (!per_wave)
		return 0;
	per_wave = (per_wave + GV9_SCRATCH_GRANULE - 1) / GV9_SCRATCH_GRANULE * GV9_SCRATCH_GRANULE;
	if (per_wave / GV9_SCRATCH_GRANULE > gv_mask(0, COMPUTE_TMPRING_SIZE__WAVESIZE__BITS))
		return gv_fail(err, -EINVAL, "kernel '%s' wants %u bytes of scratch per work item",
		               k->name, scratch_of(k));
	*need = (struct gv_scratch_need){
	        .item_bytes = scratch_of(k),
	        .bytes = per_wave * waves,
	        .tmpring_size =
	                GV_PUT(COMPUTE_TMPRING_SIZE, WAVES, waves) |
	                GV_PUT(COMPUTE_TMPRING_SIZE, WAVESIZE, per_wave / GV9_SCRATCH_GRANULE),
	};
	return 0;
}

/* Scratch of the queue: one piece per wave that may run at a time. Grows, never shrinks. */
static int get_scratch(struct gv_guest_queue *q, const struct gv_scratch_need *need,
                       struct gv_err *err)
{
	uint64_t deadline = gv_deadline(q->g);
	unsigned spins = 0;

	if (!need->bytes || (q->scratch && q->scratch->bytes >= need->bytes))
		return 0;
	/* the old one may still be in use */
	while (!gv_ring_done(q, q->scratch_seq) && gv_now_ns() < deadline)
		gv_irq_pause(q->g, &spins, deadline);
	if (!gv_ring_done(q, q->scratch_seq))
		return gv_fail(err, -ETIMEDOUT, "%s: earlier work does not end", q->name);
	q->scratch = gv_guest_buf_free(q->scratch);
	if (gv_guest_buf_new(q->g, NULL, GV_GUEST_VRAM, need->bytes, &q->scratch, err))
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

void gv_launch_amd_queue(struct gv_amd_queue *aq)
{
	memset(aq, 0, sizeof(*aq));
	aq->group_segment_aperture_base_hi = GV_SHARED_BASE << (GV_APERTURE_SHIFT - 32);
	aq->private_segment_aperture_base_hi = GV_PRIVATE_BASE << (GV_APERTURE_SHIFT - 32);
	aq->max_cu_id = 63;
	aq->max_wave_id = 39;
	aq->queue_properties = GV_AMD_QUEUE_IS_PTR64;
	aq->read_dispatch_id_field_base_byte_offset =
	        offsetof(struct gv_amd_queue, read_dispatch_id);
}

/* @slot_va: command slot; its packet and arguments follow the commands. */
static int user_sgprs(const struct gv_guest_queue *q, const struct gv_co_kernel *k,
                      uint64_t slot_va, uint32_t sgpr[GV_MAX_USER_SGPRS], struct gv_err *err)
{
	uint64_t aql = slot_va + GV_IB_BYTES, scratch = q->scratch ? q->scratch->va : 0;
	unsigned room = GV_GET(k->rsrc2, COMPUTE_PGM_RSRC2, USER_SGPR), n;
	struct gv_user_sgprs u = {
	        .dispatch_ptr = aql,
	        .queue_ptr = q->ib->va + GV_IB_AMD_QUEUE,
	        .kernarg_segment_ptr = aql + sizeof(struct gv_aql_dispatch),
	        .dispatch_id = q->seq + 1,
	        .flat_scratch_init = scratch,
	        .private_segment_size = scratch_of(k),
	};

	gv_scratch_resource(scratch, scratch ? q->scratch->bytes : 0, u.private_segment_buffer);
	n = gv_user_sgprs(&u, k->properties, sgpr);
	if (n > room)
		return gv_fail(err, -EBADMSG,
		               "kernel '%s': %u user SGPRs wanted, the descriptor "
		               "has room for %u",
		               k->name, n, room);
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
                          const struct gv_shape *s, uint32_t tmpring)
{
	uint32_t lds = (s->lds_bytes + GV9_LDS_GRANULE - 1) / GV9_LDS_GRANULE;
	uint32_t rsrc[2] = {k->rsrc1, GV_SET(k->rsrc2, COMPUTE_PGM_RSRC2, LDS_SIZE, lds)};
	uint32_t pgm[2] = {(uint32_t)(entry >> 8), (uint32_t)(entry >> 40)};
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

static void dispatch(struct writer *w, const struct gv_shape *s)
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

static unsigned dims_of(const struct gv_shape *s)
{
	return s->grid[2] > 1 ? 3 : s->grid[1] > 1 ? 2 : 1;
}

static uint32_t hidden_value(const struct gv_co_arg *a, const struct gv_shape *s)
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
void gv_launch_kernarg(uint8_t *to, const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                       const struct gv_shape *s)
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

void gv_launch_packet(struct gv_aql_dispatch *aql, const struct gv_co_kernel *k,
                      const struct gv_shape *s, uint64_t descriptor, uint64_t kernarg)
{
	*aql = (struct gv_aql_dispatch){
	        .header = GV_PUT(GV_AQL_HEADER, TYPE, GV_AQL_KERNEL_DISPATCH),
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
                         const struct gv_shape *s, uint64_t *seq, struct gv_err *err)
{
	uint32_t sgpr[GV_MAX_USER_SGPRS];
	struct gv_scratch_need need;
	struct gv_aql_dispatch aql;
	struct writer w = {0};
	unsigned slot = 0;
	uint8_t *cpu;
	uint64_t va;
	int rc = gv_ib_slot(q, &slot, err);

	if (!rc)
		rc = gv_launch_scratch(k, s, &need, err);
	if (!rc)
		rc = get_scratch(q, &need, err);
	if (rc)
		return rc;
	va = q->ib->va + slot * GV_IB_SLOT_BYTES;
	cpu = (uint8_t *)q->ib->dma.cpu + slot * GV_IB_SLOT_BYTES;
	rc = user_sgprs(q, k, va, sgpr, err);
	if (rc)
		return rc;
	gv_launch_packet(&aql, k, s, p->buf->va + k->descriptor_off,
	                 va + GV_IB_BYTES + sizeof(aql));
	memcpy(cpu + GV_IB_BYTES, &aql, sizeof(aql));
	gv_launch_kernarg(cpu + GV_IB_BYTES + sizeof(aql), k, l, s);
	w.dw = (uint32_t *)(void *)cpu;
	acquire_mem(&w);
	program_state(&w, k, p->buf->va + k->entry_off, s, need.tmpring_size);
	set_sh(&w, COMPUTE_USER_DATA_0__DW, GV_MAX_USER_SGPRS, sgpr);
	dispatch(&w, s);
	rc = gv_ib_submit(q, p->buf->vm->vmid, va, w.n, seq, err);
	if (!rc) {
		q->ib_seq[slot] = *seq;
		q->scratch_seq = need.bytes ? *seq : q->scratch_seq;
	}
	return rc;
}

int gv_guest_launch(struct gv_guest_queue *q, struct gv_guest_program *p,
                    const struct gv_co_kernel *k, const struct gv_guest_launch *l, uint64_t *seq,
                    struct gv_err *err)
{
	const uint32_t room =
	        GV_IB_SLOT_BYTES - GV_IB_BYTES - (uint32_t)sizeof(struct gv_aql_dispatch);
	struct gv_shape s = {0};
	int rc = gv_launch_shape(k, l, room, &s, err);

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
