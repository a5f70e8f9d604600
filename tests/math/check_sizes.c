/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-sizes: what get_global_size() and its like say in kernels of the ROCm device library, for code
 * objects v4 (sizes come from the AQL packet) and v5 (from hidden arguments).
 */
#include <stdio.h>
#include <unistd.h>

#include "local_gpu.h"

enum { SKIPPED = 77, WORDS = 10, MAX_ITEMS = 4096 };

struct shape {
	uint32_t grid[3], block[3];
};

static const struct shape shapes[] = {
        {{64, 1, 1}, {64, 1, 1}}, {{100, 1, 1}, {64, 1, 1}}, {{13, 11, 1}, {4, 8, 1}},
        {{13, 11, 7}, {4, 3, 5}}, {{5, 1, 9}, {2, 1, 4}},    {{3, 2, 1}, {16, 16, 1}},
};

/* Word @i of work item @at of a launch; see sizes.cl. */
static uint32_t expected(const struct shape *s, const uint32_t at[3], unsigned i)
{
	unsigned d = i % 3;
	uint32_t group = at[d] / s->block[d], whole = s->grid[d] / s->block[d];

	switch (i / 3) {
	case 0:
		return s->grid[d];
	case 1:
		return (group < whole ? s->block[d] : s->grid[d] % s->block[d]) | s->block[d] << 16;
	case 2:
		return (s->grid[d] + s->block[d] - 1) / s->block[d] | group << 16;
	default:
		return s->grid[2] > 1 ? 3 : s->grid[1] > 1 ? 2 : 1;
	}
}

static unsigned count_wrong(const struct shape *s, const uint32_t *got)
{
	unsigned wrong = 0, item = 0;
	uint32_t at[3];

	for (at[2] = 0; at[2] < s->grid[2]; at[2]++)
		for (at[1] = 0; at[1] < s->grid[1]; at[1]++)
			for (at[0] = 0; at[0] < s->grid[0]; at[0]++, item++)
				for (unsigned i = 0; i < WORDS; i++)
					wrong += got[item * WORDS + i] != expected(s, at, i);
	return wrong;
}

static int check_shape(struct gv_guest *guest, struct gv_guest_program *program,
                       const struct gv_co_kernel *k, struct gv_guest_buf *buf,
                       const struct shape *s, unsigned *wrong, struct gv_err *err)
{
	static uint32_t got[MAX_ITEMS * WORDS];
	uint64_t va = gv_guest_buf_va(buf), seq = 0;
	struct gv_guest_launch l = {.kernarg = &va, .kernarg_bytes = sizeof(va)};
	struct gv_guest_queue *q = gv_guest_compute(guest, 0);
	int rc;

	for (unsigned d = 0; d < 3; d++) {
		l.grid[d] = s->grid[d];
		l.block[d] = s->block[d];
	}
	rc = gv_guest_launch(q, program, k, &l, &seq, err);
	if (!rc)
		rc = gv_guest_wait(q, seq, gv_now_ns() + 20 * GV_S, err);
	if (!rc)
		rc = gv_guest_buf_download(buf, 0, got, sizeof(got), err);
	if (!rc)
		*wrong += count_wrong(s, got);
	return rc;
}

static int check_object(struct gv_guest *guest, const char *path, unsigned *wrong,
                        struct gv_err *err)
{
	struct gv_guest_program *program = NULL;
	struct gv_guest_buf *buf = NULL;
	struct gv_co *co = NULL;
	int rc = gv_co_open(path, &co, err);

	if (!rc)
		rc = gv_guest_program_new(guest, co, &program, err);
	if (!rc)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, MAX_ITEMS * WORDS * 4ull, &buf,
		                      err);
	for (size_t i = 0; i < GV_ARRAY_LEN(shapes) && !rc; i++)
		rc = check_shape(guest, program, gv_co_kernel_at(co, 0), buf, &shapes[i], wrong,
		                 err);
	gv_guest_buf_free(buf);
	gv_guest_program_free(program);
	gv_co_free(co);
	return rc;
}

int main(void)
{
	static const char *const names[] = {"v4_O0", "v4_O2", "v5_O0", "v5_O2"};
	struct gv_local_gpu *local = NULL;
	struct gv_err err = {0};
	unsigned all = 0;
	int rc;

	if (access(GV_MATH_KERNELS "/sizes_v4_O0.co", R_OK)) {
		(void)printf("skipped: apt-get install clang-15 lld-15 rocm-device-libs, then "
		             "build\n");
		return SKIPPED;
	}
	rc = gv_local_gpu_new(&local, &err);
	for (size_t i = 0; i < GV_ARRAY_LEN(names) && !rc; i++) {
		unsigned wrong = 0;
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/sizes_%s.co", GV_MATH_KERNELS, names[i]);
		rc = check_object(gv_local_gpu_guest(local), path, &wrong, &err);
		if (!rc)
			(void)printf("%s: %u words wrong\n", names[i], wrong);
		all += wrong;
	}
	gv_local_gpu_free(local);
	if (rc)
		(void)fprintf(stderr, "gv-sizes: %s\n", err.text);
	return rc || all;
}
