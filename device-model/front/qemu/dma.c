/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An engine reaches guest memory as the function it works for: through that function's own
 * address space, so Bus Master Enable and an emulated IOMMU apply to its requester id, and the
 * guest's kernel sees a fault of that VF.
 *
 * All of it runs under the BQL: a translation that fails makes the emulated IOMMU raise an
 * interrupt, which QEMU does under the BQL only.
 */
#include "front.h"

/* How much is copied before others get the BQL. */
#define GVQ_DMA_SLICE (64 * GV_KIB)

/* Under the BQL. */
static int access_once(struct gvq_front *front, unsigned func, uint64_t iova, void *buf, size_t n,
                       DMADirection dir)
{
	PCIDevice *pdev = front->pdev[func];
	MemTxResult res;

	if (!pdev)
		return -ENODEV;
	res = pci_dma_rw(pdev, iova, buf, n, dir, MEMTXATTRS_UNSPECIFIED);
	if (res != MEMTX_OK && front->trace)
		error_report("gpuvisor-gpu: function %u: DMA %s of %zu bytes at 0x%" PRIx64
		             " refused (%u)",
		             func, dir == DMA_DIRECTION_TO_DEVICE ? "read" : "write", n, iova, res);
	return res == MEMTX_OK ? 0 : -EFAULT;
}

static int access_all(struct gvq_front *front, unsigned func, uint64_t iova, uint8_t *buf, size_t n,
                      DMADirection dir)
{
	int rc = 0;

	while (n && !rc) {
		size_t now = GV_MIN(n, GVQ_DMA_SLICE);
		bool locked = bql_locked();

		if (!locked)
			bql_lock();
		rc = access_once(front, func, iova, buf, now, dir);
		if (!locked)
			bql_unlock();
		iova += now;
		buf += now;
		n -= now;
	}
	return rc;
}

int gvq_dma_read(void *arg, unsigned func, uint64_t iova, void *buf, size_t n)
{
	return access_all(arg, func, iova, buf, n, DMA_DIRECTION_TO_DEVICE);
}

int gvq_dma_write(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n)
{
	/* pci_dma_rw() has one pointer for both directions and only reads from it here. */
	return access_all(arg, func, iova, (uint8_t *)(uintptr_t)buf, n, DMA_DIRECTION_FROM_DEVICE);
}
