/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies at the start of a VF's frame buffer: VBIOS image, pf2vf (PF to
 * VF), vf2pf (VF to PF), bad pages. Builders for the side that writes,
 * checkers for the side that reads. Pure; see docs/mailbox.md.
 *
 * The other side can change these pages at any moment. Every checker copies
 * once and looks only at its copy.
 */
#ifndef GV_MAILBOX_PAGES_H
#define GV_MAILBOX_PAGES_H

#include <gv/base.h>

/* Byte offsets from the start of the VF's frame buffer, and sizes. */
#define GV_MBOX_VBIOS_OFF       0u
#define GV_MBOX_VBIOS_BYTES     (64u << 10)
#define GV_MBOX_PF2VF_OFF       (64u << 10)
#define GV_MBOX_VF2PF_OFF       (65u << 10)
#define GV_MBOX_BAD_PAGES_OFF   (66u << 10)
#define GV_MBOX_BAD_PAGES_BYTES (2u << 10)
#define GV_MBOX_RAS_OFF         (68u << 10)
#define GV_MBOX_RAS_BYTES       (64u << 10)
#define GV_MBOX_PAGE_BYTES      1024u /* pf2vf and vf2pf, each; also the largest header.size */
/* What the VBIOS reserves in the guest: all of the above fits. */
#define GV_MBOX_REGION_BYTES (132u << 10)

struct gv_mbox_page_header {
	uint32_t size;
	uint32_t version;
	uint32_t reserved[2];
};

/** key + sum of the @bytes of @page - the 4 bytes at @checksum_off. */
uint32_t gv_mbox_checksum(const void *page, size_t bytes, size_t checksum_off, uint32_t key);

/* ---- pf2vf --------------------------------------------------------------- */
#define GV_MBOX_FEAT_ERROR_LOG_COLLECT (1u << 0)
#define GV_MBOX_FEAT_HOST_LOAD_UCODES  (1u << 1)
#define GV_MBOX_FEAT_HOST_FLR_VRAMLOST (1u << 2)
#define GV_MBOX_FEAT_MM_BW_MANAGEMENT  (1u << 3)
#define GV_MBOX_FEAT_PP_ONE_VF_MODE    (1u << 4)
#define GV_MBOX_FEAT_REG_INDIRECT_ACC  (1u << 5)
#define GV_MBOX_FEAT_RAS_CAPS          (1u << 9)
#define GV_MBOX_FEAT_RAS_TELEMETRY     (1u << 10)
#define GV_MBOX_FEAT_RAS_CPER          (1u << 11)

#define GV_MBOX_REG_ACCESS_IH    (1u << 0) /* IH registers through the PSP */
#define GV_MBOX_REG_ACCESS_MMHUB (1u << 1) /* MMHUB registers through the RLC */
#define GV_MBOX_REG_ACCESS_GC    (1u << 2) /* GC registers through the RLC */

#define GV_MBOX_UPDATE_MS_MIN     200u
#define GV_MBOX_UPDATE_MS_MAX     10000u
#define GV_MBOX_UPDATE_MS_DEFAULT 2000u

struct gv_mbox_mm_bw {
	uint32_t decode_max_dimension_pixels, decode_max_frame_pixels;
	uint32_t encode_max_dimension_pixels, encode_max_frame_pixels;
};

/* Version 1, 44 bytes. Its checksum uses the key of READY_TO_ACCESS_GPU. */
struct gv_mbox_pf2vf_v1 {
	struct gv_mbox_page_header header;
	uint32_t uvd_enc_max_pixels_count;
	uint32_t uvd_enc_max_bandwidth;
	uint32_t vce_enc_max_pixels_count;
	uint32_t vce_enc_max_bandwidth;
	uint32_t mecfw_kboffset;
	uint32_t feature_flags;
	uint32_t checksum;
} __attribute__((packed));

_Static_assert(offsetof(struct gv_mbox_pf2vf_v1, uvd_enc_max_pixels_count) == 16, "pf2vf v1");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v1, mecfw_kboffset) == 32, "pf2vf v1");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v1, feature_flags) == 36, "pf2vf v1");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v1, checksum) == 40, "pf2vf v1");
_Static_assert(sizeof(struct gv_mbox_pf2vf_v1) == 44, "pf2vf v1");

/* Version 2, 1024 bytes. Its checksum has key 0. */
struct gv_mbox_pf2vf_v2 {
	struct gv_mbox_page_header header;
	uint32_t checksum;
	uint32_t feature_flags;
	uint32_t hevc_enc_max_mb_per_second;
	uint32_t hevc_enc_max_mb_per_frame;
	uint32_t avc_enc_max_mb_per_second;
	uint32_t avc_enc_max_mb_per_frame;
	uint64_t mecfw_offset; /* bytes from the start of the VF's frame buffer */
	uint32_t mecfw_size;
	uint64_t uvdfw_offset;
	uint32_t uvdfw_size;
	uint64_t vcefw_offset;
	uint32_t vcefw_size;
	uint32_t bp_block_offset_low;
	uint32_t bp_block_offset_high;
	uint32_t bp_block_size;
	uint32_t vf2pf_update_interval_ms;
	uint64_t uuid;
	uint32_t fcn_idx;
	uint32_t reg_access_flags;
	struct gv_mbox_mm_bw mm_bw_management[4];
	uint8_t uuid_info[16];
	uint32_t pcie_atomic_ops_support_flags;
	uint32_t gpu_capacity; /* 65535 = the whole GPU */
	uint32_t bdf_on_host;
	uint32_t more_bp;
	uint64_t ras_en_caps;
	uint64_t ras_telemetry_en_caps;
	uint8_t reserved[GV_MBOX_PAGE_BYTES - 0xdc];
} __attribute__((packed));

_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, checksum) == 0x010, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, feature_flags) == 0x014, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, mecfw_offset) == 0x028, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, uvdfw_offset) == 0x034, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, vcefw_offset) == 0x040, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, bp_block_offset_low) == 0x04c, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, bp_block_size) == 0x054, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, vf2pf_update_interval_ms) == 0x058, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, uuid) == 0x05c, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, fcn_idx) == 0x064, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, reg_access_flags) == 0x068, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, mm_bw_management) == 0x06c, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, uuid_info) == 0x0ac, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, pcie_atomic_ops_support_flags) == 0x0bc, "pf2vf");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, gpu_capacity) == 0x0c0, "pf2vf v2");
_Static_assert(offsetof(struct gv_mbox_pf2vf_v2, ras_en_caps) == 0x0cc, "pf2vf v2");
_Static_assert(sizeof(struct gv_mbox_pf2vf_v2) == GV_MBOX_PAGE_BYTES, "pf2vf v2");

/* The same in words of our own: what goes into a page, what came out of one. */
struct gv_mbox_pf2vf_info {
	unsigned version; /* 1 or 2; set by the reader, chosen by the builder's name */
	uint32_t feature_flags;
	uint32_t reg_access_flags;
	uint32_t update_interval_ms; /* 0: GV_MBOX_UPDATE_MS_DEFAULT */
	uint32_t vf_index;
	uint32_t gpu_capacity;
	uint32_t bdf_on_host;
	uint32_t pcie_atomics;
	uint64_t uuid;
	uint32_t bad_page_count; /* entries at GV_MBOX_BAD_PAGES_OFF */
	uint64_t bad_pages_off;  /* by the reader only: where they lie */
};

/** Build version 2. -ERANGE: interval outside 200..10000, more bad pages than fit, capacity above
 *  65535. */
int gv_mbox_pf2vf_build(const struct gv_mbox_pf2vf_info *info, struct gv_mbox_pf2vf_v2 *page,
                        struct gv_err *err);
/** Build version 1 (only feature_flags is in it) with checksum key @key. */
void gv_mbox_pf2vf_build_v1(const struct gv_mbox_pf2vf_info *info, uint32_t key,
                            struct gv_mbox_pf2vf_v1 *page);
/**
 * Read a pf2vf page of version 1 or 2 from @shared (GV_MBOX_PAGE_BYTES readable there).
 * @key is for version 1 only. Interval outside 200..10000 reads as 2000, as guests do.
 *
 * -EMSGSIZE: header.size above 1024 or too small for its version; -EPROTONOSUPPORT: another
 * version; -EBADMSG: wrong checksum (the text has both numbers).
 */
int gv_mbox_pf2vf_read(const void *shared, uint32_t key, struct gv_mbox_pf2vf_info *info,
                       struct gv_err *err);

/* ---- vf2pf --------------------------------------------------------------- */
#define GV_MBOX_VF2PF_VERSION    3u
#define GV_MBOX_DRIVER_VERSION   64u
#define GV_MBOX_UCODES           24u
#define GV_MBOX_OS_WINDOWS       (1u << 0)
#define GV_MBOX_OS_MM_MULTIQUEUE (1u << 1)
#define GV_MBOX_HEALTH_NA        0xffffu

struct gv_mbox_ucode {
	uint8_t id;
	uint32_t version;
} __attribute__((packed));

/* Version 3, 1024 bytes. Its checksum has key 0. Sizes in MiB. */
struct gv_mbox_vf2pf_v3 {
	struct gv_mbox_page_header header;
	uint32_t checksum;
	char driver_version[GV_MBOX_DRIVER_VERSION]; /* need not end in NUL */
	uint32_t driver_cert;
	uint32_t os_info;
	uint32_t fb_usage;
	uint32_t gfx_usage, gfx_health;
	uint32_t compute_usage, compute_health;
	uint32_t avc_enc_usage, avc_enc_health;
	uint32_t hevc_enc_usage, hevc_enc_health;
	uint32_t encode_usage, decode_usage;
	uint32_t pf2vf_version_required;
	uint32_t fb_vis_usage, fb_vis_size;
	uint32_t fb_size;
	struct gv_mbox_ucode ucode_info[GV_MBOX_UCODES];
	uint64_t dummy_page_addr;
	uint64_t mes_info_addr;
	uint32_t mes_info_size;
	uint8_t reserved[GV_MBOX_PAGE_BYTES - 0x124];
} __attribute__((packed));

_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, checksum) == 0x010, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, driver_version) == 0x014, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, driver_cert) == 0x054, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, os_info) == 0x058, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, fb_usage) == 0x05c, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, gfx_usage) == 0x060, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, compute_usage) == 0x068, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, avc_enc_usage) == 0x070, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, hevc_enc_usage) == 0x078, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, encode_usage) == 0x080, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, decode_usage) == 0x084, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, pf2vf_version_required) == 0x088, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, fb_vis_usage) == 0x08c, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, fb_vis_size) == 0x090, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, fb_size) == 0x094, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, ucode_info) == 0x098, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, dummy_page_addr) == 0x110, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, mes_info_addr) == 0x118, "vf2pf v3");
_Static_assert(offsetof(struct gv_mbox_vf2pf_v3, mes_info_size) == 0x120, "vf2pf v3");
_Static_assert(sizeof(struct gv_mbox_vf2pf_v3) == GV_MBOX_PAGE_BYTES, "vf2pf v3");

struct gv_mbox_vf2pf_info {
	char driver_version[GV_MBOX_DRIVER_VERSION + 1]; /* printable ASCII, '?' for the rest */
	uint32_t os_info;
	uint32_t fb_usage_mib, fb_size_mib, fb_vis_usage_mib, fb_vis_size_mib;
	uint32_t gfx_usage, compute_usage;
	uint32_t pf2vf_version_required;
	uint64_t dummy_page_addr;
	unsigned ucode_count; /* entries with a version, packed to the front */
	struct gv_mbox_ucode ucode[GV_MBOX_UCODES];
};

/** Build version 3. -ERANGE: driver version or ucode list too long. */
int gv_mbox_vf2pf_build(const struct gv_mbox_vf2pf_info *info, struct gv_mbox_vf2pf_v3 *page,
                        struct gv_err *err);
/** Read a version 3 page. Errors as gv_mbox_pf2vf_read(). Versions 1 and 2 are from before any
 *  guest we know and are refused with -EPROTONOSUPPORT. A guest may be half way through an
 *  update: on -EBADMSG read again, GV_MBOX_VF2PF_TRIES times in all. */
int gv_mbox_vf2pf_read(const void *shared, struct gv_mbox_vf2pf_info *info, struct gv_err *err);

#define GV_MBOX_VF2PF_TRIES 5

/** "MEC", "SDMA", ...; "UNKNOWN". */
const char *gv_mbox_ucode_name(unsigned id);

/* ---- bad pages ----------------------------------------------------------- */
#define GV_MBOX_BAD_PAGES_MAX (GV_MBOX_BAD_PAGES_BYTES / 8u)

/** Write @count page frame numbers (4 KiB pages, VF relative) into @block; the rest is zeroed.
 *  -ERANGE: too many. */
int gv_mbox_bad_pages_build(const uint64_t *pfn, unsigned count,
                            uint8_t block[GV_MBOX_BAD_PAGES_BYTES]);
/** Copy the list out of @shared. @bytes is pf2vf's bp_block_size. -EMSGSIZE: not a multiple of 8
 *  or too long; -ERANGE: a page at or above @fb_pages. @pfn has room for GV_MBOX_BAD_PAGES_MAX. */
int gv_mbox_bad_pages_read(const void *shared, uint32_t bytes, uint64_t fb_pages, uint64_t *pfn,
                           unsigned *count, struct gv_err *err);

/* ---- VBIOS --------------------------------------------------------------- */
struct gv_mbox_vbios {
	char part_number[32];                          /* "" : "113-GPUVISOR-000" */
	char build_date[16];                           /* "" : "01/01/26 00:00" */
	uint32_t sclk_10khz, mclk_10khz, refclk_10khz; /* 0: 85200, 16700, 2700 */
	uint64_t region_off;   /* where the exchange region lies in the VF's frame buffer */
	uint32_t region_bytes; /* 0: GV_MBOX_REGION_BYTES rounded up to KiB */
};

/** Build the smallest ATOMFIRMWARE image that the amdgpu driver accepts on a VF: header, the data
 *  tables firmwareinfo, smu_info, vram_usagebyfirmware and an empty indirect-io list. No command
 *  table: a VF executes none. @vbios NULL: all defaults. -ERANGE: a value that its field cannot
 *  hold; -EINVAL: a name that is not printable ASCII. */
int gv_mbox_vbios_build(const struct gv_mbox_vbios *vbios, uint8_t image[GV_MBOX_VBIOS_BYTES],
                        struct gv_err *err);
/** The guest's side: check @image (@bytes of it are there) as a driver does, and find the exchange
 *  region through vram_usagebyfirmware. -EBADMSG: not such an image (the text says where);
 *  -ENOENT: sound, but no exchange region in it. */
int gv_mbox_vbios_check(const uint8_t *image, size_t bytes, struct gv_mbox_vbios *vbios,
                        struct gv_err *err);

#endif
