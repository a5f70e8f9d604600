/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F9: a VF's engines are emptied into its context save area and filled from it again. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gv/layouts.h>

#include "rig.h"

#define QUEUES   8u
#define N        1024u /* of the matrices: minutes of work */
#define SAMPLES  60
#define SLICE_NS (6 * GV_MS)
#define PATIENCE (2 * GV_S)

struct job {
	struct gv_bus *pf;
	struct gv_guest *guest;
	struct gv_err *err;
	struct gv_local_gpu *local;
};

/* One command of the GFX scheduler, to its end. */
static int command(struct job *j, unsigned cmd, unsigned next)
{
	uint64_t end = gv_now_ns() + PATIENCE;
	uint32_t status;

	gv_wr32(j->pf, RLC_GPU_IOV_CFG_REG1__BYTE,
	        GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_TYPE, cmd) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, FCN_ID, GV_GIOV_FCN_VF(0)) |
	                GV_PUT(RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID, next));
	while (GV_GET(gv_rd32(j->pf, RLC_GPU_IOV_CFG_REG1__BYTE), RLC_GPU_IOV_CFG_REG1,
	              CMD_EXECUTE)) {
		if (gv_now_ns() > end)
			return gv_fail(j->err, -ETIMEDOUT, "GPUIOV command %u does not end", cmd);
		(void)sched_yield(); /* an engine may have to get off this CPU first */
	}
	status = gv_rd32(j->pf, RLC_GPU_IOV_CFG_REG2__BYTE);
	return status ? gv_fail(j->err, -EIO, "GPUIOV command %u: status %u, reason 0x%x", cmd,
	                        status, gv_rd32(j->pf, GVX_WORLD_ERROR__BYTE))
	              : 0;
}

static int in_one(void *arg)
{
	return command(arg, GV_GIOV_CONTEXT_SWITCH, GV_GIOV_FCN_VF(0));
}

static int in_four(void *arg)
{
	static const unsigned cmds[] = {GV_GIOV_IDLE, GV_GIOV_SAVE, GV_GIOV_LOAD, GV_GIOV_RUN};
	int rc = 0;

	for (size_t k = 0; k < GV_ARRAY_LEN(cmds) && !rc; k++)
		rc = command(arg, cmds[k], 0);
	return rc;
}

/* Its waves run. */
static int let_run(void *arg)
{
	(void)arg;
	(void)usleep(1000);
	return 0;
}

static int launch_all(struct job *j, struct gv_guest_program *program,
                      const struct gv_co_kernel *kernel, struct gv_guest_buf *buf)
{
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} __attribute__((packed))
	arg = {gv_guest_buf_va(buf), gv_guest_buf_va(buf), gv_guest_buf_va(buf), N};
	const struct gv_guest_launch launch = {
	        .grid = {N, N}, .block = {64, 1}, .kernarg = &arg, .kernarg_bytes = sizeof(arg)};
	uint64_t seq;
	int rc = 0;

	for (unsigned q = 0; q < QUEUES && !rc; q++)
		rc = gv_guest_launch(gv_guest_compute(j->guest, q), program, kernel, &launch, &seq,
		                     j->err);
	return rc;
}

/* What a save writes of it now. */
static int image_kib(struct job *j, uint32_t *kib)
{
	int rc = command(j, GV_GIOV_IDLE, 0);

	if (!rc)
		rc = command(j, GV_GIOV_SAVE, 0);
	*kib = GV_GET(gv_rd32(j->pf, GVX_VF0_WORLD__BYTE), GVX_VF0_WORLD, SAVED_KIB);
	if (!rc)
		rc = command(j, GV_GIOV_LOAD, 0);
	return rc ? rc : command(j, GV_GIOV_RUN, 0);
}

struct measuring {
	struct bench_probe *p;
	size_t count;
	int rc;
};

static void *measure(void *arg)
{
	struct measuring *m = arg;

	gv_thread_be_prompt(GV_NICE_PROMPT);
	m->rc = bench_measure(m->p, m->count);
	return NULL;
}

/* On a thread like the one that drives the PF in gpuvisord, and no other. */
static int measure_as_gpuvisord(struct bench_probe *p, size_t count)
{
	struct measuring m = {.p = p, .count = count};
	pthread_t thread;
	int rc = -pthread_create(&thread, NULL, measure, &m);

	if (rc)
		return rc;
	(void)pthread_join(thread, NULL);
	return m.rc;
}

static int report(struct bench *b, struct job *j)
{
	struct bench_probe p[] = {
	        {.run = in_one, .before = let_run, .arg = j, .samples = SAMPLES},
	        {.run = in_four, .before = let_run, .arg = j, .samples = SAMPLES},
	};
	struct bench_row row = {.figure = "F9", .unit = "ns"};
	int rc = measure_as_gpuvisord(p, GV_ARRAY_LEN(p));
	uint32_t kib = 0;

	if (!rc)
		rc = image_kib(j, &kib);
	if (rc)
		return rc;
	for (unsigned k = 0; k < GV_ARRAY_LEN(p); k++) {
		row.what = k ? "IDLE, SAVE, LOAD, RUN of a VF, p50"
		             : "save and load of a VF, one CONTEXT_SWITCH, p50";
		row.ours = p[k].ns;
		(void)snprintf(row.conditions, sizeof(row.conditions),
		               "in process, all CPUs; %u queues with waves in flight, an image of "
		               "%u KiB; %.1f %% of a slice of 6 ms",
		               QUEUES, kib, 100.0 * p[k].ns / (double)SLICE_NS);
		bench_add(b, &row);
	}
	return 0;
}

static int with_program(struct bench *b, struct job *j, struct gv_co *co)
{
	struct gv_guest_program *program = NULL;
	const struct gv_co_kernel *kernel = NULL;
	struct gv_guest_buf *buf = NULL;
	int rc = gv_co_find(co, "matmul", &kernel, j->err);

	if (!rc)
		rc = gv_guest_program_new(j->guest, co, &program, j->err);
	if (!rc)
		rc = gv_guest_buf_new(j->guest, NULL, GV_GUEST_VRAM, 4ull * N * N, &buf, j->err);
	if (!rc)
		rc = launch_all(j, program, kernel, buf);
	if (!rc)
		rc = report(b, j);
	if (!rc) /* what runs would run on for minutes */
		rc = gv_guest_recover(j->guest, j->err);
	(void)gv_guest_buf_free(buf);
	(void)gv_guest_program_free(program);
	return rc && !j->err->code ? gv_fail(j->err, rc, "measuring: %s", strerror(-rc)) : rc;
}

int bench_world(struct bench *b, struct gv_err *err)
{
	const struct gv_guest_cfg cfg = {.compute_queues = QUEUES};
	struct job j = {.err = err};
	struct gv_co *co = NULL;
	int rc = gv_local_gpu_new(&j.local, err);

	if (!rc)
		rc = gv_local_gpu_reopen(j.local, 0, &cfg, err);
	if (!rc)
		rc = gv_co_open(GV_SPEED_OBJECT, &co, err);
	if (!rc) {
		j.pf = gv_local_gpu_pf_bus(j.local);
		j.guest = gv_local_gpu_guest(j.local);
		rc = with_program(b, &j, co);
	}
	(void)gv_co_free(co);
	(void)gv_local_gpu_free(j.local);
	return rc;
}
