/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_GLUE_VIRT_H
#define GV_GLUE_VIRT_H

#include <libvirt/libvirt.h>

#include "virt_xml.h"

#define GV_VIRT_URI        "qemu:///system"
#define GV_VIRT_LINK_DIR   "/run/gpuvisor/vf"
#define GV_VIRT_TIMEOUT_MS 10000
#define GV_VIRT_VF_TOKEN   8001000ul /* first QEMU whose vfio-pci has the property vf-token */

/* What changes a running domain. libvirt's test driver can do none of it, so a test brings its
 * own; else these are libvirt's calls of the same name. */
struct gv_virt_ops {
	char *(*get_xml)(virDomainPtr domain, unsigned flags);
	int (*attach)(virDomainPtr domain, const char *xml, unsigned flags);
	int (*detach)(virDomainPtr domain, const char *alias, unsigned flags);
	int (*monitor)(virDomainPtr domain, const char *command, char **result, unsigned flags);
	int (*set_metadata)(virDomainPtr domain, int type, const char *metadata, const char *key,
	                    const char *uri, unsigned flags);
};

struct gv_virt {
	virConnectPtr conn;
	const struct gv_log *log;
	const struct gv_virt_ops *ops;
};

/* A domain and what can be said about it once. */
struct gv_virt_domain {
	virDomainPtr domain;
	char name[GV_VIRT_NAME], uuid[GV_VIRT_UUID];
	bool running, persistent;
};

/* ---- virt.c --------------------------------------------------------------- */

/** libvirt ready, its errors not printed. */
int gv_virt_init(struct gv_err *err);
/** gv_virt_open() without a deadline, for a thread that has nothing else to do: against a libvirtd
 *  that hangs, attempts that were given up would pile up. */
int gv_virt_open_patient(const char *uri, const struct gv_log *log, struct gv_virt **virt,
                         struct gv_err *err);
/** Record libvirt's last error: -ENOENT no such domain, -ENOTSUP, -EACCES, else -EIO. */
int gv_virt_fail(struct gv_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** What libvirt or QEMU says, before it goes anywhere: every UUID in @text becomes stars (a domain
 * is named by our own part of the text), control characters become spaces. */
void gv_virt_scrub(char *text);
/* Room for what they say: more than fits a struct gv_err, so that no half of a UUID is left. */
#define GV_VIRT_SAYS (sizeof(((struct gv_err *)NULL)->text) + 64)
/** Replace @token wherever it is in the text. NULL token: nothing. */
void gv_virt_hide(struct gv_err *err, const char *token);

/** By name, else by UUID. */
int gv_virt_lookup(struct gv_virt *virt, const char *name, struct gv_virt_domain *domain,
                   struct gv_err *err);
/** Facts of @domain; takes over its reference, on failure too. */
int gv_virt_domain_init(virDomainPtr domain, struct gv_virt_domain *d, struct gv_err *err);
/** Takes one that was never looked up. */
void gv_virt_domain_done(struct gv_virt_domain *domain);
#define gv_auto_domain GV_CLEANUP(gv_virt_domain_done) struct gv_virt_domain

/** The running domain's XML, or its definition's: whole, as a definition can be replaced by it. */
int gv_virt_get_xml(struct gv_virt *virt, const struct gv_virt_domain *domain, bool live,
                    char **xml, struct gv_err *err);
/** Validate against the schema, then make it the definition. */
int gv_virt_define(struct gv_virt *virt, const char *xml, struct gv_err *err);
/** LIVE and CONFIG as they apply to @domain; -EINVAL: it does not run, or has no definition. */
int gv_virt_where(const struct gv_virt_domain *domain, unsigned flags, unsigned *where,
                  struct gv_err *err);

/* ---- virt_bounded.c -------------------------------------------------------- */

/* A call of libvirt's with a deadline. */
struct gv_virt_call {
	const char *what;
	int (*run)(void *arg, struct gv_err *err); /* on a thread of its own */
	void (*take)(void *arg);                   /* after success, on the caller's; may be NULL */
	void (*release)(void *arg);                /* always, last, on either */
};
/** -ETIMEDOUT: not back in time; it goes on, and its result is dropped. */
int gv_virt_bounded(const struct gv_virt_call *call, void *arg, unsigned timeout_ms,
                    struct gv_err *err);

/* ---- virt_call.c: what may wait for a QEMU ------------------------------------ */

int gv_virt_call_attach(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *xml,
                        unsigned timeout_ms, struct gv_err *err);
int gv_virt_call_detach(struct gv_virt *virt, const struct gv_virt_domain *domain,
                        const char *alias, unsigned timeout_ms, struct gv_err *err);
/** *@reply: caller frees. */
int gv_virt_call_monitor(struct gv_virt *virt, const struct gv_virt_domain *domain,
                         const char *command, char **reply, unsigned timeout_ms,
                         struct gv_err *err);

/* ---- virt_list.c ---------------------------------------------------------- */

/** Whether nobody has @bdf where @where says: -EBUSY another domain, -EEXIST @domain. */
int gv_virt_exclusive(struct gv_virt *virt, const struct gv_virt_domain *domain,
                      const struct gv_glue_bdf *bdf, unsigned where, struct gv_err *err);

/* ---- virt_token.c --------------------------------------------------------- */

/** A UUID as libuuid prints it. */
int gv_virt_check_token(const char *token, struct gv_err *err);
/** What carries the token to a QEMU of version @qemu: before 8.1 a link in @link_dir (NULL: ours)
 * is made, and those of former tokens removed. *@value: caller frees. */
int gv_virt_token_property(unsigned long qemu, const struct gv_glue_bdf *bdf, const char *token,
                           const char *link_dir, const char **name, char **value,
                           struct gv_err *err);

/* ---- virt_monitor.c ------------------------------------------------------- */

/** Version of the QEMU that runs @domain. */
int gv_virt_running_qemu(struct gv_virt *virt, const struct gv_virt_domain *domain,
                         unsigned long *version, struct gv_err *err);
/** Plug @vf by device_add and note it in the metadata. */
int gv_virt_monitor_add(struct gv_virt *virt, const struct gv_virt_domain *domain,
                        const struct gv_virt_attach *attach, unsigned long qemu,
                        struct gv_err *err);
/** Ask the guest to let go of the device with id @id. */
int gv_virt_monitor_del(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *id,
                        struct gv_err *err);
/** Whether QEMU has a device with id @id. */
int gv_virt_monitor_has(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *id,
                        bool *has, struct gv_err *err);
/** Strike @bdf from the metadata. */
int gv_virt_monitor_forget(struct gv_virt *virt, const struct gv_virt_domain *domain,
                           const struct gv_glue_bdf *bdf, struct gv_err *err);

/* ---- virt_reach.c --------------------------------------------------------- */

/** For a device that libvirt does not know: let the QEMU of @domain open /dev/vfio/@group and
 *  lock its guest's memory. Only as root; else, and when the domain's process is not found, nothing
 *  is done and 0 returned: device_add will tell. */
int gv_virt_reach(const struct gv_virt_domain *domain, int group, const struct gv_log *log,
                  struct gv_err *err);
/** When the device is gone: /dev/vfio/@group is root's again. As far as that is possible. */
void gv_virt_unreach(const struct gv_virt_domain *domain, int group);

/* ---- virt_loop.c: libvirt's event loop is one per process ------------------- */

/** Have it run until gv_virt_loop_put(); counted. Before any connection is opened. */
int gv_virt_loop_get(struct gv_err *err);
void gv_virt_loop_put(void);

#endif
