/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A queue of AQL packets in a VM's address space, as user-mode runtimes have them: the MQD as
 * kfd_mqd_manager_v9.c fills it, the queue structure as ROCR-Runtime does. It takes the compute
 * slot behind the PM4 queues.
 */
#include <string.h>

#include "launch.h"

#define SLOTS         64u
#define SLOT_DW       (SLOTS * GV_AQL_DW)
#define KERNARG_BYTES 4096u
#define EOP_BYTES     4096u

/* All that the engine and we tell each other. */
struct shared {
	union gv_aql_packet packet[SLOTS];
	struct gv_amd_queue queue;
	struct gv_amd_signal inactive, done[SLOTS];
	uint8_t kernarg[SLOTS][KERNARG_BYTES];
};

struct gv_guest_aql {
	struct gv_guest *g;
	struct gv_guest_queue *slot; /* HQD, doorbell, MQD and EOP; its ring is not used */
	struct gv_guest_buf *mem, *scratch;
	struct shared *shared;
	uint64_t next; /* packets so far */
	uint64_t problems;
	unsigned resets;
};

#define VA(aql, field) ((aql)->mem->va + offsetof(struct shared, field))

static uint64_t load(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* ---- life -------------------------------------------------------------------------- */

static void fill(struct gv_guest_aql *a)
{
	struct shared *s = a->shared;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < SLOTS; i++)
		s->packet[i].dispatch.header = GV_PUT(GV_AQL_HEADER, TYPE, GV_AQL_INVALID);
	gv_launch_amd_queue(&s->queue);
	s->queue.hsa.base_address = VA(a, packet);
	s->queue.hsa.size = SLOTS;
	s->queue.queue_inactive_signal = VA(a, inactive);
	s->inactive.kind = GV_AMD_SIGNAL_USER;
}

static void put_va(uint32_t *mqd, unsigned lo_dw, uint64_t va)
{
	mqd[lo_dw] = (uint32_t)va;
	mqd[lo_dw + 1] = (uint32_t)(va >> 32);
}

static void build_mqd(const struct gv_guest_aql *a, uint32_t mqd[GV_MQD_DWORDS])
{
	gv_mqd_build(a->slot, mqd);
	put_va(mqd, GV_MQD_DW(CP_HQD_PQ_BASE), VA(a, packet) >> 8);
	put_va(mqd, GV_MQD_DW(CP_HQD_PQ_RPTR_REPORT_ADDR), VA(a, queue.read_dispatch_id));
	put_va(mqd, GV_MQD_DW(CP_HQD_PQ_WPTR_POLL_ADDR), VA(a, queue.write_dispatch_id));
	mqd[GV_MQD_DW(CP_HQD_VMID)] = GV_PUT(CP_HQD_VMID, VMID, a->mem->vm->vmid);
	mqd[GV_MQD_DW(CP_HQD_AQL_CONTROL)] = GV_PUT(CP_HQD_AQL_CONTROL, CONTROL0, 1);
	mqd[GV_MQD_DW(CP_HQD_PQ_CONTROL)] =
	        GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_SIZE, __builtin_ctz(SLOT_DW) - 1) |
	        GV_PUT(CP_HQD_PQ_CONTROL, RPTR_BLOCK_SIZE, 5) |
	        GV_PUT(CP_HQD_PQ_CONTROL, QUEUE_FULL_EN, 1) |
	        GV_PUT(CP_HQD_PQ_CONTROL, WPP_CLAMP_EN, 1) |
	        GV_PUT(CP_HQD_PQ_CONTROL, SLOT_BASED_WPTR, 2) |
	        GV_PUT(CP_HQD_PQ_CONTROL, NO_UPDATE_RPTR, 1);
}

static int bring_up(struct gv_guest_aql *a, struct gv_err *err)
{
	uint32_t mqd[GV_MQD_DWORDS];
	int rc = gv_ring_make(a->slot, SLOT_DW, EOP_BYTES, err);

	if (!rc)
		rc = gv_buf_make(a->g, NULL, GV_GUEST_SYSTEM, sizeof(struct shared), true, &a->mem,
		                 err);
	if (rc)
		return rc;
	a->shared = a->mem->dma.cpu;
	fill(a);
	build_mqd(a, mqd);
	rc = gv_vram_write(a->g, a->slot->mqd_off, mqd, sizeof(mqd));
	if (rc)
		return gv_fail(err, rc, "%s: writing the MQD failed", a->slot->name);
	gv_hdp_flush(a->g);
	return gv_queue_map(a->slot, VA(a, queue.write_dispatch_id), err);
}

int gv_guest_aql_new(struct gv_guest *g, struct gv_guest_aql **out, struct gv_err *err)
{
	unsigned i = g->cfg.compute_queues;
	struct gv_guest_aql *a;
	int rc;

	if (i >= GV_MAX_COMPUTE || g->compute[i].up)
		return gv_fail(err, -EBUSY, "no compute queue is free for AQL");
	a = calloc(1, sizeof(*a));
	if (!a)
		return gv_fail(err, -ENOMEM, "out of memory");
	a->g = g;
	a->slot = &g->compute[i];
	a->problems = gv_irq_problems(g);
	a->resets = g->resets;
	gv_queue_place_compute(a->slot, i);
	rc = bring_up(a, err);
	if (rc) {
		(void)gv_guest_aql_free(a);
		return gv_fail_prefix(err, "AQL queue");
	}
	*out = a;
	return 0;
}

struct gv_guest_aql *gv_guest_aql_free(struct gv_guest_aql *a)
{
	if (!a)
		return NULL;
	if (a->resets == a->g->resets)
		gv_queue_unmap(a->slot);
	else
		a->slot->mqd_off = 0; /* that memory was given back by the reset */
	a->slot->up = false;
	a->scratch = gv_guest_buf_free(a->scratch);
	a->mem = gv_guest_buf_free(a->mem);
	gv_ring_free(a->slot);
	free(a);
	return NULL;
}

/* ---- waiting ------------------------------------------------------------------------ */

/* Why nothing more comes, or 0. */
static int check(struct gv_guest_aql *a, struct gv_err *err)
{
	int64_t inactive = __atomic_load_n(&a->shared->inactive.value, __ATOMIC_ACQUIRE);
	struct gv_guest_fault f;

	if (a->resets != a->g->resets || atomic_load(&a->g->flr_pending))
		return gv_fail(err, -ECONNRESET, "%s: lost in a reset", a->slot->name);
	if (gv_bus_status(a->g->bus))
		return gv_fail(err, -EIO, "%s: the device is lost", a->slot->name);
	if (inactive)
		return gv_fail(err, -EIO, "%s: the engine refuses packet %llu: error %lld",
		               a->slot->name,
		               (unsigned long long)load(&a->shared->queue.read_dispatch_id),
		               (long long)inactive);
	if (gv_irq_problems(a->g) == a->problems)
		return 0;
	a->problems = gv_irq_problems(a->g);
	gv_guest_get_fault(a->g, &f);
	return gv_fail(err, -EIO, "%s: %s 0x%llx, VMID %u", a->slot->name,
	               f.valid ? "page fault at" : "the engine reported an error; no page fault",
	               (unsigned long long)f.gpu_va, f.vmid);
}

/* Until the engine has processed packet @index. */
int gv_guest_aql_wait(struct gv_guest_aql *a, uint64_t index, uint64_t deadline_ns,
                      struct gv_err *err)
{
	const uint64_t *done = (const uint64_t *)&a->shared->done[index % SLOTS].value;
	unsigned spins = 0;

	while (load(&a->shared->queue.read_dispatch_id) <= index || load(done)) {
		int rc = check(a, err);

		if (rc)
			return rc;
		if (gv_now_ns() >= deadline_ns)
			return gv_fail(err, -ETIMEDOUT, "hang: %s: read index %llu of %llu",
			               a->slot->name,
			               (unsigned long long)load(&a->shared->queue.read_dispatch_id),
			               (unsigned long long)a->next);
		gv_irq_pause(a->g, &spins, deadline_ns);
	}
	gv_dma_from_device();
	return 0;
}

/* ---- launching ---------------------------------------------------------------------- */

/* Before a packet asks for more than there is; nothing runs meanwhile. */
static int get_scratch(struct gv_guest_aql *a, const struct gv_scratch_need *need,
                       struct gv_err *err)
{
	struct gv_amd_queue *aq = &a->shared->queue;
	int rc = 0;

	if (!need->bytes)
		return 0;
	if (a->next)
		rc = gv_guest_aql_wait(a, a->next - 1, gv_deadline(a->g), err);
	if (!rc && (!a->scratch || a->scratch->bytes < need->bytes)) {
		a->scratch = gv_guest_buf_free(a->scratch);
		rc = gv_guest_buf_new(a->g, a->mem->vm, GV_GUEST_VRAM, need->bytes, &a->scratch,
		                      err);
	}
	if (rc)
		return gv_fail_prefix(err, "scratch");
	aq->compute_tmpring_size = need->tmpring_size;
	gv_scratch_resource(a->scratch->va, a->scratch->bytes, aq->scratch_resource_descriptor);
	aq->scratch_backing_memory_location = a->scratch->va;
	aq->scratch_backing_memory_byte_size = a->scratch->bytes;
	aq->scratch_workitem_byte_size = need->item_bytes;
	return 0;
}

/* The packet's header comes last: the engine looks at nothing else to see whether it is there. */
static void submit(struct gv_guest_aql *a, const struct gv_aql_dispatch *p)
{
	struct gv_aql_dispatch *to = &a->shared->packet[a->next % SLOTS].dispatch;

	memcpy((uint8_t *)to + sizeof(to->header), (const uint8_t *)p + sizeof(p->header),
	       sizeof(*p) - sizeof(p->header));
	__atomic_store_n(&to->header, p->header, __ATOMIC_RELEASE);
	__atomic_store_n(&a->shared->queue.write_dispatch_id, a->next + 1, __ATOMIC_RELEASE);
	gv_dma_to_device();
	gv_doorbell64(a->g->bus, a->slot->doorbell * 4, a->next);
	a->next++;
}

int gv_guest_aql_launch(struct gv_guest_aql *a, struct gv_guest_program *p,
                        const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                        uint64_t *index, struct gv_err *err)
{
	unsigned n = (unsigned)(a->next % SLOTS);
	struct gv_scratch_need need;
	struct gv_aql_dispatch packet;
	struct gv_shape s = {0};
	int rc = gv_launch_shape(k, l, KERNARG_BYTES, &s, err);

	if (!rc && a->next >= SLOTS)
		rc = gv_guest_aql_wait(a, a->next - SLOTS, gv_deadline(a->g), err);
	if (!rc)
		rc = gv_launch_scratch(k, &s, &need, err);
	if (!rc)
		rc = get_scratch(a, &need, err);
	if (rc)
		return rc;
	gv_launch_kernarg(a->shared->kernarg[n], k, l, &s);
	gv_launch_packet(&packet, k, &s, p->buf->va + k->descriptor_off,
	                 VA(a, kernarg) + n * KERNARG_BYTES);
	packet.completion_signal = VA(a, done) + n * sizeof(struct gv_amd_signal);
	a->shared->done[n] = (struct gv_amd_signal){.kind = GV_AMD_SIGNAL_USER, .value = 1};
	*index = a->next;
	submit(a, &packet);
	return 0;
}
