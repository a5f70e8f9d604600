/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The VF pool on the GPU thread: claims and their files, cleaning, what domains do.
 * The rules are in <gv/pf_pool.h>.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "gpuvisord.h"
#include "json_put.h"

static void note(struct daemon *d, enum gv_pf_event_kind kind, unsigned vf, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

static void note(struct daemon *d, enum gv_pf_event_kind kind, unsigned vf, const char *fmt, ...)
{
	char text[sizeof((struct gv_pf_event){0}.text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gv_pf_note(d->pf, kind, (int)vf, text);
}

enum gv_mbox_state pool_session(struct daemon *d, unsigned vf)
{
	struct gv_pf_vf_status s;

	return gv_pf_get_vf_status(d->pf, vf, &s) ? GV_MBOX_OFF : s.state;
}

/* ---- claims outlive us in files, where the VF has a PCI address -------------------- */

int pool_keep_claim(struct daemon *d, unsigned vf, struct gv_err *err)
{
	if (!d->pool.has_bdf[vf])
		return 0;
	return gv_glue_claim_take(d->opt.claim_dir, &d->pool.bdf[vf], d->pool.rules.vf[vf].owner,
	                          err);
}

static void lose_claim(struct daemon *d, unsigned vf)
{
	struct gv_err err = {0};
	int rc = d->pool.has_bdf[vf]
	                 ? gv_glue_claim_drop(d->opt.claim_dir, &d->pool.bdf[vf], NULL, &err)
	                 : 0;

	if (rc && rc != -ENOENT)
		gv_logf(&d->log, GV_LOG_WARN, "VF%u: %s; continuing", vf, err.text);
}

static void read_vf(struct daemon *d, unsigned vf)
{
	struct gv_pool_vf *v = &d->pool.rules.vf[vf];
	struct gv_err err = {0};
	struct gv_glue_fn fn;
	int rc = gv_glue_vf_read(d->opt.sysfs, &d->pool.pf, vf, &fn, &err);

	d->pool.has_bdf[vf] = !rc;
	if (rc) {
		gv_logf(&d->log, GV_LOG_WARN, "VF%u: %s; continuing without its address", vf,
		        err.text);
		return;
	}
	d->pool.bdf[vf] = fn.bdf;
	if (v->owner[0] || gv_glue_claim_read(d->opt.claim_dir, &fn.bdf, v->owner, NULL))
		return;
	v->old = true;
	gv_logf(&d->log, GV_LOG_INFO, "VF%u: claimed by %s, from before", vf, v->owner);
}

/* VFs made anew are clean, and nobody runs with them. Claims stay, also while there is no VF. */
void pool_refresh(struct daemon *d)
{
	const struct gv_pf_plan *plan = gv_pf_get_plan(d->pf);
	struct gv_pool *p = &d->pool.rules;
	unsigned num_vfs = plan ? plan->num_vfs : 0;
	bool taken_over = !d->pool.made && d->hand_over; /* VFs of before: gpu_start() */

	if (d->pool.made == gv_pf_vfs_made(d->pf))
		return;
	d->pool.made = gv_pf_vfs_made(d->pf);

	d->pool.on_pci = pf_address(d) && !gv_glue_bdf_parse(pf_address(d), &d->pool.pf);
	for (unsigned i = 0; i < GV_POOL_MAX_VFS; i++) {
		struct gv_pool_vf *v = &p->vf[i];

		d->pool.begun[i] = false;
		if (v->releasing) { /* clean now, as whoever gave it back waited for */
			lose_claim(d, i);
			gv_pool_cleaned(p, i, true);
		}
		v->cleaning = v->dirty = v->releasing = false;
		v->domain[0] = v->uuid[0] = '\0';
		if (i < num_vfs && d->pool.on_pci)
			read_vf(d, i);
		if (i < num_vfs && taken_over)
			pool_recall(d, i);
	}
	p->num_vfs = num_vfs;
}

/* The kernel waits for whoever has a VF open: a domain that keeps it would hold us up for good. */
int pool_may_change(struct daemon *d, struct gv_err *err)
{
	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++)
		if (d->pool.rules.vf[i].domain[0])
			return gv_fail(err, -EBUSY,
			               "VF%u is in use by domain %s: detach it or stop the domain "
			               "first; this cannot be forced",
			               i, d->pool.rules.vf[i].domain);
	return 0;
}

void pool_look(struct daemon *d)
{
	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++) {
		struct gv_pool_vf *v = &d->pool.rules.vf[i];
		int rc = gv_pf_vf_check_clean(d->pf, i, NULL);

		v->unscrubbed = rc == -EUCLEAN;
		v->quarantined = rc == -EPERM;
		gv_pf_vf_set_tenant(d->pf, i, v->owner);
	}
}

/* ---- cleaning ---------------------------------------------------------------------- */

static void cleaned(struct daemon *d, unsigned vf, bool ok)
{
	struct gv_pool_vf *v = &d->pool.rules.vf[vf];

	d->pool.begun[vf] = false;
	if (v->releasing)
		lose_claim(d, vf);
	gv_pool_cleaned(&d->pool.rules, vf, ok);
	if (!ok)
		note(d, GV_PF_EVENT_VF_POOL, vf,
		     "dirty: cleaning it failed, nobody gets it until a reset succeeds");
	else
		note(d, GV_PF_EVENT_VF_POOL, vf, "back in the pool: clean, %s%s",
		     v->owner[0] ? "claimed by " : "free", v->owner);
}

static void clean_step(struct daemon *d, unsigned vf)
{
	struct gv_err err = {0};

	/* A reset that began before may have begun before the guest ended: its own is due. */
	if (gv_pf_vf_resetting(d->pf, vf))
		return;
	if (d->pool.begun[vf]) {
		cleaned(d, vf, pool_session(d, vf) != GV_MBOX_FAILED);
		return;
	}
	if (d->pool.rules.vf[vf].quarantined) { /* it was scrubbed on its way there */
		cleaned(d, vf, true);
		return;
	}
	if (gv_pf_vf_reset(d->pf, vf, GV_PF_RESET_GONE, &err)) {
		gv_logf(&d->log, GV_LOG_ERR, "%s", err.text);
		cleaned(d, vf, false);
		return;
	}
	d->pool.begun[vf] = true;
}

bool pool_step(struct daemon *d)
{
	bool due = false;

	pool_look(d);
	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++) {
		if (!d->pool.rules.vf[i].cleaning)
			continue;
		clean_step(d, i);
		due = due || (d->pool.rules.vf[i].cleaning && !gv_pf_vf_resetting(d->pf, i));
	}
	return due;
}

static bool is_cleaning(struct daemon *d, unsigned vf)
{
	(void)pool_step(d);
	return d->pool.rules.vf[vf].cleaning;
}

int pool_clean_wait(struct daemon *d, unsigned vf, uint64_t timeout_ns, struct gv_err *err)
{
	int rc = serve_while(d, is_cleaning, vf, timeout_ns, err);

	if (!rc && d->pool.rules.vf[vf].dirty)
		rc = gv_fail(err, -EIO, "VF%u: cleaning failed, see the log", vf);
	return rc;
}

void pool_was_reset(struct daemon *d, unsigned vf)
{
	if (d->pool.rules.vf[vf].dirty && !d->pool.rules.vf[vf].cleaning)
		cleaned(d, vf, true);
}

/* ---- what domains do ------------------------------------------------------------------ */

static int vf_at(const struct daemon *d, const struct gv_glue_bdf *at)
{
	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++) {
		const struct gv_glue_bdf *b = &d->pool.bdf[i];

		if (d->pool.has_bdf[i] && b->domain == at->domain && b->bus == at->bus &&
		    b->slot == at->slot && b->function == at->function)
			return (int)i;
	}
	return -1;
}

static const char *unfit(const struct gv_pool_vf *v)
{
	return v->dirty         ? "dirty"
	       : v->quarantined ? "in quarantine"
	       : v->unscrubbed  ? "not scrubbed"
	                        : NULL;
}

static void used(struct daemon *d, unsigned vf, const struct gv_virt_event *e)
{
	struct gv_pool_vf *v = &d->pool.rules.vf[vf];
	bool had_owner = v->owner[0], may;
	struct gv_err err = {0};

	/* Its end was while libvirt was away, and so was this one's start. A reset now would only
	 * take the GPU from a guest that has seen it all already. */
	if (v->domain[0] && strcmp(v->uuid, e->uuid))
		gv_logf(&d->log, GV_LOG_WARN,
		        "VF%u: went from domain %s to domain %s unseen: not cleaned in between", vf,
		        v->domain, e->domain);
	may = gv_pool_used(&d->pool.rules, vf, e->domain, e->uuid);
	if (!may)
		note(d, GV_PF_EVENT_VF_POOL, vf, "domain %s uses it, but it is %s%s", e->domain,
		     unfit(v) ? unfit(v) : "claimed by ", unfit(v) ? "" : v->owner);
	if (!had_owner && pool_keep_claim(d, vf, &err))
		gv_logf(&d->log, GV_LOG_WARN, "VF%u: claim of %s: %s; continuing", vf, v->owner,
		        err.text);
}

/* Is the domain that it is claimed for still there? The answer comes as VIRT_GONE. */
static void check_claim(struct daemon *d, unsigned vf)
{
	const struct gv_pool_vf *v = &d->pool.rules.vf[vf];

	if (v->owner[0])
		virt_check_claim(d, vf, &d->pool.bdf[vf], v->owner, v->claims);
}

static void left(struct daemon *d, unsigned vf, const struct gv_virt_event *e)
{
	if (!gv_pool_left(&d->pool.rules, vf, e->uuid))
		return;
	d->pool.rules.vf[vf].old =
	        true; /* asked again after the next connection, should this fail */
	check_claim(d, vf);
}

static void synced(struct daemon *d)
{
	uint32_t gone = gv_pool_sync_end(&d->pool.rules);

	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++) {
		if (gone >> i & 1)
			note(d, GV_PF_EVENT_VF_POOL, i, "its domain ended unseen: cleaning");
		if (gone >> i & 1 || d->pool.rules.vf[i].old)
			check_claim(d, i);
	}
}

/* About one VF of ours. */
static void take_vf_event(struct daemon *d, unsigned vf, const struct gv_virt_event *e)
{
	switch (e->kind) {
	case GV_VIRT_IN_USE:
		used(d, vf, e);
		break;
	case GV_VIRT_DOMAIN_STARTED:
		note(d, GV_PF_EVENT_DOMAIN, vf, "domain %s: started with VF%u", e->domain, vf);
		used(d, vf, e);
		break;
	case GV_VIRT_DEVICE_ADDED:
		note(d, GV_PF_EVENT_DOMAIN, vf, "domain %s: got VF%u", e->domain, vf);
		used(d, vf, e);
		break;
	case GV_VIRT_DOMAIN_STOPPED:
		note(d, GV_PF_EVENT_DOMAIN, vf, "domain %s: stopped: %s", e->domain, e->text);
		left(d, vf, e);
		break;
	case GV_VIRT_DEVICE_REMOVED:
		note(d, GV_PF_EVENT_DOMAIN, vf, "domain %s: gave VF%u back", e->domain, vf);
		left(d, vf, e);
		break;
	case GV_VIRT_REMOVAL_FAILED:
		note(d, GV_PF_EVENT_DOMAIN, vf, "domain %s: its guest does not let go of VF%u",
		     e->domain, vf);
		break;
	case GV_VIRT_CONNECTED:
	case GV_VIRT_SYNCED:
	case GV_VIRT_DISCONNECTED:
	case GV_VIRT_DOMAIN_UNDEFINED:
		break;
	}
}

static void take_event(struct daemon *d, const struct gv_virt_event *e)
{
	int vf = e->has_bdf ? vf_at(d, &e->bdf) : -1;

	if (vf >= 0)
		take_vf_event(d, (unsigned)vf, e);
	if (e->kind == GV_VIRT_CONNECTED)
		gv_pool_sync_begin(&d->pool.rules);
	if (e->kind == GV_VIRT_SYNCED)
		synced(d);
	for (unsigned i = 0; e->kind == GV_VIRT_DOMAIN_UNDEFINED && i < d->pool.rules.num_vfs; i++)
		if (gv_pool_owned_by(&d->pool.rules.vf[i], e->domain, e->uuid))
			check_claim(d, i);
}

void pool_take_message(struct daemon *d, const struct virt_message *m)
{
	char owner[GV_POOL_TEXT];

	if (m->kind == VIRT_EVENT) {
		take_event(d, &m->event);
		return;
	}
	if (m->vf >= GV_POOL_MAX_VFS)
		return;
	memcpy(owner, d->pool.rules.vf[m->vf].owner, sizeof(owner));
	if (!gv_pool_forget(&d->pool.rules, m->vf, m->claims))
		return;
	lose_claim(d, m->vf);
	note(d, GV_PF_EVENT_VF_POOL, m->vf, "claim of %s dropped: no definition has the VF", owner);
}

/* ---- as JSON ---------------------------------------------------------------------------- */

void pool_json(const struct vf_pool *pool, unsigned vf, enum gv_mbox_state session,
               struct json_object *o)
{
	char text[GV_GLUE_BDF_TEXT];

	if (vf >= pool->rules.num_vfs)
		return;
	put_text(o, "pool", gv_pool_state_name(gv_pool_state(&pool->rules, vf, session)));
	put_text(o, "owner", pool->rules.vf[vf].owner);
	put_text(o, "domain", pool->rules.vf[vf].domain);
	put_text(o, "domain_uuid", pool->rules.vf[vf].uuid);
	if (pool->has_bdf[vf])
		put_text(o, "bdf", gv_glue_bdf_format(&pool->bdf[vf], text));
}
