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
	struct gv_err err;
};

static void by_sdma(void *arg)
{
	struct copy *c = arg;
	struct gv_guest_queue *q = gv_guest_sdma(c->guest, 0);
	uint64_t seq;

	if (c->err.code == 0 &&
	    gv_guest_sdma_copy(q, gv_guest_default_vm(c->guest), gv_guest_buf_va(c->dst),
	                       gv_guest_buf_va(c->src), c->bytes, &seq, &c->err) == 0)
		(void)bench_rig_wait(q, seq, &c->err);
}

struct raw_copy {
	uint8_t *src, *dst;
	uint64_t bytes;
};

static void by_memcpy(void *arg)
{
	struct raw_copy *r = arg;

	memcpy(r->dst, r->src, r->bytes);
	__asm__ volatile("" ::: "memory");
}

/* Shared memory like the device's: memcpy between private huge pages would be another limit. */
static double memcpy_gbps(uint64_t bytes)
{
	uint8_t *m =
	        mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct raw_copy r = {.src = m, .dst = m + bytes, .bytes = bytes};
	double gbps;

	if (m == MAP_FAILED)
		return 0;
	memset(m, 1, 2 * bytes);
	gbps = (double)bytes / bench_best(by_memcpy, &r);
	(void)munmap(m, 2 * bytes);
	return gbps;
}

static int one_size(struct bench *b, struct gv_guest *guest, uint64_t bytes, struct gv_err *err)
{
	struct bench_row row = {
	        .figure = "F8", .unit = "GB/s", .what = "SDMA copy in VRAM, 64 KiB"};
	struct copy c = {.guest = guest, .bytes = bytes};
	int rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, bytes, &c.src, err);

	if (rc == 0)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, bytes, &c.dst, err);
	if (rc == 0) {
		by_sdma(&c); /* first touch is not the copy's */
		row.what = bytes >= 256 * GV_MIB  ? "SDMA copy in VRAM, 256 MiB"
		           : bytes >= 16 * GV_MIB ? "SDMA copy in VRAM, 16 MiB"
		                                  : "SDMA copy in VRAM, 64 KiB";
		row.limit = memcpy_gbps(bytes);
		row.ours = (double)bytes / bench_best(by_sdma, &c);
		(void)snprintf(
		        row.conditions, sizeof(row.conditions),
		        "submit to fence, over vfio-user; limit: one-thread memcpy of the same "
		        "size in shared memory");
		rc = c.err.code ? gv_fail(err, c.err.code, "%s", c.err.text) : 0;
		if (rc == 0)
			bench_add(b, &row);
	}
	c.dst = gv_guest_buf_free(c.dst);
	c.src = gv_guest_buf_free(c.src);
	return rc;
}

int bench_sdma(struct bench *b, struct gv_err *err)
{
	struct bench_rig rig;
	int rc = bench_rig_start(&rig, b, err);

	if (rc)
		return rc;
	rc = one_size(b, rig.guest, 64 * GV_KIB, err);
	if (rc == 0)
		rc = one_size(b, rig.guest, 16 * GV_MIB, err);
	if (rc == 0)
		rc = one_size(b, rig.guest, 256 * GV_MIB, err);
	bench_rig_stop(&rig);
	return rc;
}
