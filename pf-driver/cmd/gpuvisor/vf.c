/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor vf: one VF, by number or by PCI address. */
#include <json-c/json.h>

#include "gpuvisor.h"

int run_vf_list(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return ask(cli, "vf.list", NULL, print_vf_table, err);
}

static int not_ours(const char *text, const struct gv_glue_fn *vf, const char *sysfs,
                    struct gv_err *err)
{
	char pf_text[GV_GLUE_BDF_TEXT];
	struct gv_glue_fn pf = {0};

	(void)gv_glue_fn_read(sysfs, &vf->pf, &pf, NULL);
	return gv_fail(err, -ENODEV, "%s: its PF %s is not managed by gpuvisord (driver %s)", text,
	               gv_glue_bdf_format(&vf->pf, pf_text), pf.driver[0] ? pf.driver : "none");
}

/* Number of one of gpuvisord's VFs. -ENODEV: another PF's, and the text says so. */
static int vf_number(struct cli *cli, const char *text, uint32_t *vf, struct gv_err *err)
{
	struct target t;
	int rc = 0;

	if (parse_u32(text, vf))
		return 0;
	rc = target_find(cli, text, &t, err);
	if (rc)
		return rc;
	if (!t.ours)
		return not_ours(text, &t.fn, cli->sysfs, err);
	*vf = t.vf;
	return 0;
}

int ask_vf(struct cli *cli, const char *method, const char *number, struct json_object *params,
           void (*print)(struct json_object *o), struct gv_err *err)
{
	uint32_t vf;
	int rc = vf_number(cli, number, &vf, err);

	if (rc) {
		json_object_put(params);
		return rc;
	}
	put(params, "vf", json_object_new_int64(vf));
	return ask(cli, method, params, print, err);
}

int run_vf_show(struct cli *cli, char **args, struct gv_err *err)
{
	return ask_vf(cli, "vf.show", args[0], json_object_new_object(), print_vf, err);
}

static void print_reset(struct json_object *vf)
{
	struct json_object *v;

	if (json_object_object_get_ex(vf, "state", &v))
		printf("reset, now %s\n", json_object_get_string(v));
}

int run_vf_reset(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	put_bool(params, "scrub", !cli->no_scrub);
	return ask_vf(cli, "vf.reset", args[0], params, print_reset, err);
}

int run_vf_xml(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *o = NULL, *params;
	int rc;

	if (!cli->bdf) {
		params = json_object_new_object();
		put_bool(params, "domain", cli->domain);
		return ask_vf(cli, "vf.xml", args[0], params, print_xml, err);
	}
	rc = xml_of_bdf(cli->sysfs, cli->bdf, cli->domain, &o, err);
	if (rc)
		return rc;
	if (cli->json)
		print_json(o);
	else
		print_xml(o);
	json_object_put(o);
	return 0;
}

/* ---- whose is it? --------------------------------------------------------------------- */

static void print_claim(struct json_object *o)
{
	struct json_object *v = NULL;

	printf("VF%s is claimed by %s", json_object_get_string(json_object_object_get(o, "vf")),
	       json_object_get_string(json_object_object_get(o, "owner")));
	if (json_object_object_get_ex(o, "bdf", &v))
		printf(", at %s", json_object_get_string(v));
	puts(json_object_object_get_ex(o, "vf_token", NULL)
	             ? "; whoever opens it needs the VF token (--json shows it)"
	             : "");
}

int run_vf_claim(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	put(params, "owner", json_object_new_string(cli->owner));
	return ask_vf(cli, "vf.claim", args[0], params, print_claim, err);
}

static void print_release(struct json_object *o)
{
	printf("VF%s is clean, and %s\n", json_object_get_string(json_object_object_get(o, "vf")),
	       json_object_get_string(json_object_object_get(o, "pool")));
}

int run_vf_release(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	if (cli->owner)
		put(params, "owner", json_object_new_string(cli->owner));
	put_bool(params, "force", cli->force);
	return ask_vf(cli, "vf.release", args[0], params, print_release, err);
}
