/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts gpuvisord, again and again, and keeps what it must not lose. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "keeper.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

#define DELAY_FIRST_NS (100 * GV_MS)
#define DELAY_MOST_NS  (10 * GV_S)
#define LONG_RUN_NS    (10 * GV_S) /* who ran so long starts at once when it dies */

static const char usage_text[] =
        "Usage: gpuvisor-keeper [--stop-timeout SECONDS] [--] COMMAND [ARG]...\n"
        "Runs gpuvisord, and starts it again when it dies; VFs go on meanwhile. For hosts without\n"
        "systemd, whose fd store does the same.\n"
        "\n"
        "  --stop-timeout SECONDS  kill it when it does not end in this time (30)\n"
        "  --version, --help\n"
        "\n"
        "SIGHUP: replace it by what is on disk now. SIGTERM, SIGINT: end it, VFs and all.\n";

struct keeper {
	char **argv;
	uint64_t stop_ns;
	int signals;
	sigset_t old_mask;
	struct store store;
	pid_t child; /* 0: none */
	uint64_t started_ns, kill_at_ns, start_at_ns, delay_ns;
	bool was_ready, ending, replacing;
	int status; /* exit status, when over */
	bool over;
};

static void say(const char *text)
{
	fprintf(stderr, "gpuvisor-keeper: %s\n", text);
}

/* ---- the child ------------------------------------------------------------------------------ */

static void become_child(struct keeper *k)
{
	int rc = store_hand_over(&k->store);

	(void)sigprocmask(SIG_SETMASK, &k->old_mask, NULL);
	if (!rc)
		(void)execvp(k->argv[0], k->argv);
	fprintf(stderr, "gpuvisor-keeper: %s: %s\n", k->argv[0], strerror(rc ? -rc : errno));
	_exit(EXIT_FAILED);
}

static void start(struct keeper *k)
{
	pid_t pid;

	k->store.ready = false;
	k->started_ns = gv_now_ns();
	k->start_at_ns = k->kill_at_ns = 0;
	k->replacing = false;
	pid = fork();
	if (pid < 0) {
		k->start_at_ns = gv_now_ns() + DELAY_MOST_NS;
		return;
	}
	if (!pid)
		become_child(k);
	k->child = pid;
}

static void stop(struct keeper *k, int signal)
{
	if (k->child)
		(void)kill(k->child, signal);
	if (k->child && !k->kill_at_ns)
		k->kill_at_ns = gv_now_ns() + k->stop_ns;
}

static void finish(struct keeper *k, int status)
{
	k->over = true;
	k->status = status;
}

/* Once it was ready, VFs may depend on what we keep: we never give up. */
static void ended(struct keeper *k, int wstatus)
{
	bool replaced = k->replacing, ran_long = gv_now_ns() - k->started_ns >= LONG_RUN_NS;
	int status = WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : EXIT_FAILED;

	store_read(&k->store, k->child); /* its last words */
	k->was_ready = k->was_ready || k->store.ready;
	k->child = 0;
	k->kill_at_ns = 0;
	if (k->ending || (!k->was_ready && !replaced) ||
	    (WIFEXITED(wstatus) && !status && !replaced)) {
		finish(k, status);
		return;
	}
	k->delay_ns = replaced || ran_long ? 0
	              : k->delay_ns        ? GV_MIN(2 * k->delay_ns, DELAY_MOST_NS)
	                                   : DELAY_FIRST_NS;
	k->start_at_ns = gv_now_ns() + k->delay_ns;
	fprintf(stderr, "gpuvisor-keeper: %s %s %d%s, starting it again in %u ms\n", k->argv[0],
	        WIFEXITED(wstatus) ? "ended with status" : "was killed by signal",
	        WIFEXITED(wstatus) ? status : WTERMSIG(wstatus), replaced ? " to be replaced" : "",
	        (unsigned)(k->delay_ns / GV_MS));
}

static void reap(struct keeper *k)
{
	pid_t pid;
	int wstatus;

	while ((pid = waitpid(-1, &wstatus, WNOHANG)) > 0)
		if (pid == k->child)
			ended(k, wstatus);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void take_signal(struct keeper *k, int signal)
{
	switch (signal) {
	case SIGCHLD:
		reap(k);
		break;
	case SIGHUP:
		if (k->ending)
			break;
		say("replacing it by what is on disk");
		k->replacing = k->child != 0;
		k->start_at_ns = k->child ? 0 : gv_now_ns();
		stop(k, SIGTERM);
		break;
	default: /* SIGTERM, SIGINT */
		say("ending");
		k->ending = true;
		stop(k, SIGINT);
		if (!k->child)
			finish(k, EXIT_DONE);
		break;
	}
}

static void take_signals(struct keeper *k)
{
	struct signalfd_siginfo si;

	while (!k->over && read(k->signals, &si, sizeof(si)) == sizeof(si))
		take_signal(k, (int)si.ssi_signo);
}

static void timers(struct keeper *k)
{
	uint64_t now = gv_now_ns();

	if (k->kill_at_ns && now >= k->kill_at_ns) {
		say("it does not end: killed");
		k->kill_at_ns = 0;
		(void)kill(k->child, SIGKILL);
	}
	if (k->start_at_ns && now >= k->start_at_ns)
		start(k);
}

static int wait_ms(const struct keeper *k)
{
	uint64_t now = gv_now_ns(), at = UINT64_MAX;

	if (k->kill_at_ns)
		at = k->kill_at_ns;
	if (k->start_at_ns)
		at = GV_MIN(at, k->start_at_ns);
	if (at == UINT64_MAX)
		return -1;
	return at > now ? (int)((at - now) / GV_MS) + 1 : 0;
}

static int run(struct keeper *k)
{
	start(k);
	while (!k->over) {
		struct pollfd p[2] = {{.fd = k->signals, .events = POLLIN},
		                      {.fd = k->store.sock, .events = POLLIN}};

		(void)poll(p, 2, wait_ms(k));
		store_read(&k->store, k->child);
		k->was_ready = k->was_ready || k->store.ready;
		take_signals(k);
		if (!k->over)
			timers(k);
	}
	store_close(&k->store);
	return k->status;
}

static int init(struct keeper *k, struct gv_err *err)
{
	static const int ours[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < GV_ARRAY_LEN(ours); i++)
		(void)sigaddset(&set, ours[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &k->old_mask);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals < 0)
		return gv_fail(err, -errno, "signalfd: %s", strerror(errno));
	return store_open(&k->store, err);
}

static bool parse_seconds(const char *text, uint64_t *ns)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !v || v > 3600)
		return false;
	*ns = v * GV_S;
	return true;
}

/* -1: go on; else the exit status. */
static int take_options(struct keeper *k, int argc, char **argv)
{
	static const struct option options[] = {{"stop-timeout", required_argument, NULL, 's'},
	                                        {"version", no_argument, NULL, 'v'},
	                                        {"help", no_argument, NULL, 'h'},
	                                        {NULL, 0, NULL, 0}};
	int opt;

	k->stop_ns = 30 * GV_S;
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 'v')
			return puts("gpuvisor-keeper 0.1.0"), EXIT_DONE;
		if (opt == 'h')
			return fputs(usage_text, stdout), EXIT_DONE;
		if (opt != 's' || !parse_seconds(optarg, &k->stop_ns))
			return say("try --help"), EXIT_USAGE;
	}
	if (optind == argc)
		return say("which command? try --help"), EXIT_USAGE;
	k->argv = argv + optind;
	return -1;
}

int main(int argc, char **argv)
{
	struct keeper k = {.signals = -1, .store = {.sock = -1}};
	struct gv_err err = {0};
	int status = take_options(&k, argc, argv);

	if (status >= 0)
		return status;
	if (init(&k, &err)) {
		say(err.text);
		return EXIT_FAILED;
	}
	return run(&k);
}
