/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisord: options, start, stop. */
#include <arpa/inet.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "gpuvisord.h"

#define DEFAULT_SOCKET "/run/gpuvisor/gpuvisor.sock"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static const char usage_text[] =
        "Usage: gpuvisord --gpu URI [OPTION]...\n"
        "Owns the PF of an SR-IOV GPU, splits it and serves its VFs.\n"
        "\n"
        "  --gpu URI            vfio-user:SOCKET, vfio:BDF or replay:FILE; else the profile's "
        "\"gpu\"\n"
        "  --profile FILE       apply this profile at the start (also: --config)\n"
        "  --socket PATH        control socket (" DEFAULT_SOCKET ")\n"
        "  --vf-socket-dir DIR  where vfN.sock are, for `vf xml` (the PF socket's directory)\n"
        "  --sysfs ROOT         where VFs on PCI are looked up, for the same (/sys)\n"
        "  --libvirt URI        watch its domains: a VF is cleaned when its domain has stopped\n"
        "                       (qemu:///system where the PF is vfio:BDF); none: do not\n"
        "  --state-dir DIR      keep the profile in force there, over restarts and reboots\n"
        "  --on-stop keep|disable  what SIGTERM does to the VFs (keep where systemd or\n"
        "                       gpuvisor-keeper has room for descriptors, else disable);\n"
        "                       SIGINT always disables them\n"
        "  --claim-dir DIR      who has which VF (" GV_GLUE_CLAIM_DIR ")\n"
        "  --metrics [ADDR:]PORT  serve Prometheus metrics there (ADDR 127.0.0.1)\n"
        "  --allow-uid UID      may use the control socket besides root and this user\n"
        "  --allow-group NAME   the same for a group (name or number)\n"
        "  --prepare            as root: let the group named by --allow-group use the PF, so that\n"
        "                       gpuvisord needs no root; do nothing else\n"
        "  --seccomp MODE       calls that serving does not need: off, log, enforce (default), "
        "kill\n"
        "  --record FILE        record all that is done to the GPU (docs/trace.md)\n"
        "  --trace              begin a timeline at once: gpuvisor trace stop --out FILE\n"
        "  --log-level LEVEL    error, warn, info or debug (info)\n"
        "  --foreground         stay in the foreground (always so; for old habits)\n"
        "  --version, --help\n";

enum {
	OPT_GPU = 256,
	OPT_PROFILE,
	OPT_SOCKET,
	OPT_VF_DIR,
	OPT_UID,
	OPT_GROUP,
	OPT_LEVEL,
	OPT_FOREGROUND,
	OPT_SYSFS,
	OPT_LIBVIRT,
	OPT_CLAIM_DIR,
	OPT_STATE_DIR,
	OPT_ON_STOP,
	OPT_PREPARE,
	OPT_METRICS,
	OPT_TRACE,
	OPT_RECORD,
	OPT_SECCOMP,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
        {"gpu", required_argument, NULL, OPT_GPU},
        {"profile", required_argument, NULL, OPT_PROFILE},
        {"config", required_argument, NULL, OPT_PROFILE},
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"vf-socket-dir", required_argument, NULL, OPT_VF_DIR},
        {"allow-uid", required_argument, NULL, OPT_UID},
        {"allow-group", required_argument, NULL, OPT_GROUP},
        {"seccomp", required_argument, NULL, OPT_SECCOMP},
        {"prepare", no_argument, NULL, OPT_PREPARE},
        {"log-level", required_argument, NULL, OPT_LEVEL},
        {"foreground", no_argument, NULL, OPT_FOREGROUND},
        {"sysfs", required_argument, NULL, OPT_SYSFS},
        {"libvirt", required_argument, NULL, OPT_LIBVIRT},
        {"claim-dir", required_argument, NULL, OPT_CLAIM_DIR},
        {"state-dir", required_argument, NULL, OPT_STATE_DIR},
        {"on-stop", required_argument, NULL, OPT_ON_STOP},
        {"metrics", required_argument, NULL, OPT_METRICS},
        {"trace", no_argument, NULL, OPT_TRACE},
        {"record", required_argument, NULL, OPT_RECORD},
        {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
};

static void log_sink(void *arg, enum gv_log_level level, const char *line)
{
	struct daemon *d = arg;

	if ((int)level <= atomic_load(&d->log_level))
		log_line(d, level, line);
}

/* ---- options ------------------------------------------------------------------ */

static bool parse_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

static bool add_uid(struct options *o, const char *text)
{
	return o->num_uids < MAX_ALLOWED && parse_id(text, &o->allow_uid[o->num_uids]) &&
	       ++o->num_uids;
}

static bool add_group(struct options *o, const char *text)
{
	struct group *g;

	if (o->num_gids == MAX_ALLOWED)
		return false;
	if (!parse_id(text, &o->allow_gid[o->num_gids])) {
		g = getgrnam(text);
		if (!g)
			return false;
		o->allow_gid[o->num_gids] = g->gr_gid;
	}
	o->num_gids++;
	return true;
}

/* "PORT" or "ADDRESS:PORT"; without an address, this machine only. */
static bool take_metrics(struct options *o, const char *text)
{
	const char *port = strrchr(text, ':');
	char address[INET_ADDRSTRLEN] = "127.0.0.1";
	uint32_t n;

	if (port && (size_t)(port - text) >= sizeof(address))
		return false;
	if (port)
		(void)snprintf(address, sizeof(address), "%.*s", (int)(port - text), text);
	if (!parse_id(port ? port + 1 : text, &n) || n > UINT16_MAX ||
	    inet_pton(AF_INET, address, &o->metrics_at.sin_addr) != 1)
		return false;
	o->metrics_at.sin_family = AF_INET;
	o->metrics_at.sin_port = htons((uint16_t)n);
	o->metrics = text;
	return true;
}

static bool take_level(struct daemon *d, const char *text)
{
	enum gv_log_level level;

	if (gv_log_parse_level(text, &level))
		return false;
	atomic_store(&d->log_level, (int)level);
	return true;
}

/* GPUVISOR_DEBUG=0..4, as other user-space drivers have it; --log-level counts more. 4 adds the
 * registers that bring-up writes (gpu.c). */
static void take_debug(struct daemon *d)
{
	static const enum gv_log_level levels[] = {GV_LOG_ERR, GV_LOG_WARN, GV_LOG_INFO,
	                                           GV_LOG_DEBUG, GV_LOG_DEBUG};
	const char *text = getenv("GPUVISOR_DEBUG");

	if (text && text[0] >= '0' && text[0] <= '4' && !text[1])
		atomic_store(&d->log_level, (int)levels[text[0] - '0']);
}

/* -1: go on; else the exit status. */
static int take_option(struct daemon *d, int opt)
{
	struct options *o = &d->opt;
	bool ok = true;

	switch (opt) {
	case OPT_GPU:
		o->gpu = optarg;
		break;
	case OPT_PROFILE:
		o->profile = optarg;
		break;
	case OPT_SOCKET:
		o->socket = optarg;
		break;
	case OPT_VF_DIR:
		o->vf_socket_dir = optarg;
		break;
	case OPT_SYSFS:
		o->sysfs = optarg;
		break;
	case OPT_LIBVIRT:
		o->libvirt = optarg;
		break;
	case OPT_CLAIM_DIR:
		o->claim_dir = optarg;
		break;
	case OPT_STATE_DIR:
		o->state_dir = optarg;
		break;
	case OPT_ON_STOP:
		o->on_stop = optarg;
		ok = !strcmp(optarg, "keep") || !strcmp(optarg, "disable");
		break;
	case OPT_METRICS:
		ok = take_metrics(o, optarg);
		break;
	case OPT_SECCOMP:
		ok = !gv_sandbox_parse(optarg, &o->sandbox);
		break;
	case OPT_RECORD:
		o->record = optarg;
		break;
	case OPT_TRACE:
		o->trace = true;
		break;
	case OPT_UID:
		ok = add_uid(o, optarg);
		break;
	case OPT_GROUP:
		ok = add_group(o, optarg);
		break;
	case OPT_LEVEL:
		ok = take_level(d, optarg);
		break;
	case OPT_PREPARE:
		o->prepare = true;
		break;
	case OPT_FOREGROUND:
		break;
	case OPT_VERSION:
		puts("gpuvisord 0.1.0");
		return EXIT_DONE;
	case OPT_HELP:
		fputs(usage_text, stdout);
		return EXIT_DONE;
	default:
		fputs("gpuvisord: try --help\n", stderr);
		return EXIT_USAGE;
	}
	if (ok)
		return -1;
	fprintf(stderr, "gpuvisord: '%s' cannot be used here\n", optarg);
	return EXIT_USAGE;
}

static int take_options(struct daemon *d, int argc, char **argv)
{
	int opt, status = -1;

	d->opt = (struct options){.sandbox = gv_sandbox_default(),
	                          .socket = DEFAULT_SOCKET,
	                          .sysfs = "/sys",
	                          .claim_dir = GV_GLUE_CLAIM_DIR};
	while (status < 0 && (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		status = take_option(d, opt);
	if (status < 0 && optind < argc) {
		fprintf(stderr, "gpuvisord: '%s' is too much, try --help\n", argv[optind]);
		status = EXIT_USAGE;
	}
	return status;
}

static int find_gpu(struct daemon *d, struct gv_err *err)
{
	const char *uri = d->opt.gpu;
	int rc = 0;

	if (d->opt.profile) {
		rc = gv_cfg_load_file(d->opt.profile, &d->cfg, err);
		d->has_cfg = !rc;
	}
	if (!rc && !d->opt.prepare)
		rc = keep_load(d, err);
	if (rc)
		return rc;
	if (!uri)
		uri = d->cfg.gpu;
	if (!*uri)
		return gv_fail(err, -EINVAL, "which GPU? say --gpu URI, or \"gpu\" in the profile");
	if (strncmp(uri, "replay:", strlen("replay:")) != 0)
		rc = gv_cfg_check_uri(uri, err);
	if (!rc)
		snprintf(d->gpu_uri, sizeof(d->gpu_uri), "%s", uri);
	return rc;
}

/* A VF that is open is taken away only when it is closed. */
static void warn_of_domains(struct daemon *d)
{
	(void)pthread_mutex_lock(&d->lock);
	for (unsigned i = 0; i < d->pool_seen.rules.num_vfs; i++)
		if (d->pool_seen.rules.vf[i].domain[0])
			gv_logf(&d->log, GV_LOG_WARN,
			        "VF%u is in use by domain %s: the kernel waits for it to end", i,
			        d->pool_seen.rules.vf[i].domain);
	(void)pthread_mutex_unlock(&d->lock);
}

/* ---- run ------------------------------------------------------------------------ */

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct daemon *d = arg;

	d->hand_over = si->ssi_signo == SIGTERM && store_is_there(d);
	gv_logf(&d->log, GV_LOG_INFO, "stopping: %s",
	        d->hand_over ? "everything is left as it is" : "every VF is disabled first");
	if (!d->hand_over)
		warn_of_domains(d);
	(void)sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int on_posts(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct daemon *d = arg;
	uint64_t ticks;
	int result;

	(void)revents;
	if (read(fd, &ticks, sizeof(ticks)) < 0)
		return 0;
	server_deliver(d);
	(void)pthread_mutex_lock(&d->lock);
	result = d->gpu_result;
	(void)pthread_mutex_unlock(&d->lock);
	return result ? sd_event_exit(sd_event_source_get_event(s),
	                              result < 0 ? EXIT_FAILED : EXIT_DONE)
	              : 0;
}

static int init(struct daemon *d, struct gv_err *err)
{
	sigset_t set;
	int rc;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	/* Before any thread starts, so that all of them leave these to the loop. */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)pthread_mutex_init(&d->lock, NULL);
	d->posts_end = &d->posts;
	d->jobs_end = &d->jobs;
	d->virt_messages_end = &d->virt_messages;
	d->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->job_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = sd_event_default(&d->loop);
	if (rc >= 0)
		rc = sd_event_add_signal(d->loop, NULL, SIGTERM, on_signal, d);
	if (rc >= 0)
		rc = sd_event_add_signal(d->loop, NULL, SIGINT, on_signal, d);
	if (rc >= 0)
		rc = sd_event_add_io(d->loop, NULL, d->post_fd, EPOLLIN, on_posts, d);
	if (rc >= 0)
		rc = sd_event_set_watchdog(d->loop, true);
	return rc < 0 ? gv_fail(err, rc, "event loop: %s", strerror(-rc)) : 0;
}

/* What has no node in /dev/vfio needs none of this. */
static int prepare(struct daemon *d)
{
	struct gv_err err = {0};
	int rc = 0;

	if (!d->opt.num_gids)
		rc = gv_fail(&err, -EINVAL, "--prepare: for which group? say --allow-group NAME");
	else if (pf_address(d))
		rc = pf_hand_over(d, &err);
	if (rc)
		fprintf(stderr, "gpuvisord: %s\n", err.text);
	return rc ? EXIT_FAILED : EXIT_DONE;
}

static int run(struct daemon *d)
{
	struct gv_err err = {0};
	int rc = find_gpu(d, &err), status;

	if (rc) {
		fprintf(stderr, "gpuvisord: %s\n", err.text);
		return rc == -EINVAL && !d->opt.profile ? EXIT_USAGE : EXIT_FAILED;
	}
	if (d->opt.prepare)
		return prepare(d);
	rc = init(d, &err);
	if (!rc)
		rc = gpu_start(d, &err);
	/* Who can connect finds the profile in force. */
	if (!rc)
		rc = server_start(d, &err);
	if (!rc)
		rc = metrics_start(d, &err);
	if (!rc)
		rc = virt_start(d, &err);
	if (!rc)
		rc = gv_sandbox_enter(d->opt.sandbox, GV_SANDBOX_VFIO | GV_SANDBOX_INET, &err);
	if (rc) {
		gv_logf(&d->log, GV_LOG_ERR, "%s", err.text);
		status = EXIT_FAILED;
	} else {
		(void)sd_notifyf(0, "READY=1\nSTATUS=%u VFs enabled", d->cfg.num_vfs);
		status = sd_event_loop(d->loop);
	}
	metrics_stop(d);
	server_stop(d);
	gpu_stop(d);
	if (virt_stop(d)) {
		gpu_forget_messages(d);
		bus_close(d);
	}
	server_deliver(d); /* frees what nobody is left to get */
	d->loop = sd_event_unref(d->loop);
	return status < 0 ? EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int status;

	if (!d)
		return EXIT_FAILED;
	atomic_store(&d->log_level, (int)GV_LOG_INFO);
	d->log = (struct gv_log){
	        .sink = log_sink, .arg = d, .max = GV_LOG_DEBUG, .who = "gpuvisord"};
	log_start(d);
	take_debug(d);
	status = take_options(d, argc, argv);
	if (status < 0)
		status = run(d);
	if (d->post_fd > 0)
		(void)close(d->post_fd);
	if (d->job_fd > 0)
		(void)close(d->job_fd);
	if (!d->virt)
		free(d);
	return status;
}
