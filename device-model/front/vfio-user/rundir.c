/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run directory: one process at a time, sockets that only their owner can open. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

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

void vfus_dir_remove(int dir_fd, const char *name)
{
	(void)unlinkat(dir_fd, name, 0);
}
