/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "bench.h"

static const struct {
	const char *name;
	int (*run)(struct bench *b, struct gv_err *err);
} figures[] = {
        {"mmio", bench_mmio},     {"interrupt", bench_interrupt}, {"page-table", bench_page_table},
        {"launch", bench_launch}, {"sdma", bench_sdma},
};

/* Above 1 is better than the limit or peer, whichever way the unit runs. */
static double ratio(const struct bench_row *r, double other)
{
	return other == 0 || r->ours == 0 ? 0 : r->ours / other;
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
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
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

static void print_table(const struct bench *b)
{
	printf("%-3s %-52s %-6s %12s %12s %11s\n", "", "what", "unit", "ours", "raw limit",
	       "ours/limit");
	for (size_t i = 0; i < b->count; i++) {
		const struct bench_row *r = &b->row[i];

		printf("%-3s %-52s %-6s", r->figure, r->what, r->unit);
		print_value(r->ours);
		print_value(r->limit);
		if (r->limit != 0)
			printf(" %10.2fx", ratio(r, r->limit));
		printf("\n    %s\n", r->conditions);
	}
}

static int usage(FILE *to)
{
	fprintf(to, "usage: gv-bench [--json] [--only NAME]\n"
	            "Measures ours and raw limits side by side. NAME:");
	for (size_t i = 0; i < GV_ARRAY_LEN(figures); i++)
		fprintf(to, " %s", figures[i].name);
	fprintf(to, "\n");
	return to == stdout ? 0 : 2;
}

static int run(struct bench *b, const char *only)
{
	bool ran = false;
	int status = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(figures); i++) {
		struct gv_err err = {0};

		if (only && strcmp(only, figures[i].name) != 0)
			continue;
		ran = true;
		if (figures[i].run(b, &err)) {
			fprintf(stderr, "gv-bench: %s: %s\n", figures[i].name, err.text);
			status = 1;
		}
	}
	return ran ? status : usage(stderr);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
	                                        {"only", required_argument, NULL, 'o'},
	                                        {"help", no_argument, NULL, 'h'},
	                                        {NULL, 0, NULL, 0}};
	struct bench b = {0};
	char self[PATH_MAX];
	const char *only = NULL;
	bool json = false;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int opt, status;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			json = true;
			break;
		case 'o':
			only = optarg;
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	self[n > 0 ? n : 0] = '\0';
	b.bin_dir = dirname(self);
	status = run(&b, only);
	if (json)
		print_json(&b);
	else
		print_table(&b);
	return status;
}
