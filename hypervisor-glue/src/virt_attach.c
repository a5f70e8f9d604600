/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Give a VF to a domain. The definition is changed first, because that can be
 * taken back at once; then the running domain.
 */
#include <stdio.h>
#include <string.h>

#include "virt.h"

struct job {
	struct gv_virt *virt;
	const struct gv_virt_attach *a;
	struct gv_virt_domain domain;
	unsigned where;
	char alias[GV_VIRT_ALIAS];
	char *hostdev, *before, *after; /* XML */
	enum gv_virt_how live, config;
	struct gv_err *err;
};

static void job_done(struct job *j)
{
	gv_virt_domain_done(&j->domain);
	free(j->hostdev);
	free(j->before);
	free(j->after);
}

/* Everything that can be refused without asking libvirt to change anything. */
static int check(struct job *j)
{
	const struct gv_virt_attach *a = j->a;
	int rc = a->vf_token ? gv_virt_check_token(a->vf_token, j->err) : 0;

	if (!rc)
		rc = gv_virt_lookup(j->virt, a->domain, &j->domain, j->err);
	if (!rc)
		rc = gv_virt_where(&j->domain, a->flags, &j->where, j->err);
	if (!rc)
		rc = gv_glue_hostdev_xml(a->vf, a->managed,
		                         gv_virt_alias("ua-vf", &a->vf->bdf, j->alias), &j->hostdev,
		                         j->err);
	if (!rc)
		rc = gv_virt_exclusive(j->virt, &j->domain, &a->vf->bdf, j->where, j->err);
	return rc;
}

/* ---- definition ----------------------------------------------------------- */
static int make_override(struct job *j)
{
	gv_auto_free char *value = NULL;
	struct gv_virt_property property;
	unsigned long libvirt, qemu;
	int rc = gv_virt_versions(j->virt, &libvirt, &qemu, j->err);

	if (!rc)
		rc = gv_virt_token_property(qemu, &j->a->vf->bdf, j->a->vf_token, j->a->link_dir,
		                            &property.name, &value, j->err);
	if (rc)
		return rc;
	property.value = value;
	j->config = GV_VIRT_OVERRIDE;
	return gv_virt_xml_add(j->before, j->hostdev, j->alias, &property, &j->after, j->err);
}

static int prepare_config(struct job *j)
{
	int rc = gv_virt_get_xml(j->virt, &j->domain, false, &j->before, j->err);

	if (rc)
		return rc;
	if (j->a->vf_token && !gv_virt_xml_global_token(j->before))
		return make_override(j);
	j->config = GV_VIRT_HOSTDEV;
	return gv_virt_xml_add(j->before, j->hostdev, j->alias, NULL, &j->after, j->err);
}

/* ---- running domain ------------------------------------------------------- */
static int attach_hostdev(struct job *j)
{
	j->live = GV_VIRT_HOSTDEV;
	return gv_virt_call_attach(j->virt, &j->domain, j->hostdev,
	                           j->a->timeout_ms ? j->a->timeout_ms : GV_VIRT_TIMEOUT_MS,
	                           j->err);
}

static int attach_live(struct job *j)
{
	gv_auto_free char *xml = NULL;
	unsigned long qemu = 0;
	int rc;

	if (!j->a->vf_token)
		return attach_hostdev(j);
	rc = gv_virt_get_xml(j->virt, &j->domain, true, &xml, j->err);
	if (!rc)
		rc = gv_virt_running_qemu(j->virt, &j->domain, &qemu, j->err);
	if (rc)
		return rc;
	/* The command line may be newer than the process: libvirt shows the one it started. */
	if (qemu >= GV_VIRT_VF_TOKEN && gv_virt_xml_global_token(xml))
		return attach_hostdev(j);
	j->live = GV_VIRT_MONITOR;
	return gv_virt_monitor_add(j->virt, &j->domain, j->a, qemu, j->err);
}

/* The definition as it was; the first failure stays the one that is told. */
static int take_back(struct job *j, int rc)
{
	struct gv_err first = j->err ? *j->err : (struct gv_err){.code = rc};

	if (gv_virt_define(j->virt, j->before, NULL))
		return gv_fail(j->err, rc, "%.300s; its definition keeps the VF", first.text);
	return rc;
}

int gv_virt_attach(struct gv_virt *virt, const struct gv_virt_attach *attach, enum gv_virt_how *how,
                   struct gv_err *err)
{
	GV_CLEANUP(job_done) struct job j = {.virt = virt, .a = attach, .err = err};
	int rc = check(&j);

	if (!rc && (j.where & GV_VIRT_CONFIG))
		rc = prepare_config(&j);
	if (!rc && (j.where & GV_VIRT_CONFIG))
		rc = gv_virt_define(virt, j.after, err);
	if (!rc && (j.where & GV_VIRT_LIVE)) {
		rc = attach_live(&j);
		if (rc && (j.where & GV_VIRT_CONFIG))
			rc = take_back(&j, rc);
	}
	gv_virt_hide(err, attach->vf_token);
	if (!rc && how)
		*how = (j.where & GV_VIRT_LIVE) ? j.live : j.config;
	return rc;
}
