/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus inside one process. */
#include <fcntl.h>

#include "core_rig.h"
#include "ut.h"

static void a_bus_needs_a_device_without_a_host_and_a_function(void)
{
	struct gv_dev_cfg cfg = core_cfg();
	struct gv_dev_host host = {0};
	struct gv_dev *dev = NULL;
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};

	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, &host, &dev, NULL), 0);
	CU_ASSERT_EQUAL(gv_dev_bus(dev, 0, &bus, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "front end"));
	dev = gv_dev_free(dev);
	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &dev, NULL), 0);
	CU_ASSERT_EQUAL(gv_dev_bus(dev, 1 + CORE_VFS, &bus, &err), -ENODEV);
	CU_ASSERT_EQUAL(gv_dev_bus(dev, UINT32_MAX, &bus, NULL), -ENODEV);
	CU_ASSERT_PTR_NULL(bus);
	dev = gv_dev_free(dev);
}

static void names_and_status_follow_the_function(void)
{
	struct core c;

	core_open(&c);
	CU_ASSERT_STRING_EQUAL(c.bus[0]->name, "inproc:PF");
	CU_ASSERT_STRING_EQUAL(c.bus[3]->name, "inproc:VF2");
	CU_ASSERT_EQUAL(gv_bus_status(c.bus[3]), 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], 2, NULL), 0);
	CU_ASSERT_EQUAL(gv_bus_status(c.bus[2]), 0);
	CU_ASSERT_EQUAL(gv_bus_status(c.bus[3]), -ENODEV);
	CU_ASSERT_EQUAL(gv_rd32(c.bus[3], RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_bus_reset(c.bus[3]), -ENODEV);
	CU_ASSERT_EQUAL(gv_wait32(c.bus[3], 0, 1, 1, GV_S, NULL), -ENODEV);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[1], 1, NULL), -ENOTSUP); /* no PF */
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], CORE_VFS + 1, NULL), -ERANGE);
	core_close(&c);
}

static void dma_memory_belongs_to_one_function(void)
{
	struct core c;
	struct gv_dma a = {0}, b = {0};
	uint32_t val = 0x1234, got = 0;

	core_open(&c);
	CU_ASSERT_EQUAL(gv_dma_alloc(c.bus[1], 0, &a), -EINVAL);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(c.bus[1], 5000, &a), 0);
	CU_ASSERT_EQUAL(a.bytes, 8192);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(c.bus[1], 4096, &b), 0);
	CU_ASSERT(b.iova >= a.iova + a.bytes + 4096); /* running off one end hits nothing */
	gv_fn_mem_enter(core_fn(&c, 1));
	CU_ASSERT_EQUAL(gv_mem_bus_write(core_fn(&c, 1), a.iova + 8188, &val, 4), 0);
	CU_ASSERT_EQUAL(gv_mem_bus_read(core_fn(&c, 1), a.iova + 8188, &got, 4), 0);
	CU_ASSERT_EQUAL(got, val);
	CU_ASSERT_EQUAL(((uint32_t *)a.cpu)[2047], val);
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_write(core_fn(&c, 1), a.iova + 8190, &val, 4), 0);
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_write(core_fn(&c, 1), a.iova - 1, &val, 4), 0);
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_write(core_fn(&c, 1), UINT64_MAX - 1, &val, 4), 0);
	gv_fn_mem_leave(core_fn(&c, 1));
	/* the same address is nothing to another function */
	gv_fn_mem_enter(core_fn(&c, 2));
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_read(core_fn(&c, 2), a.iova, &got, 4), 0);
	gv_fn_mem_leave(core_fn(&c, 2));
	gv_dma_free(c.bus[1], &a);
	CU_ASSERT_PTR_NULL(a.cpu);
	gv_dma_free(c.bus[1], &a);
	gv_dma_free(c.bus[1], NULL);
	gv_fn_mem_enter(core_fn(&c, 1));
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_read(core_fn(&c, 1), b.iova - 4096 - 8192, &got, 4), 0);
	CU_ASSERT_EQUAL(gv_mem_bus_read(core_fn(&c, 1), b.iova, &got, 4), 0);
	gv_fn_mem_leave(core_fn(&c, 1));
	core_close(&c); /* frees what is left */
}

/* A driver that frees memory while the interrupt handler writes into it. */
static void memory_is_not_touched_once_it_is_freed(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 1);
	for (unsigned round = 0; round < 50; round++) {
		core_ih_start(&c, 1, core_ih_cntl(CORE_RING_LOG));
		for (unsigned k = 0; k < 100; k++) {
			struct gv_ih_iv iv =
			        gv_ih_iv(GV_IH_CLIENT_GRBM_CP, GV_IH_SRC_CP_EOP, 0, 0, GV_HUB_GC);

			gv_ih_post(core_fn(&c, 1), &iv);
		}
		gv_dma_free(c.bus[1], &c.ring[1]);
	}
	core_close(&c);
}

struct freer {
	struct core *c;
	_Atomic bool done;
};

static void *free_ring(void *arg)
{
	struct freer *f = arg;

	gv_dma_free(f->c->bus[1], &f->c->ring[1]);
	atomic_store(&f->done, true);
	return NULL;
}

static void freeing_memory_waits_for_engines_that_use_it(void)
{
	struct timespec nap = {.tv_nsec = 20000000};
	struct freer f = {0};
	struct core c;
	pthread_t thread;
	uint64_t generation;

	core_open(&c);
	f.c = &c;
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(c.bus[1], 4096, &c.ring[1]), 0);
	gv_fn_mem_enter(core_fn(&c, 1)); /* an engine in the middle of a slice */
	generation = atomic_load(&core_fn(&c, 1)->mem_generation);
	core_must(pthread_create(&thread, NULL, free_ring, &f) == 0, "thread");
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	CU_ASSERT(!atomic_load(&f.done));
	gv_fn_mem_leave(core_fn(&c, 1));
	(void)pthread_join(thread, NULL);
	/* and translations that it kept are void */
	CU_ASSERT(atomic_load(&core_fn(&c, 1)->mem_generation) > generation);
	core_close(&c);
}

static void interrupts_are_eventfds(void)
{
	struct core c;
	int fd = -1, again = -1;

	core_open(&c);
	CU_ASSERT_EQUAL(gv_bus_irq_enable(c.bus[1], GV_MSIX_VECTORS, &fd), -EINVAL);
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[1], 1, &fd), 0);
	CU_ASSERT_EQUAL_FATAL(gv_bus_irq_enable(c.bus[1], 1, &again), 0);
	CU_ASSERT_EQUAL(fd, again);
	CU_ASSERT(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	gv_pci_irq(core_fn(&c, 1), 1);
	gv_pci_irq(core_fn(&c, 1), 0); /* nobody listens: no harm */
	CU_ASSERT_EQUAL(gv_irq_wait(fd, gv_now_ns() + GV_S), 0);
	CU_ASSERT_EQUAL(gv_irq_wait(fd, gv_now_ns()), -ETIMEDOUT);
	core_close(&c);
}

static void regions_map_or_say_that_they_do_not(void)
{
	struct core c;
	uint64_t bytes = 0, val = 0;
	void *cpu = NULL;
	uint8_t *page;

	core_open(&c);
	CU_ASSERT_EQUAL(gv_bus_region_bytes(c.bus[0], GV_REGION_DOORBELL, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, GV_BAR2_BYTES);
	CU_ASSERT_EQUAL(gv_bus_region_bytes(c.bus[0], (enum gv_region)3, &bytes), -ENOENT);
	CU_ASSERT_EQUAL(gv_bus_map(c.bus[0], GV_REGION_MMIO, 0, 4096, &cpu), -ENOTSUP);
	CU_ASSERT_EQUAL(gv_bus_map(c.bus[0], GV_REGION_COUNT, 0, 4096, &cpu), -ENOENT);
	CU_ASSERT_EQUAL_FATAL(gv_bus_map(c.bus[0], GV_REGION_DOORBELL, 4096, 4096, &cpu), 0);
	page = cpu;
	val = 77;
	CU_ASSERT_EQUAL(gv_bus_write(c.bus[0], GV_REGION_DOORBELL, 4096, &val, 8), 0);
	CU_ASSERT_EQUAL(page[0], 77);
	CU_ASSERT_EQUAL(gv_bus_map(c.bus[0], GV_REGION_DOORBELL, GV_BAR2_BYTES, 1, &cpu), -ERANGE);
	CU_ASSERT_EQUAL(gv_bus_map(c.bus[0], GV_REGION_DOORBELL, UINT64_MAX, 2, &cpu), -ERANGE);
	core_close(&c);
}

static void closing_a_bus_resets_the_function(void)
{
	struct core c;
	struct gv_dma d = {0};
	uint32_t got;

	core_open(&c);
	core_gates(&c, 1);
	core_wr(&c, 1, INTERRUPT_CNTL2__BYTE, 5);
	CU_ASSERT_EQUAL_FATAL(gv_dma_alloc(c.bus[1], 4096, &d), 0);
	c.bus[1] = gv_bus_close(c.bus[1]);
	CU_ASSERT_PTR_NULL(c.bus[1]);
	CU_ASSERT_EQUAL(core_rd(&c, 0, GVX_VF_REGWR_EN__BYTE), 0);
	gv_fn_mem_enter(core_fn(&c, 1));
	CU_ASSERT_NOT_EQUAL(gv_mem_bus_read(core_fn(&c, 1), d.iova, &got, 4), 0);
	gv_fn_mem_leave(core_fn(&c, 1));
	CU_ASSERT_EQUAL_FATAL(gv_dev_bus(c.dev, 1, &c.bus[1], NULL), 0);
	CU_ASSERT_EQUAL(core_rd(&c, 1, INTERRUPT_CNTL2__BYTE), 0);
	CU_ASSERT_PTR_NULL(gv_bus_close(NULL));
	core_close(&c);
}

UT_MAIN("inproc", UT(a_bus_needs_a_device_without_a_host_and_a_function),
        UT(names_and_status_follow_the_function), UT(dma_memory_belongs_to_one_function),
        UT(memory_is_not_touched_once_it_is_freed),
        UT(freeing_memory_waits_for_engines_that_use_it), UT(interrupts_are_eventfds),
        UT(regions_map_or_say_that_they_do_not), UT(closing_a_bus_resets_the_function))
