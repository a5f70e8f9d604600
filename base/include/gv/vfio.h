/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two real buses can do beyond <gv/bus.h>. Most users only need
 * gv_bus_open(): see docs/vfio-user.md and docs/vfio.md.
 */
#ifndef GV_VFIO_H
#define GV_VFIO_H

#include <gv/bus.h>

struct gv_vfu_opts {
	/* Ring doorbells by storing to the mapped page instead of a posted message. The store
	 * itself is cheaper, but a device that sleeps sees it only at its next look at the page;
	 * the message wakes it. */
	bool mapped_doorbells;
	/* Look for a reply this long before sleeping for it. Pays when the server runs on
	 * another CPU and that CPU's wake-up is slow; costs when both share one. */
	unsigned spin_us;
};

/** As gv_bus_open("vfio-user:@path"); @opts may be NULL. */
int gv_vfu_open(const char *path, const struct gv_vfu_opts *opts, const struct gv_log *log,
                struct gv_bus **bus, struct gv_err *err);

/** The same over a connected stream socket, which the bus owns from now on, also on error. */
int gv_vfu_open_fd(int fd, const char *name, const struct gv_vfu_opts *opts,
                   const struct gv_log *log, struct gv_bus **bus, struct gv_err *err);

/**
 * Set the VF token of a PF that is open on Linux VFIO: from now on its VFs can only be opened
 * with these 16 bytes. -ENOTSUP: not a VFIO bus, or the kernel or device has no VF tokens.
 */
int gv_vfio_set_vf_token(struct gv_bus *bus, const uint8_t token[16]);

/* What keeps a device of Linux VFIO, and so the VFs of a PF, alive while its program is replaced.
 * -1: not there. */
struct gv_vfio_fds {
	int device;
	int group, container; /* the one way */
	int iommufd;          /* or the other, with the address space in it: */
	uint32_t ioas;
};

/** The descriptors of an open bus, borrowed. -ENOTSUP: not a VFIO bus. */
int gv_vfio_get_fds(struct gv_bus *bus, struct gv_vfio_fds *fds);

/**
 * As gv_bus_open("vfio:@bdf"), with descriptors that gv_vfio_get_fds() gave to somebody who
 * keeps them; the bus owns them from now on, also on error. The device is not reset. What DMA and
 * interrupts had been set up with them is undone: memory behind it belonged to another process.
 * -EBADF: they are not those of an open VFIO device.
 */
int gv_vfio_open_fds(const char *bdf, const struct gv_vfio_fds *fds, const struct gv_log *log,
                     struct gv_bus **bus, struct gv_err *err);

/** "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to 16 bytes. -EINVAL for anything else. */
int gv_vfio_parse_uuid(const char *text, uint8_t uuid[16]);

/** The same from the first line of a file: a command line is there for everybody to see. -EINVAL:
 * it holds no UUID; or what opening gave. */
int gv_vfio_read_token(const char *path, uint8_t token[16], struct gv_err *err);

#endif
