/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hypervisor must be told about a VF. */
#include <string.h>

#include <json-c/json.h>

#include <gv/hypervisor_glue.h>

#include "gpuvisor.h"

/* As a shell wants it, inside of an XML comment: there must be no "--" in it. The one argument that
 * has a path in it is JSON, which has other words for a "-". */
static void print_quoted(const char *arg)
{
	bool plain = *arg && !arg[strcspn(arg, " \"'{}$&|;<>()*?[]#~`\\!")];

	putchar(' ');
	if (!plain)
		putchar('\'');
	for (const char *p = arg; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", stdout);
		else if (*p == '-' && p[1] == '-' && arg[0] == '{')
			fputs("\\u002d", stdout);
		else
			putchar(*p);
	}
	if (!plain)
		putchar('\'');
}

void print_xml(struct json_object *o)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, "qemu_args", &v)) {
		fputs("<!-- or by hand:", stdout);
		for (size_t i = 0; i < json_object_array_length(v); i++)
			print_quoted(json_object_get_string(json_object_array_get_idx(v, i)));
		fputs(" -->\n", stdout);
	}
	if (json_object_object_get_ex(o, "xml", &v))
		fputs(json_object_get_string(v), stdout);
	if (json_object_object_get_ex(o, "vf_token_needed", &v) && json_object_get_boolean(v))
		fputs("gpuvisor: note: QEMU opens this VF with the manager's VF token only, which "
		      "is "
		      "not in here: 'gpuvisor vm attach' puts it into the domain\n",
		      stderr);
}

int xml_of_bdf(const char *sysfs, const char *bdf, bool domain, struct json_object **result,
               struct gv_err *err)
{
	const struct gv_glue_domain around = {.name = NULL};
	gv_auto_free char *xml = NULL;
	struct gv_glue_bdf at;
	struct gv_glue_fn fn;
	int rc = gv_glue_bdf_parse(bdf, &at);

	if (rc)
		return gv_fail(err, rc, "--bdf %s: DDDD:BB:SS.F is meant, such as 0000:03:02.1",
		               bdf);
	rc = gv_glue_fn_read(sysfs, &at, &fn, err);
	if (!rc && domain)
		rc = gv_glue_domain_xml(&around, &fn, true, NULL, &xml, err);
	else if (!rc)
		rc = gv_glue_hostdev_xml(&fn, true, NULL, &xml, err);
	if (rc)
		return rc;
	*result = json_object_new_object();
	put(*result, "kind", json_object_new_string("vfio"));
	put(*result, "bdf", json_object_new_string(bdf));
	put(*result, "xml", json_object_new_string(xml));
	return 0;
}
