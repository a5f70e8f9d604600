/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients can ask. Quick methods look at the snapshot; slow ones run on the GPU thread. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/hypervisor_glue.h>

#include "methods.h"

#define VERSION  "0.1.0"
#define RESET_NS (60 * GV_S)

void snapshot(struct daemon *d, struct gv_pf_status *s, const char **busy)
{
	(void)pthread_mutex_lock(&d->lock);
	*s = d->status;
	*busy = d->busy;
	(void)pthread_mutex_unlock(&d->lock);
}

void pool_snapshot(struct daemon *d, struct vf_pool *pool)
{
	(void)pthread_mutex_lock(&d->lock);
	*pool = d->pool_seen;
	(void)pthread_mutex_unlock(&d->lock);
}

static struct json_object *vf_json(struct daemon *d, const struct gv_pf_status *s, unsigned vf,
                                   bool all)
{
	struct json_object *o = gv_pf_vf_json(s, vf, all);
	struct vf_pool pool;

	pool_snapshot(d, &pool);
	pool_json(&pool, vf, s->vf[vf].state, o);
	return o;
}

struct json_object *vf_json_now(struct daemon *d, unsigned vf)
{
	struct json_object *o;
	struct gv_pf_status s;

	pool_look(d);
	gv_pf_get_status(d->pf, &s);
	o = gv_pf_vf_json(&s, vf, true);
	pool_json(&d->pool, vf, s.vf[vf].state, o);
	return o;
}

int get_vf(unsigned num_vfs, struct json_object *params, uint32_t *vf, struct gv_err *err)
{
	int rc = gv_rpc_get_u32(params, "vf", true, vf, err);

	if (!rc && *vf >= num_vfs)
		return gv_fail(err, -ENODEV, "VF%u: %u VFs are enabled", *vf, num_vfs);
	return rc;
}

/* ---- looking --------------------------------------------------------------------- */

static int do_version(void *ctx, struct json_object *params, struct json_object **result,
                      struct gv_err *err)
{
	(void)ctx;
	(void)params;
	(void)err;
	*result = json_object_new_object();
	put(*result, "version", json_object_new_string(VERSION));
	put(*result, "protocol", json_object_new_int(1));
	return 0;
}

static int do_status(void *ctx, struct json_object *params, struct json_object **result,
                     struct gv_err *err)
{
	struct call *c = ctx;
	struct json_object *vfs;
	struct gv_pf_status s;
	struct vf_pool pool;
	const char *busy;

	(void)params;
	(void)err;
	snapshot(c->d, &s, &busy);
	*result = gv_pf_status_json(&s);
	pool_snapshot(c->d, &pool);
	if (json_object_object_get_ex(*result, "vfs", &vfs))
		for (unsigned i = 0; i < s.num_vfs; i++)
			pool_json(&pool, i, s.vf[i].state, json_object_array_get_idx(vfs, i));
	if (busy)
		put(*result, "busy", json_object_new_string(busy));
	return 0;
}

static int do_vf_list(void *ctx, struct json_object *params, struct json_object **result,
                      struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_status s;
	const char *busy;

	(void)params;
	(void)err;
	snapshot(c->d, &s, &busy);
	*result = json_object_new_array();
	for (unsigned i = 0; i < s.num_vfs; i++)
		(void)json_object_array_add(*result, vf_json(c->d, &s, i, false));
	return 0;
}

static int do_vf_show(void *ctx, struct json_object *params, struct json_object **result,
                      struct gv_err *err)
{
	struct call *c = ctx;
	struct gv_pf_status s;
	const char *busy;
	uint32_t vf;
	int rc;

	snapshot(c->d, &s, &busy);
	rc = get_vf(s.num_vfs, params, &vf, err);
	if (!rc)
		*result = vf_json(c->d, &s, vf, true);
	return rc;
}

/* ---- events ------------------------------------------------------------------------ */

static int do_events(void *ctx, struct json_object *params, struct json_object **result,
                     struct gv_err *err)
{
	struct call *c = ctx;
	struct daemon *d = c->d;
	bool follow = false;
	uint32_t since = 0;
	uint64_t first;
	int rc = gv_rpc_get_u32(params, "since", false, &since, err);

	if (!rc)
		rc = gv_rpc_get_bool(params, "follow", &follow, err);
	if (rc)
		return rc;
	*result = json_object_new_array();
	(void)pthread_mutex_lock(&d->lock);
	first = d->last_seq > MAX_EVENTS ? d->last_seq - MAX_EVENTS : 0;
	for (uint64_t seq = GV_MAX(first, (uint64_t)since) + 1; seq <= d->last_seq; seq++)
		(void)json_object_array_add(*result, gv_pf_event_json(&d->event[seq % MAX_EVENTS]));
	(void)pthread_mutex_unlock(&d->lock);
	if (follow)
		server_subscribe(d, c->client);
	return 0;
}

static int do_log_level(void *ctx, struct json_object *params, struct json_object **result,
                        struct gv_err *err)
{
	struct call *c = ctx;
	struct json_object *v;
	enum gv_log_level level;

	*result = NULL;
	if (!params || !json_object_object_get_ex(params, "level", &v) ||
	    gv_log_parse_level(json_object_get_string(v) ? json_object_get_string(v) : "", &level))
		return gv_fail(err, -EINVAL, "level: error, warn, info or debug");
	atomic_store(&c->d->log_level, (int)level);
	return 0;
}

/* ---- a VF anew ----------------------------------------------------------------------- */

static int do_vf_reset(void *ctx, struct json_object *params, struct json_object **result,
                       struct gv_err *err)
{
	struct call *c = ctx;
	bool scrub = true;
	uint32_t vf;
	int rc = get_vf(c->d->pool.rules.num_vfs, params, &vf, err);

	if (!rc)
		rc = gv_rpc_get_bool(params, "scrub", &scrub, err);
	if (!rc) /* one under way may be of a guest that went, and without what is asked for here */
		rc = serve_while(c->d, vf_busy, vf, RESET_NS, err);
	if (!rc)
		rc = gv_pf_vf_reset_wait(c->d->pf, vf, scrub ? 0 : GV_PF_RESET_NO_SCRUB, RESET_NS,
		                         err);
	if (rc)
		return rc;
	if (scrub)
		pool_was_reset(c->d, vf);
	*result = vf_json_now(c->d, vf);
	return 0;
}

/* ---- what the hypervisor needs ------------------------------------------------------------ */

static struct json_object *argv_json(char **argv)
{
	struct json_object *o = json_object_new_array();

	for (; argv && *argv; argv++)
		(void)json_object_array_add(o, json_object_new_string(*argv));
	return o;
}

/* The emulated GPU's VF sockets lie next to that of the PF. */
static int vf_socket(struct daemon *d, uint32_t vf, char *path, size_t room, struct gv_err *err)
{
	const char *pf = strchr(d->gpu_uri, ':') + 1, *slash = strrchr(pf, '/');
	const char *dir = d->opt.vf_socket_dir ? d->opt.vf_socket_dir : pf;
	int dir_len = d->opt.vf_socket_dir ? (int)strlen(dir) : slash ? (int)(slash - pf) : 0;
	int n = snprintf(path, room, "%.*s/vf%u.sock", dir_len, dir, vf);

	return n > 0 && (size_t)n < room ? 0
	                                 : gv_fail(err, -ENAMETOOLONG, "path of VF%u's socket", vf);
}

static int xml_vfio_user(struct daemon *d, uint32_t vf, struct json_object **result,
                         struct gv_err *err)
{
	const struct gv_glue_domain domain = {.name = NULL};
	gv_auto_free char *xml = NULL;
	char path[512], id[24], **argv = NULL;
	struct gv_glue_vfio_user device = {.socket = path, .id = id};
	int rc = vf_socket(d, vf, path, sizeof(path), err);

	(void)snprintf(id, sizeof(id), "gpuvisor%u", vf);
	if (!rc)
		rc = gv_glue_qemu_args(&device, &argv, err);
	if (!rc)
		rc = gv_glue_vfio_user_domain_xml(&domain, &device, &xml, err);
	if (!rc) {
		*result = json_object_new_object();
		put(*result, "kind", json_object_new_string("vfio-user"));
		put(*result, "socket", json_object_new_string(path));
		put(*result, "qemu_args", argv_json(argv));
		put(*result, "xml", json_object_new_string(xml));
	}
	(void)gv_glue_argv_free(argv);
	return rc;
}

static int xml_vfio(struct daemon *d, const char *bdf_text, uint32_t vf, bool domain,
                    struct json_object **result, struct gv_err *err)
{
	const struct gv_glue_domain around = {.name = NULL};
	gv_auto_free char *xml = NULL;
	struct gv_glue_bdf pf;
	struct gv_glue_fn fn;
	char text[GV_GLUE_BDF_TEXT];
	int rc = gv_glue_bdf_parse(bdf_text, &pf);

	if (rc)
		return gv_fail(err, rc, "%s is no PCI address", bdf_text);
	rc = gv_glue_vf_read(d->opt.sysfs, &pf, vf, &fn, err);
	if (!rc && domain)
		rc = gv_glue_domain_xml(&around, &fn, true, NULL, &xml, err);
	else if (!rc)
		rc = gv_glue_hostdev_xml(&fn, true, NULL, &xml, err);
	if (rc)
		return rc;
	*result = json_object_new_object();
	put(*result, "kind", json_object_new_string("vfio"));
	put_bool(*result, "vf_token_needed", d->token != NULL);
	put(*result, "bdf", json_object_new_string(gv_glue_bdf_format(&fn.bdf, text)));
	put(*result, "xml", json_object_new_string(xml));
	return 0;
}

static int do_vf_xml(void *ctx, struct json_object *params, struct json_object **result,
                     struct gv_err *err)
{
	static const char user[] = "vfio-user:", kernel[] = "vfio:";
	struct call *c = ctx;
	struct gv_pf_status s;
	const char *busy, *uri = c->d->gpu_uri;
	bool domain = false;
	uint32_t vf;
	int rc;

	snapshot(c->d, &s, &busy);
	rc = get_vf(s.num_vfs, params, &vf, err);
	if (!rc)
		rc = gv_rpc_get_bool(params, "domain", &domain, err);
	if (rc)
		return rc;
	if (!strncmp(uri, user, strlen(user)))
		return xml_vfio_user(c->d, vf, result, err);
	if (!strncmp(uri, kernel, strlen(kernel)))
		return xml_vfio(c->d, uri + strlen(kernel), vf, domain, result, err);
	return gv_fail(err, -ENOTSUP, "%s: no hypervisor can be given its VFs", uri);
}

const struct gv_rpc_method methods[] = {
        {"version", false, do_version},
        {"status", false, do_status},
        {"plan", false, do_plan},
        {"apply", true, do_apply},
        {"disable", true, do_disable},
        {"diff", false, do_diff},
        {"rollback", true, do_rollback},
        {"vf.list", false, do_vf_list},
        {"vf.show", false, do_vf_show},
        {"vf.reset", true, do_vf_reset},
        {"vf.claim", true, do_vf_claim},
        {"vf.release", true, do_vf_release},
        {"vf.quarantine", true, do_vf_quarantine},
        {"vf.unquarantine", true, do_vf_unquarantine},
        {"gpu.reset", true, do_gpu_reset},
        {"vf.xml", false, do_vf_xml},
        {"events", false, do_events},
        {"log.level", false, do_log_level},
        {"trace.start", false, do_trace_start},
        {"trace.stop", false, do_trace_stop},
        {"trace.status", false, do_trace_status},
        {"trace.read", false, do_trace_read},
};
const size_t num_methods = GV_ARRAY_LEN(methods);
