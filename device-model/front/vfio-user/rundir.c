/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run directory: one process at a time, sockets that only their owner can open. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "server_priv.h"

#define LOCK_NAME "lock"

int vfus_dir_open(const char *dir, int *dir_fd, int *lock_fd, struct gv_err *err)
{
	gv_auto_fd int d = -1, lock = -1;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return gv_fail(err, -errno, "%s: %s", dir, strerror(errno));
	d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0)
		return gv_fail(err, -errno, "%s: %s", dir, strerror(errno));
	lock = openat(d, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return gv_fail(err, -errno, "%s/" LOCK_NAME ": %s", dir, strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB) != 0)
		return gv_fail(err, errno == EWOULDBLOCK ? -EBUSY : -errno, "%s: %s", dir,
		               errno == EWOULDBLOCK ? "another process serves this directory"
		                                    : strerror(errno));
	*dir_fd = gv_take_fd(&d);
	*lock_fd = gv_take_fd(&lock);
	return 0;
}

/* Through /proc, so that the directory's own path may be longer than a socket's. */
static void fill_address(int dir_fd, const char *name, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
}

static bool is_alive(int dir_fd, const char *name)
{
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;

	fill_address(dir_fd, name, &sa);
	return fd >= 0 && (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN);
}

int vfus_dir_clear(int dir_fd, const char *name, struct gv_err *err)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : gv_fail(err, -errno, "%s: %s", name, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return gv_fail(err, -EEXIST, "%s exists and is no socket", name);
	if (is_alive(dir_fd, name))
		return gv_fail(err, -EBUSY, "%s: another process listens there", name);
	return unlinkat(dir_fd, name, 0) ? gv_fail(err, -errno, "%s: %s", name, strerror(errno))
	                                 : 0;
}

/* Bound under a name of its own and renamed once it listens: who sees it can connect. */
int vfus_dir_listen(int dir_fd, const char *name, int *fd, struct gv_err *err)
{
	gv_auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	char temp[32];
	int rc = vfus_dir_clear(dir_fd, name, err);

	if (rc)
		return rc;
	(void)snprintf(temp, sizeof(temp), ".%s.new", name);
	(void)unlinkat(dir_fd, temp, 0);
	fill_address(dir_fd, temp, &sa);
	/* The mode of an unbound socket is that of the file it becomes. */
	if (sock < 0 || fchmod(sock, 0600) != 0 ||
	    bind(sock, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(sock, 8) != 0 ||
	    renameat(dir_fd, temp, dir_fd, name) != 0) {
		rc = gv_fail(err, -errno, "%s: %s", name, strerror(errno));
		(void)unlinkat(dir_fd, temp, 0);
		return rc;
	}
	*fd = gv_take_fd(&sock);
	return 0;
}

void vfus_dir_remove(int dir_fd, const char *name)
{
	(void)unlinkat(dir_fd, name, 0);
}
