/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saved waves that a guest wrote. Byte 0 says what the rest is: bit 0: the context of a queue, else
 * one run; bit 1: as it is, else patches of a valid one: 2 bytes where, 4 bytes what. What is
 * taken runs for a moment. Nothing may crash, and the next valid state is taken.
 */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE    0x100000ull
#define RUN_NS  (200 * GV_US)
#define CONTEXT 1u
#define RAW     2u

static struct gv_dev *dev;
static struct gv_fn *pf;
static struct gv_queue *queue; /* of the PF: never active, so it is ours */
static uint8_t *valid_run, *valid_context;
static size_t run_bytes, context_bytes;

static const struct gv_cu_dispatch shape = {
        .pgm_va = CODE,
        .rsrc1 = 1,
        .rsrc2 = 2u << 1 | 1u << 15,
        .dim = {3, 1, 1},
        .num_thread = {100, 1, 1},
        .partial = {36, 0, 0},
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void make_grid(struct gv_grid *g)
{
	g->d = shape;
	gv_dispatch_set_memory(g, 0);
	g->groups = gv_dispatch_count_groups(&g->d);
	g->shared = (struct gv_cu_shared){0};
	g->max_parts = 1;
	g->begun = 1;
	must(gv_dispatch_begin_part(g, 0) == 0);
	g->part[0].state = GV_PART_PARKED;
	g->part[0].status = gv_cu_step(g->part[0].run, 100);
	must(g->part[0].status == GV_CU_YIELD);
}

static void make_device(void)
{
	static const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1, .engine_threads = 1};
	/* s_add_u32 s2, s2, 1; s_barrier; s_branch -3; */
	static const uint32_t code[] = {0x80028102, 0xbf8a0000, 0xbf82fffd};

	must(gv_dev_new(&cfg, NULL, &dev, NULL) == 0);
	must(gv_dev_write(dev, GV_DEV_PF, GV_REGION_VRAM, CODE, code, sizeof(code)) == 0);
	pf = &dev->fn[GV_DEV_PF];
	queue = &pf->cp->queue[0];
	queue->stream[0] = (struct gv_stream){.mask = 1023, .end = 100, .pos = 50};
	gv_fn_mem_enter(pf);
	queue->grid = gv_dispatch_get_grid(queue, 0, 1);
	must(queue->grid != NULL);
	make_grid(queue->grid);
	run_bytes = gv_cu_save_size(queue->grid->part[0].run);
	context_bytes = gv_context_size(queue);
	valid_run = malloc(run_bytes);
	valid_context = malloc(context_bytes);
	must(valid_run && valid_context);
	must(gv_cu_save(queue->grid->part[0].run, valid_run, run_bytes) == 0);
	must(gv_context_pack(queue, valid_context, context_bytes) == 0);
	gv_dispatch_kill(queue);
	gv_fn_mem_leave(pf);
}

static void try_context(const uint8_t *buf, size_t bytes)
{
	uint64_t end;
	int rc;

	gv_fn_mem_enter(pf);
	rc = gv_context_unpack(queue, buf, bytes);
	gv_fn_mem_leave(pf);
	end = gv_now_ns() + RUN_NS;
	while (!rc && queue->grid && !atomic_load(&queue->grid->head.over) && gv_now_ns() < end)
		;
	gv_fn_mem_enter(pf);
	gv_dispatch_kill(queue);
	gv_fn_mem_leave(pf);
	queue->depth = 0;
}

static void try_run(const uint8_t *buf, size_t bytes)
{
	struct gv_grid *g = gv_dispatch_get_grid(queue, 0, 1);

	must(g != NULL);
	gv_fn_mem_enter(pf);
	make_grid(g);
	if (gv_cu_restore(g->part[0].run, buf, bytes) == 0)
		for (unsigned n = 0; n < 20; n++)
			if (gv_cu_step(g->part[0].run, 100) != GV_CU_YIELD)
				break;
	gv_dispatch_end_parts(g);
	gv_fn_mem_leave(pf);
}

static void patch(uint8_t *buf, size_t bytes, const uint8_t *data, size_t size)
{
	for (; size >= 6; data += 6, size -= 6) {
		size_t at = (size_t)(data[0] | data[1] << 8) % (bytes / 4) * 4;

		memcpy(buf + at, data + 2, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gv_auto_free uint8_t *buf = NULL;
	bool context, raw;
	size_t bytes;

	if (!dev)
		make_device();
	if (size < 1)
		return 0;
	context = data[0] & CONTEXT;
	raw = data[0] & RAW;
	bytes = raw ? size - 1 : context ? context_bytes : run_bytes;
	buf = malloc(bytes + 1);
	must(buf != NULL);
	memcpy(buf, raw ? data + 1 : context ? valid_context : valid_run, bytes);
	if (!raw)
		patch(buf, bytes, data + 1, size - 1);
	if (context)
		try_context(buf, bytes);
	else
		try_run(buf, bytes);
	gv_fn_mem_enter(pf);
	must(gv_context_unpack(queue, valid_context, context_bytes) == 0);
	gv_dispatch_kill(queue);
	gv_fn_mem_leave(pf);
	queue->depth = 0;
	return 0;
}
