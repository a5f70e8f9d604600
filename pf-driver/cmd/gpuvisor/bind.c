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
	put(o, "bdf", json_object_new_string(text));
	put_text(o, "driver", fn.driver);
	if (cli->json)
		print_json(o);
	else
		printf("%s: %s\n", text, fn.driver[0] ? fn.driver : "no driver");
	json_object_put(o);
}

/* A driver change takes the VF away from whoever uses it: the kernel asks QEMU to give it up. */
static int nobodys(const struct cli *cli, const struct gv_glue_bdf *bdf, struct gv_err *err)
{
	char owner[GV_GLUE_OWNER_TEXT], text[GV_GLUE_BDF_TEXT];
	int rc;

	if (cli->force)
		return 0;
	rc = gv_glue_claim_read(cli->claim_dir, bdf, owner, err);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return gv_fail(err, -EBUSY, "%s: %s has it (--force changes its driver nevertheless)",
	               gv_glue_bdf_format(bdf, text), owner);
}

int run_bind(struct cli *cli, char **args, struct gv_err *err)
{
	struct target t;
	int rc = target_find(cli, args[0], &t, err);

	if (!rc)
		rc = nobodys(cli, &t.fn.bdf, err);
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
		rc = nobodys(cli, &t.fn.bdf, err);
	if (!rc)
		rc = gv_glue_unbind(cli->sysfs, &t.fn.bdf, err);
	if (!rc)
		print_bound(cli, &t.fn.bdf);
	return rc;
}
