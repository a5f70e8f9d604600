/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real kernel behind struct gv_vfio_sys. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "vfio.h"

static int sys_open(void *arg, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	(void)arg;
	return fd < 0 ? -errno : fd;
}

static int sys_close(void *arg, int fd)
{
	(void)arg;
	return close(fd) ? -errno : 0;
}

static int sys_ioctl(void *arg, int fd, unsigned long request, void *data)
{
	int rc;

	(void)arg;
	do
		rc = ioctl(fd, request, data);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : rc;
}

static ssize_t sys_pread(void *arg, int fd, void *buf, size_t n, uint64_t off)
{
	ssize_t got = pread(fd, buf, n, (off_t)off);

	(void)arg;
	return got < 0 ? -errno : got;
}

static ssize_t sys_pwrite(void *arg, int fd, const void *buf, size_t n, uint64_t off)
{
	ssize_t put = pwrite(fd, buf, n, (off_t)off);

	(void)arg;
	return put < 0 ? -errno : put;
}

static int sys_mmap(void *arg, int fd, uint64_t off, size_t n, void **p)
{
	void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)off);

	(void)arg;
	if (at == MAP_FAILED)
		return -errno;
	*p = at;
	return 0;
}

static int sys_munmap(void *arg, void *p, size_t n)
{
	(void)arg;
	return munmap(p, n) ? -errno : 0;
}

const struct gv_vfio_sys *gv_vfio_real(void)
{
	static const struct gv_vfio_sys real = {.sysfs = "/sys",
	                                        .open = sys_open,
	                                        .close = sys_close,
	                                        .ioctl = sys_ioctl,
	                                        .pread = sys_pread,
	                                        .pwrite = sys_pwrite,
	                                        .mmap = sys_mmap,
	                                        .munmap = sys_munmap};

	return &real;
}
