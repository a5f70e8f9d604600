/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a VF finds at the start of its frame buffer, and what its driver writes there. */
#include <string.h>

#include "pf.h"

#define PCI_CAP_EXP            0x10
#define PCI_EXP_DEVCAP2        0x24
#define PCI_EXP_DEVCAP2_ATOMIC 0x180u /* 32- and 64-bit completer */

static uint64_t place(const struct gv_pf_plan *plan, unsigned vf, uint32_t off)
{
	return plan->vf[vf].fb_offset_mib * GV_MIB + off;
}

/* The same as long as the GPU has the same name: guests show it as the unique id (FNV-1a). */
static uint64_t uuid_of(const char *name, unsigned vf)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ull;
	return (h ^ vf) * 0x100000001b3ull;
}

uint32_t pf_pcie_atomics(struct gv_pf *pf)
{
	uint16_t cap;
	uint32_t devcap2;

	if (gv_cfg_find_cap(pf->bus, PCI_CAP_EXP, &cap))
		return 0;
	devcap2 = gv_cfg_rd32(pf->bus, (uint16_t)(cap + PCI_EXP_DEVCAP2));
	return devcap2 == UINT32_MAX ? 0 : devcap2 & PCI_EXP_DEVCAP2_ATOMIC;
}

static int build_pf2vf(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                       struct gv_mbox_pf2vf_v2 *page, struct gv_err *err)
{
	const struct gv_mbox_pf2vf_info info = {
	        /* A reset scrubs the frame buffer, so guests must know that it is lost. Not
	         * PP_ONE_VF_MODE, not even for a single VF: it tells the guest to run the SMU,
	         * with tables that our VBIOS does not have. */
	        .feature_flags = GV_MBOX_FEAT_ERROR_LOG_COLLECT | GV_MBOX_FEAT_HOST_FLR_VRAMLOST,
	        .vf_index = vf,
	        .gpu_capacity = plan->vf[vf].capacity,
	        .pcie_atomics = pf->pcie_atomics,
	        .uuid = uuid_of(pf->bus->name, vf),
	};

	return gv_mbox_pf2vf_build(&info, page, err);
}

/* The checksum goes last: a guest that looks meanwhile finds an invalid page, not a wrong one. */
static int write_pf2vf(struct gv_pf *pf, uint64_t at, const struct gv_mbox_pf2vf_v2 *page)
{
	size_t sum = offsetof(struct gv_mbox_pf2vf_v2, checksum);
	struct gv_mbox_pf2vf_v2 unsummed = *page;
	int rc;

	unsummed.checksum = ~page->checksum;
	rc = gv_pf_vram_write(pf, at, &unsummed, sizeof(unsummed));
	return rc ? rc : gv_pf_vram_write(pf, at + sum, &page->checksum, sizeof(page->checksum));
}

static int write_all(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                     const uint8_t *image, const struct gv_mbox_pf2vf_v2 *page)
{
	static const uint8_t zeros[GV_MBOX_PAGE_BYTES];
	uint8_t bad[GV_MBOX_BAD_PAGES_BYTES];
	int rc = gv_mbox_bad_pages_build(NULL, 0, bad);

	if (!rc)
		rc = gv_pf_vram_write(pf, place(plan, vf, GV_MBOX_VBIOS_OFF), image,
		                      GV_MBOX_VBIOS_BYTES);
	if (!rc)
		rc = gv_pf_vram_write(pf, place(plan, vf, GV_MBOX_BAD_PAGES_OFF), bad, sizeof(bad));
	if (!rc)
		rc = gv_pf_vram_write(pf, place(plan, vf, GV_MBOX_VF2PF_OFF), zeros, sizeof(zeros));
	return rc ? rc : write_pf2vf(pf, place(plan, vf, GV_MBOX_PF2VF_OFF), page);
}

int pf_exchange_write(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                      struct gv_err *err)
{
	gv_auto_free uint8_t *image = malloc(GV_MBOX_VBIOS_BYTES);
	struct gv_mbox_pf2vf_v2 page, got;
	int rc;

	if (!image)
		return gv_fail(err, -ENOMEM, "no memory for a VBIOS image");
	rc = gv_mbox_vbios_build(NULL, image, err);
	if (!rc)
		rc = build_pf2vf(pf, plan, vf, &page, err);
	if (rc)
		return rc;
	rc = write_all(pf, plan, vf, image, &page);
	if (!rc)
		rc = gv_pf_vram_read(pf, place(plan, vf, GV_MBOX_PF2VF_OFF), &got, sizeof(got));
	if (rc)
		return gv_fail(err, rc, "VF%u: exchange pages: %s", vf, strerror(-rc));
	if (memcmp(&page, &got, sizeof(got)))
		return gv_fail(err, -EIO, "VF%u: pf2vf reads back different", vf);
	return 0;
}

static int expect(struct gv_pf *pf, uint64_t device, const void *want, size_t n, struct gv_err *err)
{
	gv_auto_free uint8_t *got = malloc(n);
	int rc = got ? gv_pf_vram_read(pf, device, got, n) : -ENOMEM;

	if (!rc && memcmp(got, want, n))
		rc = -EIO;
	return rc ? gv_fail(err, rc, "exchange pages at 0x%llx: %s", (unsigned long long)device,
	                    rc == -EIO ? "read back different" : strerror(-rc))
	          : 0;
}

int pf_exchange_check(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                      struct gv_err *err)
{
	static const uint8_t zeros[GV_MBOX_PAGE_BYTES];
	gv_auto_free uint8_t *image = malloc(GV_MBOX_VBIOS_BYTES);
	uint8_t bad[GV_MBOX_BAD_PAGES_BYTES];
	int rc = image ? gv_mbox_vbios_build(NULL, image, err) : -ENOMEM;

	if (!rc)
		rc = gv_mbox_bad_pages_build(NULL, 0, bad);
	if (!rc)
		rc = expect(pf, place(plan, vf, GV_MBOX_VBIOS_OFF), image, GV_MBOX_VBIOS_BYTES,
		            err);
	if (!rc)
		rc = expect(pf, place(plan, vf, GV_MBOX_BAD_PAGES_OFF), bad, sizeof(bad), err);
	if (!rc)
		rc = expect(pf, place(plan, vf, GV_MBOX_VF2PF_OFF), zeros, sizeof(zeros), err);
	return rc;
}

void pf_exchange_read(struct gv_pf *pf, unsigned vf)
{
	struct pf_vf *v = &pf->vf[vf];
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_err err = {0};
	int rc = -EBADMSG;

	for (unsigned i = 0; rc == -EBADMSG && i < GV_MBOX_VF2PF_TRIES; i++) {
		rc = gv_pf_vram_read(pf, place(&pf->plan, vf, GV_MBOX_VF2PF_OFF), page,
		                     sizeof(page));
		if (!rc)
			rc = gv_mbox_vf2pf_read(page, &v->guest, &err);
	}
	v->guest_known = !rc;
	if (rc)
		PF_LOG(pf, GV_LOG_DEBUG, "VF%u: no vf2pf page: %s", vf, err.text);
	else
		PF_LOG(pf, GV_LOG_INFO, "VF%u: guest driver %s", vf, v->guest.driver_version);
}
