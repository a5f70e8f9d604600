/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real processes, for figures over the socket. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "procs.h"

extern char **environ;

static int start(const char *bin_dir, const char *const argv[], pid_t *pid, struct gv_err *err)
{
	const char *log = getenv("GV_PROCS_LOG");
	posix_spawn_file_actions_t quiet;
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%s", bin_dir, argv[0]);
	(void)posix_spawn_file_actions_init(&quiet);
	(void)posix_spawn_file_actions_addopen(&quiet, 1, log ? log : "/dev/null",
	                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)posix_spawn_file_actions_adddup2(&quiet, 1, 2);
	rc = posix_spawn(pid, path, &quiet, NULL, (char *const *)argv, environ);
	(void)posix_spawn_file_actions_destroy(&quiet);
	return rc ? gv_fail(err, -rc, "%s: %s", path, strerror(rc)) : 0;
}

static int wait_for(const char *path, pid_t pid, struct gv_err *err)
{
	uint64_t deadline = gv_now_ns() + 20 * GV_S;
	unsigned spins = 0;
	struct stat st;

	while (stat(path, &st)) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return gv_fail(err, -ECHILD, "the process that makes %s ended", path);
		if (gv_now_ns() > deadline)
			return gv_fail(err, -ETIMEDOUT, "%s did not appear in 20 s", path);
		gv_poll_pause(&spins);
	}
	return 0;
}

int gv_procs_start(struct gv_procs *p, const char *bin_dir, const char *profile, struct gv_err *err)
{
	char gpu_dir[128], pf[160], uri[192], sock[128], vf[160];
	const char *gpu[] = {"gpuvisor-gpu", "--run-dir", gpu_dir, NULL};
	const char *daemon[] = {"gpuvisord", "--gpu",     uri,     "--socket",
	                        sock,        "--profile", profile, NULL};
	int rc;

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/gv-procs-XXXXXX");
	if (!mkdtemp(p->dir))
		return gv_fail(err, -errno, "making %s: %s", p->dir, strerror(errno));
	(void)snprintf(gpu_dir, sizeof(gpu_dir), "%s/gpu", p->dir);
	(void)snprintf(pf, sizeof(pf), "%s/pf.sock", gpu_dir);
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s", pf);
	(void)snprintf(vf, sizeof(vf), "%s/vf0.sock", gpu_dir);
	(void)snprintf(sock, sizeof(sock), "%s/gpuvisor.sock", p->dir);
	rc = start(bin_dir, gpu, &p->gpu, err);
	if (rc == 0)
		rc = wait_for(pf, p->gpu, err);
	if (rc == 0 && profile)
		rc = start(bin_dir, daemon, &p->daemon, err);
	if (rc == 0 && profile)
		rc = wait_for(sock, p->daemon, err);
	if (rc == 0 && profile)
		rc = wait_for(vf, p->daemon, err);
	if (rc)
		gv_procs_stop(p);
	return rc;
}

static void end(pid_t *pid)
{
	if (*pid > 0) {
		(void)kill(*pid, SIGTERM);
		(void)waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

void gv_procs_stop(struct gv_procs *p)
{
	char path[160];

	end(&p->daemon);
	end(&p->gpu);
	(void)snprintf(path, sizeof(path), "%s/gpu", p->dir);
	(void)rmdir(path);
	(void)rmdir(p->dir);
}

static size_t read_stats(const struct gv_procs *p, char *text, size_t size)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/gpu/stats.sock", p->dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return 0;
	while (n < size - 1 && (got = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return n;
}

int gv_procs_counter(const struct gv_procs *p, unsigned func, const char *name, uint64_t *value)
{
	char text[16384], key[64], *at;

	if (!read_stats(p, text, sizeof(text)))
		return -EIO;
	(void)snprintf(key, sizeof(key), func ? "\"func\":\"VF%u\"" : "\"func\":\"PF\"", func - 1);
	at = strstr(text, key);
	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	at = at ? strstr(at, key) : NULL;
	if (!at)
		return -ENOENT;
	*value = strtoull(at + strlen(key), NULL, 10);
	return 0;
}
