/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor bind, unbind: which driver of the host has a VF. */
#include <json-c/json.h>

#include <gv/binding.h>

#include "gpuvisor.h"

static void print_bound(const struct cli *cli, const struct gv_glue_bdf *bdf)
{
	struct json_object *o = json_object_new_object();
	char text[GV_GLUE_BDF_TEXT];
	struct gv_glue_fn fn = {0};

	/* As it is now, not as it was asked for. */
	(void)gv_glue_fn_read(cli->sysfs, bdf, &fn, NULL);
	(void)gv_glue_bdf_format(bdf, text);
	(void)json_object_object_add(o, "bdf", json_object_new_string(text));
	if (fn.driver[0])
		(void)json_object_object_add(o, "driver", json_object_new_string(fn.driver));
	if (cli->json)
		print_json(o);
	else
		printf("%s: %s\n", text, fn.driver[0] ? fn.driver : "no driver");
	json_object_put(o);
}

int run_bind(struct cli *cli, char **args, struct gv_err *err)
{
	struct target t;
	int rc = target_find(cli, args[0], &t, err);

	if (!rc)
		rc = gv_glue_bind(cli->sysfs, &t.fn.bdf, cli->driver ? cli->driver : "vfio-pci",
		                  err);
	if (!rc)
		print_bound(cli, &t.fn.bdf);
	return rc;
}

int run_unbind(struct cli *cli, char **args, struct gv_err *err)
{
	struct target t;
	int rc = target_find(cli, args[0], &t, err);

	if (!rc)
		rc = gv_glue_unbind(cli->sysfs, &t.fn.bdf, err);
	if (!rc)
		print_bound(cli, &t.fn.bdf);
	return rc;
}
