/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel interfaces newer than Debian 12's headers: VFIO character devices (Linux 6.6) and
 * iommufd (6.2). Names are our own, so that newer headers do not clash; numbers and layouts are
 * the kernel's.
 */
#ifndef GV_VFIO_UAPI_H
#define GV_VFIO_UAPI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define GVU_BIND_IOMMUFD _IO(';', 100 + 18)
#define GVU_ATTACH_PT    _IO(';', 100 + 19)
#define GVU_IOAS_ALLOC   _IO(';', 0x81)
#define GVU_IOAS_MAP     _IO(';', 0x85)
#define GVU_IOAS_UNMAP   _IO(';', 0x86)

#define GVU_BIND_TOKEN 1u /* Linux 6.18: token_ptr is there */

struct gvu_bind {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_ptr; /* 16 bytes; only with GVU_BIND_TOKEN */
};
#define GVU_BIND_PLAIN_BYTES offsetof(struct gvu_bind, token_ptr)

struct gvu_attach {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
};

struct gvu_ioas_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t out_ioas;
};

#define GVU_MAP_FIXED 1u
#define GVU_MAP_W     2u
#define GVU_MAP_R     4u

struct gvu_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas;
	uint32_t reserved;
	uint64_t user_va;
	uint64_t bytes;
	uint64_t iova;
};

struct gvu_ioas_unmap {
	uint32_t size;
	uint32_t ioas;
	uint64_t iova;
	uint64_t bytes; /* in: wanted; out: done */
};

_Static_assert(sizeof(struct gvu_bind) == 24, "kernel layout");
_Static_assert(sizeof(struct gvu_attach) == 12, "kernel layout");
_Static_assert(sizeof(struct gvu_ioas_alloc) == 12, "kernel layout");
_Static_assert(sizeof(struct gvu_ioas_map) == 40, "kernel layout");
_Static_assert(sizeof(struct gvu_ioas_unmap) == 24, "kernel layout");

#endif
