/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of everything that needs libvirt, where that is not there. */
#include <gv/libvirt.h>

static int none(struct gv_err *err)
{
	return gv_fail(err, -ENOTSUP,
	               "built without libvirt: configure with -DGV_WITH_LIBVIRT=ON (libvirt-dev)");
}

int gv_virt_open(const char *uri, const struct gv_log *log, struct gv_virt **virt,
                 struct gv_err *err)
{
	(void)uri;
	(void)log;
	(void)virt;
	return none(err);
}

struct gv_virt *gv_virt_close(struct gv_virt *virt)
{
	(void)virt;
	return NULL;
}

int gv_virt_attach(struct gv_virt *virt, const struct gv_virt_attach *attach, enum gv_virt_how *how,
                   struct gv_err *err)
{
	(void)virt;
	(void)attach;
	(void)how;
	return none(err);
}

int gv_virt_detach(struct gv_virt *virt, const char *domain, const struct gv_glue_bdf *vf,
                   unsigned flags, unsigned timeout_ms, bool *destroyed, struct gv_err *err)
{
	(void)virt;
	(void)domain;
	(void)vf;
	(void)flags;
	(void)timeout_ms;
	(void)destroyed;
	return none(err);
}

int gv_virt_list(struct gv_virt *virt, struct gv_virt_vf **vfs, size_t *count, struct gv_err *err)
{
	(void)virt;
	(void)vfs;
	(void)count;
	return none(err);
}

int gv_virt_refresh_token(struct gv_virt *virt, const char *root, const struct gv_glue_bdf *pf,
                          const char *vf_token, const char *link_dir, unsigned *changed,
                          struct gv_err *err)
{
	(void)virt;
	(void)root;
	(void)pf;
	(void)vf_token;
	(void)link_dir;
	(void)changed;
	return none(err);
}

int gv_virt_nodedev_xml(struct gv_virt *virt, const struct gv_glue_bdf *bdf, char **xml,
                        struct gv_err *err)
{
	(void)virt;
	(void)bdf;
	(void)xml;
	return none(err);
}

int gv_virt_versions(struct gv_virt *virt, unsigned long *libvirt, unsigned long *qemu,
                     struct gv_err *err)
{
	(void)virt;
	(void)libvirt;
	(void)qemu;
	return none(err);
}

int gv_virt_watch_start(const char *uri, const struct gv_log *log, void *arg,
                        void (*event)(void *arg, const struct gv_virt_event *event),
                        struct gv_virt_watch **watch, struct gv_err *err)
{
	(void)uri;
	(void)log;
	(void)arg;
	(void)event;
	(void)watch;
	return none(err);
}

struct gv_virt_watch *gv_virt_watch_stop(struct gv_virt_watch *watch)
{
	(void)watch;
	return NULL;
}
