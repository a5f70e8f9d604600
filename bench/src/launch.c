/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F6: launches of a 64-item kernel through a VF's compute ring. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define PIPELINED 256
#define ITEMS     64

struct job {
	struct gv_guest_queue *queue;
	struct gv_guest_program *program;
	const struct gv_co_kernel *kernel;
	struct gv_guest_launch launch;
	struct gv_err err;
};

static void launch(struct job *j, uint64_t *seq)
{
	if (j->err.code == 0)
		(void)gv_guest_launch(j->queue, j->program, j->kernel, &j->launch, seq, &j->err);
}

static void one(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;

	launch(j, &seq);
	if (j->err.code == 0)
		(void)bench_rig_wait(j->queue, seq, &j->err);
}

static void many(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;

	for (int i = 0; i < PIPELINED; i++)
		launch(j, &seq);
	if (j->err.code == 0)
		(void)bench_rig_wait(j->queue, seq, &j->err);
}

static void report(struct bench *b, struct job *j)
{
	struct bench_row latency = {.figure = "F6",
	                            .unit = "ns",
	                            .smaller_is_better = true,
	                            .what = "launch of 64 items until its fence, vfio-user, p50",
	                            .conditions =
	                                    "vector_add, guest and GPU processes on all cores"};
	struct bench_row rate = {.figure = "F6",
	                         .unit = "1/s",
	                         .what = "launches of 64 items, 256 queued, vfio-user",
	                         .conditions = "vector_add, guest and GPU processes on all cores"};

	latency.ours = bench_latency(one, j, 500);
	rate.ours = PIPELINED * 1e9 / bench_best(many, j);
	if (j->err.code == 0) {
		bench_add(b, &latency);
		bench_add(b, &rate);
	}
}

static int with_kernel(struct bench *b, struct bench_rig *rig, struct gv_co *co, struct gv_err *err)
{
	struct gv_guest_buf *buf[3] = {NULL};
	struct job j = {.queue = gv_guest_compute(rig->guest, 0)};
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} __attribute__((packed)) arg = {.n = ITEMS};
	int rc = gv_co_find(co, "vector_add", &j.kernel, err);

	if (rc == 0)
		rc = gv_guest_program_new(rig->guest, co, &j.program, err);
	for (int i = 0; rc == 0 && i < 3; i++)
		rc = gv_guest_buf_new(rig->guest, NULL, GV_GUEST_VRAM, 4096, &buf[i], err);
	if (rc == 0) {
		arg.a = gv_guest_buf_va(buf[0]);
		arg.b = gv_guest_buf_va(buf[1]);
		arg.c = gv_guest_buf_va(buf[2]);
		j.launch = (struct gv_guest_launch){.grid = {ITEMS},
		                                    .block = {ITEMS},
		                                    .kernarg = &arg,
		                                    .kernarg_bytes = sizeof(arg)};
		report(b, &j);
		rc = j.err.code ? gv_fail(err, j.err.code, "%s", j.err.text) : 0;
	}
	for (int i = 0; i < 3; i++)
		buf[i] = gv_guest_buf_free(buf[i]);
	j.program = gv_guest_program_free(j.program);
	return rc;
}

int bench_launch(struct bench *b, struct gv_err *err)
{
	struct bench_rig rig;
	struct gv_co *co = NULL;
	int rc = gv_co_open(GV_KERNEL_DIR "/vector_add.co", &co, err);

	if (rc == 0)
		rc = bench_rig_start(&rig, b, err);
	if (rc == 0) {
		rc = with_kernel(b, &rig, co, err);
		bench_rig_stop(&rig);
	}
	co = gv_co_free(co);
	return rc;
}
