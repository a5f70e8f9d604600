/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Engine state of a VF to and from its slot of the context save area. */
#include <string.h>

#include "world.h"

#define UNIT_SHIFT 18 /* size and offset of CONTEXT are in 256 KiB (GIM 8, mi300_gpuiov.c) */

static uint32_t fcn_id(const struct gv_fn *f)
{
	return GV_GIOV_FCN_VF(gv_fn_vf(f));
}

/* The slot of @f: the PF has the first. It must lie in the window that no VF can be given. */
static int find_slot(struct gv_fn *f, uint8_t **host, uint64_t *bytes, struct gv_err *err)
{
	struct gv_fn *pf = &f->dev->fn[GV_DEV_PF];
	uint32_t context = GV_RGET(pf, RLC_GPU_IOV_CFG_REG6);
	uint64_t window = f->dev->cfg.pf_window_mib * GV_MIB, have = 0;
	uint64_t size = (uint64_t)GV_GET(context, RLC_GPU_IOV_CFG_REG6, CNTXT_SIZE) << UNIT_SHIFT;
	uint64_t offset = (uint64_t)GV_GET(context, RLC_GPU_IOV_CFG_REG6, CNTXT_OFFSET)
	                  << UNIT_SHIFT;
	uint64_t at = offset + size * f->index;

	if (GV_GET(context, RLC_GPU_IOV_CFG_REG6, CNTXT_LOCATION))
		return gv_fail(err, GV_WORLD_NO_AREA,
		               "CONTEXT 0x%08x: an area in system memory is not implemented",
		               context);
	if (!size)
		return gv_fail(err, GV_WORLD_NO_AREA, "CONTEXT 0x%08x gives no context save area",
		               context);
	if (at > window || size > window - at ||
	    gv_vram_ptr(pf, at, GV_ACC_R | GV_ACC_W, host, &have) || have < size)
		return gv_fail(err, GV_WORLD_NO_AREA,
		               "CONTEXT 0x%08x: %llu KiB at 0x%llx are not in the PF's %u MiB",
		               context, (unsigned long long)(size / GV_KIB), (unsigned long long)at,
		               (unsigned)f->dev->cfg.pf_window_mib);
	*bytes = size;
	return 0;
}

static size_t cp_at(void)
{
	return sizeof(struct gv_world_image) + gv_sdma_save_bytes();
}

static uint32_t checksum(const uint8_t *image, uint64_t bytes)
{
	const size_t from = offsetof(struct gv_world_image, version);

	return gv_crc32c_wide(image + from, bytes - from);
}

int gv_world_image_save(struct gv_fn *f, uint64_t *bytes, struct gv_err *err)
{
	struct gv_world_image h = {GV_WORLD_MAGIC, 0, GV_WORLD_VERSION, fcn_id(f), 0, 0};
	uint64_t room = 0;
	uint8_t *to = NULL;
	size_t cp_bytes = 0;
	int rc = find_slot(f, &to, &room, err);

	if (rc)
		return rc;
	gv_sdma_save(f, to + sizeof(h));
	gv_fn_mem_enter(f);
	rc = gv_cp_save(f, to + cp_at(), room - cp_at(), &cp_bytes);
	gv_fn_mem_leave(f);
	if (rc == -ENOSPC)
		return gv_fail(err, GV_WORLD_AREA_TOO_SMALL,
		               "its state takes %llu KiB, its slot of the context save area has "
		               "%llu",
		               (unsigned long long)((cp_at() + cp_bytes + GV_KIB - 1) / GV_KIB),
		               (unsigned long long)(room / GV_KIB));
	if (rc)
		return gv_fail(err, GV_WORLD_NO_MEMORY, "its queues cannot be saved (%d)", rc);
	h.bytes = cp_at() + cp_bytes;
	h.cp_bytes = cp_bytes;
	memcpy(to, &h, sizeof(h));
	h.crc = checksum(to, h.bytes);
	memcpy(to, &h, sizeof(h));
	*bytes = h.bytes;
	return 0;
}

/* ---- load ---------------------------------------------------------------- */

static int bad(struct gv_err *err, const char *what)
{
	return gv_fail(err, GV_WORLD_BAD_IMAGE, "the image in its context save area: %s", what);
}

static int check_header(const struct gv_world_image *h, uint32_t fcn, uint64_t room,
                        struct gv_err *err)
{
	if (h->magic != GV_WORLD_MAGIC)
		return bad(err, "there is none");
	if (h->version != GV_WORLD_VERSION)
		return bad(err, "another version");
	if (h->fcn_id != fcn)
		return bad(err, "another function's");
	if (h->bytes > room || h->bytes < cp_at() || h->cp_bytes != h->bytes - cp_at())
		return bad(err, "impossible size");
	return 0;
}

/* Once, and only what the copy says counts: whoever owns the memory may change it meanwhile. */
static int copy_image(const uint8_t *from, const struct gv_world_image *h,
                      struct gv_world_copy *copy, struct gv_err *err)
{
	if (copy->room < h->bytes) {
		free(copy->buf);
		copy->buf = malloc(h->bytes);
		copy->room = copy->buf ? h->bytes : 0;
		if (!copy->buf)
			return gv_fail(err, GV_WORLD_NO_MEMORY, "no host memory for %llu KiB",
			               (unsigned long long)(h->bytes / GV_KIB));
	}
	memcpy(copy->buf, h, sizeof(*h));
	memcpy(copy->buf + sizeof(*h), from + sizeof(*h), h->bytes - sizeof(*h));
	return checksum(copy->buf, h->bytes) == h->crc ? 0 : bad(err, "its CRC is wrong");
}

static int restore(struct gv_fn *f, const uint8_t *image, const struct gv_world_image *h,
                   struct gv_err *err)
{
	int rc = gv_sdma_restore(f, image + sizeof(*h));

	if (rc)
		return bad(err, "no state of SDMA queues");
	gv_fn_mem_enter(f);
	rc = gv_cp_restore(f, image + cp_at(), h->cp_bytes);
	gv_fn_mem_leave(f);
	if (rc)
		gv_sdma_forget(f);
	if (rc == -ENOMEM)
		return gv_fail(err, GV_WORLD_NO_MEMORY, "no host memory for its waves");
	return rc ? bad(err, "no state of queues") : 0;
}

int gv_world_image_load(struct gv_fn *f, struct gv_world_copy *copy, struct gv_err *err)
{
	struct gv_world_image h;
	uint8_t *from = NULL;
	uint64_t room = 0;
	int rc = find_slot(f, &from, &room, err);

	if (rc)
		return rc;
	memcpy(&h, from, sizeof(h));
	rc = check_header(&h, fcn_id(f), room, err);
	if (!rc)
		rc = copy_image(from, &h, copy, err);
	return rc ? rc : restore(f, copy->buf, &h, err);
}

void gv_world_image_wipe(struct gv_fn *f, bool all)
{
	uint8_t *slot = NULL;
	uint64_t bytes = 0;

	if (find_slot(f, &slot, &bytes, NULL) == 0)
		memset(slot, 0, all ? bytes : sizeof(struct gv_world_image));
}
