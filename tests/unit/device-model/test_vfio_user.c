/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real client against the real server, in one process. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ut.h"
#include "vfio_user_rig.h"

#define VENDOR_AMD 0x1002

static void client_sees_the_function(void)
{
	struct rig r;
	struct gv_bus *bus;
	uint64_t bytes = 0;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	CU_ASSERT_EQUAL(gv_cfg_rd16(bus, 0), VENDOR_AMD);
	for (unsigned i = 0; i < GV_REGION_COUNT; i++) {
		uint64_t want = gv_dev_region_bytes(r.dev, GV_DEV_PF, (enum gv_region)i);
		int rc = gv_bus_region_bytes(bus, (enum gv_region)i, &bytes);

		CU_ASSERT_EQUAL(rc, want ? 0 : -ENOENT);
		CU_ASSERT(rc != 0 || bytes == want);
	}
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_CONFIG, 4096, &bytes, 1), -ERANGE);
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_CONFIG, UINT64_MAX, &bytes, 8), -ERANGE);
	CU_ASSERT_EQUAL(gv_bus_read(bus, (enum gv_region)99, 0, &bytes, 1), -ERANGE);
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	gv_bus_close(bus);
	rig_down(&r);
}

static void posted_writes_keep_their_order_with_reads(void)
{
	struct rig r;
	struct gv_bus *bus;
	uint8_t block[300000], back[300000];

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * 7 + i / 251);
	CU_ASSERT_EQUAL(gv_bus_write(bus, GV_REGION_VRAM, 12345, block, sizeof(block)), 0);
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_VRAM, 12345, back, sizeof(back)), 0);
	CU_ASSERT_EQUAL(memcmp(block, back, sizeof(block)), 0);
	/* The doorbell region takes writes too; what comes back is the device's business. */
	for (unsigned i = 0; i < 1000; i++)
		gv_doorbell64(bus, 8 * (i % 16), i);
	CU_ASSERT_EQUAL(gv_cfg_rd16(bus, 0), VENDOR_AMD);
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	gv_bus_close(bus);
	rig_down(&r);
}

static void mapped_memory_is_the_devices_memory(void)
{
	struct rig r;
	struct gv_bus *bus;
	uint32_t *vram = NULL, val = 0;
	void *p;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	CU_ASSERT_EQUAL_FATAL(gv_bus_map(bus, GV_REGION_VRAM, 0x10000, 8192, (void **)&vram), 0);
	vram[5] = 0xcafe1234;
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_VRAM, 0x10000 + 20, &val, 4), 0);
	CU_ASSERT_EQUAL(val, 0xcafe1234);
	CU_ASSERT_EQUAL(gv_bus_map(bus, GV_REGION_MMIO, 0, 4096, &p), -ENOTSUP);
	CU_ASSERT_EQUAL(gv_bus_map(bus, GV_REGION_VRAM, UINT64_MAX - 4095, 4096, &p), -ERANGE);
	gv_bus_close(bus);
	rig_down(&r);
}

static void device_reaches_dma_memory_until_it_is_freed(void)
{
	struct rig r;
	struct gv_bus *bus;
	struct gv_dma a, b;
	uint64_t n = 4096, old;
	uint32_t *p, val = 0;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(bus, 5000, &a), 0);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(bus, 3 << 20, &b), 0);
	CU_ASSERT_EQUAL(a.bytes, 8192);
	CU_ASSERT(a.iova + a.bytes <= b.iova || b.iova + b.bytes <= a.iova);
	((uint32_t *)a.cpu)[1024] = 0x5a5a;
	p = r.host.dma_ptr(r.host.arg, GV_DEV_PF, a.iova + 4096, &n, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT(n == 4096 && *p == 0x5a5a);
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, a.iova + 4096, &val, 4), 0);
	CU_ASSERT_EQUAL(val, 0x5a5a);
	val = 77;
	CU_ASSERT_EQUAL(r.host.dma_write(r.host.arg, GV_DEV_PF, b.iova + 8, &val, 4), 0);
	CU_ASSERT_EQUAL(((uint32_t *)b.cpu)[2], 77);
	/* Another function does not reach it. */
	n = 1;
	CU_ASSERT_PTR_NULL(r.host.dma_ptr(r.host.arg, GV_DEV_VF(0), a.iova, &n, false));
	old = a.iova;
	gv_dma_free(bus, &a);
	CU_ASSERT_PTR_NULL(r.host.dma_ptr(r.host.arg, GV_DEV_PF, old, &n, false));
	CU_ASSERT_EQUAL(r.host.dma_read(r.host.arg, GV_DEV_PF, old, &val, 4), -EFAULT);
	old = b.iova;
	gv_bus_close(bus); /* b goes with its bus */
	rig_nap_ms(100);
	CU_ASSERT_PTR_NULL(r.host.dma_ptr(r.host.arg, GV_DEV_PF, old, &n, false));
	rig_down(&r);
}

static void interrupts_arrive_and_stop_with_the_client(void)
{
	struct rig r;
	struct gv_bus *bus;
	int efd = -1, same = -1;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	CU_ASSERT_EQUAL(gv_bus_irq_enable(bus, 4000, &efd), -EINVAL);
	r.host.irq(r.host.arg, GV_DEV_PF, 0); /* nobody listens: nothing happens */
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(bus, 0, &efd), 0);
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(bus, 0, &same), 0);
	CU_ASSERT_EQUAL(efd, same);
	CU_ASSERT_EQUAL(gv_irq_wait(efd, gv_now_ns()), -ETIMEDOUT);
	r.host.irq(r.host.arg, GV_DEV_PF, 0);
	CU_ASSERT_EQUAL(gv_irq_wait(efd, gv_now_ns() + GV_S), 0);
	r.host.irq(r.host.arg, GV_DEV_PF, 1);
	r.host.irq(r.host.arg, GV_DEV_VF(0), 0);
	CU_ASSERT_EQUAL(gv_irq_wait(efd, gv_now_ns()), -ETIMEDOUT);
	gv_bus_close(bus);
	rig_nap_ms(100);
	r.host.irq(r.host.arg, GV_DEV_PF, 0);
	rig_down(&r);
}

static void second_client_is_refused_while_the_first_lives(void)
{
	struct rig r;
	struct gv_bus *first, *next = NULL;
	struct gv_vfus_stats st;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	first = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_EQUAL(rig_socket(&r, GV_DEV_PF), -1);
	CU_ASSERT_EQUAL(gv_cfg_rd16(first, 0), VENDOR_AMD);
	for (int i = 0; i < 50; i++) { /* at once after it has gone, every time */
		gv_doorbell64(first, 0, 1);
		gv_bus_close(first);
		next = rig_client(&r, GV_DEV_PF);
		CU_ASSERT_PTR_NOT_NULL_FATAL(next);
		first = next;
	}
	gv_vfus_get_stats(r.srv, GV_DEV_PF, &st);
	CU_ASSERT_EQUAL(st.clients, 51);
	gv_bus_close(first);
	rig_down(&r);
}

static void absent_function_has_no_client(void)
{
	struct rig r;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	CU_ASSERT_EQUAL(rig_socket(&r, GV_DEV_VF(0)), -1);
	CU_ASSERT_EQUAL(rig_socket(&r, 16), -1);
	rig_down(&r);
}

static void lost_server_reads_as_ones_and_says_so(void)
{
	struct rig r;
	struct gv_bus *bus;
	uint32_t val;
	struct gv_dma dma;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	rig_down(&r);
	CU_ASSERT_EQUAL(gv_rd32(bus, 0), UINT32_MAX);
	gv_wr32(bus, 0, 1);
	CU_ASSERT_EQUAL(gv_bus_status(bus), -ENODEV);
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_VRAM, 0, &val, 4), -ENODEV);
	CU_ASSERT_EQUAL(gv_dma_alloc(bus, 4096, &dma), -ENODEV);
	CU_ASSERT_EQUAL(gv_bus_reset(bus), -ENODEV);
	gv_bus_close(bus);
}

/* ---- sockets in a directory -------------------------------------------------- */

static char dir[] = "/tmp/gv-vfus-XXXXXX";

static bool there(const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600;
}

static struct gv_bus *open_socket(const char *name)
{
	char uri[128];
	struct gv_bus *bus = NULL;

	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/%s", dir, name);
	(void)gv_bus_open(uri, NULL, NULL, &bus, NULL);
	return bus;
}

static void sockets_follow_vf_enable(void)
{
	struct rig r, twin;
	struct gv_bus *pf, *vf, *vf1;
	uint32_t *mine = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, dir), 0);
	CU_ASSERT_EQUAL(rig_up(&twin, NULL, dir), -EBUSY);
	rig_down(&twin);
	CU_ASSERT(there("pf.sock") && !there("vf0.sock") && there("stats.sock"));
	pf = open_socket("pf.sock");
	CU_ASSERT_PTR_NOT_NULL_FATAL(pf);
	CU_ASSERT_PTR_NULL(open_socket("pf.sock"));
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 2, NULL), 0);
	CU_ASSERT(there("vf0.sock") && there("vf1.sock") && !there("vf2.sock"));
	vf = open_socket("vf0.sock");
	vf1 = open_socket("vf1.sock");
	CU_ASSERT_PTR_NOT_NULL_FATAL(vf);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vf1);
	if (gv_bus_map(vf1, GV_REGION_VRAM, 0, 4096, (void **)&mine) == 0)
		mine[0] = 1;
	CU_ASSERT_EQUAL(gv_bus_reset(vf), 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 0, NULL), 0);
	CU_ASSERT(!there("vf0.sock") && !there("vf1.sock"));
	(void)gv_rd32(vf, 0);
	CU_ASSERT_EQUAL(gv_bus_status(vf), -ENODEV);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(pf, 1, NULL), 0);
	gv_bus_close(vf1);
	gv_bus_close(vf);
	vf = open_socket("vf0.sock");
	CU_ASSERT_PTR_NOT_NULL(vf);
	gv_bus_close(vf);
	CU_ASSERT_EQUAL(gv_cfg_rd16(pf, 0), VENDOR_AMD);
	rig_down(&r);
	CU_ASSERT(!there("pf.sock") && !there("vf0.sock") && !there("stats.sock"));
	gv_bus_close(pf);
}

static uint64_t fd_inode(int fd)
{
	struct stat st = {0};

	(void)fstat(fd, &st);
	return st.st_ino;
}

/* Whoever holds a memfd can map all of it, so it must be nobody else's. */
static void descriptors_hold_one_functions_memory(void)
{
	struct rig r;
	struct gv_bus *pf;
	uint64_t ino[3] = {0}, bytes;

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	pf = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pf);
	CU_ASSERT_EQUAL_FATAL(gv_bus_enable_vfs(pf, 2, NULL), 0);
	for (unsigned region = 0; region <= GV_REGION_DOORBELL; region += GV_REGION_DOORBELL) {
		for (unsigned f = 0; f < 3; f++) {
			gv_auto_fd int fd = -1;

			ino[f] = 1000 + f;
			if (gv_dev_region_fd(r.dev, f, (enum gv_region)region, &fd, &bytes) == 0)
				ino[f] = fd_inode(fd);
		}
		CU_ASSERT(ino[0] != ino[1] && ino[1] != ino[2] && ino[0] != ino[2]);
	}
	gv_bus_close(pf);
	rig_down(&r);
}

static void *hammer(void *arg)
{
	struct gv_bus *bus = arg;

	for (unsigned i = 0; i < 3000; i++) {
		gv_wr32(bus, 0, i);
		if (gv_cfg_rd16(bus, 0) != VENDOR_AMD)
			return arg;
		gv_doorbell64(bus, 0, i);
		(void)gv_rd32(bus, 4);
	}
	return NULL;
}

static void threads_share_a_bus(void)
{
	struct rig r;
	struct gv_bus *bus;
	pthread_t t[3];

	CU_ASSERT_EQUAL_FATAL(rig_up(&r, NULL, NULL), 0);
	bus = rig_client(&r, GV_DEV_PF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	for (unsigned i = 0; i < GV_ARRAY_LEN(t); i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, hammer, bus), 0);
	for (unsigned i = 0; i < GV_ARRAY_LEN(t); i++) {
		void *bad = NULL;

		(void)pthread_join(t[i], &bad);
		CU_ASSERT_PTR_NULL(bad);
	}
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	gv_bus_close(bus);
	rig_down(&r);
}

UT_MAIN("vfio-user", UT(client_sees_the_function), UT(posted_writes_keep_their_order_with_reads),
        UT(mapped_memory_is_the_devices_memory), UT(device_reaches_dma_memory_until_it_is_freed),
        UT(interrupts_arrive_and_stop_with_the_client),
        UT(second_client_is_refused_while_the_first_lives), UT(absent_function_has_no_client),
        UT(lost_server_reads_as_ones_and_says_so), UT(sockets_follow_vf_enable),
        UT(descriptors_hold_one_functions_memory), UT(threads_share_a_bus))
