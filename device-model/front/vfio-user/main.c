/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor-gpu: the emulated GPU as a process, one vfio-user socket per function. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <gv/hw_spec.h>
#include <gv/sandbox.h>

#include "vfio_user_server.h"

struct options {
	const char *run_dir;
	struct gv_dev_cfg dev;
	struct gv_vfus_cfg server;
	struct gv_log log;
	int ready_fd;
	unsigned stats_interval_s;
	uint32_t stall; /* VF bits */
	enum gv_sandbox_mode sandbox;
};

/* Each option once: what it is called, what it takes, what it does. */
struct option_row {
	const char *name, *arg, *help;
	int (*set)(struct options *o, const char *val);
};

static int number(const char *val, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(val, &end, 10);
	if (errno || *end || end == val || *val == '-' || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

static int small(const char *val, unsigned *out)
{
	uint64_t n;
	int rc = number(val, 1000000, &n);

	if (!rc)
		*out = (unsigned)n;
	return rc;
}

static int set_run_dir(struct options *o, const char *val)
{
	o->run_dir = val;
	return *val ? 0 : -EINVAL;
}

static int set_vram(struct options *o, const char *val)
{
	return number(val, 1 << 20, &o->dev.vram_mib);
}

static int set_max_vfs(struct options *o, const char *val)
{
	return small(val, &o->dev.max_vfs);
}

static int set_bar0(struct options *o, const char *val)
{
	return number(val, 1 << 20, &o->dev.vf_bar0_mib);
}

static int set_threads(struct options *o, const char *val)
{
	return small(val, &o->dev.engine_threads);
}

static int set_wave_limit(struct options *o, const char *val)
{
	return number(val, UINT64_MAX, &o->dev.wave_limit);
}

static int set_log_level(struct options *o, const char *val)
{
	return gv_log_parse_level(val, &o->log.max);
}

static int set_ready_fd(struct options *o, const char *val)
{
	unsigned fd;
	int rc = small(val, &fd);

	if (!rc)
		o->ready_fd = (int)fd;
	return rc;
}

static int set_stats_interval(struct options *o, const char *val)
{
	return small(val, &o->stats_interval_s);
}

static int set_seccomp(struct options *o, const char *val)
{
	return gv_sandbox_parse(val, &o->sandbox);
}

static int set_spin(struct options *o, const char *val)
{
	return small(val, &o->server.spin_us);
}

static int set_trap_doorbells(struct options *o, const char *val)
{
	(void)val;
	o->server.no_mapped_doorbells = true;
	return 0;
}

static int set_reset_pf(struct options *o, const char *val)
{
	(void)val;
	o->server.reset_pf_on_close = true;
	return 0;
}

static int set_stall(struct options *o, const char *val)
{
	unsigned vf;
	int rc = small(val, &vf);

	if (rc || vf >= GV_DEV_MAX_FUNCS - 1)
		return -EINVAL;
	o->stall |= 1u << vf;
	return 0;
}

static int set_keep_vf(struct options *o, const char *val)
{
	(void)val;
	o->server.keep_vf_on_close = true;
	return 0;
}

static const struct option_row rows[] = {
        {"run-dir", "DIR", "where the sockets are made: pf.sock, vfN.sock, stats.sock (required)",
         set_run_dir},
        {"vram-mib", "N", "video memory, a multiple of 16 (4096)", set_vram},
        {"max-vfs", "N", "TotalVFs, 1..16 (16)", set_max_vfs},
        {"vf-bar0-mib", "N", "aperture of a VF, a power of two (256)", set_bar0},
        {"threads", "N", "threads that run shaders (one per CPU)", set_threads},
        {"wave-limit", "N", "instructions after which a wave faults (none)", set_wave_limit},
        {"log-level", "LEVEL", "error, warn, info or debug (info)", set_log_level},
        {"ready-fd", "N", "write \"ready\" and a newline there once the sockets are up",
         set_ready_fd},
        {"stats-interval", "SECONDS", "print all counters to stderr this often",
         set_stats_interval},
        {"spin-us", "N", "look for the next request this long before sleeping (0)", set_spin},
        {"trap-doorbells", NULL, "do not offer doorbell pages to be mapped", set_trap_doorbells},
        {"reset-pf-on-close", NULL, "a PF client that goes takes the VFs with it", set_reset_pf},
        {"seccomp", "MODE", "calls that serving does not need: off, log, enforce (default), kill",
         set_seccomp},
        {"keep-vf-on-close", NULL, "do not reset a VF when its client goes", set_keep_vf},
        {"stall", "VF", "with SIGUSR2 this VF hangs: its engines do not stop for others",
         set_stall},
};

static void print_help(void)
{
	printf("Usage: gpuvisor-gpu --run-dir DIR [OPTION...]\n"
	       "An emulated SR-IOV GPU: each function is a vfio-user socket in DIR.\n\n");
	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++) {
		char left[40];

		(void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
		               rows[i].arg ? rows[i].arg : "");
		printf("  %-26s %s\n", left, rows[i].help);
	}
	printf("  %-26s %s\n  %-26s %s\n", "--help", "this text", "--version", "the version");
	printf("\nSIGTERM and SIGINT end it and remove the sockets; SIGUSR1 prints all counters "
	       "to\n"
	       "stderr. stats.sock gives every caller one line of JSON.\n");
}

/* 0: go on; 1: done (help, version); negative errno: wrong use, already said on stderr. */
static int parse(int argc, char **argv, struct options *o)
{
	struct option table[GV_ARRAY_LEN(rows) + 3] = {0};
	const int help = GV_ARRAY_LEN(rows), version = help + 1;
	int at, got;

	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++)
		table[i] = (struct option){rows[i].name, rows[i].arg ? 1 : 0, NULL, 0};
	table[help] = (struct option){"help", 0, NULL, 0};
	table[version] = (struct option){"version", 0, NULL, 0};
	while ((got = getopt_long(argc, argv, "", table, &at)) == 0) {
		if (at == help) {
			print_help();
			return 1;
		}
		if (at == version) {
			puts("gpuvisor-gpu " GV_VERSION);
			return 1;
		}
		if (rows[at].set(o, optarg)) {
			fprintf(stderr, "gpuvisor-gpu: --%s %s: not a valid %s\n", rows[at].name,
			        optarg, rows[at].arg);
			return -EINVAL;
		}
	}
	if (got != -1)
		return -EINVAL; /* getopt has said why */
	if (optind < argc || !o->run_dir) {
		fprintf(stderr, "gpuvisor-gpu: %s%s (see --help)\n",
		        optind < argc ? "what is " : "--run-dir DIR is required",
		        optind < argc ? argv[optind] : "");
		return -EINVAL;
	}
	return 0;
}

static void print_stats(struct gv_vfus *srv)
{
	gv_auto_free char *line = gv_vfus_stats_json(srv);

	if (line)
		fputs(line, stderr);
}

/* A fault injected on purpose, for those who write what must cope with it: until its reset. */
static void stall(const struct options *o, struct gv_dev *dev)
{
	gv_logf(&o->log, GV_LOG_WARN, "VFs 0x%x hang from now on: SIGUSR2", o->stall);
	(void)gv_dev_write(dev, GV_DEV_PF, GV_REGION_MMIO, GVX_STALL__BYTE, &o->stall,
	                   sizeof(o->stall));
}

/* Signals are taken here only, in order, by a thread that does nothing else. */
static void wait_for_end(const struct options *o, struct gv_dev *dev, struct gv_vfus *srv,
                         const sigset_t *set)
{
	const struct timespec tick = {.tv_sec = o->stats_interval_s ? o->stats_interval_s : 3600};

	for (;;) {
		int sig = sigtimedwait(set, NULL, &tick);

		if (sig == SIGTERM || sig == SIGINT)
			return;
		if (sig == SIGUSR1 || (sig < 0 && errno == EAGAIN && o->stats_interval_s))
			print_stats(srv);
		if (sig == SIGUSR2)
			stall(o, dev);
	}
}

static int tell_ready(const struct options *o, struct gv_err *err)
{
	static const char word[] = "ready\n";
	ssize_t n;

	if (o->ready_fd < 0)
		return 0;
	n = write(o->ready_fd, word, sizeof(word) - 1);
	(void)close(o->ready_fd);
	return n < 0 ? gv_fail(err, -errno, "--ready-fd %d: %s", o->ready_fd, strerror(errno)) : 0;
}

static int serve(struct options *o, const sigset_t *set, struct gv_err *err)
{
	struct gv_dev_host host;
	struct gv_dev *dev = NULL;
	struct gv_vfus *srv = NULL;
	int rc = gv_vfus_new(&o->server, &srv);

	if (rc)
		return gv_fail(err, rc, "server: %s", strerror(-rc));
	host = gv_vfus_host(srv);
	rc = gv_dev_new(&o->dev, &host, &dev, err);
	if (!rc)
		rc = gv_vfus_start(srv, dev, o->run_dir, err);
	if (!rc) {
		gv_logf(&o->log, GV_LOG_INFO, "serving up to %u VFs in %s", gv_dev_max_vfs(dev),
		        o->run_dir);
		rc = gv_sandbox_enter(o->sandbox, 0, err);
		if (!rc)
			rc = tell_ready(o, err);
		if (!rc)
			wait_for_end(o, dev, srv, set);
		gv_vfus_stop(srv);
	}
	gv_dev_free(dev);
	gv_vfus_free(srv);
	return rc;
}

/* Clients bring descriptors, up to some hundred each: one VF's must not use up another's. */
static void raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = GV_MIN(lim.rlim_max, (rlim_t)65536);
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
}

int main(int argc, char **argv)
{
	struct options o = {.ready_fd = -1,
	                    .sandbox = gv_sandbox_default(),
	                    .log = {.sink = gv_log_stderr, .max = GV_LOG_INFO, .who = "gpu"}};
	struct gv_err err = {0};
	sigset_t set;
	int rc = parse(argc, argv, &o);

	if (rc)
		return rc > 0 ? 0 : 2;
	o.dev.log = o.server.log = &o.log;
	raise_fd_limit();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread: all inherit it */
	rc = serve(&o, &set, &err);
	if (rc)
		fprintf(stderr, "gpuvisor-gpu: %s\n", err.code ? err.text : strerror(-rc));
	return rc ? 1 : 0;
}
