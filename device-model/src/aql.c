/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queues of AQL packets, as user-mode runtimes write them (CP_HQD_AQL_CONTROL).
 *
 * The ring is an array of 64-byte slots. A doorbell names the last packet that may be ready; what
 * decides is the packet itself: one whose type is INVALID is waited for. Packets are processed one
 * after the other, each until its kernel has ended, so the barrier bit has nothing to add.
 *
 *	INVALID --written by the runtime--> at the read index: begin --> busy --> done:
 *	   ^                                  |  refused                          slot INVALID
 *again, |                                  v                                   read index + 1, |
 *error code to the inactive signal;            completion signal
 *	   +---- next packet        again when that is 0                          - 1, event
 *
 * The queue's own structure is found from where the engine reports its read index.
 */
#include <string.h>

#include <gv/gfx9.h>
#include <gv/hsa.h>

#include "cp.h"

#define PQ_ERROR GV_PUT(CP_HQD_ERROR, PQ_UTCL1_ERROR, 1)
#define TC_ERROR GV_PUT(CP_HQD_ERROR, TC_UTCL1_ERROR, 1)

#define CODE_ALIGN 256u

static struct gv_mem *memory(struct gv_queue *q)
{
	return gv_cp_mem(q->cp, q->stream[0].vmid);
}

static uint64_t index_of(const struct gv_queue *q)
{
	return q->stream[0].pos / GV_AQL_DW;
}

static uint64_t slot_va(const struct gv_queue *q)
{
	const struct gv_stream *ring = &q->stream[0];

	return ring->va + (ring->pos & ring->mask) * sizeof(uint32_t);
}

static uint64_t read_index_va(const struct gv_queue *q)
{
	uint32_t lo = gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR);

	return (uint64_t)gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_PQ_RPTR_REPORT_ADDR_HI) << 32 |
	       lo;
}

/* The packet at the read index, and the queue as its runtime describes it. */
struct job {
	struct gv_queue *q;
	struct gv_amd_queue aq;
	uint64_t aq_va;
	union gv_aql_packet p;
};

/* ---- the queue ----------------------------------------------------------- */

static int read_amd_queue(struct job *j)
{
	struct gv_mem *mem = memory(j->q);
	uint64_t id_va = read_index_va(j->q);
	uint64_t offset_va = id_va - offsetof(struct gv_amd_queue, read_dispatch_id) +
	                     offsetof(struct gv_amd_queue, read_dispatch_id_field_base_byte_offset);
	uint32_t offset = 0;
	int rc = gv_mem_read32(mem, offset_va, &offset);

	j->aq_va = id_va - offset;
	if (!rc)
		rc = gv_mem_read(mem, j->aq_va, &j->aq, sizeof(j->aq));
	return gv_pm4_mem_rc(j->q, rc, TC_ERROR);
}

bool gv_aql_is_on(const struct gv_queue *q)
{
	uint32_t control = gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_AQL_CONTROL);

	return GV_GET(control, CP_HQD_AQL_CONTROL, CONTROL0);
}

void gv_aql_attach(struct gv_queue *q)
{
	struct gv_stream *ring = &q->stream[0];
	uint64_t read_index = 0;
	int rc = gv_mem_read64(memory(q), read_index_va(q), &read_index);

	q->aql_refused = false;
	q->aql_start = gv_dev_clock();
	q->aql_busy = q->grid || q->depth; /* what a saved context was in the middle of */
	ring->pos = ring->end = read_index * GV_AQL_DW;
	if (rc)
		(void)gv_pm4_mem_rc(q, rc, GV_PUT(CP_HQD_ERROR, RRPT_UTCL1_ERROR, 1));
	else if (ring->mask < GV_AQL_DW - 1)
		(void)gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1), 0,
		                    "AQL ring of less than a packet");
	else
		gv_hqd_poll_wptr(q);
}

void gv_aql_set_write_index(struct gv_queue *q, uint64_t index)
{
	uint64_t end = index * GV_AQL_DW;

	/* backwards: another thread of the guest's rang for an earlier packet */
	if ((int64_t)(end - q->stream[0].end) > 0)
		q->stream[0].end = end;
}

/* ---- signals ------------------------------------------------------------- */

#define SIGNAL(handle, field) ((handle) + offsetof(struct gv_amd_signal, field))

/* Whoever sleeps until a signal changes is woken. */
static int signal_event(struct gv_queue *q, uint64_t handle)
{
	struct gv_amd_signal s;
	int rc = gv_mem_read(memory(q), handle, &s, sizeof(s));

	if (rc || !s.event_mailbox_ptr)
		return rc;
	rc = gv_mem_write64(memory(q), s.event_mailbox_ptr, s.event_id);
	if (!rc)
		gv_queue_irq(q, GV_IH_SRC_CP_EOP, q->stream[0].vmid, s.event_id);
	return rc;
}

static int signal_done(struct gv_queue *q, uint64_t handle, bool timed)
{
	uint64_t was;
	int rc = 0;

	if (timed)
		rc = gv_mem_write64(memory(q), SIGNAL(handle, start_ts), q->aql_start);
	if (!rc && timed)
		rc = gv_mem_write64(memory(q), SIGNAL(handle, end_ts), gv_dev_clock());
	if (!rc)
		rc = gv_mem_atomic(memory(q), SIGNAL(handle, value), GV_TC_SUB_RTN_64, 1, 0, &was);
	return rc ? rc : signal_event(q, handle);
}

static int signal_value(struct gv_queue *q, uint64_t handle, int64_t *value)
{
	uint64_t v = 0;
	int rc = gv_mem_read64(memory(q), SIGNAL(handle, value), &v);

	*value = (int64_t)v;
	return gv_pm4_mem_rc(q, rc, TC_ERROR);
}

/* ---- packets that cannot run --------------------------------------------- */

static int refuse(const struct job *j, enum gv_aql_error why)
{
	struct gv_queue *q = j->q;
	uint64_t handle = j->aq.queue_inactive_signal;
	uint32_t error = gv_hqd_get(q->fn, q->slot, GV_REG_CP_HQD_ERROR);
	int rc;

	if (!handle)
		return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1),
		                     GV_IH_SRC_CP_RESERVED_BIT, "AQL packet that cannot run");
	/* too little scratch is how a runtime finds out that it must give some */
	if (why != GV_AQL_ERROR_SCRATCH) {
		gv_guest_error(q->fn, "queue %u: AQL packet %llu: error %d", q->slot,
		               (unsigned long long)index_of(q), why);
		gv_hqd_put(q->fn, q->slot, GV_REG_CP_HQD_ERROR,
		           error | GV_PUT(CP_HQD_ERROR, AQL_ERROR, 1));
	}
	rc = gv_mem_write64(memory(q), SIGNAL(handle, value), (uint64_t)why);
	if (!rc)
		rc = signal_event(q, handle);
	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	q->aql_refused = true;
	return gv_queue_poll(q);
}

/* The runtime says by the signal that it took care: what it changed before that is read after. */
static int check_refused(struct gv_queue *q)
{
	struct job j = {.q = q};
	int64_t value = 0;
	int rc;

	if (!q->aql_refused)
		return 0;
	rc = read_amd_queue(&j);
	if (!rc)
		rc = signal_value(q, j.aq.queue_inactive_signal, &value);
	if (!rc && value)
		return gv_queue_poll(q);
	q->aql_refused = false;
	return rc;
}

/* ---- kernel dispatch ----------------------------------------------------- */

static unsigned bad_shape(const struct gv_aql_dispatch *p)
{
	unsigned dims = GV_GET(p->setup, GV_AQL_SETUP, DIMENSIONS);
	uint64_t items = 1;

	if (!dims)
		return GV_AQL_ERROR_DIMENSIONS;
	for (unsigned i = 0; i < 3; i++) {
		if (!p->workgroup_size[i] || !p->grid_size[i])
			return GV_AQL_ERROR_DIMENSIONS;
		if (i >= dims && (p->workgroup_size[i] != 1 || p->grid_size[i] != 1))
			return GV_AQL_ERROR_DIMENSIONS;
		items *= p->workgroup_size[i];
	}
	if (items > GV9_GROUP_ITEMS)
		return GV_AQL_ERROR_GROUP_SIZE;
	return p->group_segment_size > GV9_LDS_BYTES ? GV_AQL_ERROR_GROUP_MEMORY : 0;
}

static uint64_t entry_of(const struct job *j, const struct gv_kernel_descriptor *kd)
{
	return j->p.dispatch.kernel_object + (uint64_t)kd->kernel_code_entry_byte_offset;
}

static void set_user_sgprs(const struct job *j, const struct gv_kernel_descriptor *kd)
{
	const struct gv_aql_dispatch *p = &j->p.dispatch;
	struct gv_user_sgprs u = {
	        .dispatch_ptr = slot_va(j->q),
	        .queue_ptr = j->aq_va,
	        .kernarg_segment_ptr = p->kernarg_address,
	        .dispatch_id = index_of(j->q),
	        .flat_scratch_init = j->aq.scratch_backing_memory_location,
	        .private_segment_size = p->private_segment_size,
	};
	uint32_t sgpr[GV_MAX_USER_SGPRS];

	memcpy(u.private_segment_buffer, j->aq.scratch_resource_descriptor,
	       sizeof(u.private_segment_buffer));
	(void)gv_user_sgprs(&u, kd->kernel_code_properties, sgpr);
	for (unsigned i = 0; i < GV_MAX_USER_SGPRS; i++)
		gv_pm4_reg_write(j->q, COMPUTE_USER_DATA_0__DW + i, sgpr[i]);
}

static uint32_t rsrc2(const struct job *j, const struct gv_kernel_descriptor *kd)
{
	uint32_t lds = (j->p.dispatch.group_segment_size + GV9_LDS_GRANULE - 1) / GV9_LDS_GRANULE;
	uint32_t mqd = gv_pm4_reg_read(j->q, COMPUTE_PGM_RSRC2__DW);
	uint32_t val = GV_SET(kd->compute_pgm_rsrc2, COMPUTE_PGM_RSRC2, LDS_SIZE, lds);

	/* whether there is a trap handler is the queue's business */
	return GV_SET(val, COMPUTE_PGM_RSRC2, TRAP_PRESENT,
	              GV_GET(mqd, COMPUTE_PGM_RSRC2, TRAP_PRESENT));
}

static void set_registers(const struct job *j, const struct gv_kernel_descriptor *kd)
{
	const struct gv_aql_dispatch *p = &j->p.dispatch;
	struct gv_queue *q = j->q;

	gv_pm4_reg_write(q, COMPUTE_PGM_LO__DW, (uint32_t)(entry_of(j, kd) >> 8));
	gv_pm4_reg_write(q, COMPUTE_PGM_HI__DW, (uint32_t)(entry_of(j, kd) >> 40));
	gv_pm4_reg_write(q, COMPUTE_PGM_RSRC1__DW, kd->compute_pgm_rsrc1);
	gv_pm4_reg_write(q, COMPUTE_PGM_RSRC2__DW, rsrc2(j, kd));
	gv_pm4_reg_write(q, COMPUTE_TMPRING_SIZE__DW, j->aq.compute_tmpring_size);
	for (unsigned i = 0; i < 3; i++) {
		gv_pm4_reg_write(q, COMPUTE_NUM_THREAD_X__DW + i, p->workgroup_size[i]);
		gv_pm4_reg_write(q, COMPUTE_DIM_X__DW + i, p->grid_size[i]);
	}
	set_user_sgprs(j, kd);
}

static int start_kernel(const struct job *j, const struct gv_kernel_descriptor *kd)
{
	const uint32_t initiator = GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1) |
	                           GV_PUT(COMPUTE_DISPATCH_INITIATOR, FORCE_START_AT_000, 1) |
	                           GV_PUT(COMPUTE_DISPATCH_INITIATOR, USE_THREAD_DIMENSIONS, 1);
	int rc;

	set_registers(j, kd);
	rc = gv_dispatch_start(j->q, j->q->stream[0].vmid, initiator);
	if (rc == -ENOSPC)
		return refuse(j, GV_AQL_ERROR_SCRATCH);
	return rc == -EINVAL ? refuse(j, GV_AQL_ERROR_REGISTERS) : rc;
}

static int begin_dispatch(const struct job *j)
{
	const struct gv_aql_dispatch *p = &j->p.dispatch;
	struct gv_kernel_descriptor kd;
	unsigned why = bad_shape(p);
	int rc;

	if (!why && (!p->kernel_object || p->kernel_object % sizeof(kd)))
		why = GV_AQL_ERROR_CODE;
	if (!why && p->private_segment_size > j->aq.scratch_workitem_byte_size)
		why = GV_AQL_ERROR_SCRATCH;
	if (why)
		return refuse(j, why);
	rc = gv_mem_read(memory(j->q), p->kernel_object, &kd, sizeof(kd));
	if (rc)
		return gv_pm4_mem_rc(j->q, rc, TC_ERROR);
	if (entry_of(j, &kd) % CODE_ALIGN)
		return refuse(j, GV_AQL_ERROR_CODE);
	return start_kernel(j, &kd);
}

/* ---- barriers ------------------------------------------------------------ */

static int wait_signals(struct gv_queue *q, const struct gv_aql_barrier *p, bool any)
{
	unsigned named = 0, zero = 0;

	for (unsigned i = 0; i < GV_AQL_DEPS; i++) {
		int64_t value;
		int rc;

		if (!p->dep_signal[i])
			continue;
		rc = signal_value(q, p->dep_signal[i], &value);
		if (rc)
			return rc;
		named++;
		zero += value == 0;
	}
	return zero == named || (any && zero) ? 0 : gv_queue_poll(q);
}

static int begin_barrier_and(const struct job *j)
{
	return wait_signals(j->q, &j->p.barrier, false);
}

static int begin_barrier_or(const struct job *j)
{
	return wait_signals(j->q, &j->p.barrier, true);
}

static bool compare(enum gv_hsa_condition condition, int64_t a, int64_t b)
{
	switch (condition) {
	case GV_HSA_EQ:
		return a == b;
	case GV_HSA_NE:
		return a != b;
	case GV_HSA_LT:
		return a < b;
	case GV_HSA_GTE:
		return a >= b;
	}
	return false;
}

static int wait_value(struct gv_queue *q, const struct gv_aql_barrier_value *p)
{
	int64_t value;
	int rc = signal_value(q, p->signal, &value);

	if (rc)
		return rc;
	return compare((enum gv_hsa_condition)p->condition, value & p->mask, p->value)
	               ? 0
	               : gv_queue_poll(q);
}

/* ---- vendor packets ------------------------------------------------------ */

/* Its PM4 runs as the ring's IB does; the packet is done when the queue is back here. */
static int enter_ib(const struct job *j)
{
	const uint32_t *jump = j->p.pm4_ib.ib_jump;
	struct gv_queue *q = j->q;

	if (GV_GET(jump[0], PM4_HEADER, TYPE) != PM4_TYPE3 ||
	    GV_GET(jump[0], PM4_HEADER, OP) != PM4_INDIRECT_BUFFER)
		return refuse(j, GV_AQL_ERROR_VENDOR_PACKET);
	q->stream[1] = gv_pm4_ib_stream(&q->stream[0], jump);
	q->ib_start = q->stream[0].pos;
	q->depth = 1;
	return 0;
}

static int begin_vendor(const struct job *j)
{
	switch (j->p.pm4_ib.format) {
	case GV_AQL_FORMAT_PM4_IB:
		return enter_ib(j);
	case GV_AQL_FORMAT_BARRIER_VALUE:
		if (j->p.barrier_value.condition > GV_HSA_GTE)
			return refuse(j, GV_AQL_ERROR_VENDOR_PACKET);
		return wait_value(j->q, &j->p.barrier_value);
	default:
		return refuse(j, GV_AQL_ERROR_VENDOR_PACKET);
	}
}

/* ---- one packet ---------------------------------------------------------- */

static int (*const begin_of[GV_AQL_TYPES])(const struct job *j) = {
        [GV_AQL_VENDOR_SPECIFIC] = begin_vendor,
        [GV_AQL_KERNEL_DISPATCH] = begin_dispatch,
        [GV_AQL_BARRIER_AND] = begin_barrier_and,
        [GV_AQL_BARRIER_OR] = begin_barrier_or,
};

/* 0: begun. */
static int begin(const struct job *j)
{
	unsigned type = GV_GET(j->p.dispatch.header, GV_AQL_HEADER, TYPE);
	int rc;

	if (type == GV_AQL_INVALID)
		return gv_queue_poll(j->q);
	if (type >= GV_AQL_TYPES || !begin_of[type])
		return refuse(j, GV_AQL_ERROR_PACKET);
	j->q->aql_start = gv_dev_clock();
	rc = begin_of[type](j);
	j->q->aql_busy = !rc;
	return rc;
}

/* The slot goes back to the guest before the signal does: who sees the signal may reuse both. */
static int complete(const struct job *j)
{
	const uint16_t invalid = GV_PUT(GV_AQL_HEADER, TYPE, GV_AQL_INVALID);
	bool timed = j->aq.queue_properties & GV_AMD_QUEUE_ENABLE_PROFILING;
	uint64_t handle = j->p.dispatch.completion_signal;
	struct gv_queue *q = j->q;
	int rc = gv_mem_write(memory(q), slot_va(q), &invalid, sizeof(invalid));

	if (!rc)
		rc = gv_mem_write64(memory(q), read_index_va(q), index_of(q) + 1);
	if (!rc && handle)
		rc = signal_done(q, handle, timed);
	if (rc)
		return gv_pm4_mem_rc(q, rc, TC_ERROR);
	q->stream[0].pos += GV_AQL_DW;
	q->aql_busy = false;
	q->backoff = q->retry_at = 0;
	return 0;
}

/* The header first: it is written last, so what it says is there is there. */
static int read_packet(struct job *j)
{
	struct gv_mem *mem = memory(j->q);
	uint32_t first = 0;
	int rc = gv_mem_read32(mem, slot_va(j->q), &first);

	if (!rc)
		rc = gv_mem_read(mem, slot_va(j->q), &j->p, sizeof(j->p));
	j->p.dispatch.header = (uint16_t)first;
	return gv_pm4_mem_rc(j->q, rc, PQ_ERROR);
}

int gv_aql_run(struct gv_queue *q)
{
	struct job j = {.q = q};
	int rc = gv_dispatch_wait(q);

	if (!rc)
		rc = check_refused(q);
	if (!rc)
		rc = read_packet(&j);
	if (!rc)
		rc = read_amd_queue(&j);
	if (!rc && !q->aql_busy)
		rc = begin(&j);
	if (rc || q->depth) /* its IB is next */
		return rc;
	rc = gv_dispatch_wait(q);
	return rc ? rc : complete(&j);
}
