/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor check: the list, and its printing. */
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <json-c/json.h>

#include "check.h"
#include "gpuvisor.h"

static const char *const status_names[] = {"ok", "warn", "FAIL"};

/* gpuvisord's PF is the one that is meant, when nobody says another. */
static void check_daemon(struct cli *cli, struct check *c, char *pf_text)
{
	struct gv_err err = {0};
	struct gv_glue_bdf pf;
	int rc = daemon_pf(cli, &pf, &err);

	if (rc && rc != -ENXIO) {
		check_add(c, "gpuvisord", CHECK_WARN, "daemon-silent",
		          "systemctl start gpuvisord, or gpuvisord --gpu vfio:BDF", "%s", err.text);
		return;
	}
	if (rc) {
		check_add(c, "gpuvisord", CHECK_OK, "", "", "answers; %s", err.text);
		return;
	}
	(void)gv_glue_bdf_format(&pf, pf_text);
	check_add(c, "gpuvisord", CHECK_OK, "", "", "answers, its PF is %s", pf_text);
	if (!c->pf_text)
		c->pf_text = pf_text;
}

static void print_items(const struct check *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct check_item *item = &c->item[i];

		printf("%-4s  %-19s  %s%s%s%s\n", status_names[item->status], item->name,
		       item->text, item->code[0] ? " [" : "", item->code, item->code[0] ? "]" : "");
		if (item->remedy[0])
			printf("%-4s  %-19s  -> %s\n", "", "", item->remedy);
	}
}

static void print_items_json(const struct check *c)
{
	struct json_object *list = json_object_new_array(), *o;

	for (unsigned i = 0; i < c->count; i++) {
		o = json_object_new_object();
		put(o, "item", json_object_new_string(c->item[i].name));
		put(o, "status", json_object_new_string(status_names[c->item[i].status]));
		put(o, "code", json_object_new_string(c->item[i].code[0] ? c->item[i].code : "ok"));
		put(o, "text", json_object_new_string(c->item[i].text));
		put_text(o, "remedy", c->item[i].remedy);
		(void)json_object_array_add(list, o);
	}
	print_json(list);
	json_object_put(list);
}

static uint64_t may_lock(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_MEMLOCK, &r) || r.rlim_cur == RLIM_INFINITY ? UINT64_MAX
	                                                                    : r.rlim_cur;
}

int run_check(struct cli *cli, char **args, struct gv_err *err)
{
	struct utsname machine = {0};
	struct check c = {.sysfs = cli->sysfs,
	                  .dev = "/dev",
	                  .etc = "/etc",
	                  .kernel = machine.release,
	                  .root = geteuid() == 0,
	                  .memlock = may_lock(),
	                  .pf_text = cli->pf,
	                  .uri = cli->connect};
	char pf_text[GV_GLUE_BDF_TEXT];
	unsigned failed = 0;

	(void)args;
	(void)uname(&machine);
	check_daemon(cli, &c, pf_text);
	check_host(&c);
	check_pf(&c);
	check_boot(&c);
	check_virt(&c);
	if (cli->json)
		print_items_json(&c);
	else
		print_items(&c);
	for (unsigned i = 0; i < c.count; i++)
		failed += c.item[i].status == CHECK_FAIL;
	return failed ? gv_fail(err, -ENXIO, "%u of %u items failed", failed, c.count) : 0;
}
