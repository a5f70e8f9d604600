/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client bus against servers that lie, stall and die; and what it needs: IOVAs, caps. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <gv/vfio.h>
#include <gv/vfio_user.h>

#include "iova.h"
#include "ut.h"

/* How the server misbehaves, once the client is open. */
enum fault {
	NONE,
	WRONG_ID,
	WRONG_CMD,
	SHORT_REPLY,
	HUGE_SIZE,
	TINY_SIZE,
	HANG_UP,
	ERROR_REPLY,
	DMA_FIRST,   /* asks for our memory before it answers */
	DMA_OUTSIDE, /* asks for memory that we never gave */
};

struct fake {
	int fd;
	enum fault fault;
	bool bad_version;
	uint64_t dma_iova;
	uint32_t dma_got;
	uint32_t dma_error;
};

static bool get(int fd, void *buf, size_t n)
{
	return recv(fd, buf, n, MSG_WAITALL) == (ssize_t)n;
}

static void answer(struct fake *f, struct gv_vfu_hdr hdr, const void *data, size_t n)
{
	uint8_t buf[4096];

	hdr.size = (uint32_t)(sizeof(hdr) + n);
	hdr.flags = GV_VFU_REPLY;
	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), data, n);
	(void)!send(f->fd, buf, sizeof(hdr) + n, MSG_NOSIGNAL);
}

static void ask_dma(struct fake *f, uint64_t iova)
{
	struct {
		struct gv_vfu_hdr hdr;
		struct gv_vfu_dma_io io;
	} m = {{.id = 9, .cmd = GV_VFU_DMA_READ, .size = sizeof(m)}, {iova, 4}};

	(void)!send(f->fd, &m, sizeof(m), MSG_NOSIGNAL);
	if (!get(f->fd, &m.hdr, sizeof(m.hdr)))
		return;
	f->dma_error = m.hdr.error;
	if (!m.hdr.error && get(f->fd, &m.io, sizeof(m.io)))
		(void)get(f->fd, &f->dma_got, 4);
}

static void misbehave(struct fake *f, struct gv_vfu_hdr hdr, const uint8_t *req)
{
	uint8_t data[20];

	memcpy(data, req, 16);
	memcpy(data + 16, "\x78\x56\x34\x12", 4);
	hdr.flags = GV_VFU_REPLY;
	hdr.size = 36;
	switch (f->fault) {
	case WRONG_ID:
		hdr.id++;
		break;
	case WRONG_CMD:
		hdr.cmd++;
		break;
	case SHORT_REPLY:
		answer(f, hdr, data, 17);
		return;
	case HUGE_SIZE:
		hdr.size = UINT32_MAX;
		break;
	case TINY_SIZE:
		hdr.size = 3;
		break;
	case HANG_UP:
		(void)shutdown(f->fd, SHUT_RDWR);
		return;
	case ERROR_REPLY:
		hdr.size = 16;
		hdr.flags |= GV_VFU_ERROR;
		hdr.error = ERANGE;
		break;
	case DMA_FIRST:
		ask_dma(f, f->dma_iova);
		break;
	case DMA_OUTSIDE:
		ask_dma(f, 0x1000);
		break;
	case NONE:
		break;
	}
	(void)!send(f->fd, &hdr, sizeof(hdr), MSG_NOSIGNAL);
	if (hdr.size == 36)
		(void)!send(f->fd, data, sizeof(data), MSG_NOSIGNAL);
}

static void *fake_main(void *arg)
{
	struct fake *f = arg;
	struct gv_vfu_hdr hdr;
	uint8_t req[4096];

	while (get(f->fd, &hdr, sizeof(hdr)) && hdr.size - sizeof(hdr) <= sizeof(req) &&
	       (hdr.size == sizeof(hdr) || get(f->fd, req, hdr.size - sizeof(hdr)))) {
		struct gv_vfu_dev_info dev = {16, GV_VFU_DEV_PCI, 9, 5};
		struct gv_vfu_region_info region = {.argsz = 32, .bytes = 4096};
		struct gv_vfu_irq_info irq = {16, 1, GV_VFU_IRQ_MSIX, 1};

		memcpy(&region.index, req + 8, 4);
		if (hdr.cmd == GV_VFU_VERSION)
			answer(f, hdr, f->bad_version ? "\0\0\1\0{{" : "\0\0\1\0{}", 7);
		else if (hdr.cmd == GV_VFU_GET_INFO)
			answer(f, hdr, &dev, sizeof(dev));
		else if (hdr.cmd == GV_VFU_GET_REGION_INFO)
			answer(f, hdr, &region, sizeof(region));
		else if (hdr.cmd == GV_VFU_GET_IRQ_INFO)
			answer(f, hdr, &irq, sizeof(irq));
		else if (hdr.cmd == GV_VFU_DMA_MAP)
			answer(f, hdr, req, 0);
		else if (hdr.cmd == GV_VFU_REGION_READ)
			misbehave(f, hdr, req);
	}
	return NULL;
}

struct pair {
	struct fake fake;
	pthread_t thread;
	struct gv_bus *bus;
	struct gv_err err;
};

static void up(struct pair *p, struct fake fake)
{
	int fd[2];

	*p = (struct pair){.fake = fake};
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	p->fake.fd = fd[1];
	(void)pthread_create(&p->thread, NULL, fake_main, &p->fake);
	(void)gv_vfu_open_fd(fd[0], "fake", NULL, NULL, &p->bus, &p->err);
}

static void down(struct pair *p)
{
	p->bus = gv_bus_close(p->bus);
	(void)pthread_join(p->thread, NULL);
	(void)close(p->fake.fd);
}

static void lying_servers_lose_the_device_and_nothing_more(void)
{
	static const struct {
		enum fault fault;
		uint32_t val;
		int status;
	} cases[] = {
	        {NONE, 0x12345678, 0},
	        {WRONG_ID, UINT32_MAX, -EPROTO},
	        {WRONG_CMD, UINT32_MAX, -EPROTO},
	        {SHORT_REPLY, UINT32_MAX, -EPROTO},
	        {HUGE_SIZE, UINT32_MAX, -EPROTO},
	        {TINY_SIZE, UINT32_MAX, -EPROTO},
	        {HANG_UP, UINT32_MAX, -ENODEV},
	        {ERROR_REPLY, UINT32_MAX, 0},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		struct pair p;

		up(&p, (struct fake){.fault = cases[i].fault});
		CU_ASSERT_PTR_NOT_NULL_FATAL(p.bus);
		CU_ASSERT_EQUAL(gv_rd32(p.bus, 0), cases[i].val);
		CU_ASSERT_EQUAL(gv_bus_status(p.bus), cases[i].status);
		if (cases[i].status)
			CU_ASSERT_EQUAL(gv_rd32(p.bus, 0), UINT32_MAX);
		down(&p);
	}
}

/* Nothing is sent here that could fail. */
static void who_only_waits_hears_that_the_server_is_gone(void)
{
	struct pair p;

	up(&p, (struct fake){.fault = NONE});
	CU_ASSERT_PTR_NOT_NULL_FATAL(p.bus);
	for (unsigned n = 0; n < 200; n++)
		CU_ASSERT_EQUAL(gv_bus_status(p.bus), 0);
	(void)shutdown(p.fake.fd, SHUT_RDWR);
	for (unsigned n = 0; n < 200 && !gv_bus_status(p.bus); n++)
		;
	CU_ASSERT_EQUAL(gv_bus_status(p.bus), -ENODEV);
	down(&p);
}

static void bad_capabilities_do_not_open(void)
{
	struct pair p;

	up(&p, (struct fake){.bad_version = true});
	CU_ASSERT_PTR_NULL(p.bus);
	CU_ASSERT_EQUAL(p.err.code, -EPROTO);
	(void)pthread_join(p.thread, NULL);
	(void)close(p.fake.fd);
}

/* As a process that was forked has, until it executes something else. */
static void who_closes_is_gone_whoever_has_a_copy(void)
{
	struct gv_bus *bus = NULL;
	struct gv_err err;
	struct fake f = {.fault = NONE};
	pthread_t thread;
	int fd[2], copy;

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	copy = dup(fd[0]);
	f.fd = fd[1];
	(void)pthread_create(&thread, NULL, fake_main, &f);
	CU_ASSERT_EQUAL(gv_vfu_open_fd(fd[0], "fake", NULL, NULL, &bus, &err), 0);
	bus = gv_bus_close(bus);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = fd[1], .events = POLLRDHUP}, 1, 0), 1);
	(void)close(copy);
	(void)pthread_join(thread, NULL);
	(void)close(fd[1]);
}

static void client_answers_dma_of_its_own_memory_only(void)
{
	struct pair p;
	struct gv_dma dma;

	up(&p, (struct fake){.fault = DMA_FIRST});
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(p.bus, 4096, &dma), 0);
	*(uint32_t *)dma.cpu = 0xfeed;
	p.fake.dma_iova = dma.iova;
	CU_ASSERT_EQUAL(gv_rd32(p.bus, 0), 0x12345678);
	CU_ASSERT_EQUAL(p.fake.dma_got, 0xfeed);
	down(&p);
	up(&p, (struct fake){.fault = DMA_OUTSIDE});
	CU_ASSERT_EQUAL(gv_rd32(p.bus, 0), 0x12345678);
	CU_ASSERT_EQUAL(p.fake.dma_error, EFAULT);
	down(&p);
}

static void missing_sockets_say_so(void)
{
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};
	char uri[300];

	CU_ASSERT_EQUAL(gv_bus_open("vfio-user:/nowhere/x.sock", NULL, NULL, &bus, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/x.sock"));
	CU_ASSERT_EQUAL(gv_bus_open("pci:0000:00:00.0", NULL, NULL, &bus, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_bus_open("vfio-user:", NULL, NULL, &bus, &err), -EINVAL);
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "vfio-user:", 10);
	uri[sizeof(uri) - 1] = 0;
	CU_ASSERT_EQUAL(gv_bus_open(uri, NULL, NULL, &bus, &err), -ENAMETOOLONG);
	CU_ASSERT_PTR_NULL(bus);
}

static void iovas_do_not_overlap_and_are_reused(void)
{
	struct gv_iova space = {0};
	uint64_t a, b, c, d;

	CU_ASSERT_EQUAL(gv_iova_get(&space, 4096, &a), 0);
	CU_ASSERT_EQUAL(gv_iova_get(&space, 4 << 20, &b), 0);
	CU_ASSERT_EQUAL(gv_iova_get(&space, 8192, &c), 0);
	CU_ASSERT_EQUAL(a, 4 * GV_GIB);
	CU_ASSERT_EQUAL(b % (2 << 20), 0);
	CU_ASSERT(c >= a + 4096 && (c + 8192 <= b || c >= b + (4 << 20)));
	gv_iova_put(&space, a);
	CU_ASSERT_EQUAL(gv_iova_get(&space, 4096, &d), 0);
	CU_ASSERT_EQUAL(d, a);
	CU_ASSERT_EQUAL(gv_iova_get(&space, 1ull << 60, &d), -ENOSPC);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(gv_iova_get(&space, 4096, &d), 0);
	gv_iova_put(&space, 12345);
	gv_iova_done(&space);
}

static void capabilities_survive_a_round_trip(void)
{
	struct gv_vfu_caps a = {.max_msg_fds = 7,
	                        .max_data_xfer_size = 4096,
	                        .pgsizes = 8192,
	                        .max_dma_maps = 9,
	                        .write_multiple = true};
	struct gv_vfu_caps b = gv_vfu_caps_default();
	static const char qemu[] =
	        "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16,\"max_dma_maps\":65535,"
	        "\"max_data_xfer_size\":1048576,\"migration\":{\"max_bitmap_size\":268435456,"
	        "\"pgsize\":4096,\"pgsizes\":3},\"write_multiple\":true}}";
	char text[256];
	size_t n = gv_vfu_caps_format(text, sizeof(text), &a);

	CU_ASSERT_EQUAL(n, strlen(text) + 1);
	CU_ASSERT_EQUAL(gv_vfu_caps_parse(text, n, &b), 0);
	CU_ASSERT(b.max_msg_fds == 7 && b.max_data_xfer_size == 4096 && b.pgsizes == 8192);
	CU_ASSERT(b.max_dma_maps == 9 && b.write_multiple);
	for (size_t cut = 0; cut < n; cut++) /* a part is never the whole */
		CU_ASSERT_EQUAL(gv_vfu_caps_parse(text, cut, &b), -EINVAL);
	CU_ASSERT_EQUAL(gv_vfu_caps_parse(qemu, sizeof(qemu), &b), 0);
	CU_ASSERT(b.pgsizes == 4096 && b.max_msg_fds == 16 && b.write_multiple);
}

UT_MAIN("vfio-user client", UT(lying_servers_lose_the_device_and_nothing_more),
        UT(who_only_waits_hears_that_the_server_is_gone), UT(bad_capabilities_do_not_open),
        UT(who_closes_is_gone_whoever_has_a_copy), UT(client_answers_dma_of_its_own_memory_only),
        UT(missing_sockets_say_so), UT(iovas_do_not_overlap_and_are_reused),
        UT(capabilities_survive_a_round_trip))
