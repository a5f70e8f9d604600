/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "guest.h"

#define STAGING_BYTES (4 * GV_MIB)

/* ---- memory behind a buffer ---------------------------------------------------- */

static int add_extent(struct gv_guest_buf *buf, uint64_t off, uint64_t bytes)
{
	struct gv_extent *e = realloc(buf->extent, (buf->extents + 1) * sizeof(*e));

	if (!e)
		return -ENOMEM;
	buf->extent = e;
	e[buf->extents++] = (struct gv_extent){off, bytes};
	return 0;
}

static void give_vram(struct gv_guest_buf *buf)
{
	for (unsigned i = 0; i < buf->extents && buf->g->vram_ready; i++)
		(void)gv_heap_give(&buf->g->vram, buf->extent[i].off, buf->extent[i].bytes);
	free(buf->extent);
	buf->extent = NULL;
	buf->extents = 0;
}

/* One piece if there is one, else as few as halving finds. */
static int take_vram(struct gv_guest_buf *buf)
{
	bool visible = buf->where == GV_GUEST_VRAM_VISIBLE;
	struct gv_guest *g = buf->g;
	uint64_t hi = visible ? g->visible_bytes : g->fb_bytes, left = buf->bytes, piece = left;

	while (left) {
		uint64_t off = 0, align;
		int rc;

		piece = GV_MIN(piece, left);
		align = piece >= 1ull << GV_GPU_HUGE_SHIFT ? 1ull << GV_GPU_HUGE_SHIFT
		                                           : GV_GPU_PAGE;
		/* what the CPU need not see comes from the top, where it cannot see */
		rc = gv_heap_take(&g->vram, piece, align, 0, hi, !visible, &off);
		if (rc && align > GV_GPU_PAGE)
			rc = gv_heap_take(&g->vram, piece, GV_GPU_PAGE, 0, hi, !visible, &off);
		if (!rc) {
			rc = add_extent(buf, off, piece);
			if (rc)
				(void)gv_heap_give(&g->vram, off, piece);
			left -= rc ? 0 : piece;
		}
		if (rc == -ENOSPC && piece > GV_GPU_PAGE) {
			piece = (piece / 2 + GV_GPU_PAGE - 1) & ~(uint64_t)(GV_GPU_PAGE - 1);
			continue;
		}
		if (rc) {
			give_vram(buf);
			return -ENOMEM;
		}
	}
	return 0;
}

static int take_memory(struct gv_guest_buf *buf, struct gv_err *err)
{
	struct gv_guest *g = buf->g;
	int rc;

	if (buf->where == GV_GUEST_SYSTEM) {
		rc = gv_dma_alloc(g->bus, buf->bytes, &buf->dma);
		return rc ? gv_fail(err, rc, "no DMA memory for %llu bytes",
		                    (unsigned long long)buf->bytes)
		          : 0;
	}
	/* do not halve our way through what cannot succeed */
	if (buf->bytes > g->vram.free_bytes || take_vram(buf))
		return gv_fail(
		        err, -ENOMEM, "out of video memory: %llu bytes asked, %llu of %llu free",
		        (unsigned long long)buf->bytes, (unsigned long long)g->vram.free_bytes,
		        (unsigned long long)g->fb_bytes);
	return 0;
}

/* ---- life ---------------------------------------------------------------------- */

static uint64_t va_align(uint64_t bytes)
{
	return bytes >= 1ull << GV_GPU_HUGE_SHIFT ? 1ull << GV_GPU_HUGE_SHIFT : 65536;
}

/* One page after the buffer stays unmapped, so that running over its end faults. */
static uint64_t va_bytes(const struct gv_guest_buf *buf)
{
	return buf->bytes + GV_GPU_PAGE;
}

static int take_va(struct gv_guest_buf *buf, bool low)
{
	struct gv_heap *heap = &buf->vm->va;
	int rc = -ENOSPC;

	if (!low && buf->vm->levels == 4)
		rc = gv_heap_take(heap, va_bytes(buf), va_align(buf->bytes), GV_VM_HIGH_START,
		                  UINT64_MAX, false, &buf->va);
	if (rc)
		rc = gv_heap_take(heap, va_bytes(buf), va_align(buf->bytes), 0, UINT64_MAX, false,
		                  &buf->va);
	return rc;
}

static void unlink_buf(struct gv_guest_buf *buf)
{
	for (struct gv_guest_buf **at = &buf->g->bufs; *at; at = &(*at)->next) {
		if (*at == buf) {
			*at = buf->next;
			return;
		}
	}
}

int gv_buf_make(struct gv_guest *g, struct gv_guest_vm *vm, enum gv_guest_where where,
                uint64_t bytes, bool low, struct gv_guest_buf **out, struct gv_err *err)
{
	struct gv_guest_buf *buf;
	int rc;

	if (!bytes || bytes > 1ull << 46)
		return gv_fail(err, -EINVAL, "a buffer of %llu bytes is not possible",
		               (unsigned long long)bytes);
	buf = calloc(1, sizeof(*buf));
	if (!buf)
		return gv_fail(err, -ENOMEM, "out of memory");
	*buf = (struct gv_guest_buf){
	        .g = g,
	        .vm = vm ? vm : g->vm,
	        .where = where,
	        .bytes = (bytes + GV_GPU_PAGE - 1) & ~(uint64_t)(GV_GPU_PAGE - 1),
	};
	rc = take_memory(buf, err);
	if (!rc && take_va(buf, low))
		rc = gv_fail(err, -ENOMEM, "out of GPU addresses");
	if (!rc)
		rc = gv_vm_map_buf(buf->vm, buf, buf->va, err);
	if (rc) {
		if (buf->va)
			(void)gv_heap_give(&buf->vm->va, buf->va, va_bytes(buf));
		give_vram(buf);
		gv_dma_free(g->bus, &buf->dma);
		free(buf);
		return rc;
	}
	buf->next = g->bufs;
	g->bufs = buf;
	*out = buf;
	return 0;
}

int gv_guest_buf_new(struct gv_guest *g, struct gv_guest_vm *vm, enum gv_guest_where where,
                     uint64_t bytes, struct gv_guest_buf **buf, struct gv_err *err)
{
	return gv_buf_make(g, vm, where, bytes, false, buf, err);
}

struct gv_guest_buf *gv_guest_buf_free(struct gv_guest_buf *buf)
{
	struct gv_guest *g;

	if (!buf)
		return NULL;
	g = buf->g;
	unlink_buf(buf);
	if (buf->vm->pt) {
		(void)gv_pt_unmap(buf->vm->pt, buf->va, buf->bytes);
		gv_hdp_flush(g);
		/* the memory may be used again only when no TLB knows the old owner */
		(void)gv_tlb_flush(g, buf->vm->vmid, NULL);
	}
	(void)gv_heap_give(&buf->vm->va, buf->va, va_bytes(buf));
	give_vram(buf);
	gv_dma_free(g->bus, &buf->dma);
	free(buf);
	return NULL;
}

static int rebuild_vm(struct gv_guest_vm *vm, struct gv_err *err)
{
	const struct gv_pt_mem mem = {
	        .alloc = gv_vram_table_alloc,
	        .free = gv_vram_table_free,
	        .wrote = gv_vram_table_wrote,
	        .arg = vm->g,
	};
	int rc = gv_pt_new(vm->levels, &mem, &vm->pt);

	if (rc)
		return gv_fail(err, rc, "no room for page tables in visible memory");
	for (struct gv_guest_buf *buf = vm->g->bufs; buf && !rc; buf = buf->next) {
		bool is_ib = false;

		for (unsigned i = 0; i < GV_MAX_COMPUTE; i++)
			is_ib |= vm->g->compute[i].ib == buf;
		for (unsigned i = 0; i < GV_NUM_SDMA; i++)
			is_ib |= vm->g->sdma[i].ib == buf;
		if (buf->vm == vm && buf->where != GV_GUEST_SYSTEM)
			rc = take_memory(buf, err);
		if (!rc && (buf->vm == vm || is_ib))
			rc = gv_vm_map_buf(vm, buf, buf->va, err);
	}
	return rc ? rc : gv_context_set(vm->g, vm->vmid, vm->pt, err);
}

int gv_vms_rebuild(struct gv_guest *g, struct gv_err *err)
{
	int rc = 0;

	for (struct gv_guest_vm *vm = g->vms; vm && !rc; vm = vm->next)
		rc = rebuild_vm(vm, err);
	return rc;
}

/* ---- what it is ------------------------------------------------------------------ */

uint64_t gv_guest_buf_va(const struct gv_guest_buf *buf)
{
	return buf->va;
}

uint64_t gv_guest_buf_bytes(const struct gv_guest_buf *buf)
{
	return buf->bytes;
}

void *gv_guest_buf_cpu(const struct gv_guest_buf *buf)
{
	if (buf->where == GV_GUEST_SYSTEM)
		return buf->dma.cpu;
	if (buf->where == GV_GUEST_VRAM_VISIBLE && buf->extents == 1 && buf->g->aperture)
		return buf->g->aperture + buf->extent[0].off;
	return NULL;
}

/* ---- moving bytes ------------------------------------------------------------------ */

/* Wait for a copy on the first SDMA engine. */
static int copy_now(struct gv_guest_buf *buf, uint64_t dst, uint64_t src, uint64_t bytes,
                    struct gv_err *err)
{
	struct gv_guest_queue *q = &buf->g->sdma[0];
	uint64_t seq = 0;
	int rc = gv_guest_sdma_copy(q, buf->vm, dst, src, bytes, &seq, err);

	return rc ? rc : gv_guest_wait(q, seq, gv_deadline(buf->g), err);
}

/* Piece by piece through memory that both sides reach. Exactly one of @in and @out is set. */
static int by_staging(struct gv_guest_buf *buf, uint64_t off, const uint8_t *in, uint8_t *out,
                      uint64_t bytes, struct gv_err *err)
{
	struct gv_guest_buf *staging = NULL;
	int rc = gv_buf_make(buf->g, buf->vm, GV_GUEST_SYSTEM, GV_MIN(bytes, STAGING_BYTES), false,
	                     &staging, err);

	for (uint64_t done = 0, n; done < bytes && !rc; done += n) {
		uint64_t there = buf->va + off + done;

		n = GV_MIN(bytes - done, STAGING_BYTES);
		if (in) {
			memcpy(staging->dma.cpu, in + done, n);
			rc = copy_now(buf, there, staging->va, n, err);
		} else {
			rc = copy_now(buf, staging->va, there, n, err);
			if (!rc)
				memcpy(out + done, staging->dma.cpu, n);
		}
	}
	gv_guest_buf_free(staging);
	return rc;
}

static int check_range(const struct gv_guest_buf *buf, uint64_t off, uint64_t bytes,
                       struct gv_err *err)
{
	if (off > buf->bytes || bytes > buf->bytes - off)
		return gv_fail(err, -ERANGE, "bytes %llu..%llu of a buffer of %llu",
		               (unsigned long long)off, (unsigned long long)(off + bytes),
		               (unsigned long long)buf->bytes);
	return 0;
}

int gv_guest_buf_upload(struct gv_guest_buf *buf, uint64_t off, const void *data, uint64_t bytes,
                        struct gv_err *err)
{
	uint8_t *cpu = gv_guest_buf_cpu(buf);
	int rc = check_range(buf, off, bytes, err);

	if (rc || !bytes)
		return rc;
	if (!cpu)
		return by_staging(buf, off, data, NULL, bytes, err);
	memcpy(cpu + off, data, bytes);
	if (buf->where != GV_GUEST_SYSTEM)
		gv_hdp_flush(buf->g);
	return 0;
}

int gv_guest_buf_download(struct gv_guest_buf *buf, uint64_t off, void *data, uint64_t bytes,
                          struct gv_err *err)
{
	const uint8_t *cpu = gv_guest_buf_cpu(buf);
	int rc = check_range(buf, off, bytes, err);

	if (rc || !bytes)
		return rc;
	if (!cpu)
		return by_staging(buf, off, NULL, data, bytes, err);
	gv_dma_from_device();
	memcpy(data, cpu + off, bytes);
	return 0;
}
