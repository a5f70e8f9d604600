/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pf2vf, vf2pf and the bad-page list: built on one side, checked on the other. */
#include <string.h>

#include <gv/mailbox_pages.h>

uint32_t gv_mbox_checksum(const void *page, size_t bytes, size_t checksum_off, uint32_t key)
{
	const uint8_t *p = page;
	uint32_t sum = key;

	for (size_t i = 0; i < bytes; i++)
		if (i < checksum_off || i - checksum_off >= sizeof(uint32_t))
			sum += p[i];
	return sum;
}

/* How a version of a page is laid out, as far as checking it goes. */
struct layout {
	uint32_t version;
	uint32_t min_bytes; /* up to the last field that we read */
	size_t checksum_off;
};

static const struct layout pf2vf_layouts[] = {
        {1, sizeof(struct gv_mbox_pf2vf_v1), offsetof(struct gv_mbox_pf2vf_v1, checksum)},
        {2, offsetof(struct gv_mbox_pf2vf_v2, gpu_capacity),
         offsetof(struct gv_mbox_pf2vf_v2, checksum)},
};

static const struct layout vf2pf_layouts[] = {
        {GV_MBOX_VF2PF_VERSION, offsetof(struct gv_mbox_vf2pf_v3, mes_info_addr),
         offsetof(struct gv_mbox_vf2pf_v3, checksum)},
};

static const struct layout *find(const struct layout *layouts, size_t count, uint32_t version)
{
	for (size_t i = 0; i < count; i++)
		if (layouts[i].version == version)
			return &layouts[i];
	return NULL;
}

/* @page is our own copy of the 1024 bytes. */
static int check(const uint8_t *page, const char *what, const struct layout *l, uint32_t key,
                 struct gv_err *err)
{
	struct gv_mbox_page_header header;
	uint32_t found, sum;

	memcpy(&header, page, sizeof(header));
	if (!l)
		return gv_fail(err, -EPROTONOSUPPORT, "%s: version %u is not one that we read",
		               what, header.version);
	if (header.size > GV_MBOX_PAGE_BYTES || header.size < l->min_bytes)
		return gv_fail(err, -EMSGSIZE,
		               "%s: size %u found, %u..%u is possible in version %u", what,
		               header.size, l->min_bytes, GV_MBOX_PAGE_BYTES, l->version);
	memcpy(&found, page + l->checksum_off, sizeof(found));
	sum = gv_mbox_checksum(page, header.size, l->checksum_off, key);
	if (found != sum)
		return gv_fail(err, -EBADMSG, "%s: checksum 0x%x found, 0x%x expected", what, found,
		               sum);
	return 0;
}

static uint32_t version_of(const uint8_t *page)
{
	struct gv_mbox_page_header header;

	memcpy(&header, page, sizeof(header));
	return header.version;
}

int gv_mbox_pf2vf_build(const struct gv_mbox_pf2vf_info *info, struct gv_mbox_pf2vf_v2 *page,
                        struct gv_err *err)
{
	uint32_t ms =
	        info->update_interval_ms ? info->update_interval_ms : GV_MBOX_UPDATE_MS_DEFAULT;
	struct gv_mbox_pf2vf_v2 p = {.header = {.size = sizeof(p), .version = 2}};

	if (ms < GV_MBOX_UPDATE_MS_MIN || ms > GV_MBOX_UPDATE_MS_MAX)
		return gv_fail(err, -ERANGE,
		               "pf2vf: update interval %u ms asked, %u..%u is possible", ms,
		               GV_MBOX_UPDATE_MS_MIN, GV_MBOX_UPDATE_MS_MAX);
	if (info->bad_page_count > GV_MBOX_BAD_PAGES_MAX)
		return gv_fail(err, -ERANGE, "pf2vf: %u bad pages asked, %u fit",
		               info->bad_page_count, GV_MBOX_BAD_PAGES_MAX);
	if (info->gpu_capacity > 0xffff)
		return gv_fail(err, -ERANGE, "pf2vf: capacity %u asked, 65535 is the whole GPU",
		               info->gpu_capacity);
	p.feature_flags = info->feature_flags;
	p.reg_access_flags = info->reg_access_flags;
	p.vf2pf_update_interval_ms = ms;
	p.fcn_idx = info->vf_index;
	p.gpu_capacity = info->gpu_capacity;
	p.bdf_on_host = info->bdf_on_host;
	p.pcie_atomic_ops_support_flags = info->pcie_atomics;
	p.uuid = info->uuid;
	p.bp_block_offset_low = info->bad_page_count ? GV_MBOX_BAD_PAGES_OFF : 0;
	p.bp_block_size = info->bad_page_count * (uint32_t)sizeof(uint64_t);
	p.checksum =
	        gv_mbox_checksum(&p, sizeof(p), offsetof(struct gv_mbox_pf2vf_v2, checksum), 0);
	*page = p;
	return 0;
}

void gv_mbox_pf2vf_build_v1(const struct gv_mbox_pf2vf_info *info, uint32_t key,
                            struct gv_mbox_pf2vf_v1 *page)
{
	struct gv_mbox_pf2vf_v1 p = {.header = {.size = sizeof(p), .version = 1}};

	p.feature_flags = info->feature_flags;
	p.checksum =
	        gv_mbox_checksum(&p, sizeof(p), offsetof(struct gv_mbox_pf2vf_v1, checksum), key);
	*page = p;
}

static void take_pf2vf_v2(const struct gv_mbox_pf2vf_v2 *p, struct gv_mbox_pf2vf_info *info)
{
	uint32_t ms = p->vf2pf_update_interval_ms;
	bool all = p->header.size >= offsetof(struct gv_mbox_pf2vf_v2, more_bp);

	if (ms < GV_MBOX_UPDATE_MS_MIN || ms > GV_MBOX_UPDATE_MS_MAX)
		ms = GV_MBOX_UPDATE_MS_DEFAULT;
	*info = (struct gv_mbox_pf2vf_info){
	        .version = 2,
	        .feature_flags = p->feature_flags,
	        .reg_access_flags = p->reg_access_flags,
	        .update_interval_ms = ms,
	        .vf_index = p->fcn_idx,
	        .gpu_capacity = all ? p->gpu_capacity : 0,
	        .bdf_on_host = all ? p->bdf_on_host : 0,
	        .pcie_atomics = p->pcie_atomic_ops_support_flags,
	        .uuid = p->uuid,
	        .bad_page_count = p->bp_block_size / (uint32_t)sizeof(uint64_t),
	        .bad_pages_off = (uint64_t)p->bp_block_offset_high << 32 | p->bp_block_offset_low,
	};
}

int gv_mbox_pf2vf_read(const void *shared, uint32_t key, struct gv_mbox_pf2vf_info *info,
                       struct gv_err *err)
{
	union {
		uint8_t bytes[GV_MBOX_PAGE_BYTES];
		struct gv_mbox_pf2vf_v1 v1;
		struct gv_mbox_pf2vf_v2 v2;
	} page;
	const struct layout *l;
	int rc;

	memcpy(page.bytes, shared, sizeof(page.bytes)); /* once: the other side may write */
	l = find(pf2vf_layouts, GV_ARRAY_LEN(pf2vf_layouts), version_of(page.bytes));
	rc = check(page.bytes, "pf2vf", l, l && l->version == 1 ? key : 0, err);
	if (rc)
		return rc;
	if (l->version == 2) {
		take_pf2vf_v2(&page.v2, info);
		return 0;
	}
	*info = (struct gv_mbox_pf2vf_info){.version = 1,
	                                    .feature_flags = page.v1.feature_flags,
	                                    .update_interval_ms = GV_MBOX_UPDATE_MS_DEFAULT};
	return 0;
}

/* ---- vf2pf ---------------------------------------------------------------- */
int gv_mbox_vf2pf_build(const struct gv_mbox_vf2pf_info *info, struct gv_mbox_vf2pf_v3 *page,
                        struct gv_err *err)
{
	size_t n = strnlen(info->driver_version, sizeof(info->driver_version));
	struct gv_mbox_vf2pf_v3 p = {
	        .header = {.size = sizeof(p), .version = GV_MBOX_VF2PF_VERSION}};

	if (n > sizeof(p.driver_version))
		return gv_fail(err, -ERANGE, "vf2pf: driver version longer than %u bytes",
		               GV_MBOX_DRIVER_VERSION);
	if (info->ucode_count > GV_MBOX_UCODES)
		return gv_fail(err, -ERANGE, "vf2pf: %u ucode versions asked, %u fit",
		               info->ucode_count, GV_MBOX_UCODES);
	memcpy(p.driver_version, info->driver_version, n);
	p.os_info = info->os_info;
	p.fb_usage = info->fb_usage_mib;
	p.fb_size = info->fb_size_mib;
	p.fb_vis_usage = info->fb_vis_usage_mib;
	p.fb_vis_size = info->fb_vis_size_mib;
	p.gfx_usage = info->gfx_usage;
	p.compute_usage = info->compute_usage;
	p.avc_enc_usage = p.avc_enc_health = GV_MBOX_HEALTH_NA;
	p.hevc_enc_usage = p.hevc_enc_health = GV_MBOX_HEALTH_NA;
	p.pf2vf_version_required = info->pf2vf_version_required;
	p.dummy_page_addr = info->dummy_page_addr;
	memcpy(p.ucode_info, info->ucode, info->ucode_count * sizeof(info->ucode[0]));
	p.checksum =
	        gv_mbox_checksum(&p, sizeof(p), offsetof(struct gv_mbox_vf2pf_v3, checksum), 0);
	*page = p;
	return 0;
}

/* A guest's string goes into logs and JSON: only printable ASCII may pass. */
static void take_text(const char *from, char *to)
{
	size_t n = strnlen(from, GV_MBOX_DRIVER_VERSION);

	for (size_t i = 0; i < n; i++)
		to[i] = (from[i] >= ' ' && from[i] <= '~') ? from[i] : '?';
	to[n] = '\0';
}

int gv_mbox_vf2pf_read(const void *shared, struct gv_mbox_vf2pf_info *info, struct gv_err *err)
{
	union {
		uint8_t bytes[GV_MBOX_PAGE_BYTES];
		struct gv_mbox_vf2pf_v3 v3;
	} page;
	const struct layout *l;
	int rc;

	memcpy(page.bytes, shared, sizeof(page.bytes)); /* once: the guest may write */
	l = find(vf2pf_layouts, GV_ARRAY_LEN(vf2pf_layouts), version_of(page.bytes));
	rc = check(page.bytes, "vf2pf", l, 0, err);
	if (rc)
		return rc;
	*info = (struct gv_mbox_vf2pf_info){
	        .os_info = page.v3.os_info,
	        .fb_usage_mib = page.v3.fb_usage,
	        .fb_size_mib = page.v3.fb_size,
	        .fb_vis_usage_mib = page.v3.fb_vis_usage,
	        .fb_vis_size_mib = page.v3.fb_vis_size,
	        .gfx_usage = page.v3.gfx_usage,
	        .compute_usage = page.v3.compute_usage,
	        .pf2vf_version_required = page.v3.pf2vf_version_required,
	        .dummy_page_addr = page.v3.dummy_page_addr,
	};
	take_text(page.v3.driver_version, info->driver_version);
	for (unsigned i = 0; i < GV_MBOX_UCODES; i++)
		if (page.v3.ucode_info[i].version)
			info->ucode[info->ucode_count++] = page.v3.ucode_info[i];
	return 0;
}

const char *gv_mbox_ucode_name(unsigned id)
{
	/* amdgv_sriovmsg.h, Linux 6.1 */
	static const char *const names[] = {
	        "VCE",      "UVD",      "MC",   "ME",    "PFP", "CE",  "RLC", "RLC_SRLC",
	        "RLC_SRLG", "RLC_SRLS", "MEC",  "MEC2",  "IMU", "SOS", "ASD", "TA_RAS",
	        "TA_XGMI",  "SMC",      "SDMA", "SDMA2", "VCN", "DMCU"};

	return id < GV_ARRAY_LEN(names) ? names[id] : "UNKNOWN";
}

/* ---- bad pages ------------------------------------------------------------ */
int gv_mbox_bad_pages_build(const uint64_t *pfn, unsigned count,
                            uint8_t block[GV_MBOX_BAD_PAGES_BYTES])
{
	if (count > GV_MBOX_BAD_PAGES_MAX)
		return -ERANGE;
	memset(block, 0, GV_MBOX_BAD_PAGES_BYTES);
	if (count)
		memcpy(block, pfn, count * sizeof(*pfn));
	return 0;
}

int gv_mbox_bad_pages_read(const void *shared, uint32_t bytes, uint64_t fb_pages, uint64_t *pfn,
                           unsigned *count, struct gv_err *err)
{
	uint64_t copy[GV_MBOX_BAD_PAGES_MAX];

	if (bytes > sizeof(copy) || bytes % sizeof(copy[0]))
		return gv_fail(err, -EMSGSIZE,
		               "bad pages: %u bytes found, a multiple of 8 up to %u is possible",
		               bytes, GV_MBOX_BAD_PAGES_BYTES);
	memcpy(copy, shared, bytes);
	for (unsigned i = 0; i < bytes / sizeof(copy[0]); i++)
		if (copy[i] >= fb_pages)
			return gv_fail(
			        err, -ERANGE,
			        "bad pages[%u]: page 0x%llx found, the frame buffer has 0x%llx", i,
			        (unsigned long long)copy[i], (unsigned long long)fb_pages);
	memcpy(pfn, copy, bytes);
	*count = bytes / (unsigned)sizeof(copy[0]);
	return 0;
}
