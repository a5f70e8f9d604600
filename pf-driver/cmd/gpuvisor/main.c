/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: verbs. */
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include <gv/binding.h>
#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#include "gpuvisor.h"

struct verb {
	const char *name; /* "vf list": two words */
	const char *args;
	int args_min, args_max;
	int (*run)(struct cli *cli, char **args, struct gv_err *err);
	const char *help;
};
static const struct verb verbs[];

static void on_note(struct json_object *note)
{
	struct json_object *method, *params;

	if (json_object_object_get_ex(note, "method", &method) &&
	    json_object_object_get_ex(note, "params", &params) &&
	    !strcmp(json_object_get_string(method), "progress"))
		print_progress(params);
}

static int ask_once(struct cli *cli, const char *method, struct json_object *params,
                    void (*notify)(struct json_object *note), struct json_object **result,
                    struct gv_err *err)
{
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	if (rc) {
		json_object_put(params);
		return rc;
	}
	rc = client_call(&c, method, params, notify, result, err);
	client_close(&c);
	return rc;
}

int ask_quietly(struct cli *cli, const char *method, struct json_object *params,
                struct json_object **result, struct gv_err *err)
{
	return ask_once(cli, method, params, NULL, result, err);
}

/* One request, its result printed as JSON or by @print. */
int ask(struct cli *cli, const char *method, struct json_object *params,
        void (*print)(struct json_object *o), struct gv_err *err)
{
	struct json_object *result = NULL;
	int rc = ask_once(cli, method, params, on_note, &result, err);

	end_progress();
	if (!rc && cli->json)
		print_json(result);
	else if (!rc && print)
		print(result);
	json_object_put(result);
	return rc;
}

/* ---- looking --- */

static int run_status(struct cli *cli, char **args, struct gv_err *err)
{
	(void)args;
	return ask(cli, "status", NULL, print_status, err);
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
		printf("  %-10s %-10s %s\n", v->name, v->args, v->help);
	fputs(options_text, stdout);
	return 0;
}

static const struct verb verbs[] = {
        {"plan", "FILE", 1, 1, run_plan, "how a profile splits the GPU; touches nothing"},
        {"apply", "FILE", 1, 1, run_apply, "split the GPU as a profile says"},
        {"diff", "FILE", 1, 1, run_diff, "what apply would change, and who is in the way"},
        {"assert", "FILE", 1, 1, run_assert, "exit status 0 when the profile is in force"},
        {"rollback", "", 0, 0, run_rollback, "what was in force before the last change"},
        {"disable", "", 0, 0, run_disable, "no VF any more"},
        {"status", "", 0, 0, run_status, "the GPU and its VFs"},
        {"top", "", 0, 0, run_top, "the VFs, live, on a terminal"},
        {"vf list", "", 0, 0, run_vf_list, "the VFs"},
        {"vf show", "N", 1, 1, run_vf_show, "everything about one VF"},
        {"vf reset", "N", 1, 1, run_vf_reset, "reset a VF: its guest is told, its VRAM scrubbed"},
        {"vf xml", "[N]", 0, 1, run_vf_xml, "what libvirt or QEMU must be told about a VF"},
        {"vf claim", "N", 1, 1, run_vf_claim, "nobody else gets this VF; --owner says for whom"},
        {"vf release", "N", 1, 1, run_vf_release, "clean a VF and give it back"},
        {"vf quarantine", "N", 1, 1, run_vf_quarantine, "take a VF out: reset, and nobody gets it"},
        {"vf unquarantine", "N", 1, 1, run_vf_unquarantine, "take it back, clean"},
        {"gpu reset", "", 0, 0, run_gpu_reset,
         "reset the whole GPU: guests are told, VFs come back"},
        {"vm attach", "DOMAIN VF", 2, 2, run_vm_attach, "give a VF to a libvirt domain"},
        {"vm detach", "DOMAIN VF", 2, 2, run_vm_detach, "take it back, cleaned"},
        {"vm list", "", 0, 0, run_vm_list, "PCI functions in libvirt's domains"},
        {"vm watch", "", 0, 0, run_vm_watch, "what domains do with theirs, as it happens"},
        {"vm nodedev", "VF", 1, 1, run_vm_nodedev, "libvirt's own view of a VF"},
        {"bind", "VF", 1, 1, run_bind, "bind a VF to vfio-pci, or to --driver"},
        {"unbind", "VF", 1, 1, run_unbind, "leave a VF without a driver"},
        {"check", "", 0, 0, run_check, "what this host lacks for VFs in VMs; changes nothing"},
        {"events", "", 0, 0, run_events, "what has happened"},
        {"trace start", "", 0, 0, run_trace_start, "begin a timeline; --out FILE: take it now"},
        {"trace stop", "", 0, 0, run_trace_stop, "end it; --out FILE: write it"},
        {"trace status", "", 0, 0, run_trace_status, "is one being taken?"},
        {"version", "", 0, 0, run_version, "of this program"},
        {"help", "", 0, 0, run_help, "this"},
        {NULL, NULL, 0, 0, NULL, NULL},
};

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
	struct gv_glue_bdf bdf;
	uint32_t vf;

	if (count < v->args_min || count > v->args_max)
		return false;
	if (v->run == run_vf_xml && (count > 0) == (cli->bdf != NULL))
		return false;
	if (v->run == run_vf_claim && !cli->owner)
		return false;
	if (cli->seconds && (v->run != run_trace_start || !cli->out))
		return false;
	return !count || (strcmp(v->args, "N") && strcmp(v->args, "[N]")) ||
	       parse_u32(args[0], &vf) || !gv_glue_bdf_parse(args[0], &bdf);
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
		        v->run == run_vf_xml        ? " (or --bdf BDF)"
		        : v->run == run_vf_claim    ? " --owner NAME"
		        : v->run == run_trace_start ? " [--out FILE [--seconds N]]"
		                                    : "");
		return EXIT_USAGE;
	}
	if (!v->run(cli, args + words, &err))
		return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
	fprintf(stderr, "gpuvisor: %s\n", err.text[0] ? tame(err.text) : "failed");
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct cli cli = {.socket = getenv("GPUVISOR_SOCKET"),
	                  .sysfs = "/sys",
	                  .claim_dir = GV_GLUE_CLAIM_DIR};
	int status;

	cli.socket_given = cli.socket && *cli.socket;
	if (!cli.socket_given)
		cli.socket = DEFAULT_SOCKET;
	status = take_options(&cli, argc, argv);
	if (status >= 0)
		return status;
	if (cli.help || cli.version)
		return cli.help ? run_help(&cli, NULL, NULL) : run_version(&cli, NULL, NULL);
	return run_verb(&cli, argv + optind, argc - optind);
}
