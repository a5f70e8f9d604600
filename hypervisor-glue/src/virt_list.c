/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which function: read from all domains each time, since others change them too. */
#include <stdio.h>
#include <string.h>

#include "virt.h"

struct domains {
	virDomainPtr *at;
	int count;
};

static void free_domains(struct domains *d)
{
	for (int i = 0; i < d->count; i++)
		if (d->at[i])
			(void)virDomainFree(d->at[i]);
	free(d->at);
}

#define auto_domains GV_CLEANUP(free_domains) struct domains

static int get_domains(struct gv_virt *virt, struct domains *d, struct gv_err *err)
{
	d->count = virConnectListAllDomains(virt->conn, &d->at, 0);
	if (d->count >= 0)
		return 0;
	d->count = 0;
	return gv_virt_fail(err, "libvirt: list of domains");
}

/* Hand over one of the list. A domain that went away meanwhile is no failure: *@gone. */
static int take_domain(struct domains *all, int i, struct gv_virt_domain *d, bool *gone,
                       struct gv_err *err)
{
	virDomainPtr one = GV_TAKE(all->at[i]);
	int rc = gv_virt_domain_init(one, d, err);

	*gone = rc == -ENOENT;
	return *gone ? 0 : rc;
}

/* The functions of @d: @live or in its definition. None, when there is no such thing. */
static int devices(struct gv_virt *virt, const struct gv_virt_domain *d, bool live,
                   struct gv_virt_dev **devs, size_t *count, struct gv_err *err)
{
	gv_auto_free char *xml = NULL;
	int rc;

	*devs = NULL;
	*count = 0;
	if (live ? !d->running : !d->persistent)
		return 0;
	rc = gv_virt_get_xml(virt, d, live, &xml, err);
	if (rc == -ENOENT)
		return 0;
	return rc ? rc : gv_virt_xml_devices(xml, devs, count, err);
}

/* ---- list ----------------------------------------------------------------- */
struct list {
	struct gv_virt_vf *at;
	size_t count;
};

static int append(struct list *l, const struct gv_virt_domain *d, const struct gv_virt_dev *dev,
                  bool live, struct gv_err *err)
{
	struct gv_virt_vf *more = reallocarray(l->at, l->count + 1, sizeof(*more));
	struct gv_virt_vf *v;

	if (!more)
		return gv_fail(err, -ENOMEM, "libvirt: out of memory");
	l->at = more;
	v = &more[l->count++];
	*v = (struct gv_virt_vf){.bdf = dev->bdf, .running = d->running, .live = live};
	v->config = !live;
	v->managed = dev->managed;
	v->how = dev->how;
	memcpy(v->domain, d->name, sizeof(v->domain));
	memcpy(v->uuid, d->uuid, sizeof(v->uuid));
	return 0;
}

/* The same function live and in the definition is one entry; the live one says how. */
static int merge(struct list *l, size_t from, const struct gv_virt_domain *d,
                 const struct gv_virt_dev *dev, struct gv_err *err)
{
	for (size_t i = from; i < l->count; i++)
		if (gv_virt_same_bdf(&l->at[i].bdf, &dev->bdf)) {
			l->at[i].config = true;
			return 0;
		}
	return append(l, d, dev, false, err);
}

static int list_domain(struct gv_virt *virt, const struct gv_virt_domain *d, struct list *l,
                       struct gv_err *err)
{
	gv_auto_free struct gv_virt_dev *live = NULL, *config = NULL;
	size_t lives = 0, configs = 0, from = l->count;
	int rc = devices(virt, d, true, &live, &lives, err);

	if (!rc)
		rc = devices(virt, d, false, &config, &configs, err);
	for (size_t i = 0; !rc && i < lives; i++)
		rc = append(l, d, &live[i], true, err);
	for (size_t i = 0; !rc && i < configs; i++)
		if (config[i].how !=
		    GV_VIRT_MONITOR) /* a note of the running one, kept by mistake */
			rc = merge(l, from, d, &config[i], err);
	return rc;
}

int gv_virt_list(struct gv_virt *virt, struct gv_virt_vf **vfs, size_t *count, struct gv_err *err)
{
	auto_domains all = {NULL, 0};
	struct list l = {NULL, 0};
	int rc = get_domains(virt, &all, err);

	for (int i = 0; !rc && i < all.count; i++) {
		gv_auto_domain d = {0};
		bool gone;

		rc = take_domain(&all, i, &d, &gone, err);
		if (!rc && !gone)
			rc = list_domain(virt, &d, &l, err);
	}
	if (rc) {
		free(l.at);
		return rc;
	}
	*vfs = l.at;
	*count = l.count;
	return 0;
}

/* ---- one user per VF ------------------------------------------------------ */
int gv_virt_exclusive(struct gv_virt *virt, const struct gv_virt_domain *domain,
                      const struct gv_glue_bdf *bdf, unsigned where, struct gv_err *err)
{
	gv_auto_free struct gv_virt_vf *vfs = NULL;
	char at[GV_GLUE_BDF_TEXT];
	size_t count = 0;
	int rc = gv_virt_list(virt, &vfs, &count, err);

	gv_glue_bdf_format(bdf, at);
	for (size_t i = 0; !rc && i < count; i++) {
		const struct gv_virt_vf *v = &vfs[i];
		bool live = (where & GV_VIRT_LIVE) && v->live;
		bool own = !strcmp(v->uuid, domain->uuid);

		if (!gv_virt_same_bdf(&v->bdf, bdf) ||
		    (!live && !((where & GV_VIRT_CONFIG) && v->config)))
			continue;
		rc = gv_fail(err, own ? -EEXIST : -EBUSY, "%s: domain %s has it already%s", at,
		             v->domain, live ? "" : ", in its definition");
	}
	return rc;
}

/* ---- tokens --------------------------------------------------------------- */
static int is_of_pf(const char *root, const struct gv_glue_bdf *vf, const struct gv_glue_bdf *pf,
                    bool *is, struct gv_err *err)
{
	struct gv_glue_fn fn;
	int rc = gv_glue_fn_read(root, vf, &fn, err);

	*is = !rc && fn.is_vf && gv_virt_same_bdf(&fn.pf, pf);
	return rc == -ENODEV ? 0 : rc;
}

struct refresh {
	struct gv_virt *virt;
	const char *root;
	const struct gv_glue_bdf *pf;
	const char *token, *link_dir;
	unsigned long qemu;
	unsigned changed;
	struct gv_err *err;
};

/* *@xml is replaced; *@dirty when something in it changed. */
static int refresh_device(struct refresh *r, const struct gv_virt_dev *dev, char **xml, bool *dirty)
{
	gv_auto_free char *value = NULL;
	struct gv_virt_property property;
	bool ours = false;
	char *out;
	int rc = 0;

	if (dev->how == GV_VIRT_OVERRIDE)
		rc = is_of_pf(r->root, &dev->bdf, r->pf, &ours, r->err);
	if (rc || !ours)
		return rc;
	rc = gv_virt_token_property(r->qemu, &dev->bdf, r->token, r->link_dir, &property.name,
	                            &value, r->err);
	if (rc)
		return rc;
	property.value = value;
	rc = gv_virt_xml_set_property(*xml, &dev->bdf, &property, &out, r->err);
	if (rc == -EALREADY)
		return 0;
	if (rc)
		return rc;
	free(*xml);
	*xml = out;
	*dirty = true;
	return 0;
}

static int refresh_domain(struct refresh *r, const struct gv_virt_domain *d)
{
	gv_auto_free struct gv_virt_dev *devs = NULL;
	gv_auto_free char *xml = NULL;
	bool dirty = false;
	size_t count = 0;
	int rc;

	if (!d->persistent)
		return 0;
	rc = gv_virt_get_xml(r->virt, d, false, &xml, r->err);
	if (!rc)
		rc = gv_virt_xml_devices(xml, &devs, &count, r->err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = refresh_device(r, &devs[i], &xml, &dirty);
	if (rc || !dirty)
		return rc == -ENOENT ? 0 : rc;
	rc = gv_virt_define(r->virt, xml, r->err);
	r->changed += !rc;
	return rc;
}

int gv_virt_refresh_token(struct gv_virt *virt, const char *root, const struct gv_glue_bdf *pf,
                          const char *vf_token, const char *link_dir, unsigned *changed,
                          struct gv_err *err)
{
	struct refresh r = {.virt = virt, .root = root, .pf = pf, .token = vf_token, .err = err};
	auto_domains all = {NULL, 0};
	unsigned long libvirt;
	int rc = gv_virt_check_token(vf_token, err);

	r.link_dir = link_dir;
	if (!rc)
		rc = gv_virt_versions(virt, &libvirt, &r.qemu, err);
	if (!rc)
		rc = get_domains(virt, &all, err);
	for (int i = 0; !rc && i < all.count; i++) {
		gv_auto_domain d = {0};
		bool gone;

		rc = take_domain(&all, i, &d, &gone, err);
		if (!rc && !gone)
			rc = refresh_domain(&r, &d);
	}
	gv_virt_hide(err, vf_token);
	if (!rc)
		*changed = r.changed;
	return rc;
}
