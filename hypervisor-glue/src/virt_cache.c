/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "virt_watch.h"

static void tell(const struct gv_virt_cache *cache, enum gv_virt_event_kind kind,
                 const char *domain, const char *uuid, const struct gv_virt_dev *dev,
                 const char *text)
{
	struct gv_virt_event e = {.kind = kind, .has_bdf = dev != NULL};

	(void)snprintf(e.domain, sizeof(e.domain), "%s", domain);
	(void)snprintf(e.uuid, sizeof(e.uuid), "%s", uuid);
	(void)snprintf(e.text, sizeof(e.text), "%s", text);
	if (dev)
		e.bdf = dev->bdf;
	cache->tell(cache->arg, &e);
}

/* One event per function; one without, when there is none. */
static void tell_all(const struct gv_virt_cache *cache, enum gv_virt_event_kind kind,
                     const struct gv_virt_record *r, const struct gv_virt_seen *seen)
{
	if (!seen || !seen->count)
		tell(cache, kind, r->domain, r->uuid, NULL, r->text);
	for (size_t i = 0; seen && i < seen->count; i++)
		tell(cache, kind, r->domain, r->uuid, &seen->devs[i], r->text);
}

/* ---- the cache ------------------------------------------------------------ */
static struct gv_virt_seen *find(struct gv_virt_cache *cache, const char *uuid)
{
	for (size_t i = 0; i < cache->count; i++)
		if (!strcmp(cache->at[i].uuid, uuid))
			return &cache->at[i];
	return NULL;
}

static struct gv_virt_seen *find_or_add(struct gv_virt_cache *cache, const struct gv_virt_record *r)
{
	struct gv_virt_seen *seen = find(cache, r->uuid), *more;

	if (seen)
		return seen;
	more = reallocarray(cache->at, cache->count + 1, sizeof(*more));
	if (!more)
		return NULL;
	cache->at = more;
	seen = &more[cache->count++];
	*seen = (struct gv_virt_seen){.devs = NULL};
	memcpy(seen->domain, r->domain, sizeof(seen->domain));
	memcpy(seen->uuid, r->uuid, sizeof(seen->uuid));
	return seen;
}

static void drop(struct gv_virt_cache *cache, struct gv_virt_seen *seen)
{
	if (!seen)
		return;
	free(seen->devs);
	*seen = cache->at[--cache->count];
}

void gv_virt_cache_clear(struct gv_virt_cache *cache)
{
	while (cache->count)
		drop(cache, &cache->at[0]);
	free(cache->at);
	cache->at = NULL;
}

/* ---- reading -------------------------------------------------------------- */

/* What it has now. A domain that is gone has nothing; one that stopped, what its definition has:
 * @runs (may be NULL) tells. */
static int read_devices(struct gv_virt_cache *cache, const char *uuid, struct gv_virt_dev **devs,
                        size_t *count, bool *runs, struct gv_err *err)
{
	gv_auto_domain d = {0};
	gv_auto_free char *xml = NULL;
	int rc = gv_virt_lookup(cache->virt, uuid, &d, err);

	*devs = NULL;
	*count = 0;
	if (!rc)
		rc = gv_virt_get_xml(cache->virt, &d, true, &xml, err);
	if (runs) /* looked at last: it says so of the XML, too */
		*runs = !rc && virDomainIsActive(d.domain) == 1;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return gv_virt_xml_devices(xml, devs, count, err);
}

static int remember(struct gv_virt_cache *cache, const struct gv_virt_record *r,
                    struct gv_virt_dev *devs, size_t count, struct gv_err *err)
{
	struct gv_virt_seen *seen = find_or_add(cache, r);

	if (!seen) {
		free(devs);
		return gv_fail(err, -ENOMEM, "libvirt: out of memory");
	}
	free(seen->devs);
	seen->devs = devs;
	seen->count = count;
	return 0;
}

static int read_seen(struct gv_virt_cache *cache, const struct gv_virt_record *r,
                     struct gv_err *err)
{
	struct gv_virt_dev *devs;
	size_t count;
	int rc = read_devices(cache, r->uuid, &devs, &count, NULL, err);

	return rc ? rc : remember(cache, r, devs, count, err);
}

static bool has(const struct gv_virt_dev *devs, size_t count, const struct gv_virt_dev *dev)
{
	for (size_t i = 0; i < count; i++)
		if (gv_virt_same_bdf(&devs[i].bdf, &dev->bdf))
			return true;
	return false;
}

/* What the list had, even if the domain has lost it since: its end is still to come, and must name
 * whatever is told to be in use. */
static int keep(struct gv_virt_seen *seen, const struct gv_virt_vf *vf, struct gv_err *err)
{
	struct gv_virt_dev dev = {.bdf = vf->bdf, .how = vf->how};
	struct gv_virt_dev *more;

	if (has(seen->devs, seen->count, &dev))
		return 0;
	more = reallocarray(seen->devs, seen->count + 1, sizeof(*more));
	if (!more)
		return gv_fail(err, -ENOMEM, "libvirt: out of memory");
	if (dev.how == GV_VIRT_MONITOR)
		gv_virt_alias("gv-vfio", &dev.bdf, dev.alias);
	more[seen->count++] = dev;
	seen->devs = more;
	return 0;
}

static int see(struct gv_virt_cache *cache, const struct gv_virt_vf *vf, struct gv_err *err)
{
	struct gv_virt_record r = {.kind = GV_VIRT_REC_CHANGED};
	int rc = 0;

	memcpy(r.domain, vf->domain, sizeof(r.domain));
	memcpy(r.uuid, vf->uuid, sizeof(r.uuid));
	if (!find(cache, r.uuid))
		rc = read_seen(cache, &r, err);
	return rc ? rc : keep(find(cache, r.uuid), vf, err);
}

int gv_virt_cache_sync(struct gv_virt_cache *cache, struct gv_err *err)
{
	gv_auto_free struct gv_virt_vf *vfs = NULL;
	size_t count = 0;
	int rc = gv_virt_list(cache->virt, &vfs, &count, err);

	gv_virt_cache_clear(cache);
	for (size_t i = 0; !rc && i < count; i++)
		if (vfs[i].live)
			rc = see(cache, &vfs[i], err);
	if (rc)
		return rc;
	/* Of the cache, not of the list: what has come since is told now, or never. */
	for (size_t i = 0; i < cache->count; i++)
		for (size_t k = 0; k < cache->at[i].count; k++)
			tell(cache, GV_VIRT_IN_USE, cache->at[i].domain, cache->at[i].uuid,
			     &cache->at[i].devs[k], "");
	tell(cache, GV_VIRT_SYNCED, "", "", NULL, "");
	return 0;
}

/* ---- what a record means -------------------------------------------------- */
static int changed(struct gv_virt_cache *cache, const struct gv_virt_record *r, struct gv_err *err)
{
	struct gv_virt_seen *seen = find(cache, r->uuid);
	gv_auto_free struct gv_virt_dev *old = NULL;
	struct gv_virt_dev *devs;
	size_t olds, count;
	bool runs;
	int rc = read_devices(cache, r->uuid, &devs, &count, &runs, err);

	if (rc)
		return rc;
	if (!runs) { /* only its definition changed; or its end comes next, and names what it had */
		free(devs);
		return 0;
	}
	old = seen ? GV_TAKE(seen->devs) : NULL;
	olds = seen ? seen->count : 0;
	if (seen)
		seen->count = 0;
	rc = remember(cache, r, devs, count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < olds; i++)
		if (!has(devs, count, &old[i]))
			tell(cache, GV_VIRT_DEVICE_REMOVED, r->domain, r->uuid, &old[i], "");
	for (size_t i = 0; i < count; i++)
		if (!has(old, olds, &devs[i]))
			tell(cache, GV_VIRT_DEVICE_ADDED, r->domain, r->uuid, &devs[i], "");
	return 0;
}

static const struct gv_virt_dev *find_alias(struct gv_virt_cache *cache,
                                            const struct gv_virt_record *r)
{
	const struct gv_virt_seen *seen = find(cache, r->uuid);

	for (size_t i = 0; seen && i < seen->count; i++)
		if (*r->text && !strcmp(seen->devs[i].alias, r->text))
			return &seen->devs[i];
	return NULL;
}

/* The guest let go by itself, or somebody asked it by monitor: our note must not outlive it. The
 * change of the note is an event of its own. */
static int deleted(struct gv_virt_cache *cache, const struct gv_virt_record *r, struct gv_err *err)
{
	const struct gv_virt_dev *dev = find_alias(cache, r);
	gv_auto_domain d = {0};
	int rc;

	if (!dev || dev->how != GV_VIRT_MONITOR)
		return 0;
	rc = gv_virt_lookup(cache->virt, r->uuid, &d, err);
	if (!rc && d.running)
		rc = gv_virt_monitor_forget(cache->virt, &d, &dev->bdf, err);
	return rc == -ENOENT ? 0 : rc;
}

static int started(struct gv_virt_cache *cache, const struct gv_virt_record *r, struct gv_err *err)
{
	int rc = read_seen(cache, r, err);

	if (!rc)
		tell_all(cache, GV_VIRT_DOMAIN_STARTED, r, find(cache, r->uuid));
	return rc;
}

int gv_virt_cache_handle(struct gv_virt_cache *cache, const struct gv_virt_record *record,
                         struct gv_err *err)
{
	const struct gv_virt_dev *dev;

	switch (record->kind) {
	case GV_VIRT_REC_STARTED:
		return started(cache, record, err);
	case GV_VIRT_REC_STOPPED:
		tell_all(cache, GV_VIRT_DOMAIN_STOPPED, record, find(cache, record->uuid));
		drop(cache, find(cache, record->uuid));
		return 0;
	case GV_VIRT_REC_UNDEFINED:
		tell(cache, GV_VIRT_DOMAIN_UNDEFINED, record->domain, record->uuid, NULL, "");
		return 0;
	case GV_VIRT_REC_CHANGED:
		return changed(cache, record, err);
	case GV_VIRT_REC_REMOVAL_FAILED:
		dev = find_alias(cache, record);
		if (dev)
			tell(cache, GV_VIRT_REMOVAL_FAILED, record->domain, record->uuid, dev, "");
		return 0;
	case GV_VIRT_REC_DELETED:
		return deleted(cache, record, err);
	}
	return gv_fail(err, -EINVAL, "libvirt: record of kind %d", (int)record->kind);
}
