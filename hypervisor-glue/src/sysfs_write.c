/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A write to sysfs that can be given up. Unbinding a VF that somebody has open
 * blocks in the kernel until he lets go, and no signal ends that: so a child
 * writes, and we wait for the child.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bind.h"
#include "sysfs_open.h"

static int open_attribute(const char *root, const char *path)
{
	gv_auto_fd int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -errno : glue_open_beneath(dir, path, O_WRONLY);
}

/* In the child: only what is safe after fork() in a program with threads. It keeps no descriptor of
 * ours, so that a child that hangs does not keep a PF open. */
static _Noreturn void write_and_exit(int fd, const char *text, size_t n)
{
	ssize_t done;

	if (fd > 0)
		(void)syscall(SYS_close_range, 0u, (unsigned)fd - 1, 0u);
	(void)syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u);
	done = write(fd, text, n);
	_exit(done == (ssize_t)n ? 0 : (done < 0 && errno < 256 ? errno : EIO));
}

static int wait_for(pid_t child, unsigned timeout_ms)
{
	gv_auto_fd int pidfd = (int)syscall(SYS_pidfd_open, child, 0u);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	uint64_t end = gv_now_ns() + timeout_ms * GV_MS;
	siginfo_t info = {0};
	int n = 0;

	while (pidfd >= 0 && !n && gv_now_ns() < end) {
		n = poll(&p, 1, (int)((end - gv_now_ns()) / GV_MS) + 1);
		if (n < 0 && errno == EINTR)
			n = 0;
	}
	if (n != 1) {
		(void)kill(child, SIGKILL);
		(void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG);
		return -ETIMEDOUT;
	}
	/* Who started us with SIGCHLD ignored let nobody know: what the VF has now is read back
	 * anyway. */
	if (waitid(P_PID, (id_t)child, &info, WEXITED))
		return errno == ECHILD ? 0 : -EIO;
	if (info.si_code != CLD_EXITED)
		return -EIO;
	return -info.si_status;
}

int gv_glue_sysfs_write(void *arg, const char *root, const char *path, const char *text,
                        unsigned timeout_ms)
{
	gv_auto_fd int fd = open_attribute(root, path);
	size_t n = strlen(text);
	pid_t child;

	(void)arg;
	if (fd < 0)
		return fd;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child)
		write_and_exit(fd, text, n);
	return wait_for(child, timeout_ms);
}
