/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VRAM by device address: BAR0, and the MM_INDEX window for what BAR0 does not reach. */
#include <string.h>

#include "pf.h"

static bool inside(const struct gv_pf *pf, uint64_t device, uint64_t n)
{
	return device <= pf->vram_bytes && n <= pf->vram_bytes - device;
}

static void select_mm(struct gv_pf *pf, uint64_t device)
{
	gv_wr32(pf->bus, MM_INDEX__BYTE,
	        GV_PUT(MM_INDEX, MM_APER, 1) | GV_PUT(MM_INDEX, MM_OFFSET, (uint32_t)device));
	gv_wr32(pf->bus, MM_INDEX_HI__BYTE, (uint32_t)(device >> MM_INDEX__MM_OFFSET__BITS));
}

/* How much of the copy BAR0 can do. */
static size_t by_bar0(const struct gv_pf *pf, uint64_t device, size_t n)
{
	if (device >= pf->bar0_bytes)
		return 0;
	return (size_t)GV_MIN((uint64_t)n, pf->bar0_bytes - device);
}

int gv_pf_vram_read(struct gv_pf *pf, uint64_t device, void *buf, size_t n)
{
	size_t direct = by_bar0(pf, device, n);
	uint8_t *to = buf;
	int rc = 0;

	if (!inside(pf, device, n))
		return -ERANGE;
	if (direct < n && (device | n | direct) % 4)
		return -EINVAL;
	if (direct)
		rc = gv_bus_read(pf->bus, GV_REGION_VRAM, device, to, direct);
	for (size_t i = direct; !rc && i < n; i += 4) {
		uint32_t v;

		select_mm(pf, device + i);
		v = gv_rd32(pf->bus, MM_DATA__BYTE);
		memcpy(to + i, &v, sizeof(v));
	}
	return rc ? rc : gv_bus_status(pf->bus);
}

int gv_pf_vram_write(struct gv_pf *pf, uint64_t device, const void *buf, size_t n)
{
	size_t direct = by_bar0(pf, device, n);
	const uint8_t *from = buf;
	int rc = 0;

	if (!inside(pf, device, n))
		return -ERANGE;
	if (direct < n && (device | n | direct) % 4)
		return -EINVAL;
	if (direct)
		rc = gv_bus_write(pf->bus, GV_REGION_VRAM, device, from, direct);
	for (size_t i = direct; !rc && i < n; i += 4) {
		uint32_t v;

		memcpy(&v, from + i, sizeof(v));
		select_mm(pf, device + i);
		gv_wr32(pf->bus, MM_DATA__BYTE, v);
	}
	return rc ? rc : gv_bus_status(pf->bus);
}
