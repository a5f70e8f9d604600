/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor vm: VFs in libvirt's domains. */
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <json-c/json.h>

#include <gv/binding.h>
#include <gv/libvirt.h>

#include "gpuvisor.h"

static const struct gv_log quiet = {.sink = gv_log_stderr, .max = GV_LOG_WARN, .who = "gpuvisor"};

static void put_bdf(struct json_object *o, const char *key, const struct gv_glue_bdf *bdf)
{
	char text[GV_GLUE_BDF_TEXT];

	put_text(o, key, gv_glue_bdf_format(bdf, text));
}

static const char *how_name(enum gv_virt_how how)
{
	static const char *const names[] = {[GV_VIRT_HOSTDEV] = "hostdev",
	                                    [GV_VIRT_OVERRIDE] = "hostdev, override",
	                                    [GV_VIRT_MONITOR] = "monitor"};

	return (unsigned)how < GV_ARRAY_LEN(names) ? names[how] : "unknown";
}

static unsigned flags_of(const struct cli *cli)
{
	return (cli->live ? GV_VIRT_LIVE : 0) | (cli->config ? GV_VIRT_CONFIG : 0) |
	       (cli->force ? GV_VIRT_FORCE : 0);
}

/* ---- who has it? -------------------------------------------------------------------- */

static bool same(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

/* *@has: any domain, *@own: @domain (name or UUID; NULL: none). */
static int who_has(struct gv_virt *virt, const struct gv_glue_bdf *bdf, const char *domain,
                   bool *has, bool *own, struct gv_err *err)
{
	gv_auto_free struct gv_virt_vf *list = NULL;
	size_t count = 0;
	int rc = gv_virt_list(virt, &list, &count, err);

	*has = *own = false;
	for (size_t i = 0; !rc && i < count; i++) {
		if (!same(&list[i].bdf, bdf))
			continue;
		*has = true;
		*own = *own || (domain && (!strcmp(list[i].domain, domain) ||
		                           !strcasecmp(list[i].uuid, domain)));
	}
	return rc;
}

/* ---- attach ------------------------------------------------------------------------ */

/* After a failure, a claim that was made for it. Never of a VF that the domain has all the same:
 * giving that back would clean it below a running guest. */
static void give_back(struct cli *cli, struct gv_virt *virt, const char *domain,
                      const struct target *t, int why)
{
	struct gv_err err = {0};
	bool has = false, own = false;
	int rc;

	if (why == -ETIMEDOUT)
		rc = gv_fail(&err, why, "the VF may still arrive; if not: gpuvisor vf release");
	else
		rc = who_has(virt, &t->fn.bdf, domain, &has, &own, &err);
	if (!rc)
		rc = own ? gv_fail(&err, -EEXIST, "the domain has the VF")
		         : target_release(cli, t, !has, &err);
	if (rc)
		fprintf(stderr, "gpuvisor: the claim stays: %s\n", err.text);
}

static int give(struct cli *cli, struct gv_virt *virt, const char *domain, struct target *t,
                enum gv_virt_how *how, struct gv_err *err)
{
	const struct gv_virt_attach a = {
	        .domain = domain,
	        .vf = &t->fn,
	        .vf_token = t->token[0] ? t->token : NULL,
	        .managed = !cli->unmanaged,
	        .flags = flags_of(cli) & (GV_VIRT_LIVE | GV_VIRT_CONFIG),
	        .timeout_ms = cli->timeout_s * 1000,
	};
	int rc = gv_virt_attach(virt, &a, how, err);

	explicit_bzero(t->token, sizeof(t->token));
	if (rc && t->fresh)
		give_back(cli, virt, domain, t, rc);
	return rc;
}

/* The claim becomes the owner's name, and is compared with the domain's. */
static int make_owner(const char *domain, char owner[GV_GLUE_OWNER_TEXT], struct gv_err *err)
{
	bool fits = (size_t)snprintf(owner, GV_GLUE_OWNER_TEXT, "domain:%s", domain) <
	            GV_GLUE_OWNER_TEXT;

	for (const char *p = domain; *p; p++)
		fits = fits && *p >= ' ' && *p <= '~';
	return fits ? 0
	            : gv_fail(err, -EINVAL,
	                      "domain: a name of up to %zu ASCII characters is possible; else say "
	                      "its UUID",
	                      GV_GLUE_OWNER_TEXT - sizeof("domain:"));
}

/* Who and what it was about; caller adds how it went. */
static struct json_object *answer(const char *domain, const struct target *t)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "domain", domain);
	if (t->ours)
		put(o, "vf", json_object_new_int64(t->vf));
	put_bdf(o, "bdf", &t->fn.bdf);
	return o;
}

static void print_attached(const struct cli *cli, const char *domain, const struct target *t,
                           enum gv_virt_how how)
{
	struct json_object *o = answer(domain, t);
	char text[GV_GLUE_BDF_TEXT];

	put_text(o, "how", how_name(how));
	put_bool(o, "managed", !cli->unmanaged);
	if (cli->json)
		print_json(o);
	else
		printf("%s has %s (%s)\n", domain, gv_glue_bdf_format(&t->fn.bdf, text),
		       how_name(how));
	json_object_put(o);
}

int run_vm_attach(struct cli *cli, char **args, struct gv_err *err)
{
	char owner[GV_GLUE_OWNER_TEXT];
	struct gv_virt *virt = NULL;
	enum gv_virt_how how = GV_VIRT_HOSTDEV;
	struct target t;
	int rc = make_owner(args[0], owner, err);

	if (!rc)
		rc = target_find(cli, args[1], &t, err);
	/* Before anything is claimed. */
	if (!rc)
		rc = gv_virt_open(cli->connect, &quiet, &virt, err);
	if (rc)
		return rc;
	rc = target_claim(cli, &t, owner, err);
	if (!rc)
		rc = give(cli, virt, args[0], &t, &how, err);
	if (!rc)
		print_attached(cli, args[0], &t, how);
	(void)gv_virt_close(virt);
	return rc;
}

/* ---- detach -------------------------------------------------------------------------- */

static void print_detached(const struct cli *cli, const char *domain, const struct target *t,
                           bool destroyed, bool still)
{
	struct json_object *o = answer(domain, t);
	char text[GV_GLUE_BDF_TEXT];

	put_bool(o, "destroyed", destroyed);
	put_bool(o, "released", !still);
	if (cli->json)
		print_json(o);
	else
		printf("%s gave %s back%s%s\n", domain, gv_glue_bdf_format(&t->fn.bdf, text),
		       destroyed ? "; the domain had to be destroyed" : "",
		       still     ? "; it stays claimed: the domain or its definition still has it"
		       : t->ours ? "; it is clean, and free"
		                 : "; it is free");
	json_object_put(o);
}

int run_vm_detach(struct cli *cli, char **args, struct gv_err *err)
{
	bool destroyed = false, still = false, own;
	struct gv_virt *virt = NULL;
	struct target t;
	int rc = target_find(cli, args[1], &t, err);

	if (!rc)
		rc = gv_virt_open(cli->connect, &quiet, &virt, err);
	if (rc)
		return rc;
	rc = gv_virt_detach(virt, args[0], &t.fn.bdf, flags_of(cli), cli->timeout_s * 1000,
	                    &destroyed, err);
	if (!rc)
		rc = who_has(virt, &t.fn.bdf, NULL, &still, &own, err);
	if (!rc && !still)
		rc = target_release(cli, &t, true, err);
	if (!rc)
		print_detached(cli, args[0], &t, destroyed, still);
	(void)gv_virt_close(virt);
	return rc;
}

/* ---- list ------------------------------------------------------------------------------ */

static struct json_object *vf_json(const struct cli *cli, const struct gv_virt_vf *v)
{
	struct json_object *o = json_object_new_object();
	struct gv_glue_fn fn;

	put_text(o, "domain", v->domain);
	put_text(o, "uuid", v->uuid);
	put_bool(o, "running", v->running);
	put_bdf(o, "bdf", &v->bdf);
	if (!gv_glue_fn_read(cli->sysfs, &v->bdf, &fn, NULL) && fn.is_vf) {
		put_bdf(o, "pf", &fn.pf);
		put(o, "vf", json_object_new_int(fn.vf_index));
	}
	put_bool(o, "live", v->live);
	put_bool(o, "config", v->config);
	put_bool(o, "managed", v->managed);
	put_text(o, "how", how_name(v->how));
	return o;
}

int run_vm_list(struct cli *cli, char **args, struct gv_err *err)
{
	gv_auto_free struct gv_virt_vf *list = NULL;
	struct json_object *rows;
	struct gv_virt *virt = NULL;
	size_t count = 0;
	int rc = gv_virt_open(cli->connect, &quiet, &virt, err);

	(void)args;
	if (!rc)
		rc = gv_virt_list(virt, &list, &count, err);
	(void)gv_virt_close(virt);
	if (rc)
		return rc;
	rows = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		(void)json_object_array_add(rows, vf_json(cli, &list[i]));
	if (cli->json)
		print_json(rows);
	else
		print_vm_table(rows);
	json_object_put(rows);
	return 0;
}

/* ---- watch ------------------------------------------------------------------------------- */

static void print_json_event(const struct gv_virt_event *e)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "event", gv_virt_event_name(e->kind));
	put_text(o, "domain", e->domain);
	put_text(o, "uuid", e->uuid);
	if (e->has_bdf)
		put_bdf(o, "bdf", &e->bdf);
	put_text(o, "text", e->text);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void on_event(void *arg, const struct gv_virt_event *e)
{
	const struct cli *cli = arg;
	char bdf[GV_GLUE_BDF_TEXT] = "", when[32] = "?", domain[GV_VIRT_NAME];
	time_t now = time(NULL);
	struct tm tm;

	if (cli->json) {
		print_json_event(e);
	} else {
		if (localtime_r(&now, &tm))
			(void)strftime(when, sizeof(when), "%F %T", &tm);
		memcpy(domain, e->domain, sizeof(domain));
		printf("%s  %s%s%s%s%s%s%s\n", when, gv_virt_event_name(e->kind),
		       e->domain[0] ? "  " : "", tame(domain), e->has_bdf ? "  " : "",
		       e->has_bdf ? gv_glue_bdf_format(&e->bdf, bdf) : "", e->text[0] ? "  " : "",
		       e->text);
	}
	(void)fflush(stdout);
}

int run_vm_watch(struct cli *cli, char **args, struct gv_err *err)
{
	struct gv_virt_watch *watch = NULL;
	sigset_t set;
	int rc, sig;

	(void)args;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	rc = gv_virt_watch_start(cli->connect, &quiet, cli, on_event, &watch, err);
	if (rc)
		return rc;
	(void)sigwait(&set, &sig);
	(void)gv_virt_watch_stop(watch);
	return 0;
}

int run_vm_nodedev(struct cli *cli, char **args, struct gv_err *err)
{
	gv_auto_free char *xml = NULL;
	struct gv_virt *virt = NULL;
	struct json_object *o;
	struct target t;
	int rc = target_find(cli, args[0], &t, err);

	if (!rc)
		rc = gv_virt_open(cli->connect, &quiet, &virt, err);
	if (!rc)
		rc = gv_virt_nodedev_xml(virt, &t.fn.bdf, &xml, err);
	(void)gv_virt_close(virt);
	if (rc)
		return rc;
	o = json_object_new_object();
	put_bdf(o, "bdf", &t.fn.bdf);
	put_text(o, "xml", xml);
	if (cli->json)
		print_json(o);
	else
		fputs(xml, stdout);
	json_object_put(o);
	return 0;
}
