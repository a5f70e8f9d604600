/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scheduler of user queues (KFD's HWS). RUN_LIST names a list of processes and queues; who has
 * a place runs, and when not all have one they take turns:
 *
 *	RUN_LIST --> MAP: reads on --- all mapped ---> ALL
 *	              ^      |  no slot, VMID or SDMA queue is left
 *	              |      v
 *	          PREEMPT <-- SLICE: GV_HWS_QUANTUM, less when nobody has work
 *	UNMAP_QUEUES of the queue that gave the list: OFF, from any state
 *
 * The list is a ring: behind its last packet comes its first, or what its RUN_LIST with CHAIN
 * names. Nothing of it is kept but the process that is being mapped: it is read again each round,
 * in the address space of the queue that gave it. What a list may cost is bounded by
 * GV_HWS_PACKETS in a round.
 *
 * A process gets one of the VMIDs that SET_RESOURCES named; which one has which PASID is in
 * IH_VMID_LUT.
 */
#include <string.h>

#include "cp.h"
#include "mem.h"

#define GV_HWS_QUANTUM (10 * GV_MS)
#define GV_HWS_IDLE    (2 * GV_MS)
#define GV_HWS_LOOK    (100 * GV_US) /* while queues come to rest */
#define GV_HWS_PACKETS 16384u        /* KFD has at most 4096 queues */
#define PACKETS_A_TURN 64u
#define LONGEST        16u /* dwords of a packet that means something here */

#define LIST_ERROR GV_PUT(CP_HQD_ERROR, IB_UTCL1_ERROR, 1)

enum { GO_ON = 0, FULL = 1 }; /* or a negative errno: the list is given up */

/* ---- whose is what -------------------------------------------------------- */

bool gv_hws_has(const struct gv_queue *t, int pasid)
{
	return t->active && t->listed && gv_hws_vmids(t->fn, pasid) >> t->stream[0].vmid & 1;
}

uint32_t gv_hws_vmids(struct gv_fn *f, int pasid)
{
	uint32_t vmids = 0;

	for (unsigned vmid = 0; vmid < GV_NUM_VMID; vmid++)
		if (pasid < 0 || gv_reg_get(f, GV_REG_IH_VMID_0_LUT, vmid) == (uint32_t)pasid)
			vmids |= 1u << vmid;
	return vmids;
}

static uint32_t vmids_in_use(const struct gv_cp *cp)
{
	uint32_t vmids = gv_sdma_listed_vmids(cp->fn);

	for (unsigned i = 0; i < GV_NUM_HQD; i++)
		if (gv_hws_has(&cp->queue[i], -1))
			vmids |= 1u << cp->queue[i].stream[0].vmid;
	return vmids;
}

static bool is_mapped(const struct gv_cp *cp, const struct gv_pkt *p)
{
	for (unsigned i = 0; i < GV_NUM_HQD; i++)
		if (gv_hws_has(&cp->queue[i], -1) &&
		    gv_hqd_get(cp->fn, i, GV_REG_CP_MQD_BASE_ADDR) == (p->dw[3] & ~3u) &&
		    gv_hqd_get(cp->fn, i, GV_REG_CP_MQD_BASE_ADDR_HI) == p->dw[4])
			return true;
	return false;
}

/* ---- processes ------------------------------------------------------------ */

static uint32_t body(const struct gv_hws *h, unsigned dw)
{
	return h->body[dw - 1];
}

static bool has_tables(struct gv_fn *f, enum gv_hub hub, const struct gv_hws *h, unsigned vmid)
{
	return gv_reg_get(f, gv_hub[hub].base_lo, vmid) ==
	               body(h, PM4_MAP_PROCESS__PAGE_TABLE_BASE_LO32__DW) &&
	       gv_reg_get(f, gv_hub[hub].base_hi, vmid) ==
	               body(h, PM4_MAP_PROCESS__PAGE_TABLE_BASE_HI32__DW);
}

static uint32_t pasid_of(const struct gv_hws *h)
{
	return GV_GET(body(h, PM4_MAP_PROCESS__PASID__DW), PM4_MAP_PROCESS, PASID);
}

/* The process moves in. */
static void enter(struct gv_fn *f, const struct gv_hws *h, unsigned vmid)
{
	static const struct {
		enum gv_reg reg;
		unsigned dw;
	} banked[] = {
	        {GV_REG_SH_MEM_BASES, PM4_MAP_PROCESS__SH_MEM_BASES__DW},
	        {GV_REG_SH_MEM_CONFIG, PM4_MAP_PROCESS__SH_MEM_CONFIG__DW},
	        {GV_REG_SQ_SHADER_TBA_LO, PM4_MAP_PROCESS__SQ_SHADER_TBA_LO__DW},
	        {GV_REG_SQ_SHADER_TBA_HI, PM4_MAP_PROCESS__SQ_SHADER_TBA_HI__DW},
	        {GV_REG_SQ_SHADER_TMA_LO, PM4_MAP_PROCESS__SQ_SHADER_TMA_LO__DW},
	        {GV_REG_SQ_SHADER_TMA_HI, PM4_MAP_PROCESS__SQ_SHADER_TMA_HI__DW},
	};

	for (size_t k = 0; k < GV_ARRAY_LEN(banked); k++)
		gv_vmid_put(f, vmid, banked[k].reg, body(h, banked[k].dw));
	gv_reg_put(f, GV_REG_IH_VMID_0_LUT, vmid, pasid_of(h));
	gv_reg_put(f, GV_REG_IH_VMID_0_LUT_MM, vmid, pasid_of(h));
	if (has_tables(f, GV_HUB_GC, h, vmid) && has_tables(f, GV_HUB_MM, h, vmid))
		return;
	for (enum gv_hub hub = GV_HUB_GC; hub <= GV_HUB_MM; hub++) {
		gv_reg_put(f, gv_hub[hub].base_lo, vmid,
		           body(h, PM4_MAP_PROCESS__PAGE_TABLE_BASE_LO32__DW));
		gv_reg_put(f, gv_hub[hub].base_hi, vmid,
		           body(h, PM4_MAP_PROCESS__PAGE_TABLE_BASE_HI32__DW));
	}
	atomic_fetch_add(&f->mem_generation, 1);
}

/* One that it has already, or a free one, or -1. */
static int choose_vmid(struct gv_cp *cp)
{
	const struct gv_hws *h = &cp->hws;
	uint32_t used = vmids_in_use(cp), own = used & gv_hws_vmids(cp->fn, (int)pasid_of(h));
	uint32_t left =
	        gv_kiq_given(&cp->queue[h->slot])->vmids & ~used & ~1u; /* 0: the kernel's */

	for (; own; own &= own - 1)
		if (has_tables(cp->fn, GV_HUB_GC, h, (unsigned)__builtin_ctz(own)))
			return __builtin_ctz(own);
	if (!left || (unsigned)__builtin_popcount(used) >= h->limit)
		return -1;
	return __builtin_ctz(left);
}

static int place_process(struct gv_cp *cp)
{
	struct gv_hws *h = &cp->hws;
	int vmid = choose_vmid(cp);

	if (vmid < 0)
		return FULL;
	h->vmid = (unsigned)vmid;
	h->has_vmid = true;
	enter(cp->fn, h, h->vmid);
	return GO_ON;
}

static int map_process(struct gv_cp *cp, const struct gv_pkt *p)
{
	struct gv_hws *h = &cp->hws;

	memcpy(h->body, p->dw + 1, sizeof(h->body));
	h->has_process = true;
	h->has_vmid = false; /* once it has a queue */
	return GO_ON;
}

/* ---- queues --------------------------------------------------------------- */

static int map_sdma(struct gv_queue *q, const struct gv_pkt *p, unsigned engine)
{
	int rc = gv_sdma_map_queue(q->fn, engine, q->cp->hws.vmid, gv_pkt_va(p->dw[3], p->dw[4]),
	                           GV_PKT(p, MAP_QUEUES, DOORBELL_OFFSET),
	                           gv_pkt_va(p->dw[5], p->dw[6]), true);

	if (rc == -EBUSY)
		return FULL;
	if (rc == -EEXIST) /* its own, still there */
		return GO_ON;
	return gv_pm4_mem_rc(q, rc, LIST_ERROR);
}

static int map_compute(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_queue *t;
	int rc;

	if (is_mapped(q->cp, p))
		return GO_ON;
	t = gv_kiq_free_slot(q->cp, gv_kiq_given(q)->queues);
	if (!t)
		return FULL;
	rc = gv_kiq_load(q, t, p, q->cp->hws.vmid);
	t->listed = !rc;
	return rc;
}

static int map_queues(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned engine = GV_PKT(p, MAP_QUEUES, ENGINE_SEL);
	struct gv_hws *h = &q->cp->hws;
	int rc = GO_ON;

	if (!h->has_process) {
		gv_guest_error(q->fn, "run list: MAP_QUEUES before any MAP_PROCESS");
		return -EINVAL;
	}
	if (!h->has_vmid)
		rc = place_process(q->cp);
	if (rc)
		return rc;
	switch (engine) {
	case GV_ENGINE_COMPUTE:
		rc = map_compute(q, p);
		break;
	case GV_ENGINE_SDMA0:
	case GV_ENGINE_SDMA1:
		rc = map_sdma(q, p, engine - GV_ENGINE_SDMA0);
		break;
	default:
		gv_unimplemented(q->fn, "run list: MAP_QUEUES for engine %u", engine);
		return GO_ON;
	}
	h->mapped += rc == GO_ON;
	return rc;
}

/* ---- the list ------------------------------------------------------------- */

static void go_to(struct gv_hws *h, const uint32_t *dw)
{
	h->va = gv_pkt_va(dw[1], dw[2]);
	h->pos = 0;
	h->end = GV_GET(dw[3], PM4_RUN_LIST, IB_SIZE);
}

static void go_home(struct gv_hws *h)
{
	h->va = h->home_va;
	h->pos = 0;
	h->end = h->home_end;
}

/* The packet at pos: its first dwords in @dw. *@len: all of it, 0 at the list's end. */
static int fetch(struct gv_queue *q, uint32_t *dw, unsigned *len)
{
	struct gv_hws *h = &q->cp->hws;
	struct gv_mem *mem = gv_cp_mem(q->cp, q->stream[0].vmid);
	uint64_t va = h->va + 4ull * h->pos;
	int rc;

	*len = 0;
	if (h->pos >= h->end)
		return 0;
	rc = gv_mem_read32(mem, va, dw);
	if (!rc)
		*len = gv_pm4_packet_dw(dw[0]); /* what lies behind a list is zeroes */
	if (*len > h->end - h->pos) {
		gv_guest_error(q->fn, "run list: packet 0x%x ends behind it", dw[0]);
		return -EINVAL;
	}
	if (!rc && *len > 1)
		rc = gv_mem_read(mem, va + 4, dw + 1, (GV_MIN(*len, LONGEST) - 1) * 4);
	return gv_pm4_mem_rc(q, rc, LIST_ERROR);
}

static int run_packet(struct gv_queue *q, const struct gv_pkt *p)
{
	unsigned op = GV_GET(p->dw[0], PM4_HEADER, OP);
	int min = gv_pm4_min_dw(op);

	if (op == PM4_NOP || GV_GET(p->dw[0], PM4_HEADER, TYPE) == PM4_TYPE2)
		return GO_ON;
	if (min >= 0 && p->n > (unsigned)min) {
		if (op == PM4_MAP_PROCESS)
			return map_process(q->cp, p);
		if (op == PM4_MAP_QUEUES)
			return map_queues(q, p);
		if (op == PM4_RUN_LIST) {
			go_to(&q->cp->hws, p->dw);
			return GO_ON;
		}
	}
	gv_guest_error(q->fn, "run list: packet 0x%x has no place in it", p->dw[0]);
	return -EINVAL;
}

static bool is_round(const struct gv_hws *h)
{
	return h->read && h->va == h->start_va && h->pos == h->start_pos;
}

/* One packet. */
static int step(struct gv_queue *q)
{
	struct gv_hws *h = &q->cp->hws;
	uint32_t dw[LONGEST] = {0};
	unsigned len = 0;
	int rc = fetch(q, dw, &len);
	struct gv_pkt p = {.dw = dw,
	                   .n = GV_MIN(len, LONGEST),
	                   .vmid = q->stream[0].vmid,
	                   .mem = gv_cp_mem(q->cp, q->stream[0].vmid)};

	if (!rc && len)
		rc = run_packet(q, &p);
	if (rc)
		return rc;
	if (++h->read > GV_HWS_PACKETS) {
		gv_guest_error(q->fn, "run list: more than %u packets", GV_HWS_PACKETS);
		return -E2BIG;
	}
	if (!len)
		go_home(h);
	else if (GV_GET(dw[0], PM4_HEADER, OP) != PM4_RUN_LIST)
		h->pos += len;
	return GO_ON;
}

static void begin_round(struct gv_hws *h)
{
	h->state = GV_HWS_MAP;
	h->start_va = h->va;
	h->start_pos = h->pos;
	h->read = h->mapped = 0;
	h->has_vmid = false;
}

/* Until nothing fits any more, or all is mapped. */
static uint64_t map(struct gv_queue *q, uint64_t now)
{
	struct gv_hws *h = &q->cp->hws;
	int rc = GO_ON;

	for (unsigned n = 0; n < PACKETS_A_TURN; n++) {
		if (is_round(h)) {
			h->state = GV_HWS_ALL;
			return UINT64_MAX;
		}
		rc = step(q);
		if (rc)
			break;
	}
	if (rc == GO_ON)
		return now;
	if (rc == FULL && vmids_in_use(q->cp)) {
		h->state = GV_HWS_SLICE;
		h->slice_end = now + GV_HWS_QUANTUM;
		return now + GV_HWS_IDLE;
	}
	if (rc == FULL)
		gv_guest_error(q->fn, "run list: no HQD or VMID for any of it");
	gv_hws_stop(q->cp);
	return UINT64_MAX;
}

/* ---- turns ---------------------------------------------------------------- */

static int take_down(struct gv_queue *q, bool spare)
{
	struct gv_cp *cp = q->cp;
	bool waits = false;
	int rc = 0;

	for (unsigned i = 0; i < GV_NUM_HQD; i++) {
		struct gv_queue *t = &cp->queue[i];
		int one = gv_hws_has(t, -1) ? gv_unmap_one(q, t, GV_PREEMPT, spare) : 0;

		waits |= one == -EAGAIN;
		if (one && one != -EAGAIN && one != -EBUSY)
			rc = one;
	}
	if (rc || waits)
		return rc ? rc : -EAGAIN;
	return gv_pm4_mem_rc(q, gv_sdma_unmap_listed(cp->fn, -1, UINT32_MAX, false), LIST_ERROR);
}

static bool has_work(const struct gv_cp *cp)
{
	for (unsigned i = 0; i < GV_NUM_HQD; i++)
		if (gv_hws_has(&cp->queue[i], -1) &&
		    (gv_queue_has_work(&cp->queue[i]) || atomic_load(&cp->queue[i].asked)))
			return true;
	return gv_sdma_has_work(cp->fn);
}

static uint64_t slice(struct gv_queue *q, uint64_t now)
{
	struct gv_hws *h = &q->cp->hws;
	uint64_t idle_end = h->slice_end - GV_HWS_QUANTUM + GV_HWS_IDLE;
	bool works = has_work(q->cp);

	if (now < (works ? h->slice_end : idle_end))
		return works ? h->slice_end : idle_end;
	h->state = GV_HWS_PREEMPT;
	return now;
}

static uint64_t preempt(struct gv_queue *q, uint64_t now)
{
	int rc = take_down(q, true);

	if (rc == -EAGAIN)
		return now + GV_HWS_LOOK;
	if (rc)
		gv_hws_stop(q->cp);
	else
		begin_round(&q->cp->hws);
	return rc ? UINT64_MAX : now;
}

uint64_t gv_hws_run(struct gv_cp *cp, uint64_t now)
{
	struct gv_queue *q = &cp->queue[cp->hws.slot];

	if (cp->hws.state == GV_HWS_OFF)
		return UINT64_MAX;
	if (!q->active || q->halted) {
		gv_hws_stop(cp);
		return UINT64_MAX;
	}
	switch (cp->hws.state) {
	case GV_HWS_MAP:
		return map(q, now);
	case GV_HWS_SLICE:
		return slice(q, now);
	case GV_HWS_PREEMPT:
		return preempt(q, now);
	default:
		return UINT64_MAX;
	}
}

bool gv_hws_has_work(const struct gv_cp *cp)
{
	return cp->hws.state != GV_HWS_OFF && cp->hws.state != GV_HWS_ALL;
}

void gv_hws_stop(struct gv_cp *cp)
{
	cp->hws.state = GV_HWS_OFF;
}

int gv_hws_run_list(struct gv_queue *q, const struct gv_pkt *p)
{
	struct gv_hws *h = &q->cp->hws;
	uint32_t limit = GV_PKT(p, RUN_LIST, PROCESS_CNT);
	int rc = gv_kiq_check_scheduler(q);

	if (rc)
		return rc;
	gv_hws_stop(q->cp);
	rc = take_down(q, false); /* what an older list left */
	if (rc)
		return rc == -EAGAIN ? gv_queue_poll(q) : rc;
	*h = (struct gv_hws){.slot = q->slot, .limit = limit ? limit : GV_NUM_VMID};
	go_to(h, p->dw);
	h->home_va = h->va;
	h->home_end = h->end;
	begin_round(h);
	return 0;
}

bool gv_hws_is_valid(const struct gv_hws *h)
{
	return h->state < GV_HWS_STATES && h->slot < GV_NUM_HQD && h->vmid < GV_NUM_VMID &&
	       h->end <= GV_IB_MAX && h->home_end <= GV_IB_MAX && h->va % 4 == 0 &&
	       h->home_va % 4 == 0;
}
