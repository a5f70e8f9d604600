/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F6: launches of a 64-item kernel through a VF's compute ring. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define PIPELINED 1000
#define ITEMS     64
#define SAMPLES   500

struct job {
	struct gv_guest_queue *queue;
	struct gv_guest_program *program;
	const struct gv_co_kernel *kernel;
	struct gv_guest_launch launch;
	struct gv_err *err;
};

static int launch(struct job *j, uint64_t *seq)
{
	return gv_guest_launch(j->queue, j->program, j->kernel, &j->launch, seq, j->err);
}

static int one(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;
	int rc = launch(j, &seq);

	return rc ? rc : bench_rig_wait(j->queue, seq, j->err);
}

static int many(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;
	int rc = 0;

	for (int i = 0; i < PIPELINED && !rc; i++)
		rc = launch(j, &seq);
	return rc ? rc : bench_rig_wait(j->queue, seq, j->err);
}

static int report(struct bench *b, struct job *j, const char *where)
{
	bool socket = strcmp(where, "vfio-user") == 0;
	struct bench_probe p[] = {{.run = one, .arg = j, .samples = SAMPLES},
	                          {.run = many, .arg = j, .samples = 5, .rate = true}};
	struct bench_row row = {.figure = "F6", .unit = "ns"};
	int rc = bench_measure(p, GV_ARRAY_LEN(p));

	if (rc)
		return rc;
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "vector_add of examples/kernels; all CPUs; %s",
	               socket ? "guest and GPU are processes" : "guest and GPU in one process");
	row.what = socket ? "launch of 64 items until its fence, vfio-user, p50"
	                  : "launch of 64 items until its fence, in process, p50";
	row.ours = p[0].ns;
	bench_add(b, &row);
	row.what = socket ? "launches of 64 items, 1000 queued, vfio-user"
	                  : "launches of 64 items, 1000 queued, in process";
	row.unit = "1/s";
	row.ours = PIPELINED * 1e9 / p[1].ns;
	bench_add(b, &row);
	return 0;
}

static int with_kernel(struct bench *b, struct gv_guest *guest, struct gv_co *co, const char *where,
                       struct gv_err *err)
{
	struct gv_guest_buf *buf[3] = {NULL};
	struct job j = {.queue = gv_guest_compute(guest, 0), .err = err};
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} __attribute__((packed)) arg = {.n = ITEMS};
	int rc = gv_co_find(co, "vector_add", &j.kernel, err);

	if (rc == 0)
		rc = gv_guest_program_new(guest, co, &j.program, err);
	for (int i = 0; rc == 0 && i < 3; i++)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, 4096, &buf[i], err);
	if (rc == 0) {
		arg.a = gv_guest_buf_va(buf[0]);
		arg.b = gv_guest_buf_va(buf[1]);
		arg.c = gv_guest_buf_va(buf[2]);
		j.launch = (struct gv_guest_launch){.grid = {ITEMS},
		                                    .block = {ITEMS},
		                                    .kernarg = &arg,
		                                    .kernarg_bytes = sizeof(arg)};
		rc = report(b, &j, where);
	}
	for (int i = 0; i < 3; i++)
		buf[i] = gv_guest_buf_free(buf[i]);
	j.program = gv_guest_program_free(j.program);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}

static int measure(struct bench *b, struct gv_guest *guest, struct gv_bus *bus, const char *where,
                   struct gv_err *err)
{
	(void)bus;
	struct gv_co *co = NULL;
	int rc = gv_co_open(GV_KERNEL_DIR "/vector_add.co", &co, err);

	if (rc == 0)
		rc = with_kernel(b, guest, co, where, err);
	co = gv_co_free(co);
	return rc;
}

int bench_launch(struct bench *b, struct gv_err *err)
{
	return bench_both(b, false, measure, err);
}
