/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-programs: each program of a directory, compiled by clang for x86-64 and for gfx900, gives
 * the same output on both. See README.md beside this file.
 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { SKIPPED = 77, MAX_JOBS = 8192 };

struct options {
	const char *levels, *source;
	struct build_tools tools;
	unsigned timeout_s;
	bool quiet, aql;
	char **names; /* NULL-terminated; none: all */
};

static void print_help(void)
{
	(void)printf("usage: gv-programs [options] [NAME...]\n"
	             "Runs each program (or those named) on x86-64 and on the emulated GPU.\n"
	             "  --levels LIST   optimisation levels, such as 0,2,s (default 0,2)\n"
	             "  --all           levels 0,1,2,3\n"
	             "  --aql           launch by AQL packets instead of PM4\n"
	             "  --source DIR    where the programs are (default: those of this tree)\n"
	             "  --cache DIR     what is compiled is kept there\n"
	             "  --clang PATH    compiler (default: clang-14)\n"
	             "  --timeout S     for one program on the GPU (default 60)\n"
	             "  --quiet         only what is wrong, and the last line\n");
}

/* "0,2" to "02" in place of the text; NULL when it is no list of levels. */
static const char *parse_levels(char *text)
{
	size_t n = 0;

	for (char *at = text; *at; at++) {
		if (*at == ',')
			continue;
		if (!strchr("0123s", *at))
			return NULL;
		text[n++] = *at;
	}
	text[n] = 0;
	return n ? text : NULL;
}

/* 0, or what main() returns, negative for 0. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
	        {"levels", 1, NULL, 'l'}, {"all", 0, NULL, 'a'},
	        {"source", 1, NULL, 's'}, {"cache", 1, NULL, 'c'},
	        {"clang", 1, NULL, 'C'},  {"timeout", 1, NULL, 't'},
	        {"quiet", 0, NULL, 'q'},  {"aql", 0, NULL, 'A'},
	        {"help", 0, NULL, 'h'},   {0},
	};

	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 'l':
			o->levels = parse_levels(optarg);
			break;
		case 'a':
			o->levels = "0123";
			break;
		case 's':
			o->source = optarg;
			break;
		case 'c':
			o->tools.cache = optarg;
			break;
		case 'C':
			o->tools.clang = optarg;
			break;
		case 't':
			o->timeout_s = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'A':
			o->aql = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			print_help();
			return -1;
		default:
			return 2;
		}
	}
	o->names = argv + optind;
	if (o->levels && o->timeout_s)
		return 0;
	(void)fprintf(stderr, "gv-programs: --levels and --timeout: see --help\n");
	return 2;
}

static bool is_wanted(const struct options *o, const char *name)
{
	for (char **n = o->names; *n; n++)
		if (!strcmp(*n, name))
			return true;
	return !*o->names;
}

static int is_program(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && dot != e->d_name && dot - e->d_name < 64 &&
	       (!strcmp(dot, ".cl") || !strcmp(dot, ".c"));
}

/* One job for each program and level. Caller frees *@jobs. */
static int find_jobs(const struct options *o, struct job **jobs, unsigned *count)
{
	struct dirent **list = NULL;
	int n = scandir(o->source, &list, is_program, alphasort);

	*count = 0;
	*jobs = calloc(MAX_JOBS, sizeof(**jobs));
	for (int i = 0; i < n; i++) {
		struct job j = {.status = -ENOENT};

		(void)snprintf(j.source, sizeof(j.source), "%s/%s", o->source, list[i]->d_name);
		(void)snprintf(j.name, sizeof(j.name), "%.*s",
		               (int)(strrchr(list[i]->d_name, '.') - list[i]->d_name),
		               list[i]->d_name);
		for (const char *l = o->levels; *l && is_wanted(o, j.name); l++) {
			j.level = *l;
			if (*jobs && *count < MAX_JOBS)
				(*jobs)[(*count)++] = j;
		}
		free(list[i]);
	}
	free(list);
	return *jobs && *count ? 0 : -ENOENT;
}

static void print_log(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];

	for (unsigned n = 0; f && n < 20 && fgets(line, sizeof(line), f); n++)
		(void)printf("    %s", line);
	if (f)
		(void)fclose(f);
}

/* One line for one program at one level; true when it is right. */
static bool check(const struct options *o, struct gpu *gpu, const struct job *j)
{
	struct gv_err err = {0};
	struct outcome out;

	if (j->status) {
		(void)printf("%-24s -O%c FAILED: not built\n", j->name, j->level);
		print_log(j->log);
		return false;
	}
	if (gpu_run(gpu, j, o->timeout_s, &out, &err)) {
		(void)printf("%-24s -O%c FAILED: %s\n", j->name, j->level, err.text);
		return false;
	}
	if (out.wrong)
		(void)printf("%-24s -O%c FAILED: %u of %u words differ; out[%u]: expected 0x%08x, "
		             "got 0x%08x\n",
		             j->name, j->level, out.wrong, out.words, out.first, out.expected,
		             out.got);
	else if (!o->quiet)
		(void)printf("%-24s -O%c ok: %u words, %.1f ms\n", j->name, j->level, out.words,
		             out.ms);
	(void)fflush(stdout);
	return !out.wrong;
}

static int check_all(const struct options *o, struct job *jobs, unsigned count)
{
	uint64_t start = gv_now_ns(), built;
	struct gpu *gpu = NULL;
	struct gv_err err = {0};
	unsigned right = 0;
	int rc = build_jobs(&o->tools, jobs, count, &err);

	built = gv_now_ns();
	if (!rc)
		rc = gpu_new(o->aql, &gpu, &err);
	if (rc) {
		(void)fprintf(stderr, "gv-programs: %s\n", err.text);
		return 1;
	}
	for (unsigned i = 0; i < count; i++)
		right += check(o, gpu, &jobs[i]);
	gpu_free(gpu);
	(void)printf("%u of %u right; compiled in %.1f s, run in %.1f s\n", right, count,
	             (double)(built - start) / (double)GV_S,
	             (double)(gv_now_ns() - built) / (double)GV_S);
	return right != count;
}

int main(int argc, char **argv)
{
	struct options o = {
	        .levels = "02",
	        .source = GV_PROGRAMS "/src",
	        .tools = {GV_CLANG, GV_PROGRAMS, "gv-programs-cache", 2},
	        .timeout_s = 60,
	};
	gv_auto_free struct job *jobs = NULL;
	unsigned count = 0;
	int rc = parse(argc, argv, &o);

	if (rc)
		return GV_MAX(rc, 0);
	if (access(o.tools.clang, X_OK)) {
		(void)printf("skipped: no %s (apt-get install clang-14 lld-14)\n", o.tools.clang);
		return SKIPPED;
	}
	if (find_jobs(&o, &jobs, &count)) {
		(void)fprintf(stderr, "gv-programs: %s: no such program\n", o.source);
		return 1;
	}
	return check_all(&o, jobs, count);
}
