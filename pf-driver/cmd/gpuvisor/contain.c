/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: VFs taken out and back, the whole GPU reset. */
#include <inttypes.h>

#include <json-c/json.h>

#include "gpuvisor.h"

static void print_guard(struct json_object *vf)
{
	struct json_object *guard = get(vf, "guard"), *why = guard ? get(guard, "why") : NULL;

	printf("VF%" PRIu64 " is %s%s%s\n", num(vf, "index"), shown_text(vf, "pool"),
	       why ? ": " : "", why ? json_object_get_string(why) : "");
}

int run_vf_quarantine(struct cli *cli, char **args, struct gv_err *err)
{
	return ask_vf(cli, "vf.quarantine", args[0], json_object_new_object(), print_guard, err);
}

int run_vf_unquarantine(struct cli *cli, char **args, struct gv_err *err)
{
	return ask_vf(cli, "vf.unquarantine", args[0], json_object_new_object(), print_guard, err);
}

static void print_gpu_reset(struct json_object *o)
{
	printf("the GPU was reset in %" PRIu64 " ms, %" PRIu64
	       " VFs are back, their memory is scrubbed\n",
	       num(o, "took_ms"), num(o, "vfs"));
}

int run_gpu_reset(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	(void)args;
	put_bool(params, "force", cli->force);
	return ask(cli, "gpu.reset", params, print_gpu_reset, err);
}
