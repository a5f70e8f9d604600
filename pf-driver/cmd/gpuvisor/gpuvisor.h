/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor: the admin's command. Verbs are a table; text and --json come from the same JSON. */
#ifndef GPUVISOR_H
#define GPUVISOR_H

#include <stdio.h>

#include <gv/base.h>

struct json_object;

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

struct cli {
	const char *socket;
	bool socket_given; /* by option or environment: no other will do */
	bool json;
	/* of single verbs */
	bool dry_run, force, no_scrub, follow, domain;
	uint32_t vram_mib, max_vfs, since;
	const char *bdf, *sysfs;
};

/* A connection to gpuvisord. */
struct client {
	int fd;
	char *buf;
	size_t bytes, room;
};

/** -ECONNREFUSED and friends; the text says what to do. */
int client_open(const char *socket, struct client *c, struct gv_err *err);
void client_close(struct client *c);
/** Send one request and wait for its reply; notifications that come first go to @notify (may be
 *  NULL). Takes @params. *@result: the caller's (NULL for null). Errors of the daemon come back
 * with their errno where it is known, else -EREMOTEIO. */
int client_call(struct client *c, const char *method, struct json_object *params,
                void (*notify)(struct json_object *note), struct json_object **result,
                struct gv_err *err);
/** Wait for the next line. -ECONNRESET: the daemon has gone. */
int client_next(struct client *c, struct json_object **message, struct gv_err *err);

/** Pretty JSON and a newline to stdout. */
void print_json(struct json_object *o);
void print_plan(struct json_object *plan);
void print_status(struct json_object *status);
void print_vf_table(struct json_object *vfs);
void print_vf(struct json_object *vf);
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
