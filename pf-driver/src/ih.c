/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF's interrupt ring: in system memory, vector 0. */
#include <string.h>
#include <unistd.h>

#include "pf.h"

#define RING_ENTRIES (PF_IH_RING_BYTES / sizeof(struct gv_ih_iv))

static unsigned log2_of(uint64_t x)
{
	return (unsigned)(63 - __builtin_clzll(x));
}

static uint32_t ring_cntl(bool on)
{
	return GV_PUT(IH_RB_CNTL, MC_SPACE, GV_IH_MC_SPACE_BUS) |
	       GV_PUT(IH_RB_CNTL, RB_SIZE, log2_of(PF_IH_RING_BYTES / 4)) |
	       GV_PUT(IH_RB_CNTL, RB_GPU_TS_ENABLE, 1) |
	       GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_ENABLE, 1) |
	       GV_PUT(IH_RB_CNTL, WPTR_WRITEBACK_ENABLE, 1) | GV_PUT(IH_RB_CNTL, MC_SNOOP, 1) |
	       GV_PUT(IH_RB_CNTL, RB_ENABLE, on) | GV_PUT(IH_RB_CNTL, ENABLE_INTR, on);
}

static int program(struct gv_pf *pf, struct gv_err *err)
{
	uint64_t ring = pf->ih.ring.iova, wb = pf->ih.wb.iova;
	const uint32_t rows[][2] = {
	        {IH_RB_CNTL__BYTE, ring_cntl(false)},
	        {IH_RB_BASE__BYTE, (uint32_t)(ring >> 8)},
	        {IH_RB_BASE_HI__BYTE, (uint32_t)(ring >> 40)},
	        {IH_RB_WPTR_ADDR_LO__BYTE, (uint32_t)wb},
	        {IH_RB_WPTR_ADDR_HI__BYTE, (uint32_t)(wb >> 32)},
	        {IH_RB_RPTR__BYTE, 0},
	        {IH_RB_WPTR__BYTE, 0},
	        {IH_DOORBELL_RPTR__BYTE, GV_PUT(IH_DOORBELL_RPTR, OFFSET, GV_DOORBELL_IH) |
	                                         GV_PUT(IH_DOORBELL_RPTR, ENABLE, 1)},
	        {IH_RB_CNTL__BYTE, ring_cntl(true)},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < GV_ARRAY_LEN(rows); i++)
		rc = pf_set(pf, rows[i][0], rows[i][1], 0, err);
	if (!rc)
		rc = pf_expect(pf, IH_RB_BASE__BYTE, UINT32_MAX, (uint32_t)(ring >> 8), err);
	if (!rc)
		rc = pf_expect(pf, IH_RB_CNTL__BYTE,
		               gv_mask(IH_RB_CNTL__RB_ENABLE__LO, IH_RB_CNTL__RB_ENABLE__BITS),
		               ring_cntl(true), err);
	return rc;
}

int pf_ih_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc = gv_dma_alloc(pf->bus, PF_IH_RING_BYTES, &pf->ih.ring);

	pf->ih.eventfd = -1;
	pf->ih.rptr = 0;
	if (!rc)
		rc = gv_dma_alloc(pf->bus, 4096, &pf->ih.wb);
	if (rc)
		return gv_fail(err, rc, "interrupt ring: %s", strerror(-rc));
	rc = gv_bus_irq_enable(pf->bus, 0, &pf->ih.eventfd);
	if (rc)
		return gv_fail(err, rc, "MSI-X vector 0: %s", strerror(-rc));
	return program(pf, err);
}

void pf_ih_quiet(struct gv_pf *pf)
{
	uint32_t cntl = gv_rd32(pf->bus, IH_RB_CNTL__BYTE);

	cntl = GV_SET(cntl, IH_RB_CNTL, RB_ENABLE, 0);
	gv_wr32(pf->bus, IH_RB_CNTL__BYTE, GV_SET(cntl, IH_RB_CNTL, ENABLE_INTR, 0));
	(void)gv_rd32(pf->bus, IH_RB_CNTL__BYTE);
}

/* Off before its memory goes; what else was in there comes back with the rest. */
void pf_ih_fini(struct gv_pf *pf)
{
	pf_ih_quiet(pf);
	gv_dma_free(pf->bus, &pf->ih.ring);
	gv_dma_free(pf->bus, &pf->ih.wb);
	pf->ih.eventfd = -1;
}

int gv_pf_irq_fd(const struct gv_pf *pf)
{
	return pf->booted ? pf->ih.eventfd : -1;
}

/* What the entries of one pass ask for. Mailboxes and fault registers hold one thing each, so one
 * look does, however often a VF has interrupted: a storm of one must not cost the others time. */
struct due {
	uint32_t message, acked, fault; /* VF bits; hubs */
};

static void look(struct gv_pf *pf, const struct due *due)
{
	for (unsigned i = 0; i < GV_PF_MAX_VFS; i++) {
		if (due->acked >> i & 1)
			pf_mailbox_acked(pf, i);
		if (due->message >> i & 1)
			pf_mailbox_look(pf, i, true);
	}
	for (unsigned hub = 0; hub < 2; hub++)
		if (due->fault >> hub & 1)
			pf_fault_interrupt(pf, hub);
}

static uint32_t vf_bit(const struct gv_ih_iv *iv)
{
	return iv->dw[4] < GV_PF_MAX_VFS ? 1u << iv->dw[4] : 0;
}

static void dispatch(struct gv_pf *pf, const struct gv_ih_iv *iv, struct due *due)
{
	uint32_t client = GV_GET(iv->dw[0], IH_IV0, CLIENT_ID);
	uint32_t src = GV_GET(iv->dw[0], IH_IV0, SRC_ID);

	pf->interrupts++;
	if (client == GV_IH_CLIENT_BIF && src == GV_IH_SRC_BIF_PF_MSGBUF_VALID)
		due->message |= vf_bit(iv);
	else if (client == GV_IH_CLIENT_BIF && src == GV_IH_SRC_BIF_PF_MSGBUF_ACK)
		due->acked |= vf_bit(iv);
	else if (client == GV_IH_CLIENT_BIF && src == GV_IH_SRC_BIF_GPUIOV)
		pf_world_interrupt(pf, iv->dw[4], iv->dw[1] | (uint64_t)(iv->dw[2] & 0xffff) << 32);
	else if ((client == GV_IH_CLIENT_VMC || client == GV_IH_CLIENT_UTCL2) &&
	         src == GV_IH_SRC_VM_FAULT)
		due->fault |= 1u << GV_GET(iv->dw[0], IH_IV0, VMID_SRC);
	else if (client != GV_IH_CLIENT_SDMA0) /* our own fences are polled */
		pf->unknown_interrupts++;
}

static uint32_t read_wptr(struct gv_pf *pf)
{
	uint32_t wptr = __atomic_load_n((const uint32_t *)pf->ih.wb.cpu, __ATOMIC_ACQUIRE);

	if (GV_GET(wptr, IH_RB_WPTR, RB_OVERFLOW)) {
		uint32_t cntl = ring_cntl(true);

		pf->ring_overflows++;
		wptr = gv_rd32(pf->bus, IH_RB_WPTR__BYTE);
		gv_wr32(pf->bus, IH_RB_CNTL__BYTE,
		        cntl | GV_PUT(IH_RB_CNTL, WPTR_OVERFLOW_CLEAR, 1));
		gv_wr32(pf->bus, IH_RB_CNTL__BYTE, cntl);
		pf->poll_ns = 0; /* entries are lost: look at everything */
	}
	gv_dma_from_device();
	/* whole entries inside the ring, whatever the device wrote there */
	return wptr & (uint32_t)(PF_IH_RING_BYTES - 1) & ~(uint32_t)(sizeof(struct gv_ih_iv) - 1);
}

unsigned gv_pf_handle_irq(struct gv_pf *pf)
{
	struct due due = {0};
	uint64_t ticks;
	uint32_t wptr;
	unsigned n = 0;

	if (!pf->ih.ring.bytes)
		return 0;
	if (pf->ih.eventfd >= 0 && read(pf->ih.eventfd, &ticks, sizeof(ticks)) < 0)
		ticks = 0; /* nothing was pending, entries may still have come */
	wptr = read_wptr(pf);
	while (pf->ih.rptr != wptr && n < RING_ENTRIES) {
		struct gv_ih_iv iv;

		memcpy(&iv, (const char *)pf->ih.ring.cpu + pf->ih.rptr, sizeof(iv));
		pf->ih.rptr = (pf->ih.rptr + (uint32_t)sizeof(iv)) & (PF_IH_RING_BYTES - 1);
		dispatch(pf, &iv, &due);
		n++;
	}
	if (n) {
		gv_wr32(pf->bus, IH_RB_RPTR__BYTE, pf->ih.rptr);
		gv_doorbell64(pf->bus, GV_DOORBELL_IH * 4, pf->ih.rptr);
	}
	look(pf, &due);
	return n;
}
