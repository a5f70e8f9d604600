/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: verbs and options. */
#include <getopt.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#include "gpuvisor.h"

#define DEFAULT_SOCKET "/run/gpuvisor/gpuvisor.sock"

struct verb {
	const char *name; /* "vf list": two words */
	const char *args;
	int args_min, args_max;
	int (*run)(struct cli *cli, char **args, struct gv_err *err);
	const char *help;
};
static const struct verb verbs[];

static void put(struct json_object *o, const char *key, struct json_object *val)
{
	(void)json_object_object_add(o, key, val);
}

static void on_note(struct json_object *note)
{
	struct json_object *method, *params;

	if (json_object_object_get_ex(note, "method", &method) &&
	    json_object_object_get_ex(note, "params", &params) &&
	    !strcmp(json_object_get_string(method), "progress"))
		print_progress(params);
}

/* One request, its result printed as JSON or by @print. */
static int ask(struct cli *cli, const char *method, struct json_object *params,
               void (*print)(struct json_object *o), struct gv_err *err)
{
	struct json_object *result = NULL;
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	if (rc) {
		json_object_put(params);
		return rc;
	}
	rc = client_call(&c, method, params, on_note, &result, err);
	end_progress();
	if (!rc && cli->json)
		print_json(result);
	else if (!rc && print)
		print(result);
	json_object_put(result);
	client_close(&c);
	return rc;
}

/* ---- plan, apply -------------------------------------------------------------- */

static int daemon_caps(struct cli *cli, struct gv_pf_caps *caps, struct gv_err *err)
{
	struct json_object *status = NULL, *o;
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	if (rc)
		return rc;
	rc = client_call(&c, "status", NULL, NULL, &status, err);
	if (!rc &&
	    (!json_object_object_get_ex(status, "caps", &o) || gv_pf_caps_from_json(o, caps)))
		rc = gv_fail(err, -EAGAIN, "gpuvisord does not know its GPU");
	json_object_put(status);
	client_close(&c);
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

static int run_plan(struct cli *cli, char **args, struct gv_err *err)
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
		put(o, "assumed_gpu", json_object_new_boolean(true));
	if (cli->json)
		print_json(o);
	else
		print_plan(o);
	json_object_put(o);
	return 0;
}

static int run_apply(struct cli *cli, char **args, struct gv_err *err)
{
	gv_auto_free char *text = NULL;
	struct json_object *params;
	struct gv_cfg cfg;
	int rc = gv_cfg_load_file(args[0], &cfg, err);

	if (!rc)
		rc = gv_cfg_to_json(&cfg, &text);
	if (rc)
		return rc;
	params = json_object_new_object();
	put(params, "profile", json_tokener_parse(text));
	put(params, "dry_run", json_object_new_boolean(cli->dry_run));
	put(params, "force", json_object_new_boolean(cli->force));
	put(params, "scrub", json_object_new_boolean(!cli->no_scrub));
	return ask(cli, "apply", params, print_plan, err);
}

static int run_disable(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	(void)args;
	put(params, "force", json_object_new_boolean(cli->force));
	return ask(cli, "disable", params, NULL, err);
}

/* ---- VFs ------------------------------------------------------------------------- */

static int run_status(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return ask(cli, "status", NULL, print_status, err);
}

static int run_vf_list(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return ask(cli, "vf.list", NULL, print_vf_table, err);
}

static bool parse_u32(const char *text, uint32_t *val)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v > UINT32_MAX)
		return false;
	*val = (uint32_t)v;
	return true;
}

static int ask_vf(struct cli *cli, const char *method, const char *number,
                  struct json_object *params, void (*print)(struct json_object *o),
                  struct gv_err *err)
{
	uint32_t vf;

	if (!parse_u32(number, &vf)) {
		json_object_put(params);
		return gv_fail(err, -EINVAL, "'%s' is no number of a VF", number);
	}
	put(params, "vf", json_object_new_int64(vf));
	return ask(cli, method, params, print, err);
}

static int run_vf_show(struct cli *cli, char **args, struct gv_err *err)
{
	return ask_vf(cli, "vf.show", args[0], json_object_new_object(), print_vf, err);
}

static void print_reset(struct json_object *vf)
{
	struct json_object *v;

	if (json_object_object_get_ex(vf, "state", &v))
		printf("reset, now %s\n", json_object_get_string(v));
}

static int run_vf_reset(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object();

	put(params, "scrub", json_object_new_boolean(!cli->no_scrub));
	return ask_vf(cli, "vf.reset", args[0], params, print_reset, err);
}

static int run_vf_xml(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *o = NULL, *params;
	int rc;

	if (!cli->bdf) {
		params = json_object_new_object();
		put(params, "domain", json_object_new_boolean(cli->domain));
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

/* ---- events -------------------------------------------------------------------------- */

static void print_events(struct cli *cli, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		if (cli->json)
			puts(json_object_to_json_string_ext(e, JSON_C_TO_STRING_PLAIN));
		else
			print_event(e);
	}
	(void)fflush(stdout);
}

static int follow(struct cli *cli, struct client *c, struct gv_err *err)
{
	struct json_object *note, *params, *list;
	int rc = 0;

	while (!rc) {
		rc = client_next(c, &note, err);
		if (rc)
			break;
		if (json_object_object_get_ex(note, "params", &params)) {
			list = json_object_new_array();
			(void)json_object_array_add(list, json_object_get(params));
			print_events(cli, list);
			json_object_put(list);
		}
		json_object_put(note);
	}
	return rc;
}

static int run_events(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params = json_object_new_object(), *list = NULL;
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	(void)args;
	put(params, "since", json_object_new_int64(cli->since));
	put(params, "follow", json_object_new_boolean(cli->follow));
	if (rc) {
		json_object_put(params);
		return rc;
	}
	rc = client_call(&c, "events", params, NULL, &list, err);
	if (!rc)
		print_events(cli, list);
	if (!rc && cli->follow)
		rc = follow(cli, &c, err);
	json_object_put(list);
	client_close(&c);
	return rc;
}

/* ---- the rest ------------------------------------------------------------------------- */

static int run_version(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	(void)err;
	puts(cli->json ? "{ \"version\": \"0.1.0\" }" : "gpuvisor 0.1.0");
	return 0;
}

static int run_help(struct cli *cli, char **args, struct gv_err *err)
{
	(void)cli;
	(void)args;
	(void)err;
	puts("Usage: gpuvisor [OPTION]... VERB [ARGUMENT]...\n"
	     "Splits an SR-IOV GPU between virtual machines; talks to gpuvisord.\n");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-9s %-8s %s\n", v->name, v->args, v->help);
	puts("\n  --socket PATH       of gpuvisord ($GPUVISOR_SOCKET, " DEFAULT_SOCKET ")\n"
	     "  --json              for programs: keys are only ever added\n"
	     "  --vram-mib N, --max-vfs N   plan for such a GPU, without gpuvisord\n"
	     "  --dry-run           apply: show the plan, touch nothing\n"
	     "  --force             apply, disable: also when guests use their VFs\n"
	     "  --no-scrub          apply, vf reset: leave what is in VRAM\n"
	     "  --follow, --since N events: go on; only those after number N\n"
	     "  --domain            vf xml: a whole libvirt domain around the VF\n"
	     "  --bdf BDF           vf xml: the VF at this PCI address, without gpuvisord\n"
	     "  --sysfs ROOT        with --bdf: another tree than /sys\n"
	     "\n"
	     "Exit status: 0 done, 1 failed, 2 wrong use.");
	return 0;
}

static const struct verb verbs[] = {
        {"plan", "FILE", 1, 1, run_plan, "how a profile splits the GPU; touches nothing"},
        {"apply", "FILE", 1, 1, run_apply, "split the GPU as a profile says"},
        {"disable", "", 0, 0, run_disable, "no VF any more"},
        {"status", "", 0, 0, run_status, "the GPU and its VFs"},
        {"vf list", "", 0, 0, run_vf_list, "the VFs"},
        {"vf show", "N", 1, 1, run_vf_show, "everything about one VF"},
        {"vf reset", "N", 1, 1, run_vf_reset, "reset a VF: its guest is told, its VRAM scrubbed"},
        {"vf xml", "[N]", 0, 1, run_vf_xml, "what libvirt or QEMU must be told about a VF"},
        {"events", "", 0, 0, run_events, "what has happened"},
        {"version", "", 0, 0, run_version, "of this program"},
        {"help", "", 0, 0, run_help, "this"},
        {NULL, NULL, 0, 0, NULL, NULL},
};

enum {
	OPT_SOCKET = 256,
	OPT_JSON,
	OPT_DRY_RUN,
	OPT_FORCE,
	OPT_NO_SCRUB,
	OPT_FOLLOW,
	OPT_VRAM,
	OPT_VFS,
	OPT_SINCE,
	OPT_BDF,
	OPT_SYSFS,
	OPT_DOMAIN,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"json", no_argument, NULL, OPT_JSON},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"force", no_argument, NULL, OPT_FORCE},
        {"no-scrub", no_argument, NULL, OPT_NO_SCRUB},
        {"follow", no_argument, NULL, OPT_FOLLOW},
        {"vram-mib", required_argument, NULL, OPT_VRAM},
        {"max-vfs", required_argument, NULL, OPT_VFS},
        {"since", required_argument, NULL, OPT_SINCE},
        {"bdf", required_argument, NULL, OPT_BDF},
        {"sysfs", required_argument, NULL, OPT_SYSFS},
        {"domain", no_argument, NULL, OPT_DOMAIN},
        {"help", no_argument, NULL, OPT_HELP},
        {"version", no_argument, NULL, OPT_VERSION},
        {NULL, 0, NULL, 0},
};

/* -1: go on; else the exit status. */
static int take_option(struct cli *cli, int opt)
{
	bool ok = true;

	switch (opt) {
	case OPT_SOCKET:
		cli->socket = optarg;
		cli->socket_given = true;
		break;
	case OPT_JSON:
		cli->json = true;
		break;
	case OPT_DRY_RUN:
		cli->dry_run = true;
		break;
	case OPT_FORCE:
		cli->force = true;
		break;
	case OPT_NO_SCRUB:
		cli->no_scrub = true;
		break;
	case OPT_FOLLOW:
		cli->follow = true;
		break;
	case OPT_VRAM:
		ok = parse_u32(optarg, &cli->vram_mib) && cli->vram_mib;
		break;
	case OPT_VFS:
		ok = parse_u32(optarg, &cli->max_vfs) && cli->max_vfs &&
		     cli->max_vfs <= GV_PF_MAX_VFS;
		break;
	case OPT_SINCE:
		ok = parse_u32(optarg, &cli->since);
		break;
	case OPT_BDF:
		cli->bdf = optarg;
		break;
	case OPT_SYSFS:
		cli->sysfs = optarg;
		break;
	case OPT_DOMAIN:
		cli->domain = true;
		break;
	case OPT_HELP:
		(void)run_help(cli, NULL, NULL);
		return EXIT_DONE;
	case OPT_VERSION:
		(void)run_version(cli, NULL, NULL);
		return EXIT_DONE;
	default:
		return EXIT_USAGE;
	}
	if (ok)
		return -1;
	fprintf(stderr, "gpuvisor: '%s' cannot be used here\n", optarg);
	return EXIT_USAGE;
}

/* The verb at the front of @args, and how many words it is. */
static const struct verb *find_verb(char **args, int count, int *words)
{
	char two[32];

	for (*words = GV_MIN(count, 2); *words > 0; (*words)--) {
		snprintf(two, sizeof(two), "%s%s%s", args[0], *words > 1 ? " " : "",
		         *words > 1 ? args[1] : "");
		for (const struct verb *v = verbs; v->name; v++)
			if (!strcmp(v->name, two))
				return v;
	}
	return NULL;
}

/* As many as the verb takes, and the number of a VF where there must be one. */
static bool args_fit(const struct cli *cli, const struct verb *v, char **args, int count)
{
	uint32_t vf;

	if (count < v->args_min || count > v->args_max)
		return false;
	if (v->run == run_vf_xml && (count > 0) == (cli->bdf != NULL))
		return false;
	return !count || !strchr(v->args, 'N') || parse_u32(args[0], &vf);
}

static int run_verb(struct cli *cli, char **args, int count)
{
	struct gv_err err = {0};
	int words;
	const struct verb *v = find_verb(args, count, &words);

	if (!v) {
		fprintf(stderr, "gpuvisor: %s%s%s%s%s, try: gpuvisor help\n",
		        count ? "no such verb: '" : "a verb is missing", count ? args[0] : "",
		        count > 1 ? " " : "", count > 1 ? args[1] : "", count ? "'" : "");
		return EXIT_USAGE;
	}
	if (!args_fit(cli, v, args + words, count - words)) {
		fprintf(stderr, "gpuvisor: usage: gpuvisor %s%s%s%s\n", v->name,
		        *v->args ? " " : "", v->args,
		        v->run == run_vf_xml ? " (or --bdf BDF)" : "");
		return EXIT_USAGE;
	}
	if (!v->run(cli, args + words, &err))
		return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
	fprintf(stderr, "gpuvisor: %s\n", err.text[0] ? err.text : "failed");
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct cli cli = {.socket = getenv("GPUVISOR_SOCKET"), .sysfs = "/sys"};
	int opt, status = -1;

	cli.socket_given = cli.socket && *cli.socket;
	if (!cli.socket_given)
		cli.socket = DEFAULT_SOCKET;
	while (status < 0 && (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		status = take_option(&cli, opt);
	return status >= 0 ? status : run_verb(&cli, argv + optind, argc - optind);
}
