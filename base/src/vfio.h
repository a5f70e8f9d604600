/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the Linux VFIO bus. Everything it asks of the kernel goes through struct
 * gv_vfio_sys, and sysfs has a root that can be moved, so that its ways and its errors can be
 * tested on a machine without /dev/vfio.
 */
#ifndef GV_BASE_VFIO_H
#define GV_BASE_VFIO_H

#include <sys/types.h>

#include <gv/bus.h>
#include <gv/vfio.h>

#include "iova.h"

/* All return what the call returns, or a negative errno; mmap gives its result in *p. */
struct gv_vfio_sys {
	void *arg;
	const char *sysfs; /* "/sys" */
	int (*open)(void *arg, const char *path, int flags);
	int (*close)(void *arg, int fd);
	int (*ioctl)(void *arg, int fd, unsigned long request, void *data);
	ssize_t (*pread)(void *arg, int fd, void *buf, size_t n, uint64_t off);
	ssize_t (*pwrite)(void *arg, int fd, const void *buf, size_t n, uint64_t off);
	int (*mmap)(void *arg, int fd, uint64_t off, size_t n, void **p);
	int (*munmap)(void *arg, void *p, size_t n);
};
const struct gv_vfio_sys *gv_vfio_real(void);

#define VFIO_PATH_MAX 256

/* What sysfs says about the function (vfio_find.c). */
struct vfio_facts {
	char bdf[16];
	char group[VFIO_PATH_MAX]; /* "/dev/vfio/12"; empty: there is none */
	char cdev[VFIO_PATH_MAX];  /* "/dev/vfio/devices/vfio0"; empty: the kernel has none */
	bool noiommu;
	bool is_vf;
};
/** -EINVAL: not a BDF. -ENODEV and others: the text says what is missing and what to do. */
int gv_vfio_find(const struct gv_vfio_sys *sys, const char *bdf, struct vfio_facts *facts,
                 struct gv_err *err);
/** One line of a sysfs file, without its newline. */
int gv_vfio_sysfs_read(const struct gv_vfio_sys *sys, const char *path, char *buf, size_t n);
/** SR-IOV through the function's sriov_numvfs, read back. */
int gv_vfio_sysfs_numvfs(const struct gv_vfio_sys *sys, const char *bdf, unsigned num_vfs,
                         struct gv_err *err);

/* How the device was reached, and what maps its DMA (vfio_attach.c). */
struct vfio_link {
	const struct gv_vfio_sys *sys;
	int device;
	int container, group; /* group way */
	int iommufd;          /* iommufd way */
	uint32_t ioas;
	bool noiommu;
};
void gv_vfio_link_init(struct vfio_link *link, const struct gv_vfio_sys *sys);
int gv_vfio_attach(struct vfio_link *link, const struct vfio_facts *facts, const uint8_t *token,
                   const struct gv_log *log, struct gv_err *err);
void gv_vfio_detach(struct vfio_link *link);
int gv_vfio_dma_map(struct vfio_link *link, void *cpu, uint64_t iova, uint64_t bytes);
int gv_vfio_dma_unmap(struct vfio_link *link, uint64_t iova, uint64_t bytes);

/** gv_bus_open("vfio:@bdf"). */
int gv_vfio_open(const char *bdf, const uint8_t *token, const struct gv_log *log,
                 struct gv_bus **bus, struct gv_err *err);
int gv_vfio_open_sys(const struct gv_vfio_sys *sys, const char *bdf, const uint8_t *token,
                     const struct gv_log *log, struct gv_bus **bus, struct gv_err *err);
/** The same with descriptors that were kept. */
int gv_vfio_open_fds_sys(const struct gv_vfio_sys *sys, const char *bdf,
                         const struct gv_vfio_fds *fds, const struct gv_log *log,
                         struct gv_bus **bus, struct gv_err *err);
/** Whatever was mapped through this link is not any more. */
int gv_vfio_dma_unmap_all(struct vfio_link *link);

#endif
