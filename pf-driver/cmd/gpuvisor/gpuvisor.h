/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: the admin's command. Verbs are a table; text and --json come from the same JSON. */
#ifndef GPUVISOR_H
#define GPUVISOR_H

#include <stdio.h>

#include <gv/hypervisor_glue.h>

#include "json_put.h"

#define DEFAULT_SOCKET "/run/gpuvisor/gpuvisor.sock"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

struct cli {
	const char *socket;
	bool socket_given; /* by option or environment: no other will do */
	bool json;
	/* of single verbs */
	bool dry_run, force, no_scrub, follow, domain, live, config, unmanaged, help, version;
	uint32_t vram_mib, max_vfs, since, timeout_s, seconds;
	const char *bdf, *sysfs, *connect, *driver, *pf, *owner, *claim_dir, *out;
};

/* ---- options.c */
extern const char options_text[];
/** -1: go on; else the exit status. */
int take_options(struct cli *cli, int argc, char **argv);
bool parse_u32(const char *text, uint32_t *val);

/* ---- verbs: @args as the table says */
int run_plan(struct cli *cli, char **args, struct gv_err *err);
int run_diff(struct cli *cli, char **args, struct gv_err *err);
int run_assert(struct cli *cli, char **args, struct gv_err *err);
int run_apply(struct cli *cli, char **args, struct gv_err *err);
int run_rollback(struct cli *cli, char **args, struct gv_err *err);
int run_events(struct cli *cli, char **args, struct gv_err *err);
int run_trace_start(struct cli *cli, char **args, struct gv_err *err);
int run_trace_stop(struct cli *cli, char **args, struct gv_err *err);
int run_trace_status(struct cli *cli, char **args, struct gv_err *err);
int run_top(struct cli *cli, char **args, struct gv_err *err);
int run_disable(struct cli *cli, char **args, struct gv_err *err);
int run_vf_list(struct cli *cli, char **args, struct gv_err *err);
int run_vf_show(struct cli *cli, char **args, struct gv_err *err);
int run_vf_reset(struct cli *cli, char **args, struct gv_err *err);
int run_vf_xml(struct cli *cli, char **args, struct gv_err *err);
int run_vf_claim(struct cli *cli, char **args, struct gv_err *err);
int run_vf_release(struct cli *cli, char **args, struct gv_err *err);
int run_vf_quarantine(struct cli *cli, char **args, struct gv_err *err);
int run_vf_unquarantine(struct cli *cli, char **args, struct gv_err *err);
int run_gpu_reset(struct cli *cli, char **args, struct gv_err *err);
int run_vm_attach(struct cli *cli, char **args, struct gv_err *err);
int run_vm_detach(struct cli *cli, char **args, struct gv_err *err);
int run_vm_list(struct cli *cli, char **args, struct gv_err *err);
int run_vm_watch(struct cli *cli, char **args, struct gv_err *err);
int run_vm_nodedev(struct cli *cli, char **args, struct gv_err *err);
int run_bind(struct cli *cli, char **args, struct gv_err *err);
int run_check(struct cli *cli, char **args, struct gv_err *err);
int run_unbind(struct cli *cli, char **args, struct gv_err *err);

/** One request, its result printed as JSON or by @print (may be NULL). Takes @params. (main.c) */
int ask(struct cli *cli, const char *method, struct json_object *params,
        void (*print)(struct json_object *o), struct gv_err *err);

/** One request about a VF: its number or address. Takes @params. (vf.c) */
int ask_vf(struct cli *cli, const char *method, const char *vf, struct json_object *params,
           void (*print)(struct json_object *o), struct gv_err *err);

/** One request without printing; *@result is the caller's. Takes @params. (main.c) */
int ask_quietly(struct cli *cli, const char *method, struct json_object *params,
                struct json_object **result, struct gv_err *err);

/* ---- target.c: a VF that was named by number or PCI address */
struct target {
	bool ours;   /* gpuvisord's */
	uint32_t vf; /* ours: its number */
	struct gv_glue_fn fn;
	bool fresh;     /* target_claim(): nobody had it before */
	char token[37]; /* target_claim(): VF token, "" none needed */
};
/** A number is one of gpuvisord's VFs; a PCI address any VF. -EINVAL: neither; -ENXIO: gpuvisord's
 *  VFs have no PCI address; else as gv_glue_fn_read() and client_open(). */
int target_find(struct cli *cli, const char *text, struct target *t, struct gv_err *err);
/** gpuvisord claims its VFs, the claim's file alone counts for others. -EBUSY: somebody else's. */
int target_claim(struct cli *cli, struct target *t, const char *owner, struct gv_err *err);
/** Give the claim up; gpuvisord cleans the VF. @force: although it was seen in use. No claim: 0. */
int target_release(struct cli *cli, const struct target *t, bool force, struct gv_err *err);
/** PCI address of gpuvisord's PF. -ENXIO: it has none. */
int daemon_pf(struct cli *cli, struct gv_glue_bdf *pf, struct gv_err *err);

/* A connection to gpuvisord. */
struct client {
	int fd;
	char *buf;
	size_t bytes, room;
};

/** -ECONNREFUSED and friends; the text says what to do. */
int client_open(const char *socket, struct client *c, struct gv_err *err);
void client_close(struct client *c);
/** From now on a silent daemon is no error (-ETIMEDOUT): for who follows events. */
void client_wait_for_ever(struct client *c);
/** Send one request and wait for its reply; notifications that come first go to @notify (may be
 *  NULL). Takes @params. *@result: the caller's (NULL for null). Errors of the daemon come back
 * with their errno where it is known, else -EREMOTEIO. */
int client_call(struct client *c, const char *method, struct json_object *params,
                void (*notify)(struct json_object *note), struct json_object **result,
                struct gv_err *err);
/** Wait for the next line. -ECONNRESET: the daemon has gone. */
int client_next(struct client *c, struct json_object **message, struct gv_err *err);

/** Control characters, which a terminal would obey, become '?'. Returns @text. */
char *tame(char *text);
/** Pretty JSON and a newline to stdout. */
void print_json(struct json_object *o);
/** Member @key as text, "-" when there is none. */
const char *shown_text(struct json_object *o, const char *key);
/** Member @key, NULL when there is none; as a number, then 0. */
struct json_object *get(struct json_object *o, const char *key);
uint64_t num(struct json_object *o, const char *key);
void print_plan(struct json_object *plan);
void print_diff(struct json_object *diff);
/** A plan, or that no VF is left. */
void print_rollback(struct json_object *plan);
void print_status(struct json_object *status);
void print_vf_table(struct json_object *vfs);
void print_vf(struct json_object *vf);
void print_vm_table(struct json_object *rows);
void print_event(struct json_object *event);
/** The XML of `vf xml`, with QEMU's arguments in a comment before it where there are any. */
void print_xml(struct json_object *o);
/** What `vf xml` says about the VF at PCI address @bdf of the tree @sysfs. *@result: the caller's.
 */
int xml_of_bdf(const char *sysfs, const char *bdf, bool domain, struct json_object **result,
               struct gv_err *err);
/** On a terminal only, to stderr. */
void print_progress(struct json_object *params);
void end_progress(void);

#endif
