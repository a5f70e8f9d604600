/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies and fills by SDMA, in the addresses of a VM. */
#include "guest.h"

/* Packets of one kind, until the bytes or the slot are used up. */
struct job {
	uint64_t dst, src;
	uint32_t pattern;
	bool fill;
	uint64_t left;
};

static unsigned put_copy(uint32_t *dw, const struct job *j, uint32_t n)
{
	dw[0] = GV_SDMA_HEADER(COPY_LINEAR);
	dw[1] = GV_PUT(SDMA_COPY_LINEAR, count, n - 1);
	dw[2] = 0;
	dw[3] = (uint32_t)j->src;
	dw[4] = (uint32_t)(j->src >> 32);
	dw[5] = (uint32_t)j->dst;
	dw[6] = (uint32_t)(j->dst >> 32);
	return SDMA_COPY_LINEAR__DW;
}

static unsigned put_fill(uint32_t *dw, const struct job *j, uint32_t n)
{
	enum { FILL_DWORDS = 2 };

	dw[0] = GV_SDMA_HEADER(CONSTANT_FILL) | GV_PUT(SDMA_CONSTANT_FILL, fillsize, FILL_DWORDS);
	dw[1] = (uint32_t)j->dst;
	dw[2] = (uint32_t)(j->dst >> 32);
	dw[3] = j->pattern;
	dw[4] = GV_PUT(SDMA_CONSTANT_FILL, count, n - 1);
	return SDMA_CONSTANT_FILL__DW;
}

/* Fill one command slot and queue it. */
static int run_slot(struct gv_guest_queue *q, unsigned vmid, struct job *j, uint64_t *seq,
                    struct gv_err *err)
{
	unsigned slot = 0, n = 0, room = GV_IB_SLOT_BYTES / 4 - 16;
	uint32_t *dw;
	int rc = gv_ib_slot(q, &slot, err);

	if (rc)
		return rc;
	dw = (uint32_t *)(void *)((uint8_t *)q->ib->dma.cpu + slot * GV_IB_SLOT_BYTES);
	while (j->left && n < room) {
		uint32_t bytes = (uint32_t)GV_MIN(j->left, (uint64_t)SDMA_MAX_COPY_BYTES);

		n += j->fill ? put_fill(&dw[n], j, bytes) : put_copy(&dw[n], j, bytes);
		j->dst += bytes;
		j->src += bytes;
		j->left -= bytes;
	}
	while (n & 7)
		dw[n++] = GV_SDMA_HEADER(NOP);
	rc = gv_ib_submit(q, vmid, q->ib->va + slot * GV_IB_SLOT_BYTES, n, seq, err);
	if (!rc)
		q->ib_seq[slot] = *seq;
	return rc;
}

static int run(struct gv_guest_queue *q, const struct gv_guest_vm *vm, struct job *j, uint64_t *seq,
               struct gv_err *err)
{
	int rc = 0;

	if (!q->up || q->type != GV_QUEUE_SDMA)
		return gv_fail(err, -ENXIO, "%s is not an SDMA queue that is up", q->name);
	if (!j->left)
		return gv_fail(err, -EINVAL, "nothing to copy");
	(void)pthread_mutex_lock(&q->lock);
	while (j->left && !rc)
		rc = run_slot(q, vm->vmid, j, seq, err);
	(void)pthread_mutex_unlock(&q->lock);
	return rc;
}

int gv_guest_sdma_copy(struct gv_guest_queue *q, const struct gv_guest_vm *vm, uint64_t dst_va,
                       uint64_t src_va, uint64_t bytes, uint64_t *seq, struct gv_err *err)
{
	struct job j = {.dst = dst_va, .src = src_va, .left = bytes};

	return run(q, vm, &j, seq, err);
}

int gv_guest_sdma_fill(struct gv_guest_queue *q, const struct gv_guest_vm *vm, uint64_t dst_va,
                       uint32_t pattern, uint64_t bytes, uint64_t *seq, struct gv_err *err)
{
	struct job j = {.dst = dst_va, .pattern = pattern, .fill = true, .left = bytes};

	if ((dst_va | bytes) & 3)
		return gv_fail(err, -EINVAL, "a fill must be dword aligned");
	return run(q, vm, &j, seq, err);
}
