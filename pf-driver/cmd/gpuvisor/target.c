/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which VF is meant, whose it is, and its claim: gpuvisord's VFs through gpuvisord, VFs of any
 * other PF by the claim's file alone. */
#include <string.h>
#include <sys/prctl.h>

#include <json-c/json.h>

#include <gv/binding.h>

#include "gpuvisor.h"

static const char kernel[] = "vfio:";

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

int daemon_pf(struct cli *cli, struct gv_glue_bdf *pf, struct gv_err *err)
{
	struct json_object *status = NULL;
	const char *gpu;
	int rc = ask_quietly(cli, "status", NULL, &status, err);

	if (rc)
		return rc;
	gpu = text_of(status, "gpu");
	if (strncmp(gpu, kernel, strlen(kernel)) || gv_glue_bdf_parse(gpu + strlen(kernel), pf))
		rc = gv_fail(err, -ENXIO, "gpuvisord's GPU %s has no PCI address", gpu);
	json_object_put(status);
	return rc;
}

static bool same(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

static int find_by_number(struct cli *cli, uint32_t vf, struct target *t, struct gv_err *err)
{
	struct gv_glue_bdf pf;
	int rc = daemon_pf(cli, &pf, err);

	if (rc == -ENXIO)
		(void)gv_fail_prefix(err, "VF%u is on a socket (gpuvisor vf xml %u says which)", vf,
		                     vf);
	if (!rc)
		rc = gv_glue_vf_read(cli->sysfs, &pf, vf, &t->fn, err);
	t->ours = true;
	t->vf = vf;
	return rc;
}

/* A claim's file alone would give it away without its token, and back without cleaning. */
static bool may_be_ours(const struct cli *cli, const struct target *t)
{
	struct gv_glue_fn pf;

	return !gv_glue_fn_read(cli->sysfs, &t->fn.pf, &pf, NULL) && !strcmp(pf.driver, "vfio-pci");
}

int target_find(struct cli *cli, const char *text, struct target *t, struct gv_err *err)
{
	struct gv_glue_bdf at, pf;
	struct gv_err unasked = {0};
	uint32_t vf;
	int rc;

	*t = (struct target){.ours = false};
	if (parse_u32(text, &vf))
		return find_by_number(cli, vf, t, err);
	rc = gv_glue_bdf_parse(text, &at);
	if (rc)
		return gv_fail(err, rc, "'%s' is neither a number nor a PCI address", text);
	rc = gv_glue_fn_read(cli->sysfs, &at, &t->fn, err);
	if (!rc && !t->fn.is_vf)
		rc = gv_fail(err, -EINVAL, "%s is no VF%s", text,
		             t->fn.is_pf ? ", it is a PF" : "");
	if (rc)
		return rc;
	rc = daemon_pf(cli, &pf, &unasked);
	if (rc && rc != -ENOENT && rc != -ECONNREFUSED && rc != -ENXIO && may_be_ours(cli, t))
		return gv_fail(err, rc,
		               "%s: its PF is on vfio-pci, and gpuvisord does not say whether it "
		               "is its own: %s",
		               text, unasked.text);
	if (rc || !same(&pf, &t->fn.pf))
		return 0;
	t->ours = true;
	t->vf = (uint32_t)t->fn.vf_index;
	return 0;
}

/* ---- claims ------------------------------------------------------------------------- */

static int claim_ours(struct cli *cli, struct target *t, const char *owner, struct gv_err *err)
{
	struct json_object *params = json_object_new_object(), *o = NULL, *v;
	int rc;

	put(params, "vf", json_object_new_int64(t->vf));
	put(params, "owner", json_object_new_string(owner));
	rc = ask_quietly(cli, "vf.claim", params, &o, err);
	if (!rc) {
		t->fresh = json_object_object_get_ex(o, "new", &v) && json_object_get_boolean(v);
		snprintf(t->token, sizeof(t->token), "%s", text_of(o, "vf_token"));
		if (t->token[0]) /* copies of it will be in definitions and commands: no core dump
		                  */
			(void)prctl(PR_SET_DUMPABLE, 0);
	}
	json_object_put(o);
	return rc;
}

int target_claim(struct cli *cli, struct target *t, const char *owner, struct gv_err *err)
{
	char had[GV_GLUE_OWNER_TEXT];

	if (t->ours)
		return claim_ours(cli, t, owner, err);
	t->fresh = gv_glue_claim_read(cli->claim_dir, &t->fn.bdf, had, NULL) == -ENOENT;
	return gv_glue_claim_take(cli->claim_dir, &t->fn.bdf, owner, err);
}

int target_release(struct cli *cli, const struct target *t, bool force, struct gv_err *err)
{
	struct json_object *params, *o = NULL;
	int rc;

	if (!t->ours) {
		rc = gv_glue_claim_drop(cli->claim_dir, &t->fn.bdf, NULL, err);
		return rc == -ENOENT ? 0 : rc;
	}
	params = json_object_new_object();
	put(params, "vf", json_object_new_int64(t->vf));
	put_bool(params, "force", force);
	rc = ask_quietly(cli, "vf.release", params, &o, err);
	json_object_put(o);
	return rc;
}
