/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor-guest: what a VM does with its VF, from the command line. */
#include <stdarg.h>
#include <string.h>

#include <gv/record.h>
#include <gv/vfio.h>

#include "cli.h"

static const struct verb {
	const char *name;
	int (*run)(struct cli *cli);
	const char *args, *help;
	bool needs_device;
} verbs[] = {
        {"info", cmd_info, "", "bring the VF up and say what it has", true},
        {"test", cmd_test, "", "check mailbox, KIQ, queues, interrupts, page tables", true},
        {"copy", cmd_copy, "SIZE", "copy SIZE bytes (K, M, G) by SDMA both ways, compare", true},
        {"run", cmd_run,
         "CODE.co KERNEL --grid X[,Y[,Z]] --block X[,Y[,Z]] [--aql] [--arg SPEC]...",
         "run a kernel of a gfx900 code object; --aql: as an AQL packet, not as PM4", true},
        {"disasm", cmd_disasm, "CODE.co [KERNEL] | --raw FILE",
         "kernels of a code object, or hex words, as assembler text; no device", false},
};

static void print_help(void)
{
	(void)printf("usage: gpuvisor-guest --device URI [options] VERB\n\n"
	             "URI is vfio-user:SOCKET, vfio:BDF or replay:FILE. Verbs:\n");
	for (size_t i = 0; i < GV_ARRAY_LEN(verbs); i++)
		(void)printf("  %-6s %s\n         %s\n", verbs[i].name, verbs[i].args,
		             verbs[i].help);
	(void)printf(
	        "\nSPEC: buf:FILE inout:FILE:OUTFILE out:BYTES:FILE u8:N i8:N u16:N i16:N u32:N\n"
	        "      i32:N u64:N i64:N f32:X f64:X lds:BYTES\n\n"
	        "options (before or after the verb):\n"
	        "  --json                   the answer as JSON\n"
	        "  --vf-token-file FILE     UUID that opens a VF whose PF is on vfio-pci\n"
	        "  --timeout SECONDS        longest wait for a kernel or copy (60)\n"
	        "  --page-table-levels 3|4  3: 512 GiB (default), 4: 47 bits\n"
	        "  --queue N                compute queue, for run (0)\n"
	        "  --rlcg                   write GC registers through RLC-G while in exclusive "
	        "access\n"
	        "  --record FILE            record all that is done to the device (docs/trace.md)\n"
	        "  --log LEVEL              error, warn (default), info or debug\n"
	        "  --help, --version\n"
	        "exit status: 0 done, 1 failed, 2 wrong use\n");
}

int cli_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fputs("gpuvisor-guest: ", stderr);
	(void)vfprintf(stderr, fmt, args);
	(void)fputs(" (--help shows how)\n", stderr);
	va_end(args);
	return CLI_USAGE;
}

int cli_fail(const struct gv_err *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "gpuvisor-guest: %s\n", err->text);
	return CLI_FAILED;
}

int cli_open(const struct cli *cli, unsigned compute_queues, struct gv_bus **bus,
             struct gv_guest **guest, struct gv_err *err)
{
	const struct gv_guest_cfg cfg = {
	        .page_table_levels = cli->levels,
	        .compute_queues = compute_queues,
	        .timeout_ns = GV_MIN(cli->timeout_ns, 10 * GV_S),
	        .force_rlcg = cli->rlcg,
	        .driver_version = "gpuvisor-guest",
	        .log = cli->log,
	};
	uint8_t token[16];
	int rc = cli->token_file ? gv_vfio_read_token(cli->token_file, token, err) : 0;

	if (!rc)
		rc = gv_bus_open(cli->device, cli->token_file ? token : NULL, cli->log, bus, err);
	if (!rc && cli->record)
		rc = gv_record_bus(*bus, cli->record, 0, cli->log, bus, err);
	if (rc)
		return rc;
	rc = gv_guest_open(*bus, &cfg, guest, err);
	if (rc)
		*bus = gv_bus_close(*bus);
	return rc;
}

void cli_close(struct gv_bus *bus, struct gv_guest *guest)
{
	gv_guest_close(guest);
	gv_bus_close(bus);
}

static int parse_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end = NULL;

	errno = 0;
	if (!text || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	*out = strtoull(text, &end, 10);
	return errno || *end || *out > max ? -EINVAL : 0;
}

/* One shared option at argv[*i], its value behind it. 0 not one, 1 taken, negative: wrong. */
static int shared_option(struct cli *cli, struct gv_log *log, int argc, char **argv, int *i)
{
	const char *name = argv[*i], *val = *i + 1 < argc ? argv[*i + 1] : NULL;
	uint64_t n = 0;
	int rc = 0;

	if (!strcmp(name, "--json") || !strcmp(name, "--rlcg")) {
		cli->json |= !strcmp(name, "--json");
		cli->rlcg |= !strcmp(name, "--rlcg");
		return 1;
	}
	if (!strcmp(name, "--device")) {
		cli->device = val;
		rc = val ? 1 : -EINVAL;
	} else if (!strcmp(name, "--vf-token-file")) {
		cli->token_file = val;
		rc = val ? 1 : -EINVAL;
	} else if (!strcmp(name, "--record")) {
		cli->record = val;
		rc = val ? 1 : -EINVAL;
	} else if (!strcmp(name, "--timeout")) {
		rc = parse_number(val, 86400, &n) || !n ? -EINVAL : 1;
		cli->timeout_ns = n * GV_S;
	} else if (!strcmp(name, "--page-table-levels")) {
		rc = parse_number(val, 4, &n) || n < 3 ? -EINVAL : 1;
		cli->levels = (unsigned)n;
	} else if (!strcmp(name, "--queue")) {
		rc = parse_number(val, 7, &n) ? -EINVAL : 1;
		cli->queue = (unsigned)n;
	} else if (!strcmp(name, "--log")) {
		rc = !val || gv_log_parse_level(val, &log->max) ? -EINVAL : 1;
	}
	*i += rc > 0;
	return rc;
}

/* Takes the shared options out of argv, wherever they stand; the rest moves to the front. */
static int parse(struct cli *cli, struct gv_log *log, int argc, char **argv, int *rest)
{
	*rest = 0;
	for (int i = 1; i < argc; i++) {
		int at = i, rc;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help();
			return CLI_OK;
		}
		if (!strcmp(argv[i], "--version")) {
			(void)puts("gpuvisor-guest 0.1.0");
			return CLI_OK;
		}
		rc = shared_option(cli, log, argc, argv, &i);
		if (rc < 0)
			return cli_usage("%s: a value is missing or wrong", argv[at]);
		if (!rc)
			argv[(*rest)++] = argv[i];
	}
	return -1; /* go on */
}

/* "--name=value" is two words from here on. The strings stay argv's. *@out: caller frees. */
static int split_options(int argc, char **argv, int *count, char ***out)
{
	char **words = calloc(2 * (size_t)argc + 1, sizeof(*words));

	if (!words)
		return -ENOMEM;
	*count = 0;
	for (int i = 0; i < argc; i++) {
		char *equals = strncmp(argv[i], "--", 2) ? NULL : strchr(argv[i], '=');

		words[(*count)++] = argv[i];
		if (!equals)
			continue;
		*equals = '\0';
		words[(*count)++] = equals + 1;
	}
	*out = words;
	return 0;
}

int main(int argc, char **argv)
{
	struct gv_log log = {.sink = gv_log_stderr, .max = GV_LOG_WARN, .who = "guest"};
	struct cli cli = {.timeout_ns = 60 * GV_S, .levels = 3, .log = &log};
	gv_auto_free char **words = NULL;
	int count, rest = 0, rc;

	if (split_options(argc, argv, &count, &words))
		return CLI_FAILED;
	rc = parse(&cli, &log, count, words, &rest);
	if (rc >= 0)
		return rc;
	if (!rest)
		return cli_usage("a verb is missing");
	cli.argc = rest - 1;
	cli.argv = words + 1;
	for (size_t i = 0; i < GV_ARRAY_LEN(verbs); i++) {
		if (strcmp(words[0], verbs[i].name))
			continue;
		if (!cli.device && verbs[i].needs_device)
			return cli_usage("--device URI is missing");
		return verbs[i].run(&cli);
	}
	return cli_usage("'%s' is no verb", words[0]);
}
