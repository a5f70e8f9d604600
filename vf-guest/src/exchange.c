/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VBIOS, pf2vf, bad pages: read from the frame buffer; vf2pf: written to it. */
#include <stdio.h>
#include <string.h>

#include "guest.h"

static int read_bytes(struct gv_guest *g, uint64_t off, void *buf, size_t n, struct gv_err *err)
{
	int rc = gv_bus_read(g->bus, GV_REGION_VRAM, off, buf, n);

	return rc ? gv_fail(err, rc, "reading BAR0 at 0x%llx failed", (unsigned long long)off) : 0;
}

static int read_bad_pages(struct gv_guest *g, struct gv_err *err)
{
	uint8_t block[GV_MBOX_BAD_PAGES_BYTES];
	uint32_t mib = gv_rd32(g->bus, RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE);
	uint32_t bytes = g->pf2vf.bad_page_count * 8;
	int rc;

	g->bad_pages = 0;
	if (!g->pf2vf.bad_page_count)
		return 0;
	if (bytes > sizeof(block))
		return gv_fail(err, -EBADMSG, "pf2vf: %u bad pages do not fit their block",
		               g->pf2vf.bad_page_count);
	rc = read_bytes(g, g->pf2vf.bad_pages_off, block, sizeof(block), err);
	if (rc)
		return rc;
	return gv_mbox_bad_pages_read(block, bytes, (uint64_t)mib * GV_MIB / GV_GPU_PAGE,
	                              g->bad_pfn, &g->bad_pages, err);
}

int gv_exchange_read(struct gv_guest *g, struct gv_err *err)
{
	gv_auto_free uint8_t *image = malloc(GV_MBOX_VBIOS_BYTES);
	uint8_t page[GV_MBOX_PAGE_BYTES];
	int rc;

	if (!image)
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = read_bytes(g, GV_MBOX_VBIOS_OFF, image, GV_MBOX_VBIOS_BYTES, err);
	if (rc)
		return rc;
	rc = gv_mbox_vbios_check(image, GV_MBOX_VBIOS_BYTES, &g->vbios, err);
	if (rc)
		return gv_fail_prefix(err, "VBIOS");
	rc = read_bytes(g, g->vbios.region_off + GV_MBOX_PF2VF_OFF, page, sizeof(page), err);
	if (!rc && gv_mbox_pf2vf_read(page, g->key, &g->pf2vf, err))
		rc = gv_fail_prefix(err, "pf2vf");
	if (rc)
		return rc;
	if (g->pf2vf.reg_access_flags & GV_MBOX_REG_ACCESS_IH)
		gv_logf(g->log, GV_LOG_WARN,
		        "the PF wants IH registers written through the PSP; writing them directly");
	return read_bad_pages(g, err);
}

int gv_exchange_write(struct gv_guest *g, struct gv_err *err)
{
	struct gv_mbox_vf2pf_info info = {
	        .fb_usage_mib = (uint32_t)((g->fb_bytes - g->vram.free_bytes) / GV_MIB),
	        .fb_size_mib = (uint32_t)(g->fb_bytes / GV_MIB),
	        .fb_vis_size_mib = (uint32_t)(g->visible_bytes / GV_MIB),
	        .pf2vf_version_required = g->pf2vf.version,
	};
	struct gv_mbox_vf2pf_v3 page;
	int rc;

	(void)snprintf(info.driver_version, sizeof(info.driver_version), "%s", g->driver_version);
	rc = gv_mbox_vf2pf_build(&info, &page, err);
	if (rc)
		return rc;
	rc = gv_vram_write(g, g->vbios.region_off + GV_MBOX_VF2PF_OFF, &page, sizeof(page));
	if (rc)
		return gv_fail(err, rc, "writing vf2pf failed");
	gv_hdp_flush(g);
	return 0;
}
