/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VFs in libvirt's domains, through its C API: give, take back, list, watch.
 * Built when GV_WITH_LIBVIRT is on; else every call is -ENOTSUP and says so.
 *
 * The VF token (VFs of a PF that is on vfio-pci) is a handshake between the PF's
 * owner and QEMU: it appears in QEMU's command line and in the domain's XML,
 * but never in our command lines or logs.
 */
#ifndef GV_LIBVIRT_H
#define GV_LIBVIRT_H

#include <gv/hypervisor_glue.h>

#define GV_VIRT_NAME 128
#define GV_VIRT_UUID 37

/* ---- connection: one thread at a time ------------------------------------- */
struct gv_virt;
/** @uri NULL: "qemu:///system". -ENOTSUP: built without libvirt; -ECONNREFUSED: nobody answers (the
 *  text is libvirt's). */
int gv_virt_open(const char *uri, const struct gv_log *log, struct gv_virt **virt,
                 struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_virt *gv_virt_close(struct gv_virt *virt);

/* ---- give and take -------------------------------------------------------- */

#define GV_VIRT_LIVE 1u /* the running domain */
#define GV_VIRT_CONFIG                                                                             \
	2u               /* its definition, from the next start on; neither: what applies now, as  \
	                    virsh attach-device does */
#define GV_VIRT_FORCE 4u /* detach: when the guest does not let go in time, take it away */

/* How a VF reached a domain. */
enum gv_virt_how {
	GV_VIRT_HOSTDEV,  /* plain hostdev element: no token needed, or -global carries it */
	GV_VIRT_OVERRIDE, /* hostdev element with a qemu:override that carries the token */
	GV_VIRT_MONITOR,  /* device_add by monitor: libvirt does not know the device */
};

struct gv_virt_attach {
	const char *domain;          /* name or UUID */
	const struct gv_glue_fn *vf; /* facts from sysfs */
	const char *vf_token;        /* UUID text, NULL: none needed */
	const char *link_dir;        /* where links that carry the token to a QEMU before 8.1 are
	                                made; NULL: "/run/gpuvisor/vf" (0711) */
	bool managed;
	unsigned flags;      /* GV_VIRT_LIVE, GV_VIRT_CONFIG */
	unsigned timeout_ms; /* of what QEMU does; 0: 10000 */
};
/**
 * Give a VF to a domain. The XML is validated (libvirt's schema) before use. Which way is taken
 * depends on token and QEMU version, see docs/libvirt.md.
 * -ENOENT: no such domain; -EBUSY: a domain has the VF already (the text says which);
 * -EEXIST: this domain has it; -ENOTSUP: no way with this QEMU; -EINVAL; -EIO: libvirt's own text;
 * -ENOSPC: no free PCI port to plug into by monitor; -ETIMEDOUT: no answer in time, and since
 * libvirt's calls cannot be taken back the VF may still arrive: look with gv_virt_list().
 * With LIVE and CONFIG it is both or neither: the definition is put back when the running domain
 * fails. A definition is written back whole: what others change at that moment is lost.
 * By monitor (@managed) the VF is bound to vfio-pci here, since libvirt does not know of it.
 */
int gv_virt_attach(struct gv_virt *virt, const struct gv_virt_attach *attach, enum gv_virt_how *how,
                   struct gv_err *err);

/** Take a VF back, from the definition too when that is asked. One of both places is enough. The
 *  definition changes last. Live: waits until the guest has let go (DEVICE_REMOVED); -ETIMEDOUT
 * after
 *  @timeout_ms (0: 10000) unless GV_VIRT_FORCE: then the device is taken away, or, where QEMU has
 *  no way to do so, the domain is destroyed (*@destroyed, may be NULL, says so).
 *  -ENOENT: the domain does not have it. */
int gv_virt_detach(struct gv_virt *virt, const char *domain, const struct gv_glue_bdf *vf,
                   unsigned flags, unsigned timeout_ms, bool *destroyed, struct gv_err *err);

/* A PCI function in a domain. */
struct gv_virt_vf {
	char domain[GV_VIRT_NAME], uuid[GV_VIRT_UUID];
	struct gv_glue_bdf bdf;
	bool running;      /* the domain runs */
	bool live, config; /* where the device is */
	bool managed;
	enum gv_virt_how how;
};
/** Every PCI hostdev of every domain. *@vfs: caller frees with free(). */
int gv_virt_list(struct gv_virt *virt, struct gv_virt_vf **vfs, size_t *count, struct gv_err *err);

/** Put a new token (UUID text) into the definitions of all domains that have VFs of @pf by
 *  GV_VIRT_OVERRIDE (the PF's owner restarted). *@changed: definitions rewritten. */
int gv_virt_refresh_token(struct gv_virt *virt, const char *root, const struct gv_glue_bdf *pf,
                          const char *vf_token, const char *link_dir, unsigned *changed,
                          struct gv_err *err);

/** libvirt's own view of a function. -ENOENT: libvirt does not know it (without udev it misses VFs
 *  that appeared later). *@xml: caller frees with free(). */
int gv_virt_nodedev_xml(struct gv_virt *virt, const struct gv_glue_bdf *bdf, char **xml,
                        struct gv_err *err);

/** Versions: major * 1000000 + minor * 1000 + release. */
int gv_virt_versions(struct gv_virt *virt, unsigned long *libvirt, unsigned long *qemu,
                     struct gv_err *err);

/* ---- watch ---------------------------------------------------------------- */

enum gv_virt_event_kind {
	GV_VIRT_CONNECTED, /* also after libvirtd was restarted; an event IN_USE follows for each
	                      PCI function of each running domain, then SYNCED */
	GV_VIRT_IN_USE,
	GV_VIRT_SYNCED,
	GV_VIRT_DISCONNECTED,   /* says nothing about the domains: they run on */
	GV_VIRT_DOMAIN_STARTED, /* one event per PCI function of the domain */
	GV_VIRT_DOMAIN_STOPPED, /* the same; @text: shutdown, destroyed, crashed, failed, ... */
	GV_VIRT_DEVICE_ADDED,
	GV_VIRT_DEVICE_REMOVED,
	GV_VIRT_REMOVAL_FAILED,   /* the guest refused */
	GV_VIRT_DOMAIN_UNDEFINED, /* has_bdf false */
};
const char *gv_virt_event_name(enum gv_virt_event_kind kind); /* "connected", "domain-stopped" */

struct gv_virt_event {
	enum gv_virt_event_kind kind;
	char domain[GV_VIRT_NAME], uuid[GV_VIRT_UUID];
	bool has_bdf; /* DOMAIN_* of a domain without PCI functions: false, one event */
	struct gv_glue_bdf bdf;
	char text[64];
};

struct gv_virt_watch;
/** Watch from a thread of its own; @event runs on it, and may take its time: what happens meanwhile
 *  is kept, and when it is too much (512), all is read again after a DISCONNECTED. An event may be
 *  told twice around SYNCED, never not at all. Reconnects by itself, at first after 100 ms,
 *  later every 5 s at most. @uri NULL: "qemu:///system". Returns at once; a libvirtd that is not
 *  there yet is no error. -ENOTSUP: built without libvirt. */
int gv_virt_watch_start(const char *uri, const struct gv_log *log, void *arg,
                        void (*event)(void *arg, const struct gv_virt_event *event),
                        struct gv_virt_watch **watch, struct gv_err *err);
/** Ends the thread (bounded). Takes NULL, returns NULL. Not from its callback. */
struct gv_virt_watch *gv_virt_watch_stop(struct gv_virt_watch *watch);

#endif
