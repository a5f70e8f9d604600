/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_GLUE_VIRT_WATCH_H
#define GV_GLUE_VIRT_WATCH_H

#include "virt.h"

/* What libvirt's event loop hands to the watch's thread. */
enum gv_virt_record_kind {
	GV_VIRT_REC_STARTED,
	GV_VIRT_REC_STOPPED,
	GV_VIRT_REC_UNDEFINED,
	GV_VIRT_REC_CHANGED,        /* its devices may have: read again */
	GV_VIRT_REC_REMOVAL_FAILED, /* text: alias */
	GV_VIRT_REC_DELETED,        /* text: QEMU's id of a device by monitor */
};

struct gv_virt_record {
	enum gv_virt_record_kind kind;
	char domain[GV_VIRT_NAME], uuid[GV_VIRT_UUID];
	char text[GV_VIRT_ALIAS];
};

/* A running domain, as last read: when it stops, nobody else remembers what it had. */
struct gv_virt_seen {
	char domain[GV_VIRT_NAME], uuid[GV_VIRT_UUID];
	struct gv_virt_dev *devs;
	size_t count;
};

/* All of them, and where to tell what changes. Belongs to the watch's thread. */
struct gv_virt_cache {
	struct gv_virt *virt; /* NULL: not connected */
	struct gv_virt_seen *at;
	size_t count;
	void *arg;
	void (*tell)(void *arg, const struct gv_virt_event *event);
};

/** Forget everything. */
void gv_virt_cache_clear(struct gv_virt_cache *cache);
/** Read all running domains and tell IN_USE for each function, then SYNCED. */
int gv_virt_cache_sync(struct gv_virt_cache *cache, struct gv_err *err);
/** Tell what @record means. A failure: the connection is of no more use. */
int gv_virt_cache_handle(struct gv_virt_cache *cache, const struct gv_virt_record *record,
                         struct gv_err *err);

#endif
