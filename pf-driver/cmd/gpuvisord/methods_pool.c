/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claiming and releasing VFs: on the GPU thread, for root and the daemon's own user only. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "methods.h"

#define CLEAN_NS (60 * GV_S)

int check_owner_uid(const struct call *c, struct gv_err *err)
{
	return !c->uid || c->uid == geteuid() ? 0
	                                      : gv_fail(err, -EPERM,
	                                                "permission denied: VFs are claimed, "
	                                                "released and taken out by root");
}

static int get_owner(struct json_object *params, bool required, const char **owner,
                     struct gv_err *err)
{
	struct json_object *v;

	*owner = NULL;
	if (!params || !json_object_object_get_ex(params, "owner", &v))
		return required ? gv_fail(err, -EINVAL, "owner: missing") : 0;
	if (!json_object_is_type(v, json_type_string) ||
	    strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return gv_fail(err, -EINVAL, "owner: text asked");
	*owner = json_object_get_string(v);
	return 0;
}

static int claim(struct daemon *d, unsigned vf, const char *owner, bool *fresh, struct gv_err *err)
{
	struct gv_pool_vf *v = &d->pool.rules.vf[vf];
	int rc;

	pool_look(d);
	rc = gv_pool_claim(&d->pool.rules, vf, pool_session(d, vf), owner, fresh, err);

	if (rc)
		return rc;
	rc = pool_keep_claim(d, vf, err);
	if (rc && *fresh)
		v->owner[0] = '\0';
	return rc;
}

/* A PF on vfio-pci: nobody opens its VFs without the token. */
static void put_way_in(struct daemon *d, unsigned vf, struct json_object *o)
{
	char bdf[GV_GLUE_BDF_TEXT], token[GV_PF_TOKEN_TEXT];

	if (!d->pool.has_bdf[vf])
		return;
	put_text(o, "bdf", gv_glue_bdf_format(&d->pool.bdf[vf], bdf));
	if (!d->token)
		return;
	gv_pf_token_text(d->token, token);
	put_text(o, "vf_token", token);
	explicit_bzero(token, sizeof(token));
}

int do_vf_claim(void *ctx, struct json_object *params, struct json_object **result,
                struct gv_err *err)
{
	struct call *c = ctx;
	const char *owner;
	bool fresh = false;
	char text[64];
	uint32_t vf;
	int rc = check_owner_uid(c, err);

	if (!rc)
		rc = gv_rpc_get_u32(params, "vf", true, &vf, err);
	if (!rc)
		rc = get_owner(params, true, &owner, err);
	if (!rc && vf >= GV_POOL_MAX_VFS)
		rc = gv_fail(err, -ENODEV, "VF%u: %u VFs are enabled", vf,
		             c->d->pool.rules.num_vfs);
	if (!rc)
		rc = claim(c->d, vf, owner, &fresh, err);
	if (rc)
		return rc;
	if (fresh) {
		snprintf(text, sizeof(text), "claimed by %.48s", owner);
		gv_pf_note(c->d->pf, GV_PF_EVENT_VF_POOL, (int)vf, text);
	}
	*result = json_object_new_object();
	put(*result, "vf", json_object_new_int64(vf));
	put_text(*result, "owner", owner);
	put_bool(*result, "new", fresh);
	put_way_in(c->d, vf, *result);
	return 0;
}

int do_vf_release(void *ctx, struct json_object *params, struct json_object **result,
                  struct gv_err *err)
{
	struct call *c = ctx;
	struct daemon *d = c->d;
	const char *owner;
	bool force = false;
	uint32_t vf;
	int rc = check_owner_uid(c, err);

	if (!rc)
		rc = get_vf(d->pool.rules.num_vfs, params, &vf, err);
	if (!rc)
		rc = get_owner(params, false, &owner, err);
	if (!rc)
		rc = gv_rpc_get_bool(params, "force", &force, err);
	if (!rc)
		rc = gv_pool_release(&d->pool.rules, vf, pool_session(d, vf), owner, force, err);
	if (!rc)
		rc = pool_clean_wait(d, vf, CLEAN_NS, err);
	if (rc)
		return rc;
	*result = json_object_new_object();
	put(*result, "vf", json_object_new_int64(vf));
	pool_json(&d->pool, vf, pool_session(d, vf), *result);
	return 0;
}
