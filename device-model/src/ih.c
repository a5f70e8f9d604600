/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interrupt handler: entries of a function go through a bounded FIFO into its
 * ring 0 in memory, then the MSI-X vector fires.
 *
 *   gv_ih_post --> FIFO --> worker or gv_ih_drain --> ring, wptr, write-back --> vector 0
 *
 * Rings 1 and 2 have their registers and doorbells; nothing is routed to them.
 */
#include <string.h>

#include "device.h"

#define FIFO_ENTRIES   256u
#define MAX_RING_BYTES (4ull << IH_RB_WPTR__OFFSET__BITS) /* what the pointers can express */
#define IV_BYTES       ((uint32_t)sizeof(struct gv_ih_iv))

struct gv_ih {
	struct gv_worker worker;
	pthread_mutex_t fifo_lock; /* leaf: taken under any lock */
	struct gv_ih_iv fifo[FIFO_ENTRIES];
	unsigned first, count;
	bool lost;                    /* an entry found the FIFO full */
	pthread_mutex_t deliver_lock; /* one deliverer at a time; mem_lock is held, dev->lock not */
	struct gv_mem mem;            /* under deliver_lock */
	_Atomic bool armed;           /* RPTR_REARM: the vector may fire (again) */
	_Atomic bool raise;           /* fire if entries wait, though none is new */
};

struct gv_ih_iv gv_ih_iv(enum gv_ih_client client, enum gv_ih_src src, unsigned ring_id,
                         unsigned vmid, enum gv_hub hub)
{
	uint64_t now = gv_dev_clock();
	struct gv_ih_iv iv = {{0}};

	iv.dw[0] = GV_PUT(IH_IV0, CLIENT_ID, client) | GV_PUT(IH_IV0, SRC_ID, src) |
	           GV_PUT(IH_IV0, RING_ID, ring_id) | GV_PUT(IH_IV0, VMID, vmid) |
	           GV_PUT(IH_IV0, VMID_SRC, hub == GV_HUB_MM);
	iv.dw[1] = (uint32_t)now;
	iv.dw[2] = (uint32_t)(now >> 32) & gv_mask(0, 16);
	return iv;
}

void gv_ih_add(struct gv_fn *f, const struct gv_ih_iv *iv)
{
	struct gv_ih *ih = f->ih;

	(void)pthread_mutex_lock(&ih->fifo_lock);
	if (ih->count < FIFO_ENTRIES)
		ih->fifo[(ih->first + ih->count++) % FIFO_ENTRIES] = *iv;
	else
		ih->lost = true;
	(void)pthread_mutex_unlock(&ih->fifo_lock);
}

void gv_ih_post(struct gv_fn *f, const struct gv_ih_iv *iv)
{
	gv_ih_add(f, iv);
	gv_worker_kick(&f->ih->worker);
}

static bool take(struct gv_ih *ih, struct gv_ih_iv *iv, bool *lost)
{
	bool got = false;

	(void)pthread_mutex_lock(&ih->fifo_lock);
	*lost = ih->lost;
	ih->lost = false;
	if (ih->count) {
		*iv = ih->fifo[ih->first];
		ih->first = (ih->first + 1) % FIFO_ENTRIES;
		ih->count--;
		got = true;
	}
	(void)pthread_mutex_unlock(&ih->fifo_lock);
	return got;
}

/* ---- the ring ------------------------------------------------------------------ */

struct ring {
	uint32_t cntl, bytes;
	uint64_t base, wptr_addr;
};

/* What the registers say now, checked. False: no entry can be written. */
static bool read_ring(struct gv_fn *f, struct ring *r)
{
	uint64_t bytes;
	unsigned space;

	r->cntl = GV_RGET(f, IH_RB_CNTL);
	if (!GV_GET(r->cntl, IH_RB_CNTL, RB_ENABLE))
		return false;
	bytes = 4ull << GV_GET(r->cntl, IH_RB_CNTL, RB_SIZE);
	if (bytes < 2 * IV_BYTES) {
		gv_guest_error(f, "IH ring of %u bytes", (unsigned)bytes);
		return false;
	}
	space = GV_GET(r->cntl, IH_RB_CNTL, MC_SPACE);
	if (space != GV_IH_MC_SPACE_BUS && space != GV_IH_MC_SPACE_GPU_VA) {
		gv_unimplemented(f, "IH ring in MC_SPACE %u", space);
		return false;
	}
	r->bytes = (uint32_t)GV_MIN(bytes, MAX_RING_BYTES);
	r->base = (GV_RGET(f, IH_RB_BASE) | (uint64_t)GV_RGET(f, IH_RB_BASE_HI) << 32) << 8;
	r->wptr_addr = GV_RGET(f, IH_RB_WPTR_ADDR_LO) | (uint64_t)GV_RGET(f, IH_RB_WPTR_ADDR_HI)
	                                                        << 32;
	return true;
}

/* The view of a ring in GPU VA space. */
static struct gv_mem *va_space(struct gv_fn *f, const struct ring *r)
{
	struct gv_ih *ih = f->ih;
	uint8_t vmid = (uint8_t)GV_GET(r->cntl, IH_RB_CNTL, MC_VMID);

	if (ih->mem.vmid != vmid)
		gv_mem_init(&ih->mem, f, GV_HUB_MM, vmid, 0);
	ih->mem.quiet = true; /* a fault entry for the fault ring would never end */
	return &ih->mem;
}

static int put_entry(struct gv_fn *f, const struct ring *r, uint64_t at, const struct gv_ih_iv *iv)
{
	if (GV_GET(r->cntl, IH_RB_CNTL, MC_SPACE) == GV_IH_MC_SPACE_BUS)
		return gv_mem_bus_write(f, at, iv, sizeof(*iv));
	return gv_mem_write(va_space(f, r), at, iv, sizeof(*iv));
}

/* In one piece: the driver polls it. */
static int put_wptr(struct gv_fn *f, const struct ring *r, uint32_t wptr)
{
	const struct gv_dev_host *h = &f->dev->host;
	uint64_t bytes = sizeof(wptr);
	uint32_t *at;

	if (GV_GET(r->cntl, IH_RB_CNTL, MC_SPACE) != GV_IH_MC_SPACE_BUS)
		return gv_mem_write32(va_space(f, r), r->wptr_addr, wptr);
	at = h->dma_ptr ? h->dma_ptr(h->arg, f->index, r->wptr_addr, &bytes, true) : NULL;
	if (!at || bytes < sizeof(wptr) || (uintptr_t)at % sizeof(wptr))
		return gv_mem_bus_write(f, r->wptr_addr, &wptr, sizeof(wptr));
	__atomic_store_n(at, wptr, __ATOMIC_RELEASE);
	return 0;
}

static uint32_t overflow_bit(void)
{
	return GV_PUT(IH_RB_WPTR, RB_OVERFLOW, 1);
}

static void flag_overflow(struct gv_fn *f)
{
	GV_RPUT(f, IH_RB_WPTR, GV_RGET(f, IH_RB_WPTR) | overflow_bit());
	if (gv_fn_is_vf(f))
		GV_RPUT(f, IH_VF_RB_STATUS,
		        GV_RGET(f, IH_VF_RB_STATUS) |
		                gv_mask(IH_VF_RB_STATUS__RB_OVERFLOW_VF__LO + gv_fn_vf(f), 1));
}

static uint32_t offset_of(uint32_t ptr, const struct ring *r)
{
	/* A pointer between two entries is the driver's nonsense: keep inside the ring. */
	return ptr & (r->bytes - 1) & ~(IV_BYTES - 1);
}

/* Advance the write pointer past an entry that is in memory. The oldest entry was overwritten
 * when that makes the ring look empty: the driver then starts over at wptr + one entry. */
static void advance(struct gv_fn *f, const struct ring *r, uint32_t at, bool lost)
{
	uint32_t next = (at + IV_BYTES) & (r->bytes - 1), wptr;

	(void)pthread_mutex_lock(&f->dev->lock);
	wptr = GV_RGET(f, IH_RB_WPTR);
	GV_RPUT(f, IH_RB_WPTR, next | (wptr & overflow_bit()));
	if (lost || next == offset_of(GV_RGET(f, IH_RB_RPTR), r))
		flag_overflow(f);
	(void)pthread_mutex_unlock(&f->dev->lock);
}

static bool full(struct gv_fn *f, const struct ring *r, uint32_t at)
{
	return ((at + IV_BYTES) & (r->bytes - 1)) == offset_of(GV_RGET(f, IH_RB_RPTR), r);
}

static void set_pasid(struct gv_fn *f, struct gv_ih_iv *iv)
{
	unsigned vmid = GV_GET(iv->dw[0], IH_IV0, VMID);

	iv->dw[3] = GV_GET(iv->dw[0], IH_IV0, VMID_SRC)
	                    ? gv_reg_get(f, GV_REG_IH_VMID_0_LUT_MM, vmid)
	                    : gv_reg_get(f, GV_REG_IH_VMID_0_LUT, vmid);
}

/* Returns whether the entry is in the ring. */
static bool deliver(struct gv_fn *f, const struct ring *r, struct gv_ih_iv *iv, bool lost)
{
	uint32_t at = offset_of(GV_RGET(f, IH_RB_WPTR), r);

	if (full(f, r, at) && !GV_GET(r->cntl, IH_RB_CNTL, WPTR_OVERFLOW_ENABLE)) {
		(void)pthread_mutex_lock(&f->dev->lock);
		flag_overflow(f);
		(void)pthread_mutex_unlock(&f->dev->lock);
		return false;
	}
	set_pasid(f, iv);
	if (put_entry(f, r, r->base + at, iv)) {
		gv_guest_error(f, "IH ring at 0x%llx is not reachable",
		               (unsigned long long)r->base);
		return false;
	}
	gv_dma_to_device(); /* the entry is there before the pointer says so */
	advance(f, r, at, lost);
	return true;
}

static void write_back(struct gv_fn *f, const struct ring *r)
{
	if (GV_GET(r->cntl, IH_RB_CNTL, WPTR_WRITEBACK_ENABLE) &&
	    put_wptr(f, r, GV_RGET(f, IH_RB_WPTR)))
		gv_guest_error(f, "IH write-back at 0x%llx is not reachable",
		               (unsigned long long)r->wptr_addr);
}

/* Equal pointers mean an empty ring, unless it overflowed. */
static bool entries_wait(struct gv_fn *f)
{
	uint32_t wptr = GV_RGET(f, IH_RB_WPTR), rptr = GV_RGET(f, IH_RB_RPTR);

	return GV_GET(wptr, IH_RB_WPTR, OFFSET) != GV_GET(rptr, IH_RB_RPTR, OFFSET) ||
	       GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW);
}

/* Entries wait and the vector may fire. */
static void fire_if_due(struct gv_fn *f)
{
	uint32_t cntl = GV_RGET(f, IH_RB_CNTL);
	bool rearm = GV_GET(cntl, IH_RB_CNTL, RPTR_REARM);

	if (!GV_GET(cntl, IH_RB_CNTL, RB_ENABLE) || !GV_GET(cntl, IH_RB_CNTL, ENABLE_INTR) ||
	    !entries_wait(f))
		return;
	if (rearm && !atomic_exchange(&f->ih->armed, false))
		return;
	gv_pci_irq(f, 0);
}

void gv_ih_drain(struct gv_fn *f)
{
	struct gv_ih *ih = f->ih;
	struct gv_ih_iv iv;
	bool lost, any = false, on;
	struct ring r = {0};

	(void)pthread_mutex_lock(&ih->deliver_lock);
	on = read_ring(f, &r);
	for (unsigned k = 0; k < FIFO_ENTRIES && take(ih, &iv, &lost); k++)
		any |= on && deliver(f, &r, &iv, lost);
	if (any) {
		write_back(f, &r);
		fire_if_due(f);
	}
	(void)pthread_mutex_unlock(&ih->deliver_lock);
}

static uint64_t run(void *arg)
{
	struct gv_fn *f = arg;
	bool more;

	gv_fn_mem_enter(f);
	gv_ih_drain(f);
	gv_fn_mem_leave(f);
	if (atomic_exchange(&f->ih->raise, false))
		fire_if_due(f);
	(void)pthread_mutex_lock(&f->ih->fifo_lock);
	more = f->ih->count > 0;
	(void)pthread_mutex_unlock(&f->ih->fifo_lock);
	return more ? 0 : UINT64_MAX;
}

/* ---- registers: under dev->lock --------------------------------------------------- */

/* The vector may fire, and does so from the worker if entries wait. */
static void raise_later(struct gv_fn *f)
{
	atomic_store(&f->ih->armed, true);
	if (!entries_wait(f))
		return;
	atomic_store(&f->ih->raise, true);
	gv_worker_kick(&f->ih->worker);
}

static void rearm(struct gv_fn *f)
{
	if (!GV_GET(GV_RGET(f, IH_RB_CNTL), IH_RB_CNTL, RPTR_REARM))
		return;
	raise_later(f);
}

void gv_ih_doorbell(struct gv_fn *f, unsigned ring, uint32_t rptr)
{
	static const enum gv_reg regs[] = {GV_REG_IH_RB_RPTR, GV_REG_IH_RB_RPTR_RING1,
	                                   GV_REG_IH_RB_RPTR_RING2};

	if (ring >= GV_ARRAY_LEN(regs))
		return;
	/* At once: see read_rptr(). */
	gv_reg_put(f, regs[ring], 0, rptr & gv_reg_info(regs[ring])->rw);
	if (ring == 0)
		rearm(f);
}

static void wrote_rptr(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	(void)now;
	rearm(f);
}

/* A driver reads it back after each doorbell and rings again when it differs (vega10_ih.c). Where
 * the doorbell page is mapped, nobody may have looked there yet. */
static uint32_t read_rptr(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	uint32_t doorbell = GV_RGET(f, IH_DOORBELL_RPTR);

	(void)i;
	if (!GV_GET(doorbell, IH_DOORBELL_RPTR, ENABLE))
		return stored;
	gv_doorbell_look(f, GV_GET(doorbell, IH_DOORBELL_RPTR, OFFSET));
	return GV_RGET(f, IH_RB_RPTR);
}

static void clear_overflow(struct gv_fn *f, enum gv_reg wptr, uint32_t cntl)
{
	uint32_t bits;

	if (!GV_GET(cntl, IH_RB_CNTL, WPTR_OVERFLOW_CLEAR))
		return;
	gv_reg_put(f, wptr, 0, gv_reg_get(f, wptr, 0) & ~overflow_bit());
	if (!gv_fn_is_vf(f) || wptr != GV_REG_IH_RB_WPTR)
		return;
	bits = gv_mask(IH_VF_RB_STATUS__RB_OVERFLOW_VF__LO + gv_fn_vf(f), 1);
	GV_RPUT(f, IH_VF_RB_STATUS, GV_RGET(f, IH_VF_RB_STATUS) & ~bits);
}

static void wrote_cntl(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	clear_overflow(f, GV_REG_IH_RB_WPTR, now);
	if (!GV_GET(now & ~was, IH_RB_CNTL, RB_ENABLE) &&
	    !GV_GET(now & ~was, IH_RB_CNTL, ENABLE_INTR))
		return;
	raise_later(f);
}

static void wrote_cntl1(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	clear_overflow(f, GV_REG_IH_RB_WPTR_RING1, now);
}

static void wrote_cntl2(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	clear_overflow(f, GV_REG_IH_RB_WPTR_RING2, now);
}

static void wrote_doorbell(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	if (GV_GET(was, IH_DOORBELL_RPTR, ENABLE))
		gv_doorbell_watch(f, GV_GET(was, IH_DOORBELL_RPTR, OFFSET), false);
	if (GV_GET(now, IH_DOORBELL_RPTR, ENABLE))
		gv_doorbell_watch(f, GV_GET(now, IH_DOORBELL_RPTR, OFFSET), true);
}

static uint32_t read_status(struct gv_fn *f, uint32_t i, uint32_t stored)
{
	uint32_t wptr = GV_RGET(f, IH_RB_WPTR);

	(void)i;
	return stored | GV_PUT(IH_STATUS, IDLE, 1) | GV_PUT(IH_STATUS, INPUT_IDLE, 1) |
	       GV_PUT(IH_STATUS, BUFFER_IDLE, 1) | GV_PUT(IH_STATUS, MC_WR_IDLE, 1) |
	       GV_PUT(IH_STATUS, RB_OVERFLOW, GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW));
}

static void wrote_reset_req(struct gv_fn *f, uint32_t i, uint32_t was, uint32_t now)
{
	(void)i;
	(void)was;
	gv_unimplemented(f, "IH_VIRT_RESET_REQ = 0x%x", now);
}

static const struct gv_reg_hook rows[] = {
        {GV_REG_IH_RB_CNTL, wrote_cntl, NULL},
        {GV_REG_IH_RB_CNTL_RING1, wrote_cntl1, NULL},
        {GV_REG_IH_RB_CNTL_RING2, wrote_cntl2, NULL},
        {GV_REG_IH_RB_RPTR, wrote_rptr, read_rptr},
        {GV_REG_IH_DOORBELL_RPTR, wrote_doorbell, NULL},
        {GV_REG_IH_DOORBELL_RPTR_RING1, wrote_doorbell, NULL},
        {GV_REG_IH_DOORBELL_RPTR_RING2, wrote_doorbell, NULL},
        {GV_REG_IH_STATUS, NULL, read_status},
        {GV_REG_IH_VIRT_RESET_REQ, wrote_reset_req, NULL},
};
const struct gv_reg_hooks gv_ih_hooks = {rows, GV_ARRAY_LEN(rows)};

/* ---- life --------------------------------------------------------------------------- */

int gv_ih_init(struct gv_fn *f)
{
	struct gv_ih *ih = calloc(1, sizeof(*ih));
	char name[16] = "gv-ih-";

	if (!ih)
		return -ENOMEM;
	(void)pthread_mutex_init(&ih->fifo_lock, NULL);
	(void)pthread_mutex_init(&ih->deliver_lock, NULL);
	f->ih = ih;
	gv_mem_init(&ih->mem, f, GV_HUB_MM, 0, 0);
	memcpy(name + strlen(name), f->name, sizeof(f->name));
	return gv_worker_start(&ih->worker, name, run, f);
}

void gv_ih_done(struct gv_fn *f)
{
	if (!f->ih)
		return;
	gv_worker_stop(&f->ih->worker);
	(void)pthread_mutex_destroy(&f->ih->deliver_lock);
	(void)pthread_mutex_destroy(&f->ih->fifo_lock);
	free(f->ih);
	f->ih = NULL;
}

void gv_ih_reset(struct gv_fn *f)
{
	(void)pthread_mutex_lock(&f->ih->fifo_lock);
	f->ih->first = f->ih->count = 0;
	f->ih->lost = false;
	(void)pthread_mutex_unlock(&f->ih->fifo_lock);
	atomic_store(&f->ih->armed, true);
	atomic_store(&f->ih->raise, false);
	gv_mem_init(&f->ih->mem, f, GV_HUB_MM, 0, 0);
}

void gv_ih_pause(struct gv_fn *f)
{
	gv_worker_pause(&f->ih->worker);
}

void gv_ih_resume(struct gv_fn *f)
{
	gv_worker_resume(&f->ih->worker);
}
