/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor-replay: does to a GPU what a record says, and compares what it answers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <gv/hw_play.h>

enum { EXIT_SAME, EXIT_FAILED, EXIT_USAGE };

static const char usage_text[] =
        "Usage: gpuvisor-replay [--wait SECONDS] FILE=URI...\n"
        "       gpuvisor-replay --list FILE\n"
        "Plays records of gpuvisord --record and gpuvisor-guest --record, merged by time, on the\n"
        "functions named, and compares every answer. FILE of a PF comes with those of its VFs.\n"
        "\n"
        "  URI      vfio-user:SOCKET or vfio:BDF; opened when its first record is due\n"
        "  --wait   so long for an answer that is as recorded (10)\n"
        "  --list   print a record, one line each\n"
        "\n"
        "Exit status: 0 everything was as recorded, 1 not so: the first difference is on stderr,\n"
        "2 wrong use.\n";

static int open_uri(void *arg, struct gv_bus **bus, struct gv_err *err)
{
	return gv_bus_open(arg, NULL, NULL, bus, err);
}

static int list(const char *path)
{
	struct gv_hw_play state = {0};
	struct gv_play_rules rules = gv_hw_play_rules(&state);
	struct gv_record_file *f = NULL;
	struct gv_err err = {0};
	struct gv_record r;
	const void *data;
	uint64_t number, first_ns = 0;
	char text[256];
	int rc = gv_record_open(path, &f, &err);

	while (!rc && !(rc = gv_record_next(f, &r, &data, &number, &err))) {
		first_ns = first_ns ? first_ns : r.time_ns;
		gv_record_text(&r, data, &rules, text, sizeof(text));
		printf("%8" PRIu64 " %12.6f %s\n", number, (double)(r.time_ns - first_ns) / 1e9,
		       text);
	}
	(void)gv_record_close(f);
	if (rc == -ENODATA)
		return EXIT_SAME;
	fprintf(stderr, "gpuvisor-replay: %s\n", err.text);
	return EXIT_FAILED;
}

static int play(struct gv_play_function *functions, unsigned count, unsigned wait_s)
{
	struct gv_hw_play state = {0};
	struct gv_play_rules rules = gv_hw_play_rules(&state);
	struct gv_play_stats s = {0};
	struct gv_err err = {0};
	int rc;

	rules.late_ns = wait_s * GV_S;
	rc = gv_record_play(functions, count, &rules, &s, &err);
	printf("%" PRIu64 " records: %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64
	       " doorbells, %" PRIu64 " interrupts, %" PRIu64 " bytes of memory; %" PRIu64
	       " bytes compared, %" PRIu64 " passing values and %" PRIu64 " volatile ones not\n",
	       s.records, s.reads, s.writes, s.doorbells, s.interrupts, s.dma_bytes,
	       s.compared_bytes, s.polls, s.ignored);
	if (!rc)
		return EXIT_SAME;
	fprintf(stderr, "gpuvisor-replay: %s\n", err.text);
	return EXIT_FAILED;
}

static int usage(const char *what)
{
	fprintf(stderr, "gpuvisor-replay: %s, try --help\n", what);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct gv_play_function functions[GV_PLAY_MAX];
	unsigned count = 0, wait_s = 0;
	int i = 1;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return fputs(usage_text, stdout) < 0;
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("gpuvisor-replay 0.1.0") < 0;
	if (argc == 3 && !strcmp(argv[1], "--list"))
		return list(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "--wait")) {
		wait_s = (unsigned)strtoul(argv[2], NULL, 10);
		if (!wait_s || wait_s > 3600)
			return usage("--wait: 1 to 3600 seconds asked");
		i = 3;
	}
	for (; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals || argv[i][0] == '-' || count == GV_PLAY_MAX)
			return usage(count == GV_PLAY_MAX ? "too many functions"
			                                  : "FILE=URI asked");
		*equals = '\0';
		functions[count++] = (struct gv_play_function){
		        .path = argv[i], .open = open_uri, .arg = equals + 1};
	}
	return count ? play(functions, count, wait_s) : usage("FILE=URI asked");
}
