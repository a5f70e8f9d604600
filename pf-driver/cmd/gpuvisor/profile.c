/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about profiles: plan, diff, assert, apply, rollback, disable. */
#include <json-c/json.h>

#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#include "gpuvisor.h"

static int daemon_caps(struct cli *cli, struct gv_pf_caps *caps, struct gv_err *err)
{
	struct json_object *status = NULL, *o;
	int rc = ask_quietly(cli, "status", NULL, &status, err);

	if (!rc &&
	    (!json_object_object_get_ex(status, "caps", &o) || gv_pf_caps_from_json(o, caps)))
		rc = gv_fail(err, -EAGAIN, "gpuvisord does not know its GPU");
	json_object_put(status);
	return rc;
}

/* The GPU that a plan is for: the one that was described, gpuvisord's, or, when nobody named a
 * gpuvisord and none runs, the emulated GPU as it is by default. *@assumed: the last. */
static int plan_caps(struct cli *cli, struct gv_pf_caps *caps, bool *assumed, struct gv_err *err)
{
	int rc = 0;

	*caps = gv_pf_caps_default(cli->vram_mib, cli->max_vfs);
	*assumed = false;
	if (!cli->vram_mib && !cli->max_vfs)
		rc = daemon_caps(cli, caps, err);
	if (!rc || cli->socket_given || (rc != -ENOENT && rc != -ECONNREFUSED && rc != -EACCES))
		return rc;
	*err = (struct gv_err){0};
	*assumed = true;
	fprintf(stderr,
	        "gpuvisor: %s at %s: assuming the emulated GPU, %u MiB and %u VFs (--vram-mib and "
	        "--max-vfs say another)\n",
	        rc == -EACCES ? "gpuvisord may not be asked" : "no gpuvisord", cli->socket,
	        caps->vram_mib, caps->max_vfs);
	return 0;
}

int run_plan(struct cli *cli, char **args, struct gv_err *err)
{
	struct gv_pf_caps caps;
	struct json_object *o;
	bool assumed = false;
	struct gv_pf_plan plan;
	struct gv_cfg cfg;
	int rc = gv_cfg_load_file(args[0], &cfg, err);

	if (!rc)
		rc = plan_caps(cli, &caps, &assumed, err);
	if (!rc) {
		rc = gv_pf_plan(&caps, &cfg, &plan, err);
		if (rc)
			(void)gv_fail_prefix(err, "%s", args[0]);
	}
	if (rc)
		return rc;
	o = gv_pf_plan_json(&plan);
	if (assumed)
		put_bool(o, "assumed_gpu", true);
	if (cli->json)
		print_json(o);
	else
		print_plan(o);
	json_object_put(o);
	return 0;
}

/* {"profile": what is in @file, checked}. */
static int profile_params(const char *file, struct json_object **params, struct gv_err *err)
{
	gv_auto_free char *text = NULL;
	struct gv_cfg cfg;
	int rc = gv_cfg_load_file(file, &cfg, err);

	if (!rc)
		rc = gv_cfg_to_json(&cfg, &text);
	if (rc)
		return rc;
	*params = json_object_new_object();
	put(*params, "profile", json_tokener_parse(text));
	return 0;
}

static void put_apply_flags(const struct cli *cli, struct json_object *params)
{
	put_bool(params, "dry_run", cli->dry_run);
	put_bool(params, "force", cli->force);
	put_bool(params, "scrub", !cli->no_scrub);
}

int run_apply(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params;
	int rc = profile_params(args[0], &params, err);

	if (rc)
		return rc;
	put_apply_flags(cli, params);
	return ask(cli, "apply", params, print_plan, err);
}

int run_rollback(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	(void)args;
	put_apply_flags(cli, params);
	return ask(cli, "rollback", params, print_rollback, err);
}

int run_diff(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params;
	int rc = profile_params(args[0], &params, err);

	return rc ? rc : ask(cli, "diff", params, print_diff, err);
}

int run_assert(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params, *result = NULL, *changes, *first;
	int rc = profile_params(args[0], &params, err);

	if (!rc)
		rc = ask_quietly(cli, "diff", params, &result, err);
	if (!rc && cli->json)
		print_json(result);
	if (!rc && json_object_object_get_ex(result, "changes", &changes) &&
	    json_object_array_length(changes)) {
		first = json_object_array_get_idx(changes, 0);
		rc = gv_fail(err, -ESTALE, "%s: %s is \"%s\", must be \"%s\"%s", args[0],
		             shown_text(first, "path"), shown_text(first, "now"),
		             shown_text(first, "want"),
		             json_object_array_length(changes) > 1 ? ", and more: gpuvisor diff"
		                                                   : "");
	}
	json_object_put(result);
	return rc;
}

int run_disable(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	(void)args;
	put_bool(params, "force", cli->force);
	return ask(cli, "disable", params, NULL, err);
}
