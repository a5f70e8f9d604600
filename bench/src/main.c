/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "rig.h"

static const struct {
	const char *name;
	int (*run)(struct bench *b, struct gv_err *err);
} figures[] = {
        {"mmio", bench_mmio},           {"doorbell", bench_doorbell},
        {"interrupt", bench_interrupt}, {"page-table", bench_page_table},
        {"shader", bench_shader},       {"launch", bench_launch},
        {"lifecycle", bench_lifecycle}, {"sdma", bench_sdma},
        {"world", bench_world},         {"fairness", bench_fairness},
};

/* As printed: ours divided by the other. For "ns" small is good, for rates great. */
static double ratio(const struct bench_row *r, double other)
{
	return other == 0 ? 0 : r->ours / other;
}

static struct json_object *number_or_null(double v)
{
	return v == 0 ? NULL : json_object_new_double(v);
}

static struct json_object *to_json(const struct bench_row *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "figure", json_object_new_string(r->figure));
	json_object_object_add(o, "what", json_object_new_string(r->what));
	json_object_object_add(o, "unit", json_object_new_string(r->unit));
	json_object_object_add(o, "ours", json_object_new_double(r->ours));
	json_object_object_add(o, "limit", number_or_null(r->limit));
	json_object_object_add(o, "peer", number_or_null(r->peer));
	json_object_object_add(o, "ratio_limit", number_or_null(ratio(r, r->limit)));
	json_object_object_add(o, "ratio_peer", number_or_null(ratio(r, r->peer)));
	json_object_object_add(o, "conditions", json_object_new_string(r->conditions));
	return o;
}

static void print_json(const struct bench *b)
{
	struct json_object *all = json_object_new_array();

	for (size_t i = 0; i < b->count; i++)
		json_object_array_add(all, to_json(&b->row[i]));
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
	                                                 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

static void print_value(double v)
{
	if (v == 0)
		printf(" %12s", "-");
	else if (v >= 1e7)
		printf(" %12.4g", v);
	else
		printf(" %12.1f", v);
}

static void print_ratio(double v)
{
	if (v == 0)
		printf(" %9s", "-");
	else
		printf(" %8.2fx", v);
}

static void print_table(const struct bench *b)
{
	printf("%-3s %-52s %-6s %12s %12s %9s", "", "what", "unit", "ours", "raw limit",
	       "ours/lim");
	if (b->peer_socket || b->pocl)
		printf(" %12s %9s", "peer", "ours/peer");
	printf("\n");
	for (size_t i = 0; i < b->count; i++) {
		const struct bench_row *r = &b->row[i];

		printf("%-3s %-52s %-6s", r->figure, r->what, r->unit);
		print_value(r->ours);
		print_value(r->limit);
		print_ratio(ratio(r, r->limit));
		if (b->peer_socket || b->pocl) {
			print_value(r->peer);
			print_ratio(ratio(r, r->peer));
		}
		printf("\n    %s\n", r->conditions);
	}
}

static int usage(FILE *to)
{
	fprintf(to,
	        "usage: gv-bench [--json] [--only NAME] [--peer-socket PATH] [--pocl]\n"
	        "Measures ours and raw limits side by side; docs/bench.md says what each means.\n"
	        "  --json              an array of figures instead of a table\n"
	        "  --only NAME         one of:");
	for (size_t i = 0; i < GV_ARRAY_LEN(figures); i++)
		fprintf(to, " %s", figures[i].name);
	fprintf(to, "\n  --peer-socket PATH  another vfio-user server: its BAR0 is read for F1\n"
	            "  --pocl              F5 also on PoCL, same source, same CPU\n");
	return to == stdout ? 0 : 2;
}

/* What was measured before a failure is still printed. */
static int run(struct bench *b, const char *only)
{
	int status = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(figures) && !bench_stop; i++) {
		struct gv_err err = {0};

		if ((only && strcmp(only, figures[i].name) != 0) || !figures[i].run(b, &err))
			continue;
		if (!bench_stop)
			fprintf(stderr, "gv-bench: %s: %s\n", figures[i].name, err.text);
		status = 1;
	}
	bench_stack_stop(b);
	if (bench_stop)
		fprintf(stderr, "gv-bench: stopped by signal %d\n", (int)bench_stop);
	return bench_stop ? 128 + (int)bench_stop : status;
}

static bool known(const char *name)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(figures); i++)
		if (strcmp(name, figures[i].name) == 0)
			return true;
	return false;
}

static void on_signal(int sig)
{
	bench_stop = sig;
}

/* A signal ends the measurement at the next call; then everything is taken down as always. */
static void catch_signals(void)
{
	const struct sigaction stop = {.sa_handler = on_signal};

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGHUP, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* 0: go on; else what to exit with, + 1. */
static int parse(int argc, char **argv, struct bench *b, bool *json, const char **only)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
	                                        {"only", required_argument, NULL, 'o'},
	                                        {"peer-socket", required_argument, NULL, 'p'},
	                                        {"pocl", no_argument, NULL, 'c'},
	                                        {"help", no_argument, NULL, 'h'},
	                                        {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			*json = true;
			break;
		case 'o':
			*only = optarg;
			break;
		case 'p':
			b->peer_socket = optarg;
			break;
		case 'c':
			b->pocl = true;
			break;
		case 'h':
			return usage(stdout) + 1;
		default:
			return usage(stderr) + 1;
		}
	}
	if (optind < argc || (*only && !known(*only)))
		return usage(stderr) + 1;
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	char self[PATH_MAX];
	const char *only = NULL;
	bool json = false;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status = parse(argc, argv, &b, &json, &only);

	if (status)
		return status - 1;
	self[n > 0 ? n : 0] = '\0';
	b.bin_dir = dirname(self);
	catch_signals();
	status = run(&b, only);
	if (json)
		print_json(&b);
	else
		print_table(&b);
	return status;
}
