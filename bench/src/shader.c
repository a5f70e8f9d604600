/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F5: how fast shaders run: the kernels of bench/kernels/speed.cl through a VF's compute queue. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define MATRIX      1024u
#define FLOATS      (16u << 20) /* of a vector; a matrix is smaller */
#define ROUNDS      3
#define SHARED_ROWS 256u /* of the result, where two VFs run */

/* A kernel with its buffers on one VF. */
struct job {
	struct gv_guest *guest;
	struct gv_guest_queue *queue;
	struct gv_guest_program *program;
	const struct gv_co_kernel *kernel;
	struct gv_guest_buf *buf[3];
	struct gv_guest_launch launch;
	struct {
		uint64_t a, b, c;
		uint32_t n;
	} __attribute__((packed)) arg;
	struct gv_err *err;
};

static void close_job(struct job *j)
{
	for (unsigned i = 0; i < GV_ARRAY_LEN(j->buf); i++)
		j->buf[i] = gv_guest_buf_free(j->buf[i]);
	j->program = gv_guest_program_free(j->program);
}

/* a: 0 1 2 .. 6 0 1 .., b: the same up to 10; c is computed. */
static int fill(struct job *j, uint32_t floats)
{
	float *v = malloc((size_t)floats * sizeof(*v));
	int rc = v ? 0 : -ENOMEM;

	for (unsigned k = 0; k < 2 && !rc; k++) {
		for (uint32_t i = 0; i < floats; i++)
			v[i] = (float)(i % (k ? 11 : 7));
		rc = gv_guest_buf_upload(j->buf[k], 0, v, (uint64_t)floats * sizeof(*v), j->err);
	}
	free(v);
	return rc;
}

static int open_job(struct job *j, struct gv_guest *guest, const struct gv_co *co,
                    const char *kernel, uint32_t floats, struct gv_err *err)
{
	int rc;

	*j = (struct job){.guest = guest, .queue = gv_guest_compute(guest, 0), .err = err};
	rc = gv_co_find(co, kernel, &j->kernel, err);
	if (!rc)
		rc = gv_guest_program_new(guest, co, &j->program, err);
	for (unsigned i = 0; i < GV_ARRAY_LEN(j->buf) && !rc; i++)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, (uint64_t)floats * 4, &j->buf[i],
		                      err);
	if (!rc)
		rc = fill(j, floats);
	if (rc) {
		close_job(j);
		return rc;
	}
	j->arg.a = gv_guest_buf_va(j->buf[0]);
	j->arg.b = gv_guest_buf_va(j->buf[1]);
	j->arg.c = gv_guest_buf_va(j->buf[2]);
	j->launch.kernarg = &j->arg;
	j->launch.kernarg_bytes = sizeof(j->arg);
	return 0;
}

static int open_matmul(struct job *j, struct gv_guest *guest, const struct gv_co *co, uint32_t rows,
                       struct gv_err *err)
{
	int rc = open_job(j, guest, co, "matmul", MATRIX * MATRIX, err);

	j->arg.n = MATRIX;
	j->launch.grid[0] = MATRIX;
	j->launch.grid[1] = rows;
	j->launch.block[0] = 64;
	return rc;
}

static int open_vadd(struct job *j, struct gv_guest *guest, const struct gv_co *co,
                     struct gv_err *err)
{
	int rc = open_job(j, guest, co, "vadd", FLOATS, err);

	j->arg.n = FLOATS;
	j->launch.grid[0] = FLOATS;
	j->launch.block[0] = 256;
	return rc;
}

static int start(struct job *j, uint64_t *seq)
{
	return gv_guest_launch(j->queue, j->program, j->kernel, &j->launch, seq, j->err);
}

static int run_job(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;
	int rc = start(j, &seq);

	return rc ? rc : bench_rig_wait(j->queue, seq, j->err);
}

/* A fast wrong answer is none: some of the result. */
static int check(struct job *j, bool matmul)
{
	float have[64];
	uint64_t at = matmul ? 64 * MATRIX : FLOATS - 64;
	int rc = gv_guest_buf_download(j->buf[2], at * 4, have, sizeof(have), j->err);

	for (unsigned l = 0; l < 64 && !rc; l++) {
		float want = (float)((at + l) % 7 + (at + l) % 11);

		if (matmul) {
			want = 0;
			for (unsigned k = 0; k < MATRIX; k++)
				want += (float)((at + k) % 7 * ((k * MATRIX + l) % 11));
		}
		if (have[l] != want)
			rc = gv_fail(j->err, -EILSEQ, "%s: element %u is %g, not %g",
			             matmul ? "matmul" : "vadd", (unsigned)at + l, (double)have[l],
			             (double)want);
	}
	return rc;
}

/* ---- the same on the CPU, and on PoCL --------------------------------------------- */

struct native {
	float *a, *b, *c;
	struct bench_pocl *pocl;
};

static struct native *native_free(struct native *n)
{
	free(n->a);
	free(n->b);
	free(n->c);
	n->pocl = bench_pocl_free(n->pocl);
	return NULL;
}

static int native_new(struct native *n)
{
	*n = (struct native){.a = malloc(FLOATS * sizeof(float)),
	                     .b = malloc(FLOATS * sizeof(float)),
	                     .c = malloc(FLOATS * sizeof(float))};
	if (!n->a || !n->b || !n->c)
		return -ENOMEM;
	for (unsigned i = 0; i < FLOATS; i++)
		n->a[i] = n->b[i] = n->c[i] = 1;
	return 0;
}

static int cpu_matmul(void *arg)
{
	const struct native *n = arg;

	bench_cpu_matmul(n->a, n->b, n->c, MATRIX, MATRIX);
	return 0;
}

static int cpu_vadd(void *arg)
{
	const struct native *n = arg;

	bench_cpu_vadd(n->a, n->b, n->c, FLOATS);
	return 0;
}

static int pocl_matmul(void *arg)
{
	const struct native *n = arg;

	return bench_pocl_run(n->pocl, "matmul", MATRIX, (size_t[]){MATRIX, MATRIX}, 64);
}

static int pocl_vadd(void *arg)
{
	const struct native *n = arg;

	return bench_pocl_run(n->pocl, "vadd", FLOATS, (size_t[]){FLOATS, 1}, 256);
}

/* ---- one thread -------------------------------------------------------------------- */

/* What a call of @job's kernel executes. */
static int count_instructions(struct gv_local_gpu *gpu, struct job *j, uint64_t *n)
{
	struct gv_dev_stats before, after;
	int rc;

	gv_local_gpu_stats(gpu, 0, &before);
	rc = run_job(j);
	gv_local_gpu_stats(gpu, 0, &after);
	*n = after.wave_instructions - before.wave_instructions;
	return rc;
}

struct kernel {
	const char *name;
	bool matmul;
	int (*cpu)(void *arg);
	int (*pocl)(void *arg);
	double work; /* done by a call, in units of @unit */
	const char *what, *unit;
	unsigned samples;
};

static const struct kernel kernels[] = {
        {"matmul", true, cpu_matmul, pocl_matmul, 2e-9 * MATRIX *MATRIX *MATRIX,
         "naive matmul 1024^3, one thread", "GFLOP/s", 1},
        {"vadd", false, cpu_vadd, pocl_vadd, 1e-6 * FLOATS,
         "vector add of 16 Mi floats, one thread", "M/s", 3},
};

static void report(struct bench *b, const struct kernel *k, const struct bench_probe p[3],
                   uint64_t instructions, const char *pocl)
{
	struct bench_row row = {.figure = "F5", .what = k->what, .unit = k->unit};

	row.ours = k->work * 1e9 / p[0].ns;
	row.limit = k->work * 1e9 / p[1].ns;
	row.peer = p[2].ns > 0 ? k->work * 1e9 / p[2].ns : 0;
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "%s of bench/kernels/speed.cl, clang -O2, gfx900; one engine thread, all "
	               "on one CPU; limit: vector code of a C compiler; %s",
	               k->name, pocl);
	bench_add(b, &row);
	row = (struct bench_row){.figure = "F5",
	                         .what = k->matmul ? "wave64 instructions of that matmul"
	                                           : "wave64 instructions of that vector add",
	                         .unit = "1/s"};
	row.ours = (double)instructions * 1e9 / p[0].ns;
	(void)snprintf(row.conditions, sizeof(row.conditions), "%" PRIu64 " of them", instructions);
	bench_add(b, &row);
}

static int measure_kernel(struct bench *b, struct gv_local_gpu *gpu, struct gv_co *co,
                          struct native *n, const struct kernel *k, const char *pocl,
                          struct gv_err *err)
{
	struct job j;
	struct bench_probe p[3] = {
	        {.run = run_job, .arg = &j}, {.run = k->cpu, .arg = n}, {.run = k->pocl, .arg = n}};
	struct gv_guest *guest = gv_local_gpu_guest(gpu);
	uint64_t instructions = 0;
	int rc =
	        k->matmul ? open_matmul(&j, guest, co, MATRIX, err) : open_vadd(&j, guest, co, err);

	if (rc)
		return rc;
	for (unsigned i = 0; i < GV_ARRAY_LEN(p); i++) {
		p[i].samples = k->samples;
		p[i].rate = true;
	}
	rc = count_instructions(gpu, &j, &instructions);
	if (!rc)
		rc = check(&j, k->matmul);
	if (!rc)
		rc = bench_measure_rounds(p, n->pocl ? 3 : 2, ROUNDS);
	if (!rc)
		report(b, k, p, instructions, pocl);
	close_job(&j);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}

static int one_thread(struct bench *b, struct gv_co *co, struct gv_err *err)
{
	struct gv_local_gpu *gpu = NULL;
	struct gv_err why = {.text = "PoCL not run: --pocl was not given"};
	struct native n;
	int rc = native_new(&n);

	bench_pin(0);
	if (rc)
		rc = gv_fail(err, rc, "no memory for vectors");
	else
		rc = gv_local_gpu_new_with(1, 1, &gpu, err);
	if (!rc && b->pocl && !bench_pocl_new(FLOATS, &n.pocl, &why))
		(void)snprintf(why.text, sizeof(why.text), "peer: PoCL, one thread, that CPU");
	for (unsigned i = 0; i < GV_ARRAY_LEN(kernels) && !rc; i++)
		rc = measure_kernel(b, gpu, co, &n, &kernels[i], why.text, err);
	(void)gv_local_gpu_free(gpu);
	native_free(&n);
	bench_pin(-1);
	return rc;
}

/* ---- two VFs ------------------------------------------------------------------------ */

static int run_two(void *arg)
{
	struct job *j = arg;
	uint64_t seq[2] = {0};
	int rc = start(&j[0], &seq[0]);

	if (!rc)
		rc = start(&j[1], &seq[1]);
	for (unsigned i = 0; i < 2 && !rc; i++)
		rc = bench_rig_wait(j[i].queue, seq[i], j[i].err);
	return rc;
}

static void report_two(struct bench *b, const struct bench_probe *p)
{
	const double work = 2e-9 * MATRIX * MATRIX * SHARED_ROWS;
	struct bench_row row = {
	        .figure = "F5", .what = "naive matmul on two VFs at once, sum", .unit = "GFLOP/s"};

	row.ours = 2 * work * 1e9 / p[0].ns;
	row.limit = 2 * work * 1e9 / p[1].ns;
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "two engine threads, %u CPUs; limit: twice one VF on a GPU with one thread",
	               bench_cpus());
	bench_add(b, &row);
}

static int two_vfs(struct bench *b, struct gv_co *co, struct gv_err *err)
{
	struct gv_local_gpu *one = NULL, *both = NULL;
	struct job j[3] = {{0}};
	struct bench_probe p[] = {{.run = run_two, .arg = &j[0], .samples = 1, .rate = true},
	                          {.run = run_job, .arg = &j[2], .samples = 1, .rate = true}};
	int rc = gv_local_gpu_new_with(2, 2, &both, err);

	if (!rc)
		rc = gv_local_gpu_new_with(1, 1, &one, err);
	for (unsigned i = 0; i < 3 && !rc; i++)
		rc = open_matmul(&j[i],
		                 i < 2 ? gv_local_gpu_guest_of(both, i) : gv_local_gpu_guest(one),
		                 co, SHARED_ROWS, err);
	if (!rc)
		rc = bench_measure(p, GV_ARRAY_LEN(p));
	if (!rc)
		report_two(b, p);
	for (unsigned i = 0; i < 3; i++)
		close_job(&j[i]);
	(void)gv_local_gpu_free(both);
	(void)gv_local_gpu_free(one);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}

int bench_shader(struct bench *b, struct gv_err *err)
{
	struct gv_co *co = NULL;
	int rc = gv_co_open(GV_SPEED_OBJECT, &co, err);

	if (!rc)
		rc = one_thread(b, co, err);
	if (!rc)
		rc = two_vfs(b, co, err);
	co = gv_co_free(co);
	return rc;
}
