/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/listen.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Through /proc, so that the directory's own path may be longer than a socket's. */
static int fill_address(int dir_fd, const char *name, struct sockaddr_un *sa)
{
	int n;

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	return n < 0 || (size_t)n >= sizeof(sa->sun_path) ? -ENAMETOOLONG : 0;
}

static bool is_alive(int dir_fd, const char *name)
{
	gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;

	return fd >= 0 && !fill_address(dir_fd, name, &sa) &&
	       (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN);
}

int gv_listen_clear(int dir_fd, const char *name, struct gv_err *err)
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

static int listen_as(int dir_fd, const char *temp, unsigned mode, int backlog)
{
	gv_auto_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;

	if (fill_address(dir_fd, temp, &sa))
		return -ENAMETOOLONG;
	(void)unlinkat(dir_fd, temp, 0);
	/* Nobody can connect before it listens, so the mode may come after the name. */
	if (sock < 0 || bind(sock, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    fchmodat(dir_fd, temp, mode, 0) != 0 || listen(sock, backlog) != 0)
		return -errno;
	return gv_take_fd(&sock);
}

int gv_listen_at(int dir_fd, const char *name, unsigned mode, int backlog, int *fd,
                 struct gv_err *err)
{
	gv_auto_fd int sock = -1;
	char temp[sizeof(struct sockaddr_un)];
	int rc = gv_listen_clear(dir_fd, name, err);

	if (rc)
		return rc;
	(void)snprintf(temp, sizeof(temp), ".%s.new", name);
	sock = listen_as(dir_fd, temp, mode, backlog);
	rc = sock < 0 ? sock : renameat(dir_fd, temp, dir_fd, name) ? -errno : 0;
	if (rc) {
		(void)unlinkat(dir_fd, temp, 0);
		return gv_fail(err, rc, "%s: %s", name, strerror(-rc));
	}
	*fd = gv_take_fd(&sock);
	return 0;
}
