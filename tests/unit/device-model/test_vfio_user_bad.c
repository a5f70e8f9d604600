/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that break the protocol: each is answered or parted from, and nobody else notices. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ut.h"
#include "vfio_user_rig.h"

#define IOVA 0x100000000ull

static int memfd(size_t bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	return fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 ? fd : -1;
}

static int map_fd(int sock, struct gv_vfu_dma_map req, const int *fd, unsigned n)
{
	uint8_t reply[4096];

	return rig_call_fds(sock, GV_VFU_DMA_MAP, &req, sizeof(req), fd, n, reply);
}

static struct gv_vfu_dma_map range(uint64_t iova, uint64_t bytes)
{
	return (struct gv_vfu_dma_map){.argsz = sizeof(struct gv_vfu_dma_map),
	                               .flags = GV_VFU_DMA_R | GV_VFU_DMA_W,
	                               .iova = iova,
	                               .bytes = bytes};
}

static int unmap(int sock, uint64_t iova, uint64_t bytes, uint32_t flags)
{
	struct gv_vfu_dma_unmap req = {
	        .argsz = sizeof(req), .flags = flags, .iova = iova, .bytes = bytes};

	return rig_call(sock, GV_VFU_DMA_UNMAP, &req, sizeof(req));
}

static bool alive(int sock)
{
	struct gv_vfu_dev_info info = {.argsz = sizeof(info)};

	return rig_call(sock, GV_VFU_GET_INFO, &info, sizeof(info)) == sizeof(info);
}

static void every_wrong_size_of_every_command_is_refused(void)
{
	struct rig r;
	uint8_t junk[128] = {0};
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_FATAL(sock >= 0);
	for (unsigned cmd = 0; cmd < 40; cmd++)
		for (size_t n = 0; n < sizeof(junk); n += 3) {
			if (cmd == GV_VFU_DEVICE_RESET && n == 0)
				continue; /* right as it is */
			int rc = rig_call(sock, (uint16_t)cmd, junk, n);

			/* WRITE_MULTI of nothing is nothing. */
			CU_ASSERT(rc < 0 || cmd == GV_VFU_GET_INFO || cmd == GV_VFU_WRITE_MULTI);
			CU_ASSERT_FATAL(rc != -ENODEV && rc != -EPROTO);
		}
	CU_ASSERT(alive(sock));
	(void)close(sock);
	rig_down(&r);
}

static void broken_headers_end_the_connection_only(void)
{
	static const uint32_t sizes[] = {0, 1, 15, GV_VFU_MAX_MSG + 1, UINT32_MAX};
	struct rig r;
	int other;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	for (size_t i = 0; i < GV_ARRAY_LEN(sizes); i++) {
		struct gv_vfu_hdr hdr = {.cmd = GV_VFU_GET_INFO, .size = sizes[i]};
		int sock = rig_raw(&r, GV_DEV_PF);
		char byte;

		CU_ASSERT_FATAL(sock >= 0);
		CU_ASSERT_EQUAL(rig_send(sock, &hdr, sizeof(hdr), NULL, 0), 0);
		CU_ASSERT(recv(sock, &byte, 1, 0) <= 0);
		(void)close(sock);
	}
	other = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT(other >= 0 && alive(other));
	(void)close(other);
	rig_down(&r);
}

static int hello(struct rig *r, const char *text, size_t n)
{
	int sock = rig_socket(r, GV_DEV_PF), rc;

	if (sock < 0)
		return -EIO;
	rc = rig_call(sock, GV_VFU_VERSION, text, n);
	(void)close(sock);
	return rc;
}

static void bad_versions_are_refused(void)
{
	static const struct {
		const char *text;
		size_t n;
	} bad[] = {
#define V(s) {"\0\0\0\0" s, sizeof("\0\0\0\0" s)}
	        V("{"),
	        V("[]"),
	        V("{}x"),
	        V("{\"capabilities\":{\"max_msg_fds\":\"1\"}}"),
	        V("{\"capabilities\":{\"max_msg_fds\":-1}}"),
	        V("{\"capabilities\":{\"max_data_xfer_size\":0}}"),
	        V("{\"capabilities\":{\"pgsizes\":99999999999999999999999}}"),
	        V("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]}"),
	        V("{\"a\":tru}"),
	        V("{\"a\":\"\\q\"}"),
	        V("{\"a\":01}"),
	        {"\0\0\0\0{}", 6}, /* no NUL */
	        {"\1\0\0\0{}", 7}, /* major 1 */
	};
	struct rig r;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(hello(&r, bad[i].text, bad[i].n), -EINVAL);
	CU_ASSERT_EQUAL(hello(&r, "\0\0\0\0{}", 7), 4); /* caps do not fit: none */
	CU_ASSERT_EQUAL(hello(&r, "\0\0\0\0", 4), 4);
	rig_down(&r);
}

static void nothing_goes_before_the_version(void)
{
	struct gv_vfu_dev_info info = {.argsz = sizeof(info)};
	struct rig r;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_socket(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_GET_INFO, &info, sizeof(info)), -EPROTO);
	(void)close(sock);
	rig_down(&r);
}

static void descriptors_where_none_belong_are_refused_and_closed(void)
{
	struct gv_vfu_dev_info info = {.argsz = sizeof(info)};
	uint8_t reply[4096];
	int sock, before, fds[40];
	struct rig r;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_FATAL(sock >= 0);
	for (size_t i = 0; i < GV_ARRAY_LEN(fds); i++)
		fds[i] = memfd(4096);
	before = rig_open_fds();
	for (unsigned n = 1; n <= GV_ARRAY_LEN(fds); n += 3) {
		CU_ASSERT_EQUAL(
		        rig_call_fds(sock, GV_VFU_GET_INFO, &info, sizeof(info), fds, n, reply),
		        -EINVAL);
		CU_ASSERT(map_fd(sock, range(IOVA, 4096), fds, n) == (n == 1 ? 0 : -EINVAL));
		CU_ASSERT(unmap(sock, IOVA, 4096, 0) > 0);
	}
	CU_ASSERT_EQUAL(rig_open_fds(), before);
	CU_ASSERT(alive(sock));
	/* Half a message, each half with descriptors, then silence: closed with the client. */
	for (int i = 0; i < 2; i++) {
		struct gv_vfu_hdr hdr = {.cmd = GV_VFU_SET_IRQS, .size = 4000};

		CU_ASSERT_EQUAL(rig_send(sock, &hdr, sizeof(hdr), fds, 16), 0);
	}
	(void)close(sock);
	rig_nap_ms(100);
	CU_ASSERT(rig_open_fds() <= before);
	for (size_t i = 0; i < GV_ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	rig_down(&r);
}

static void dma_maps_are_checked(void)
{
	struct gv_vfu_dma_map req;
	struct rig r;
	int sock, fd = memfd(16384), efd = eventfd(0, EFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_FATAL(sock >= 0);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 16384), &fd, 1), 0);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), &fd, 1), -EEXIST);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA - 4096, 8192), &fd, 1), -EEXIST);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA + 12288, 8192), NULL, 0), -EEXIST);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA + 16384, 4096), NULL, 0), 0);
	CU_ASSERT_EQUAL(map_fd(sock, range(0, 0), &fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(map_fd(sock, range(1, 4096), &fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(map_fd(sock, range(0, 20480), &fd, 1), -EINVAL); /* past the file */
	CU_ASSERT_EQUAL(map_fd(sock, range(UINT64_MAX - 4095, 8192), &fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(map_fd(sock, range(0, 4096), &efd, 1), -EINVAL); /* no file */
	req = range(0, 4096);
	req.fd_offset = 16384;
	CU_ASSERT_EQUAL(map_fd(sock, req, &fd, 1), -EINVAL);
	req.fd_offset = UINT64_MAX - 4095;
	CU_ASSERT_EQUAL(map_fd(sock, req, &fd, 1), -EINVAL);
	req = range(0, 4096);
	req.flags = 0;
	CU_ASSERT_EQUAL(map_fd(sock, req, &fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(unmap(sock, IOVA, 4096, 0), -EINVAL);        /* would cut it */
	CU_ASSERT_EQUAL(unmap(sock, 0x40000000, 0x40000000, 0), 24); /* nothing there */
	CU_ASSERT_EQUAL(unmap(sock, 0, 1ull << 46, 0), 24);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 16384), &fd, 1), 0);
	CU_ASSERT_EQUAL(unmap(sock, 0, 0, GV_VFU_UNMAP_ALL), 24);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 16384), &fd, 1), 0);
	(void)close(sock);
	(void)close(fd);
	(void)close(efd);
	rig_down(&r);
}

static void read_only_memory_is_not_written(void)
{
	struct gv_vfu_dma_map req = range(IOVA, 4096);
	uint32_t val = 1;
	uint64_t n = 4;
	struct rig r;
	int sock, fd = memfd(4096);

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	req.flags = GV_VFU_DMA_R;
	CU_ASSERT_EQUAL(map_fd(sock, req, &fd, 1), 0);
	CU_ASSERT_PTR_NULL(r.host.dma_ptr(r.host.arg, GV_DEV_PF, IOVA, &n, true));
	CU_ASSERT_EQUAL(r.host.dma_write(r.host.arg, GV_DEV_PF, IOVA, &val, 4), -EPERM);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA, &val, 4), 0);
	(void)close(sock);
	(void)close(fd);
	rig_down(&r);
}

/* The file shrinks under the device: zeros, a count, and everyone lives. */
static void shortened_file_costs_only_its_owner(void)
{
	struct gv_vfus_stats before, after;
	uint32_t val = 7;
	struct rig r;
	int sock, fd = memfd(8192);

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 8192), &fd, 1), 0);
	gv_vfus_get_stats(r.srv, GV_DEV_PF, &before);
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 4096, &val, 4), 0);
	CU_ASSERT_EQUAL(val, 0);
	val = 9;
	CU_ASSERT_EQUAL(r.host.dma_write(r.host.arg, GV_DEV_PF, IOVA, &val, 4), 0);
	gv_vfus_get_stats(r.srv, GV_DEV_PF, &after);
	CU_ASSERT_EQUAL(after.zero_pages - before.zero_pages, 2); /* from behind: two faults */
	CU_ASSERT(alive(sock));
	(void)close(sock);
	(void)close(fd);
	rig_down(&r);
}

static unsigned count_mappings(void)
{
	gv_auto_free char *line = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t room = 0;
	unsigned n = 0;

	while (maps && getline(&line, &room, maps) > 0)
		n++;
	if (maps)
		(void)fclose(maps);
	return n;
}

/* Linux grants a process 65530 mappings: holes must not eat them up. */
static void a_shortened_file_does_not_shatter_our_mappings(void)
{
	enum { PAGES = 512 };
	struct rig r;
	uint32_t val;
	unsigned before;
	int sock, fd = memfd(PAGES * 4096);

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, PAGES * 4096), &fd, 1), 0);
	before = count_mappings();
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 0), 0);
	for (unsigned i = 1; i < PAGES; i += 2)
		CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 4096ull * i, &val, 4),
		                0);
	CU_ASSERT(count_mappings() < before + 8);
	(void)close(sock);
	(void)close(fd);
	rig_down(&r);
}

/* Each file of its own, since mappings of one file share what is ours. */
static void one_client_cannot_use_up_all_mappings(void)
{
	int sock, rc = 0;
	unsigned n;
	struct rig r;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	for (n = 0; !rc && n < 4000; n++) {
		int fd = memfd(4096);

		rc = map_fd(sock, range(IOVA + n * 8192ull, 4096), &fd, 1);
		(void)close(fd);
	}
	CU_ASSERT_EQUAL(rc, -ENOSPC);
	CU_ASSERT(n < 3000);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA - 8192, 4096), NULL, 0), 0); /* by messages */
	CU_ASSERT(alive(sock));
	(void)close(sock);
	rig_down(&r);
}

/* How often this file is mapped into this process. */
static unsigned mappings_of(int fd)
{
	gv_auto_free char *line = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long inode;
	size_t room = 0;
	struct stat st;
	unsigned n = 0;

	CU_ASSERT_FATAL(maps && fstat(fd, &st) == 0);
	while (getline(&line, &room, maps) > 0)
		n += sscanf(line, "%*s %*s %*s %*s %llu", &inode) == 1 && inode == st.st_ino;
	(void)fclose(maps);
	return n;
}

/* What QEMU does for a guest with an IOMMU: guest memory page by page, in any order. */
static void pages_of_one_file_share_a_mapping(void)
{
	enum { PAGES = 8192 };
	unsigned wrong = 0;
	uint32_t val;
	struct rig r;
	int sock, fd = memfd(PAGES * 4096), rc = 0;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	for (unsigned i = 0; !rc && i < PAGES; i++) {
		struct gv_vfu_dma_map req = range(IOVA + 4096ull * i, 4096);

		req.fd_offset = 4096ull * (PAGES - 1 - i);
		rc = pwrite(fd, &i, sizeof(i), (off_t)req.fd_offset) == sizeof(i) ? 0 : -EIO;
		if (!rc)
			rc = map_fd(sock, req, &fd, 1);
	}
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT(mappings_of(fd) >= 1 && mappings_of(fd) < 8);
	for (unsigned i = 0; i < PAGES; i++)
		wrong += r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 4096ull * i, &val, 4) ||
		         val != i;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(unmap(sock, IOVA, 4096ull * (PAGES - 1), 0), 24);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA, &val, 4), -EFAULT);
	CU_ASSERT_EQUAL(
	        r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 4096ull * (PAGES - 1), &val, 4), 0);
	CU_ASSERT_EQUAL(val, PAGES - 1);
	CU_ASSERT_EQUAL(unmap(sock, IOVA + 4096ull * (PAGES - 1), 4096, 0), 24);
	CU_ASSERT_EQUAL(mappings_of(fd), 0);
	(void)close(sock);
	(void)close(fd);
	rig_down(&r);
}

/* The zeros that took the place of what was cut off are not what is there later. */
static void a_file_that_grew_again_is_seen_anew(void)
{
	uint32_t val = 7;
	struct rig r;
	int sock, fd = memfd(8192);

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 8192), &fd, 1), 0);
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA, &val, 4), 0);
	CU_ASSERT_EQUAL(val, 0);
	val = 9;
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 8192), 0);
	CU_ASSERT_EQUAL(pwrite(fd, &val, sizeof(val), 0), sizeof(val));
	val = 0;
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA + 8192, 4096), &fd, 1), 0);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 8192, &val, 4), 0);
	CU_ASSERT_EQUAL(val, 9);
	(void)close(sock);
	(void)close(fd);
	rig_down(&r);
}

/* A file system of the client's own could answer a page fault never. */
static void only_shared_memory_can_be_mapped(void)
{
	char path[] = "/var/tmp/gv-dma-XXXXXX";
	int sock, fd = mkstemp(path), zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct rig r;

	CU_ASSERT_FATAL(fd >= 0);
	(void)unlink(path);
	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(ftruncate(fd, 4096), 0);
	if (fcntl(fd, F_GET_SEALS) < 0) /* else /var/tmp is a tmpfs here */
		CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), &fd, 1), -EINVAL);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), &zero, 1), -EINVAL);
	(void)close(zero);
	(void)close(fd);
	(void)close(sock);
	rig_down(&r);
}

/* A client that never answers holds up engines, which are shared, for a bounded time in all. */
static void silence_of_a_client_is_paid_for_once(void)
{
	uint64_t start;
	uint32_t val;
	struct rig r;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 1 << 20), NULL, 0), 0);
	start = gv_now_ns();
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, IOVA + 4096ull * i, &val, 4),
		                -ETIMEDOUT);
	CU_ASSERT(gv_now_ns() - start < 15 * GV_S); /* 128 s without a bound */
	(void)close(sock);
	rig_down(&r);
}

static int set_irqs(int sock, struct gv_vfu_irq_set req, const int *fds, unsigned n)
{
	uint8_t reply[4096];

	req.argsz = sizeof(req);
	return rig_call_fds(sock, GV_VFU_SET_IRQS, &req, sizeof(req), fds, n, reply);
}

#define EVENTFDS(start, count)                                                                     \
	(struct gv_vfu_irq_set)                                                                    \
	{                                                                                          \
		0, GV_VFU_SET_EVENTFD | GV_VFU_SET_TRIGGER, GV_VFU_IRQ_MSIX, start, count          \
	}

static void interrupts_take_what_qemu_sends_and_nothing_else(void)
{
	struct gv_vfu_irq_info info = {.argsz = sizeof(info), .index = GV_VFU_IRQ_MSIX};
	const struct gv_vfu_irq_set off = {.flags = GV_VFU_SET_NONE | GV_VFU_SET_TRIGGER,
	                                   .index = GV_VFU_IRQ_MSIX};
	struct gv_vfu_irq_set req;
	uint8_t reply[4096];
	uint64_t count;
	int sock, fds[2] = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)}, pipes[2];
	struct rig r;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(
	        rig_call_fds(sock, GV_VFU_GET_IRQ_INFO, &info, sizeof(info), NULL, 0, reply),
	        sizeof(info));
	memcpy(&info, reply, sizeof(info));
	CU_ASSERT_FATAL(info.count >= 1);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 1), NULL, 0), 0);
	CU_ASSERT_EQUAL(set_irqs(sock, off, NULL, 0), 0);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 1), fds, 1), 0);
	r.host.irq(r.host.arg, GV_DEV_PF, 0);
	CU_ASSERT(read(fds[0], &count, 8) == 8 && count == 1);
	req = off;
	req.count = 1; /* fire it ourselves */
	CU_ASSERT_EQUAL(set_irqs(sock, req, NULL, 0), 0);
	CU_ASSERT(read(fds[0], &count, 8) == 8 && count == 1);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(info.count, 1), fds, 1), -EINVAL);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(UINT32_MAX, 2), fds, 2), -EINVAL);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 1), fds, 2), -EINVAL);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 0), NULL, 0), -EINVAL);
	req.flags = GV_VFU_SET_NONE | GV_VFU_SET_MASK;
	CU_ASSERT_EQUAL(set_irqs(sock, req, NULL, 0), -EINVAL);
	req = EVENTFDS(0, 1);
	req.index = GV_VFU_IRQ_INTX;
	CU_ASSERT_EQUAL(set_irqs(sock, req, fds, 1), -EINVAL);
	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 1), &pipes[1], 1), -EINVAL);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(sock);
	rig_down(&r);
}

/* A client fills its counter and makes the eventfd block: the engine must come free. */
static void blocking_eventfd_does_not_hold_an_engine(void)
{
	const uint64_t full = UINT64_MAX - 1;
	struct rig r;
	int sock, fd = eventfd(0, 0);
	uint64_t start;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(set_irqs(sock, EVENTFDS(0, 1), &fd, 1), 0);
	CU_ASSERT_EQUAL(write(fd, &full, 8), 8);
	CU_ASSERT_EQUAL(fcntl(fd, F_SETFL, 0), 0);
	start = gv_now_ns();
	r.host.irq(r.host.arg, GV_DEV_PF, 0);
	CU_ASSERT(gv_now_ns() - start < 3 * GV_S);
	start = gv_now_ns(); /* its eventfd is given up: it does not do that twice */
	for (unsigned i = 0; i < 100; i++)
		r.host.irq(r.host.arg, GV_DEV_PF, 0);
	CU_ASSERT(gv_now_ns() - start < 3 * GV_S);
	CU_ASSERT(alive(sock));
	(void)close(fd);
	(void)close(sock);
	rig_down(&r);
}

static void regions_are_bounded(void)
{
	struct gv_vfu_region_io io = {.region = GV_REGION_CONFIG, .off = 4090, .count = 16};
	struct gv_vfu_region_info info = {.argsz = sizeof(info), .index = 9};
	struct {
		uint64_t n;
		struct gv_vfu_multi_write w[2];
	} multi = {2,
	           {{.off = 0x3c, .region = 7, .count = 1}, {.off = 0, .region = 9, .count = 1}}};
	struct rig r;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_REGION_READ, &io, sizeof(io)), -ERANGE);
	io.off = UINT64_MAX;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_REGION_READ, &io, sizeof(io)), -ERANGE);
	io.count = GV_VFU_MAX_XFER + 1;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_REGION_READ, &io, sizeof(io)), -EINVAL);
	io.count = 0;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_REGION_READ, &io, sizeof(io)), -EINVAL);
	io.region = 9;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_REGION_READ, &io, sizeof(io)), -EINVAL);
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_GET_REGION_INFO, &info, sizeof(info)), -EINVAL);
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_WRITE_MULTI, &multi, sizeof(multi)), -EINVAL);
	multi.w[1].region = 7;
	multi.w[1].off = 0x3c;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_WRITE_MULTI, &multi, sizeof(multi)), 8);
	multi.n = UINT64_MAX / 24 + 2;
	CU_ASSERT_EQUAL(rig_call(sock, GV_VFU_WRITE_MULTI, &multi, sizeof(multi)), -EINVAL);
	(void)close(sock);
	rig_down(&r);
}

static void many_requests_in_one_send_are_all_answered_in_order(void)
{
	enum { COUNT = 500 };
	struct gv_vfu_region_io io = {.region = GV_REGION_CONFIG, .off = 0, .count = 2};
	static uint8_t buf[COUNT * 32];
	uint8_t one[16 + 16 + 2];
	struct rig r;
	int sock, bad = 0;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	for (unsigned i = 0; i < COUNT; i++)
		(void)rig_build(buf + 32 * i, (uint16_t)i, GV_VFU_REGION_READ, &io, sizeof(io));
	CU_ASSERT_EQUAL(rig_send(sock, buf, sizeof(buf), NULL, 0), 0);
	for (unsigned i = 0; i < COUNT && !bad; i++)
		bad = rig_recv_exact(sock, one, sizeof(one)) || one[0] != (i & 0xff) ||
		      one[32] != 0x02 || one[33] != 0x10;
	CU_ASSERT_EQUAL(bad, 0);
	/* And one request in many sends. */
	for (unsigned i = 0; i < 32; i++)
		CU_ASSERT_EQUAL(rig_send(sock, buf + i, 1, NULL, 0), 0);
	CU_ASSERT_EQUAL(rig_recv_exact(sock, one, sizeof(one)), 0);
	(void)close(sock);
	rig_down(&r);
}

/* ---- memory that is reached by messages --------------------------------------- */

struct engine {
	struct rig *r;
	uint64_t iova;
	uint32_t val;
	bool write;
	int rc;
	uint64_t took_ns;
};

static void *engine_main(void *arg)
{
	struct engine *e = arg;
	uint64_t start = gv_now_ns();

	e->rc = e->write ? e->r->host.dma_write(e->r->host.arg, GV_DEV_PF, e->iova, &e->val, 4)
	                 : e->r->host.dma_read(e->r->host.arg, GV_DEV_PF, e->iova, &e->val, 4);
	e->took_ns = gv_now_ns() - start;
	return NULL;
}

struct dma_msg {
	struct gv_vfu_hdr hdr;
	struct gv_vfu_dma_io io;
	uint32_t data;
} __attribute__((packed));

static void answer_dma(int sock, bool write, uint32_t data, int error)
{
	struct dma_msg m;
	size_t n = sizeof(m) - (write ? 0 : sizeof(m.data));

	CU_ASSERT_EQUAL_FATAL(rig_recv_exact(sock, &m, n), 0);
	CU_ASSERT_EQUAL(m.hdr.cmd, write ? GV_VFU_DMA_WRITE : GV_VFU_DMA_READ);
	if (write)
		CU_ASSERT_EQUAL(m.data, data);
	m.hdr.flags = GV_VFU_REPLY | (error ? GV_VFU_ERROR : 0);
	m.hdr.error = (uint32_t)error;
	m.data = data;
	n = error ? sizeof(m.hdr) : write ? sizeof(m) - sizeof(m.data) : sizeof(m);
	m.hdr.size = (uint32_t)n;
	CU_ASSERT_EQUAL(rig_send(sock, &m, n, NULL, 0), 0);
}

static void engines_reach_memory_by_messages(void)
{
	struct rig r;
	struct engine e = {.r = &r, .iova = IOVA + 8};
	pthread_t t;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), NULL, 0), 0);
	(void)pthread_create(&t, NULL, engine_main, &e);
	answer_dma(sock, false, 0xabcd, 0);
	(void)pthread_join(t, NULL);
	CU_ASSERT(e.rc == 0 && e.val == 0xabcd);
	e.write = true;
	e.val = 55;
	(void)pthread_create(&t, NULL, engine_main, &e);
	answer_dma(sock, true, 55, 0);
	(void)pthread_join(t, NULL);
	CU_ASSERT_EQUAL(e.rc, 0);
	(void)pthread_create(&t, NULL, engine_main, &e);
	answer_dma(sock, true, 55, EFAULT);
	(void)pthread_join(t, NULL);
	CU_ASSERT_EQUAL(e.rc, -EFAULT);
	CU_ASSERT(alive(sock));
	(void)close(sock);
	rig_down(&r);
}

static void silent_client_costs_an_engine_two_seconds_at_most(void)
{
	struct rig r;
	struct engine e = {.r = &r, .iova = IOVA};
	pthread_t t;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), NULL, 0), 0);
	(void)pthread_create(&t, NULL, engine_main, &e);
	(void)pthread_join(t, NULL);
	CU_ASSERT_EQUAL(e.rc, -ETIMEDOUT);
	CU_ASSERT(e.took_ns < 3 * GV_S);
	/* The late answer finds nobody, and does no harm. */
	answer_dma(sock, false, 1, 0);
	CU_ASSERT(alive(sock));
	(void)close(sock);
	rig_down(&r);
}

static void unmap_and_hangup_free_waiting_engines(void)
{
	struct rig r;
	struct engine e = {.r = &r, .iova = IOVA};
	struct dma_msg m;
	pthread_t t;
	int sock;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	sock = rig_raw(&r, GV_DEV_PF);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), NULL, 0), 0);
	(void)pthread_create(&t, NULL, engine_main, &e);
	CU_ASSERT_EQUAL(rig_recv_exact(sock, &m, sizeof(m) - 4), 0);
	CU_ASSERT_EQUAL(unmap(sock, IOVA, 4096, 0), 24);
	(void)pthread_join(t, NULL);
	CU_ASSERT(e.rc == -EFAULT && e.took_ns < GV_S);
	CU_ASSERT_EQUAL(map_fd(sock, range(IOVA, 4096), NULL, 0), 0);
	(void)pthread_create(&t, NULL, engine_main, &e);
	CU_ASSERT_EQUAL(rig_recv_exact(sock, &m, sizeof(m) - 4), 0);
	(void)close(sock);
	(void)pthread_join(t, NULL);
	CU_ASSERT(e.rc < 0 && e.took_ns < GV_S);
	rig_down(&r);
}

UT_MAIN("vfio-user, bad clients", UT(every_wrong_size_of_every_command_is_refused),
        UT(broken_headers_end_the_connection_only), UT(bad_versions_are_refused),
        UT(nothing_goes_before_the_version),
        UT(descriptors_where_none_belong_are_refused_and_closed), UT(dma_maps_are_checked),
        UT(read_only_memory_is_not_written), UT(shortened_file_costs_only_its_owner),
        UT(a_shortened_file_does_not_shatter_our_mappings),
        UT(one_client_cannot_use_up_all_mappings), UT(pages_of_one_file_share_a_mapping),
        UT(a_file_that_grew_again_is_seen_anew), UT(only_shared_memory_can_be_mapped),
        UT(silence_of_a_client_is_paid_for_once),
        UT(interrupts_take_what_qemu_sends_and_nothing_else),
        UT(blocking_eventfd_does_not_hold_an_engine), UT(regions_are_bounded),
        UT(many_requests_in_one_send_are_all_answered_in_order),
        UT(engines_reach_memory_by_messages), UT(silent_client_costs_an_engine_two_seconds_at_most),
        UT(unmap_and_hangup_free_waiting_engines))
