/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-math: math builtins of the ROCm device library, run on the emulated GPU, against libm's long
 * double. Prints the worst error of each; fails where one is above OpenCL's limit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local_gpu.h"
#include "math_check.h"

enum { SKIPPED = 77, BLOCK = 64 };

struct checker {
	struct gv_guest *guest;
	struct gv_guest_buf *arg[3], *out;
	size_t count;
	unsigned wrong, functions;
};

/* The result that is furthest from right, and what it was made of. */
struct worst {
	double ulps;
	long double a, b, c, want, got;
};

static int launch(struct checker *c, struct gv_guest_program *program, const struct gv_co_kernel *k,
                  struct gv_err *err)
{
	struct {
		uint64_t a, b, c, out;
		uint32_t n;
	} args = {gv_guest_buf_va(c->arg[0]), gv_guest_buf_va(c->arg[1]),
	          gv_guest_buf_va(c->arg[2]), gv_guest_buf_va(c->out), (uint32_t)c->count};
	const struct gv_guest_launch l = {.grid = {(uint32_t)c->count, 1, 1},
	                                  .block = {BLOCK, 1, 1},
	                                  .kernarg = &args,
	                                  .kernarg_bytes = 36};
	struct gv_guest_queue *q = gv_guest_compute(c->guest, 0);
	uint64_t seq = 0;
	int rc = gv_guest_launch(q, program, k, &l, &seq, err);

	return rc ? rc : gv_guest_wait(q, seq, gv_now_ns() + 120 * GV_S, err);
}

static long double right(const struct math_function *m, long double a, long double b, long double c)
{
	return m->one ? m->one(a) : m->two ? m->two(a, b) : m->three(a, b, c);
}

static bool is_excused(const struct math_function *m, enum math_format f, long double x)
{
	if (f != MATH_F32)
		return false;
	return (m->flags & MATH_NORMAL_F32 && fabsl(x) < 0x1p-126L) ||
	       (m->flags & MATH_POSITIVE_F32 && x < 0);
}

static void measure(const struct math_function *m, enum math_format f, void *const arg[3],
                    const void *out, size_t count, struct worst *worst)
{
	for (size_t i = 0; i < count; i++) {
		struct worst w = {.a = math_get(f, arg[0], i),
		                  .b = math_get(f, arg[1], i),
		                  .c = math_get(f, arg[2], i),
		                  .got = math_get(f, out, i)};

		if (is_excused(m, f, w.a))
			continue;
		w.want = right(m, w.a, w.b, w.c);
		w.ulps = math_ulps(f, w.want, w.got);
		if (m->flags & MATH_BELOW_ONE && w.got < 1 && w.want > 0.999L)
			w.ulps = fmin(w.ulps, 0.5);
		if (w.ulps > worst->ulps)
			*worst = w;
	}
}

static void report(struct checker *c, const struct math_function *m, enum math_format f,
                   const struct worst *w)
{
	/* "correctly rounded" is half a unit; the reference itself is rounded, too */
	double limit = m->limit[f], allowed = limit > 0 ? limit : 0.5 + 1.0 / 1024;
	bool ok = w->ulps <= allowed;

	c->functions++;
	c->wrong += !ok;
	(void)printf("%-12s %s  %8.3f  %5.1f  %s\n", m->name, math_format_name[f], w->ulps, limit,
	             ok ? "ok" : "FAILED");
	if (!ok)
		(void)printf("    (%La, %La, %La): expected %La, got %La\n", w->a, w->b, w->c,
		             w->want, w->got);
}

static int check_function(struct checker *c, struct gv_guest_program *program,
                          const struct gv_co *co, const struct math_function *m, enum math_format f,
                          struct gv_err *err)
{
	size_t bytes = c->count * math_bytes[f];
	void *data[4] = {malloc(bytes), malloc(bytes), malloc(bytes), malloc(bytes)};
	const struct gv_co_kernel *k = NULL;
	struct worst worst = {0};
	char name[64];
	int rc = data[0] && data[1] && data[2] && data[3] ? 0 : -ENOMEM;

	(void)snprintf(name, sizeof(name), "k_%s", m->name);
	if (!rc)
		rc = gv_co_find(co, name, &k, err);
	for (unsigned i = 0; i < 3 && !rc; i++) {
		math_fill(f, data[i], c->count, i + 1, i == 1 && m->flags & MATH_INT);
		rc = gv_guest_buf_upload(c->arg[i], 0, data[i], bytes, err);
	}
	if (!rc)
		rc = launch(c, program, k, err);
	if (!rc)
		rc = gv_guest_buf_download(c->out, 0, data[3], bytes, err);
	if (!rc) {
		measure(m, f, data, data[3], c->count, &worst);
		report(c, m, f, &worst);
	}
	for (unsigned i = 0; i < 4; i++)
		free(data[i]);
	return rc ? gv_fail_prefix(err, "%s", name) : 0;
}

/* All functions of one code object; @only: one of them. */
static int check_object(struct checker *c, const char *path, enum math_format f, const char *only,
                        struct gv_err *err)
{
	struct gv_guest_program *program = NULL;
	struct gv_co *co = NULL;
	int rc = gv_co_open(path, &co, err);

	if (!rc)
		rc = gv_guest_program_new(c->guest, co, &program, err);
	if (!rc)
		(void)printf("\n%s\nfunction     type  worst ulp  limit\n", path);
	for (const struct math_function *m = math_functions; m->name && !rc; m++) {
		if (!only || !strcmp(only, m->name))
			rc = check_function(c, program, co, m, f, err);
	}
	gv_guest_program_free(program);
	gv_co_free(co);
	return rc;
}

static int check_all(struct checker *c, const char *only, struct gv_err *err)
{
	static const struct {
		const char *path;
		enum math_format f;
	} objects[] = {
	        {GV_MATH_KERNELS "/math_float_v4_O2.co", MATH_F32},
	        {GV_MATH_KERNELS "/math_double_v4_O2.co", MATH_F64},
	        {GV_MATH_KERNELS "/math_half_v4_O2.co", MATH_F16},
	        {GV_MATH_KERNELS "/math_float_v5_O0.co", MATH_F32},
	};
	int rc = 0;

	for (unsigned i = 0; i < 4 && !rc; i++)
		rc = gv_guest_buf_new(c->guest, NULL, GV_GUEST_VRAM, c->count * 8,
		                      i < 3 ? &c->arg[i] : &c->out, err);
	for (size_t i = 0; i < GV_ARRAY_LEN(objects) && !rc; i++)
		rc = check_object(c, objects[i].path, objects[i].f, only, err);
	gv_guest_buf_free(c->out);
	for (unsigned i = 0; i < 3; i++)
		gv_guest_buf_free(c->arg[i]);
	return rc;
}

int main(int argc, char **argv)
{
	struct checker c = {.count = argc > 1 ? strtoul(argv[1], NULL, 10) : 4096};
	struct gv_local_gpu *local = NULL;
	struct gv_err err = {0};
	int rc;

	if (argc > 3 || c.count < BLOCK || c.count > 8u << 20) {
		(void)fprintf(stderr, "usage: gv-math [COUNT [FUNCTION]]   (64..8388608 values)\n");
		return 2;
	}
	if (access(GV_MATH_KERNELS "/math_float_v4_O2.co", R_OK)) {
		(void)printf("skipped: apt-get install clang-15 lld-15 rocm-device-libs, then "
		             "build\n");
		return SKIPPED;
	}
	rc = gv_local_gpu_new(&local, &err);
	if (!rc) {
		c.guest = gv_local_gpu_guest(local);
		rc = check_all(&c, argc > 2 ? argv[2] : NULL, &err);
	}
	gv_local_gpu_free(local);
	if (rc)
		(void)fprintf(stderr, "gv-math: %s\n", err.text);
	(void)printf("\n%u functions, %u above their limit\n", c.functions, c.wrong);
	return rc || c.wrong || !c.functions;
}
