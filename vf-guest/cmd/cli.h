/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside gpuvisor-guest: options that all verbs share, and JSON output. */
#ifndef GV_GUEST_CLI_H
#define GV_GUEST_CLI_H

#include <stdio.h>

#include <gv/vf_guest.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	const char *device;
	const char *token_file; /* UUID of the VF token; NULL: none */
	bool json;
	uint64_t timeout_ns;
	unsigned levels, queue;
	bool rlcg;
	const struct gv_log *log;
	const char *record; /* file, NULL: none */
	int argc;           /* what follows the verb */
	char **argv;
};

/** Open bus and guest. Both are closed by cli_close(). */
int cli_open(const struct cli *cli, unsigned compute_queues, struct gv_bus **bus,
             struct gv_guest **guest, struct gv_err *err);
void cli_close(struct gv_bus *bus, struct gv_guest *guest);
/** Say what went wrong; returns CLI_FAILED. */
int cli_fail(const struct gv_err *err);
/** Wrong use: one line; returns CLI_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int cmd_info(struct cli *cli);
int cmd_test(struct cli *cli);
int cmd_copy(struct cli *cli);
int cmd_run(struct cli *cli);
int cmd_disasm(struct cli *cli); /* needs no device */

/* ---- JSON: an object on stdout, member by member --------------------------- */
struct json {
	FILE *f;
	bool more;
};
void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
/** Start a member (@key NULL: an element) whose value the caller opens with json_open(). */
void json_key(struct json *j, const char *key);
void json_str(struct json *j, const char *key, const char *val);
void json_u64(struct json *j, const char *key, uint64_t val);
void json_f64(struct json *j, const char *key, double val);
void json_bool(struct json *j, const char *key, bool val);
void json_end(struct json *j);

#endif
