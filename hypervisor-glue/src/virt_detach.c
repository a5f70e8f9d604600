/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Take a VF back. QEMU only asks the guest (a hot-unplug button); when it is gone, it is gone
 * from what libvirt, or QEMU's monitor, shows: that is polled, because it is true no matter who
 * pressed the button and which events were lost.
 */
#include <stdio.h>
#include <string.h>

#include "virt.h"

#define POLL_MS   50
#define RESEND_MS 2000 /* a guest that boots does not see the button */

struct job {
	struct gv_virt *virt;
	struct gv_virt_domain domain;
	struct gv_virt_dev dev; /* in the running domain */
	const struct gv_glue_bdf *bdf;
	unsigned timeout_ms, left_ms;
	struct gv_err *err;
};

static void job_done(struct job *j)
{
	gv_virt_domain_done(&j->domain);
}

static int find_live(struct job *j, struct gv_err *err)
{
	gv_auto_free char *xml = NULL;
	int rc = gv_virt_get_xml(j->virt, &j->domain, true, &xml, err);

	return rc ? rc : gv_virt_xml_find(xml, j->bdf, &j->dev, err);
}

static int press(struct job *j, struct gv_err *err)
{
	if (j->dev.how == GV_VIRT_MONITOR)
		return gv_virt_monitor_del(j->virt, &j->domain, j->dev.alias, err);
	return gv_virt_call_detach(j->virt, &j->domain, j->dev.alias, j->left_ms, err);
}

/* A domain that stopped has let go, too. */
static int look(struct job *j, bool *gone)
{
	struct gv_glue_fn fn;
	bool has = true;
	int rc;

	*gone = virDomainIsActive(j->domain.domain) != 1;
	if (*gone)
		return 0;
	if (j->dev.how != GV_VIRT_MONITOR) {
		rc = find_live(j, j->err);
		*gone = rc == -ENOENT;
		return *gone ? 0 : rc;
	}
	rc = gv_virt_monitor_has(j->virt, &j->domain, j->dev.alias, &has, j->err);
	if (rc || has)
		return rc;
	*gone = true;
	if (!gv_glue_fn_read("/sys", j->bdf, &fn, NULL))
		gv_virt_unreach(&j->domain, fn.iommu_group);
	return gv_virt_monitor_forget(j->virt, &j->domain, j->bdf, j->err);
}

/* The guest refuses, or QEMU says "in process already": not the end, it is asked again. */
static int press_and_wait(struct job *j)
{
	uint64_t now = gv_now_ns(), end = now + j->timeout_ms * GV_MS, next = now;
	char at[GV_GLUE_BDF_TEXT];
	struct gv_err said = {0};
	bool gone = false;
	int rc = 0;

	while (!rc && !gone && now < end) {
		if (now >= next) {
			said.text[0] = '\0';
			j->left_ms = (unsigned)((end - now) / GV_MS) + 1;
			rc = press(j, &said);
			next = now + RESEND_MS * GV_MS;
		}
		if (rc == -ENOTSUP || rc == -EACCES)
			return gv_fail(j->err, rc, "%s", said.text);
		rc = look(j, &gone);
		if (!rc && !gone)
			(void)usleep(POLL_MS * 1000);
		now = gv_now_ns();
	}
	if (rc || gone)
		return rc;
	return gv_fail(j->err, -ETIMEDOUT,
	               "%s: the guest of domain %s did not let go within %u ms%s%.150s",
	               gv_glue_bdf_format(j->bdf, at), j->domain.name, j->timeout_ms,
	               *said.text ? "; last heard: " : "", said.text);
}

/* On a PCI Express machine QEMU takes no device away that the guest holds: the guest must go. */
static int destroy(struct job *j, bool *destroyed)
{
	if (virDomainDestroy(j->domain.domain) < 0 && virDomainIsActive(j->domain.domain) == 1)
		return gv_virt_fail(j->err, "domain %s: destroy", j->domain.name);
	gv_logf(j->virt->log, GV_LOG_WARN, "domain %s: destroyed: its guest did not let go of a VF",
	        j->domain.name);
	*destroyed = true;
	return 0;
}

static int detach_live(struct job *j, unsigned flags, bool *destroyed)
{
	int rc = press_and_wait(j);

	if (rc == -ETIMEDOUT && (flags & GV_VIRT_FORCE))
		return destroy(j, destroyed);
	return rc;
}

/* *@after NULL: the definition does not have it. */
static int prepare_config(struct job *j, char **after)
{
	gv_auto_free char *before = NULL;
	int rc = gv_virt_get_xml(j->virt, &j->domain, false, &before, j->err);

	if (!rc)
		rc = gv_virt_xml_remove(before, j->bdf, after, j->err);
	return rc == -ENOENT ? 0 : rc;
}

static int detach(struct job *j, unsigned where, unsigned flags, bool *destroyed)
{
	gv_auto_free char *after = NULL;
	char at[GV_GLUE_BDF_TEXT];
	int rc = 0, live = -ENOENT;

	if (where & GV_VIRT_CONFIG)
		rc = prepare_config(j, &after);
	if (!rc && (where & GV_VIRT_LIVE)) {
		live = find_live(j, j->err);
		rc = live == -ENOENT ? 0 : live;
	}
	if (rc)
		return rc;
	if (live && !after)
		return gv_fail(j->err, -ENOENT, "%s: domain %s does not have it%s",
		               gv_glue_bdf_format(j->bdf, at), j->domain.name,
		               where & GV_VIRT_LIVE ? "" : " in its definition");
	if (!live)
		rc = detach_live(j, flags, destroyed);
	return rc || !after ? rc : gv_virt_define(j->virt, after, j->err);
}

int gv_virt_detach(struct gv_virt *virt, const char *domain, const struct gv_glue_bdf *vf,
                   unsigned flags, unsigned timeout_ms, bool *destroyed, struct gv_err *err)
{
	GV_CLEANUP(job_done) struct job j = {.virt = virt, .bdf = vf, .err = err};
	unsigned where = 0;
	bool killed = false;
	int rc = gv_virt_lookup(virt, domain, &j.domain, err);

	j.timeout_ms = timeout_ms ? timeout_ms : GV_VIRT_TIMEOUT_MS;
	if (!rc)
		rc = gv_virt_where(&j.domain, flags, &where, err);
	if (!rc)
		rc = detach(&j, where, flags, &killed);
	if (destroyed)
		*destroyed = killed;
	return rc;
}
