/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gpuvisor-gpu process as others meet it: sockets, signals, locks, counters. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <gv/bus.h>

#include "ut.h"

#define END_NS (20 * GV_S) /* generous: sanitizers and loaded machines */

struct gpu {
	pid_t pid;
	char dir[64];
};

static char base[] = "/tmp/gv-gpu-XXXXXX";
static unsigned next_dir;

/* Start one and wait until it says "ready". Its exit status when it ends instead, 0 otherwise. */
static int gpu_start(struct gpu *g, const char *dir)
{
	int fd[2], status = 0;
	char number[16], word[8] = "";
	struct pollfd p;

	(void)snprintf(g->dir, sizeof(g->dir), "%s", dir);
	if (pipe(fd) != 0)
		return -1;
	g->pid = fork();
	if (g->pid == 0) {
		(void)snprintf(number, sizeof(number), "%d", fd[1]);
		execl(GV_GPU_PROGRAM, "gpuvisor-gpu", "--run-dir", dir, "--vram-mib", "256",
		      "--max-vfs", "4", "--threads", "1", "--log-level", "error", "--ready-fd",
		      number, (char *)NULL);
		_exit(127);
	}
	(void)close(fd[1]);
	p = (struct pollfd){.fd = fd[0], .events = POLLIN};
	(void)poll(&p, 1, (int)(END_NS / GV_MS));
	(void)!read(fd[0], word, sizeof(word) - 1);
	(void)close(fd[0]);
	if (strcmp(word, "ready\n") == 0)
		return 0;
	(void)kill(g->pid, SIGKILL);
	(void)waitpid(g->pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : -1;
}

static int gpu_end(struct gpu *g, int sig)
{
	uint64_t deadline = gv_now_ns() + END_NS;
	int status = 0;

	(void)kill(g->pid, sig);
	while (waitpid(g->pid, &status, WNOHANG) == 0) {
		if (gv_now_ns() > deadline) {
			(void)kill(g->pid, SIGKILL);
			(void)waitpid(g->pid, &status, 0);
			return -1;
		}
		(void)poll(NULL, 0, 5);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

static const char *new_dir(char *dir, size_t n)
{
	(void)snprintf(dir, n, "%s/%u", base, next_dir++);
	return dir;
}

static bool there(const struct gpu *g, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", g->dir, name);
	return access(path, F_OK) == 0;
}

static int open_func(const struct gpu *g, const char *name, struct gv_bus **bus)
{
	char uri[128];

	*bus = NULL;
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/%s", g->dir, name);
	return gv_bus_open(uri, NULL, NULL, bus, NULL);
}

static void stats(const struct gpu *g, char *line, size_t n)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t have = 0;
	ssize_t got;

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/stats.sock", g->dir);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	while ((got = recv(fd, line + have, n - 1 - have, 0)) > 0)
		have += (size_t)got;
	line[have] = 0;
}

static void process_serves_and_cleans_up(void)
{
	struct gv_bus *pf, *vf, *second;
	struct stat st;
	char dir[64], line[16384];
	struct gpu g;

	CU_ASSERT_EQUAL_FATAL(gpu_start(&g, new_dir(dir, sizeof(dir))), 0);
	CU_ASSERT(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	CU_ASSERT_EQUAL_FATAL(open_func(&g, "pf.sock", &pf), 0);
	CU_ASSERT_EQUAL(gv_cfg_rd16(pf, 0), 0x1002);
	CU_ASSERT_EQUAL(open_func(&g, "pf.sock", &second), -EBUSY);
	CU_ASSERT_EQUAL(open_func(&g, "vf0.sock", &vf), -ENOENT);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 3, NULL), 0);
	CU_ASSERT(there(&g, "vf0.sock") && there(&g, "vf2.sock") && !there(&g, "vf3.sock"));
	CU_ASSERT_EQUAL_FATAL(open_func(&g, "vf1.sock", &vf), 0);
	(void)gv_cfg_rd32(vf, 0);
	CU_ASSERT_EQUAL(gv_bus_status(vf), 0);
	stats(&g, line, sizeof(line));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"num_vfs\":3,\"max_vfs\":4"));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"func\":\"VF3\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"vm_faults\":"));
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 0, NULL), 0);
	CU_ASSERT_FALSE(there(&g, "vf0.sock"));
	CU_ASSERT_EQUAL(gpu_end(&g, SIGTERM), 0);
	CU_ASSERT(!there(&g, "pf.sock") && !there(&g, "stats.sock"));
	CU_ASSERT_EQUAL(gv_rd32(pf, 0), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_bus_status(pf), -ENODEV);
	gv_bus_close(vf);
	gv_bus_close(pf);
}

static void one_process_owns_a_directory(void)
{
	struct gv_bus *pf;
	struct gpu g, twin;
	char dir[64];

	CU_ASSERT_EQUAL_FATAL(gpu_start(&g, new_dir(dir, sizeof(dir))), 0);
	CU_ASSERT_EQUAL(gpu_start(&twin, dir), 1);
	CU_ASSERT_EQUAL(open_func(&g, "pf.sock", &pf), 0);
	gv_bus_close(pf);
	/* Killed: its sockets stay behind, dead. The next takes them over. */
	CU_ASSERT_EQUAL(gpu_end(&g, SIGKILL), -2);
	CU_ASSERT(there(&g, "pf.sock"));
	CU_ASSERT_EQUAL_FATAL(gpu_start(&twin, dir), 0);
	CU_ASSERT_EQUAL(open_func(&twin, "pf.sock", &pf), 0);
	gv_bus_close(pf);
	CU_ASSERT_EQUAL(gpu_end(&twin, SIGINT), 0);
}

static void what_is_no_socket_is_left_alone(void)
{
	char dir[64], path[128];
	struct gpu g;
	FILE *f;

	(void)mkdir(new_dir(dir, sizeof(dir)), 0700);
	(void)snprintf(path, sizeof(path), "%s/pf.sock", dir);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fclose(f);
	CU_ASSERT_EQUAL(gpu_start(&g, dir), 1);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

static void garbage_on_a_socket_hurts_only_its_sender(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct gv_bus *pf, *vf;
	uint8_t junk[512];
	char dir[64];
	struct gpu g;

	CU_ASSERT_EQUAL_FATAL(gpu_start(&g, new_dir(dir, sizeof(dir))), 0);
	CU_ASSERT_EQUAL_FATAL(open_func(&g, "pf.sock", &pf), 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 1, NULL), 0);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/vf0.sock", g.dir);
	for (unsigned i = 0; i < 50; i++) {
		gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		for (size_t n = 0; n < sizeof(junk); n++)
			junk[n] = (uint8_t)((n * 31 + i * 17) ^ (n >> 3));
		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
			(void)send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
	}
	CU_ASSERT_EQUAL(gv_cfg_rd16(pf, 0), 0x1002);
	CU_ASSERT_EQUAL(gv_bus_status(pf), 0);
	(void)poll(NULL, 0, 200); /* the last sender's end is in work */
	CU_ASSERT_EQUAL(open_func(&g, "vf0.sock", &vf), 0);
	gv_bus_close(vf);
	gv_bus_close(pf);
	CU_ASSERT_EQUAL(gpu_end(&g, SIGTERM), 0);
}

static void run_and_tidy(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", base);
	CU_ASSERT_EQUAL(system(command), 0);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(process_serves_and_cleans_up), UT(one_process_owns_a_directory),
	        UT(what_is_no_socket_is_left_alone), UT(garbage_on_a_socket_hurts_only_its_sender),
	        UT(run_and_tidy)};

	if (!mkdtemp(base))
		return 2;
	return ut_main(argc, argv, "gpuvisor-gpu", cases, (int)GV_ARRAY_LEN(cases));
}
