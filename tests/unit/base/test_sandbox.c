/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the filter leaves and what it takes away: each in a child that has entered it. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gv/sandbox.h>

#include "ut.h"

#define VFIO_GET_API _IO(';', 100)

/* Each is 0, or the errno of the call. */

static int start_program(void)
{
	char *argv[] = {(char *)"/bin/true", NULL};

	(void)execv(argv[0], argv);
	return errno;
}

static int start_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) ? errno : 0;
}

static int mount_something(void)
{
	return mount("none", "/nowhere", "tmpfs", 0, NULL) ? errno : 0;
}

static int new_namespace(void)
{
	return unshare(CLONE_FS) ? errno : 0;
}

static int become_somebody(void)
{
	return setresuid(geteuid(), geteuid(), geteuid()) ? errno : 0;
}

static int raise_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return -1;
	return setrlimit(RLIMIT_NOFILE, &lim) ? errno : 0;
}

static int dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1) ? errno : 0;
}

static int map_as(int prot)
{
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int writable_code(void)
{
	return map_as(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int made_code(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int open_socket(int family)
{
	gv_auto_fd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : 0;
}

static int inet_socket(void)
{
	return open_socket(AF_INET);
}

static int netlink_socket(void)
{
	return open_socket(AF_NETLINK);
}

/* There is no VFIO behind it: ENOTTY says that the kernel was asked. */
static int vfio_ioctl(void)
{
	gv_auto_fd int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return ioctl(fd, VFIO_GET_API) ? errno : 0;
}

static int terminal_ioctl(void)
{
	return ioctl(0, TIOCSTI, "x") ? errno : 0;
}

/* ---- what serving takes */

static void *add_one(void *arg)
{
	++*(int *)arg;
	return NULL;
}

static int use_thread(void)
{
	pthread_t thread;
	int n = 0;
	int rc = pthread_create(&thread, NULL, add_one, &n);

	if (rc)
		return rc;
	(void)pthread_join(thread, NULL);
	return n == 1 ? 0 : -1;
}

static int use_file(void)
{
	gv_auto_fd int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[64];

	return fd < 0 || read(fd, text, sizeof(text)) <= 0 ? errno : 0;
}

static int use_unix_socket(void)
{
	return open_socket(AF_UNIX);
}

static int use_memory(void)
{
	gv_auto_fd int fd = memfd_create("x", MFD_CLOEXEC);

	return fd < 0 || ftruncate(fd, 4096) ? errno : map_as(PROT_READ | PROT_WRITE);
}

/* A short slice, where the kernel says what one is (Linux 6.12): the fourth word of its attributes.
 */
static int be_prompt(void)
{
	uint64_t attr[6] = {0};

	gv_thread_be_prompt(0);
	if (syscall(SYS_sched_getattr, 0, attr, sizeof(attr), 0))
		return errno;
	return attr[3] && attr[3] != 100 * GV_US ? EINVAL : 0;
}

/* ---- children */

/* What waitpid() says of a child that has entered and called @what. */
static int in_sandbox(enum gv_sandbox_mode mode, unsigned needs, int (*what)(void))
{
	pid_t pid = fork();
	int status = -1;

	CU_ASSERT_FATAL(pid >= 0);
	if (!pid) {
		if (gv_sandbox_enter(mode, needs, NULL))
			_exit(255);
		_exit(what() & 0xff);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	return status;
}

static bool gives(enum gv_sandbox_mode mode, unsigned needs, int (*what)(void), int code)
{
	int status = in_sandbox(mode, needs, what);
	bool fits = WIFEXITED(status) && WEXITSTATUS(status) == code;

	if (!fits)
		printf("status 0x%x, expected exit %d\n", status, code);
	return fits;
}

static int (*const forbidden[])(void) = {
        start_program,   start_process,  trace_parent, mount_something, new_namespace,
        become_somebody, raise_limit,    dumpable,     writable_code,   made_code,
        inet_socket,     netlink_socket, vfio_ioctl,   terminal_ioctl};

static void what_serving_needs_is_left(void)
{
	static int (*const needed[])(void) = {use_thread, use_file, use_unix_socket, use_memory,
	                                      be_prompt};

	for (size_t i = 0; i < GV_ARRAY_LEN(needed); i++) {
		CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, 0, needed[i], 0));
		CU_ASSERT_TRUE(gives(GV_SANDBOX_KILL, 0, needed[i], 0));
	}
}

static void what_only_an_intruder_needs_is_refused(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(forbidden); i++)
		CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, 0, forbidden[i], EPERM));
}

static void or_ends_the_process(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(forbidden); i++) {
		int status = in_sandbox(GV_SANDBOX_KILL, 0, forbidden[i]);

		CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

static void a_program_says_what_it_needs_besides(void)
{
	CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, GV_SANDBOX_INET, inet_socket, 0));
	CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, GV_SANDBOX_INET, netlink_socket, EPERM));
	CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, GV_SANDBOX_VFIO, vfio_ioctl, ENOTTY));
	CU_ASSERT_TRUE(gives(GV_SANDBOX_ENFORCE, GV_SANDBOX_VFIO, terminal_ioctl, EPERM));
}

static void off_and_log_refuse_nothing(void)
{
	CU_ASSERT_TRUE(gives(GV_SANDBOX_OFF, 0, start_program, 0));
	CU_ASSERT_TRUE(gives(GV_SANDBOX_LOG, 0, start_program, 0));
}

static void a_mode_has_a_name(void)
{
	enum gv_sandbox_mode mode = GV_SANDBOX_OFF;

	CU_ASSERT_EQUAL(gv_sandbox_parse("kill", &mode), 0);
	CU_ASSERT_EQUAL(mode, GV_SANDBOX_KILL);
	CU_ASSERT_EQUAL(gv_sandbox_parse("", &mode), -EINVAL);
	CU_ASSERT_EQUAL(gv_sandbox_parse("Off", &mode), -EINVAL);
	CU_ASSERT_EQUAL(mode, GV_SANDBOX_KILL);
}

UT_MAIN("base/sandbox", UT(what_serving_needs_is_left), UT(what_only_an_intruder_needs_is_refused),
        UT(or_ends_the_process), UT(a_program_says_what_it_needs_besides),
        UT(off_and_log_refuse_nothing), UT(a_mode_has_a_name))
