/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The vfio-user protocol 0.1 as both ends see it: messages on an AF_UNIX stream
 * socket, host byte order, descriptors as SCM_RIGHTS next to the first byte of
 * their message. Facts: QEMU docs/interop/vfio-user.rst. Numbers that vfio-user
 * shares with <linux/vfio.h> have the same value here; this header does not need it.
 *
 *   0      2      4          8          12         16
 *   +------+------+----------+----------+----------+----------
 *   |  id  | cmd  |   size   |  flags   |  error   | payload
 *   +------+------+----------+----------+----------+----------
 *                  incl. these 16 bytes
 */
#ifndef GV_VFIO_USER_H
#define GV_VFIO_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GV_VFU_MAJOR      0
#define GV_VFU_MINOR      1
#define GV_VFU_MAX_FDS    16         /* in one message; more are refused */
#define GV_VFU_MAX_XFER   (1u << 20) /* data bytes of one message */
#define GV_VFU_MAX_MSG    (GV_VFU_MAX_XFER + 4096u)
#define GV_VFU_MAX_MAPS   65535u
#define GV_VFU_MAX_MULTI  200u /* writes in one WRITE_MULTI */
#define GV_VFU_PAGE       4096u
#define GV_VFU_TIMEOUT_NS 5000000000ull /* a peer that is silent for longer is lost */

enum gv_vfu_cmd {
	GV_VFU_VERSION = 1,
	GV_VFU_DMA_MAP = 2,
	GV_VFU_DMA_UNMAP = 3,
	GV_VFU_GET_INFO = 4,
	GV_VFU_GET_REGION_INFO = 5,
	GV_VFU_GET_REGION_IO_FDS = 6,
	GV_VFU_GET_IRQ_INFO = 7,
	GV_VFU_SET_IRQS = 8,
	GV_VFU_REGION_READ = 9,
	GV_VFU_REGION_WRITE = 10,
	GV_VFU_DMA_READ = 11,  /* server asks client */
	GV_VFU_DMA_WRITE = 12, /* server asks client */
	GV_VFU_DEVICE_RESET = 13,
	GV_VFU_WRITE_MULTI = 15,
	GV_VFU_DEVICE_FEATURE = 16,
	GV_VFU_MIG_DATA_READ = 17,
	GV_VFU_MIG_DATA_WRITE = 18,
};

/* gv_vfu_hdr.flags */
#define GV_VFU_TYPE_MASK 0x0fu
#define GV_VFU_COMMAND   0x00u
#define GV_VFU_REPLY     0x01u
#define GV_VFU_NO_REPLY  0x10u
#define GV_VFU_ERROR     0x20u

struct gv_vfu_hdr {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;
	uint32_t flags;
	uint32_t error; /* positive errno, with GV_VFU_ERROR */
};

struct gv_vfu_version {
	uint16_t major;
	uint16_t minor; /* a NUL-terminated JSON text follows */
};

/* gv_vfu_dma_map.flags */
#define GV_VFU_DMA_R 1u
#define GV_VFU_DMA_W 2u

struct gv_vfu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t fd_offset;
	uint64_t iova;
	uint64_t bytes;
};

#define GV_VFU_UNMAP_ALL 2u

struct gv_vfu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t bytes;
};

#define GV_VFU_DEV_RESET  1u
#define GV_VFU_DEV_PCI    2u
#define GV_VFU_NUM_REGION 9u
#define GV_VFU_NUM_IRQ    5u

struct gv_vfu_dev_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

/* gv_vfu_region_info.flags */
#define GV_VFU_REGION_R    1u
#define GV_VFU_REGION_W    2u
#define GV_VFU_REGION_MMAP 4u
#define GV_VFU_REGION_CAPS 8u
#define GV_VFU_CAP_SPARSE  1u

struct gv_vfu_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset; /* from the start of this struct */
	uint64_t bytes;
	uint64_t fd_offset; /* of the region inside the descriptor */
};

struct gv_vfu_sparse_area {
	uint64_t off;
	uint64_t bytes;
};

struct gv_vfu_sparse_cap {
	uint16_t id;
	uint16_t version;
	uint32_t next;
	uint32_t nr_areas;
	uint32_t reserved; /* struct gv_vfu_sparse_area[nr_areas] follow */
};

enum gv_vfu_irq {
	GV_VFU_IRQ_INTX,
	GV_VFU_IRQ_MSI,
	GV_VFU_IRQ_MSIX,
	GV_VFU_IRQ_ERR,
	GV_VFU_IRQ_REQ,
};

#define GV_VFU_IRQ_EVENTFD  1u
#define GV_VFU_IRQ_NORESIZE 8u

struct gv_vfu_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

/* gv_vfu_irq_set.flags: one of the first three and one of the last three */
#define GV_VFU_SET_NONE    0x01u
#define GV_VFU_SET_BOOL    0x02u
#define GV_VFU_SET_EVENTFD 0x04u
#define GV_VFU_SET_MASK    0x08u
#define GV_VFU_SET_UNMASK  0x10u
#define GV_VFU_SET_TRIGGER 0x20u

struct gv_vfu_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

struct gv_vfu_region_io {
	uint64_t off;
	uint32_t region;
	uint32_t count; /* data follows */
};

struct gv_vfu_dma_io {
	uint64_t iova;
	uint64_t count; /* data follows */
};

struct gv_vfu_multi_write {
	uint64_t off;
	uint32_t region;
	uint32_t count; /* 1..8 */
	uint8_t data[8];
};

_Static_assert(sizeof(struct gv_vfu_hdr) == 16, "wire layout");
_Static_assert(offsetof(struct gv_vfu_hdr, flags) == 8, "wire layout");
_Static_assert(sizeof(struct gv_vfu_version) == 4, "wire layout");
_Static_assert(sizeof(struct gv_vfu_dma_map) == 32, "wire layout");
_Static_assert(offsetof(struct gv_vfu_dma_map, iova) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_dma_unmap) == 24, "wire layout");
_Static_assert(sizeof(struct gv_vfu_dev_info) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_region_info) == 32, "wire layout");
_Static_assert(offsetof(struct gv_vfu_region_info, bytes) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_sparse_cap) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_sparse_area) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_irq_info) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_irq_set) == 20, "wire layout");
_Static_assert(sizeof(struct gv_vfu_region_io) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_dma_io) == 16, "wire layout");
_Static_assert(sizeof(struct gv_vfu_multi_write) == 24, "wire layout");

/* What the JSON of VERSION may say; members that it does not mention keep their value. */
struct gv_vfu_caps {
	uint64_t max_msg_fds;
	uint64_t max_data_xfer_size;
	uint64_t pgsizes;
	uint64_t max_dma_maps;
	bool write_multiple;
};

/** What the protocol assumes of a peer that says nothing. */
struct gv_vfu_caps gv_vfu_caps_default(void);

/**
 * Read the JSON text of a VERSION message: @n bytes that should end with a NUL.
 * Unknown keys are skipped. -EINVAL: not one JSON object (bounded depth), not NUL-terminated,
 * a known key of the wrong type, or a capability that makes no sense; *@caps is unchanged then.
 */
int gv_vfu_caps_parse(const char *json, size_t n, struct gv_vfu_caps *caps);

/** Write caps as the JSON of a VERSION message, with its NUL. Bytes needed (may exceed @n: then
 *  the text is cut). */
size_t gv_vfu_caps_format(char *buf, size_t n, const struct gv_vfu_caps *caps);

#endif
