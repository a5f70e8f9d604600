/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that libvirt does not know, because it cannot pass a token on hot
 * plug: plugged by QEMU's monitor, and noted in the running domain's metadata so that
 * we find them again. The note comes first: a device without a note would be lost.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/binding.h>

#include "virt.h"

static void put_json(json_object **o)
{
	json_object_put(*o);
}

#define auto_json GV_CLEANUP(put_json) json_object

/* ---- asking --------------------------------------------------------------- */
static int read_reply(const char *text, json_object **value, struct gv_err *err)
{
	auto_json *reply = json_tokener_parse(text);
	json_object *error = NULL, *desc = NULL, *result = NULL;
	char says[GV_VIRT_SAYS];

	if (json_object_object_get_ex(reply, "error", &error)) {
		(void)json_object_object_get_ex(error, "desc", &desc);
		(void)snprintf(says, sizeof(says), "%s",
		               desc ? json_object_get_string(desc) : "refused");
		gv_virt_scrub(says);
		return gv_fail(err, -EIO, "QEMU: %.300s", says);
	}
	if (!json_object_object_get_ex(reply, "return", &result))
		return gv_fail(err, -EPROTO, "QEMU: a reply without a result");
	*value = json_object_get(result);
	return 0;
}

/* Takes @arguments over. *@value: the caller's, json_object_put(). */
static int ask(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *what,
               json_object *arguments, unsigned timeout_ms, json_object **value, struct gv_err *err)
{
	auto_json *command = json_object_new_object();
	gv_auto_free char *reply = NULL;
	const char *text;
	int rc;

	if (!command || json_object_object_add(command, "execute", json_object_new_string(what)) ||
	    (arguments && json_object_object_add(command, "arguments", arguments)))
		return gv_fail(err, -ENOMEM, "out of memory");
	text = json_object_to_json_string_ext(command, JSON_C_TO_STRING_PLAIN |
	                                                       JSON_C_TO_STRING_NOSLASHESCAPE);
	rc = text ? gv_virt_call_monitor(virt, domain, text, &reply, timeout_ms, err)
	          : gv_fail(err, -ENOMEM, "out of memory");
	if (rc)
		return rc;
	rc = read_reply(reply, value, err);
	return rc ? gv_fail_prefix(err, "domain %s: %s", domain->name, what) : 0;
}

static int number(json_object *from, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(from, key, &v) ? json_object_get_int(v) : -1;
}

int gv_virt_running_qemu(struct gv_virt *virt, const struct gv_virt_domain *domain,
                         unsigned long *version, struct gv_err *err)
{
	auto_json *value = NULL;
	json_object *v = NULL;
	int rc = ask(virt, domain, "query-version", NULL, GV_VIRT_TIMEOUT_MS, &value, err), major,
	    minor, micro;

	if (rc)
		return rc;
	(void)json_object_object_get_ex(value, "qemu", &v);
	major = number(v, "major");
	minor = number(v, "minor");
	micro = number(v, "micro");
	if (major < 0 || major > 1000 || minor < 0 || minor > 999 || micro < 0 || micro > 999)
		return gv_fail(err, -EPROTO, "domain %s: QEMU told no version", domain->name);
	*version =
	        (unsigned long)major * 1000000 + (unsigned long)minor * 1000 + (unsigned long)micro;
	return 0;
}

int gv_virt_monitor_has(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *id,
                        bool *has, struct gv_err *err)
{
	json_object *arguments = json_object_new_object();
	auto_json *value = NULL;
	int rc;

	if (!arguments || json_object_object_add(arguments, "path",
	                                         json_object_new_string("/machine/peripheral")))
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = ask(virt, domain, "qom-list", arguments, GV_VIRT_TIMEOUT_MS, &value, err);
	if (rc)
		return rc;
	if (!json_object_is_type(value, json_type_array))
		return gv_fail(err, -EPROTO, "domain %s: qom-list gave no list", domain->name);
	*has = false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		json_object *name = NULL;

		if (json_object_object_get_ex(json_object_array_get_idx(value, i), "name", &name) &&
		    json_object_is_type(name, json_type_string) &&
		    !strcmp(json_object_get_string(name), id))
			*has = true;
	}
	return 0;
}

int gv_virt_monitor_del(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *id,
                        struct gv_err *err)
{
	json_object *arguments = json_object_new_object();
	auto_json *value = NULL;

	if (!arguments || json_object_object_add(arguments, "id", json_object_new_string(id)))
		return gv_fail(err, -ENOMEM, "out of memory");
	return ask(virt, domain, "device_del", arguments, GV_VIRT_TIMEOUT_MS, &value, err);
}

/* ---- notes ---------------------------------------------------------------- */

/* Reading them and writing them back is one step in this process (attach and watch are on different
 * threads). Between processes it is not: libvirt has no compare and set. */
static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;

static int write_notes(struct gv_virt *virt, const struct gv_virt_domain *domain,
                       const struct gv_virt_dev *devs, size_t count, struct gv_err *err)
{
	gv_auto_free char *notes = NULL;
	int rc = gv_virt_xml_metadata(devs, count, &notes, err);

	if (rc)
		return rc;
	if (virt->ops->set_metadata(domain->domain, VIR_DOMAIN_METADATA_ELEMENT, notes,
	                            notes ? GV_VIRT_META_PREFIX : NULL, GV_VIRT_META_NS,
	                            VIR_DOMAIN_AFFECT_LIVE) < 0)
		return gv_virt_fail(err, "domain %s: metadata", domain->name);
	return 0;
}

/* The devices that @xml notes, less the one at @less; room for one more. */
static int read_notes(const char *xml, const struct gv_glue_bdf *less, struct gv_virt_dev **out,
                      size_t *count, struct gv_err *err)
{
	struct gv_virt_dev *devs = NULL, *more;
	size_t n = 0, kept = 0;
	int rc = gv_virt_xml_devices(xml, &devs, &n, err);

	if (rc)
		return rc;
	more = reallocarray(devs, n + 1, sizeof(*more));
	if (!more) {
		free(devs);
		return gv_fail(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		if (more[i].how == GV_VIRT_MONITOR && !gv_virt_same_bdf(&more[i].bdf, less))
			more[kept++] = more[i];
	*out = more;
	*count = kept;
	return 0;
}

/* Strike @less; with @dev, which then gets a free port, note that instead. */
static int change_notes(struct gv_virt *virt, const struct gv_virt_domain *domain,
                        const struct gv_glue_bdf *less, struct gv_virt_dev *dev, struct gv_err *err)
{
	gv_auto_free struct gv_virt_dev *devs = NULL;
	gv_auto_free char *xml = NULL;
	struct gv_virt_dev noted;
	size_t count = 0;
	int rc = gv_virt_get_xml(virt, domain, true, &xml, err);

	if (!rc && !dev) {
		rc = gv_virt_xml_find(xml, less, &noted, err);
		if (rc == -ENOENT || (!rc && noted.how != GV_VIRT_MONITOR))
			return 0;
	}
	if (!rc && dev)
		rc = gv_virt_xml_free_port(xml, dev->bus, sizeof(dev->bus), err);
	if (!rc)
		rc = read_notes(xml, less, &devs, &count, err);
	if (rc)
		return rc;
	if (dev)
		devs[count++] = *dev;
	return write_notes(virt, domain, devs, count, err);
}

static int note(struct gv_virt *virt, const struct gv_virt_domain *domain, struct gv_virt_dev *dev,
                struct gv_err *err)
{
	int rc;

	(void)pthread_mutex_lock(&notes_lock);
	rc = change_notes(virt, domain, &dev->bdf, dev, err);
	(void)pthread_mutex_unlock(&notes_lock);
	return rc;
}

int gv_virt_monitor_forget(struct gv_virt *virt, const struct gv_virt_domain *domain,
                           const struct gv_glue_bdf *bdf, struct gv_err *err)
{
	int rc;

	(void)pthread_mutex_lock(&notes_lock);
	rc = change_notes(virt, domain, bdf, NULL, err);
	(void)pthread_mutex_unlock(&notes_lock);
	return rc;
}

/* ---- plugging ------------------------------------------------------------- */
static bool put(json_object *o, const char *key, const char *value)
{
	return !json_object_object_add(o, key, json_object_new_string(value));
}

static int device_add(struct gv_virt *virt, const struct gv_virt_domain *domain,
                      const struct gv_virt_attach *a, const struct gv_virt_dev *dev,
                      unsigned long qemu, struct gv_err *err)
{
	json_object *arguments = json_object_new_object();
	gv_auto_free char *value = NULL;
	char address[GV_GLUE_BDF_TEXT];
	auto_json *reply = NULL;
	const char *name;
	int rc = gv_virt_token_property(qemu, &a->vf->bdf, a->vf_token, a->link_dir, &name, &value,
	                                err);

	if (rc) {
		json_object_put(arguments);
		return rc;
	}
	/* sysfsdev says which device; vf-token leaves that to host */
	if (!arguments || !put(arguments, "driver", "vfio-pci") ||
	    !put(arguments, "id", dev->alias) || !put(arguments, "bus", dev->bus) ||
	    !put(arguments, name, value) ||
	    (strcmp(name, "sysfsdev") != 0 &&
	     !put(arguments, "host", gv_glue_bdf_format(&a->vf->bdf, address)))) {
		json_object_put(arguments);
		return gv_fail(err, -ENOMEM, "out of memory");
	}
	return ask(virt, domain, "device_add", arguments,
	           a->timeout_ms ? a->timeout_ms : GV_VIRT_TIMEOUT_MS, &reply, err);
}

static int make_ready(struct gv_virt *virt, const struct gv_virt_domain *domain,
                      const struct gv_virt_attach *a, struct gv_err *err)
{
	int rc = a->managed ? gv_glue_bind("/sys", &a->vf->bdf, "vfio-pci", err) : 0;

	return rc ? rc : gv_virt_reach(domain, a->vf->iommu_group, virt->log, err);
}

int gv_virt_monitor_add(struct gv_virt *virt, const struct gv_virt_domain *domain,
                        const struct gv_virt_attach *attach, unsigned long qemu, struct gv_err *err)
{
	struct gv_virt_dev dev = {.bdf = attach->vf->bdf, .how = GV_VIRT_MONITOR};
	int rc = make_ready(virt, domain, attach, err);

	dev.managed = attach->managed;
	gv_virt_alias("gv-vfio", &dev.bdf, dev.alias);
	if (!rc)
		rc = note(virt, domain, &dev, err);
	if (rc)
		return rc;
	rc = device_add(virt, domain, attach, &dev, qemu, err);
	if (rc && rc != -ETIMEDOUT) /* then it may still come */
		(void)gv_virt_monitor_forget(virt, domain, &dev.bdf, NULL);
	return rc;
}
