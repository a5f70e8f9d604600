/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio-user front end: offers each function of an emulated GPU on a unix socket, one client per
 * socket. The order of life:
 *
 *   gv_vfus_new -> gv_vfus_host -> gv_dev_new -> gv_vfus_start ... gv_vfus_stop -> gv_dev_free
 *   -> gv_vfus_free
 *
 * Threads: one that accepts, one per function that ever had a client. What a client does wrong
 * ends at its own connection.
 */
#ifndef GV_VFIO_USER_SERVER_H
#define GV_VFIO_USER_SERVER_H

#include <gv/device_model.h>

struct gv_vfus;

struct gv_vfus_cfg {
	const struct gv_log *log; /* or NULL */
	bool no_mapped_doorbells; /* BAR2 only traps: no poller ever watches a page */
	bool keep_vf_on_close;    /* do not reset a VF when its client goes */
	bool reset_pf_on_close;   /* reset the PF too: its VFs vanish then, as with vfio-pci */
	unsigned spin_us;         /* look for the next request this long before sleeping */
};

/** @cfg may be NULL. -ENOMEM. Caller frees with gv_vfus_free(). Installs a SIGBUS handler for
 *  client memory whose file was shortened; other SIGBUS go where they went before. */
int gv_vfus_new(const struct gv_vfus_cfg *cfg, struct gv_vfus **srv);

/** What to give to gv_dev_new(). */
struct gv_dev_host gv_vfus_host(struct gv_vfus *srv);

/**
 * Serve @dev. With @dir: make the directory (0700) when it is not there, lock it, and listen on
 * DIR/pf.sock, DIR/vfN.sock for each VF that exists (as VFs come and go), and DIR/stats.sock,
 * which gives each caller one line of JSON counters. Without: only gv_vfus_attach_fd().
 * -EBUSY: another process serves this directory. -EEXIST: something else has the socket's name.
 */
int gv_vfus_start(struct gv_vfus *srv, struct gv_dev *dev, const char *dir, struct gv_err *err);

/** Serve the client at the other end of a connected stream socket as @func's. Takes @fd, also on
 *  error. -EBUSY: @func has a client. -ENODEV: no such function. */
int gv_vfus_attach_fd(struct gv_vfus *srv, unsigned func, int fd);

/** Part from every client, remove the sockets. Takes one that never started. */
void gv_vfus_stop(struct gv_vfus *srv);

/** Takes NULL, returns NULL. After gv_dev_free(). */
struct gv_vfus *gv_vfus_free(struct gv_vfus *srv);

struct gv_vfus_stats {
	uint64_t clients;      /* connections served */
	uint64_t refused;      /* connections closed because there was a client already */
	uint64_t requests;     /* messages handled */
	uint64_t bad_messages; /* refused, or the end of their connection */
	uint64_t dma_messages; /* DMA_READ and DMA_WRITE sent */
	uint64_t zero_pages;   /* SIGBUS on client memory, all functions together */
};
void gv_vfus_get_stats(struct gv_vfus *srv, unsigned func, struct gv_vfus_stats *stats);

/** All counters of the device and the server as one line of JSON. Caller frees. */
char *gv_vfus_stats_json(struct gv_vfus *srv);

#endif
