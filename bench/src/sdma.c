/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F8: SDMA linear copy through a VF's page tables, against memcpy of the same size. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "rig.h"

struct copy {
	struct gv_guest *guest;
	struct gv_guest_buf *src, *dst;
	uint64_t bytes;
	struct gv_err *err;
};

static int by_sdma(void *arg)
{
	struct copy *c = arg;
	struct gv_guest_queue *q = gv_guest_sdma(c->guest, 0);
	uint64_t seq;
	int rc = gv_guest_sdma_copy(q, gv_guest_default_vm(c->guest), gv_guest_buf_va(c->dst),
	                            gv_guest_buf_va(c->src), c->bytes, &seq, c->err);

	return rc ? rc : bench_rig_wait(q, seq, c->err);
}

/* Several queued behind each other: what the engine does when submission is not in the way. */
#define QUEUED 64

static int by_sdma_queued(void *arg)
{
	struct copy *c = arg;
	struct gv_guest_queue *q = gv_guest_sdma(c->guest, 0);
	uint64_t seq = 0;
	int rc = 0;

	for (int i = 0; i < QUEUED && !rc; i++)
		rc = gv_guest_sdma_copy(q, gv_guest_default_vm(c->guest), gv_guest_buf_va(c->dst),
		                        gv_guest_buf_va(c->src), c->bytes, &seq, c->err);
	return rc ? rc : bench_rig_wait(q, seq, c->err);
}

struct raw_copy {
	uint8_t *src, *dst;
	uint64_t bytes;
};

static int by_memcpy(void *arg)
{
	struct raw_copy *r = arg;

	memcpy(r->dst, r->src, r->bytes);
	__asm__ volatile("" ::: "memory");
	return 0;
}

/* The copies and memcpy in turns. Shared memory like the device's: memcpy between private huge
 * pages would be another limit. */
static int measure(struct bench *b, struct copy *c, const char *what, const char *queued)
{
	uint8_t *m =
	        mmap(NULL, 2 * c->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct raw_copy raw = {.src = m, .dst = m + c->bytes, .bytes = c->bytes};
	unsigned samples = c->bytes < GV_MIB ? 100 : c->bytes < 32 * GV_MIB ? 5 : 1;
	struct bench_probe p[] = {
	        {.run = by_memcpy, .arg = &raw, .samples = samples, .rate = true},
	        {.run = by_sdma, .arg = c, .samples = samples, .rate = true},
	        {.run = by_sdma_queued, .arg = c, .samples = 3, .rate = true},
	};
	struct bench_row row = {.figure = "F8", .what = what, .unit = "GB/s"};
	int rc;

	if (m == MAP_FAILED)
		return -ENOMEM;
	memset(m, 1, 2 * c->bytes);
	rc = by_sdma(c); /* first touch is not the copy's */
	if (!rc)
		rc = bench_measure(p, queued ? 3 : 2);
	(void)munmap(m, 2 * c->bytes);
	if (rc)
		return rc;
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "VF0 over vfio-user, submit to fence; limit: one-thread memcpy of the "
	               "same size in shared memory");
	row.limit = (double)c->bytes / p[0].ns;
	row.ours = (double)c->bytes / p[1].ns;
	bench_add(b, &row);
	if (queued) {
		row.what = queued;
		row.ours = QUEUED * (double)c->bytes / p[2].ns;
		bench_add(b, &row);
	}
	return 0;
}

static int one_size(struct bench *b, struct gv_guest *guest, uint64_t bytes, const char *what,
                    const char *queued, struct gv_err *err)
{
	struct copy c = {.guest = guest, .bytes = bytes, .err = err};
	int rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, bytes, &c.src, err);

	if (rc == 0)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, bytes, &c.dst, err);
	if (rc == 0)
		rc = measure(b, &c, what, queued);
	c.dst = gv_guest_buf_free(c.dst);
	c.src = gv_guest_buf_free(c.src);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}

int bench_sdma(struct bench *b, struct gv_err *err)
{
	struct bench_stack *stack;
	int rc = bench_stack_get(b, -1, &stack, err);

	if (rc == 0)
		rc = one_size(b, stack->guest, 64 * GV_KIB, "SDMA copy in VRAM, 64 KiB",
		              "SDMA copy in VRAM, 64 KiB, 64 queued", err);
	if (rc == 0)
		rc = one_size(b, stack->guest, 16 * GV_MIB, "SDMA copy in VRAM, 16 MiB", NULL, err);
	if (rc == 0)
		rc = one_size(b, stack->guest, 256 * GV_MIB, "SDMA copy in VRAM, 256 MiB", NULL,
		              err);
	return rc;
}
