/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real processes, for figures over the socket. */
#include <dirent.h>
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

static int make_dir(struct gv_procs *p, struct gv_err *err)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/gv-procs-XXXXXX");
	if (!mkdtemp(p->dir))
		return gv_fail(err, -errno, "making %s: %s", p->dir, strerror(errno));
	return 0;
}

static int start_gpu(struct gv_procs *p, const char *bin_dir, const char *option, const char *value,
                     struct gv_err *err)
{
	char gpu_dir[128], pf[160];
	const char *gpu[] = {"gpuvisor-gpu", "--run-dir", gpu_dir, option, value, NULL};
	int rc;

	(void)snprintf(gpu_dir, sizeof(gpu_dir), "%s/gpu", p->dir);
	(void)snprintf(pf, sizeof(pf), "%s/pf.sock", gpu_dir);
	rc = start(bin_dir, gpu, &p->gpu, err);
	return rc ? rc : wait_for(pf, p->gpu, err);
}

static int start_daemon(struct gv_procs *p, const char *bin_dir, const char *profile,
                        struct gv_err *err)
{
	char uri[192], sock[128], vf[160];
	const char *daemon[] = {"gpuvisord", "--gpu",     uri,     "--socket",
	                        sock,        "--profile", profile, NULL};
	int rc;

	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/pf.sock", p->dir);
	(void)snprintf(vf, sizeof(vf), "%s/gpu/vf0.sock", p->dir);
	(void)snprintf(sock, sizeof(sock), "%s/gpuvisor.sock", p->dir);
	rc = start(bin_dir, daemon, &p->daemon, err);
	if (rc == 0)
		rc = wait_for(sock, p->daemon, err);
	return rc ? rc : wait_for(vf, p->daemon, err);
}

int gv_procs_start(struct gv_procs *p, const char *bin_dir, const char *profile, struct gv_err *err)
{
	int rc = make_dir(p, err);

	if (rc)
		return rc;
	rc = start_gpu(p, bin_dir, NULL, NULL, err);
	if (rc == 0 && profile)
		rc = start_daemon(p, bin_dir, profile, err);
	if (rc)
		gv_procs_stop(p);
	return rc;
}

int gv_procs_start_gpu(struct gv_procs *p, const char *bin_dir, const char *option,
                       const char *value, struct gv_err *err)
{
	int rc = make_dir(p, err);

	if (rc)
		return rc;
	rc = start_gpu(p, bin_dir, option, value, err);
	if (rc)
		gv_procs_stop(p);
	return rc;
}

/* Asked first; what does not go in 10 s is killed. */
static void end(pid_t *pid)
{
	uint64_t deadline = gv_now_ns() + 10 * GV_S;
	unsigned spins = 0;
	pid_t got;

	if (*pid > 0) {
		(void)kill(*pid, SIGTERM);
		while ((got = waitpid(*pid, NULL, WNOHANG)) == 0 && gv_now_ns() < deadline)
			gv_poll_pause(&spins);
		if (got == 0) {
			(void)kill(*pid, SIGKILL);
			(void)waitpid(*pid, NULL, 0);
		}
	}
	*pid = 0;
}

/* What a killed process leaves behind. */
static void empty_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (e->d_type != DT_DIR)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(path);
}

void gv_procs_stop(struct gv_procs *p)
{
	char path[160];

	end(&p->daemon);
	end(&p->gpu);
	if (!p->dir[0])
		return;
	(void)snprintf(path, sizeof(path), "%s/gpu", p->dir);
	empty_dir(path);
	empty_dir(p->dir);
	p->dir[0] = '\0';
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
