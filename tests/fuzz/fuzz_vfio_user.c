/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client's byte stream into the vfio-user server's parser. The first byte of the input says
 * whether the version is already agreed on (bit 0) and into how many pieces the stream is cut;
 * the rest is the stream. After each stream a proper client must find the device alive.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <gv/vfio.h>
#include <gv/vfio_user.h>

#include "vfio_user_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct gv_vfus *srv;
static struct gv_dev *dev;

static void start(void)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1, .engine_threads = 1};
	struct gv_dev_host host;

	if (gv_vfus_new(NULL, &srv))
		abort();
	host = gv_vfus_host(srv);
	if (gv_dev_new(&cfg, &host, &dev, NULL) || gv_vfus_start(srv, dev, NULL, NULL))
		abort();
}

/* A pair whose other end is the PF's client. */
static int attach(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0 ||
	    gv_vfus_attach_fd(srv, GV_DEV_PF, fd[1]) != 0)
		abort();
	return fd[0];
}

static void agree(int sock)
{
	const struct {
		struct gv_vfu_hdr hdr;
		struct gv_vfu_version ver;
	} hello = {{.cmd = GV_VFU_VERSION, .size = sizeof(hello), .flags = GV_VFU_NO_REPLY},
	           {GV_VFU_MAJOR, GV_VFU_MINOR}};

	(void)send(sock, &hello, sizeof(hello), MSG_NOSIGNAL);
}

static void feed(int sock, const uint8_t *data, size_t n, size_t pieces)
{
	char drop[4096];

	while (n) {
		size_t part = n / pieces ? n / pieces : n;

		if (send(sock, data, part, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		while (recv(sock, drop, sizeof(drop), MSG_DONTWAIT) > 0)
			;
		data += part;
		n -= part;
	}
	(void)shutdown(sock, SHUT_WR);
	while (recv(sock, drop, sizeof(drop), 0) > 0) /* until the server has parted */
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct gv_bus *bus = NULL;
	int sock;

	if (!srv)
		start();
	if (n < 1)
		return 0;
	sock = attach();
	if (data[0] & 1)
		agree(sock);
	feed(sock, data + 1, n - 1, 1 + (data[0] >> 1) % 8);
	(void)close(sock);
	if (gv_vfu_open_fd(attach(), "fuzz", NULL, NULL, &bus, NULL) || gv_bus_status(bus))
		abort();
	gv_bus_close(bus);
	return 0;
}
