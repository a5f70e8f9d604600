/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-example gen KERNEL SIZE DIR: inputs of an example kernel and what the CPU gets for it, as
 * files. gv-example check KERNEL SIZE DIR: compare DIR/out.bin with DIR/want.bin; integers bit for
 * bit, floats within 2 ulp.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

#include "scratch.h"

#define MAX_SIZE (1u << 26)

struct job {
	const char *dir;
	uint32_t size;
	uint64_t random;
};

/* xorshift64: the same numbers everywhere */
static uint32_t next_u32(struct job *j)
{
	j->random ^= j->random << 13;
	j->random ^= j->random >> 7;
	j->random ^= j->random << 17;
	return (uint32_t)(j->random >> 16);
}

static float next_f32(struct job *j)
{
	return (float)(next_u32(j) % 20001) / 10000.0f - 1.0f;
}

static int write_file(const struct job *j, const char *name, const void *data, size_t bytes)
{
	char path[4096];
	FILE *f;
	bool ok;

	if (snprintf(path, sizeof(path), "%s/%s", j->dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "wbe");
	if (!f)
		return -errno;
	ok = fwrite(data, 1, bytes, f) == bytes;
	return fclose(f) || !ok ? -EIO : 0;
}

/* *@data: caller frees. */
static int read_file(const struct job *j, const char *name, uint8_t **data, size_t *bytes)
{
	char path[4096];
	long size;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", j->dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "rbe");
	if (!f)
		return -errno;
	(void)fseek(f, 0, SEEK_END);
	size = ftell(f);
	(void)fseek(f, 0, SEEK_SET);
	*data = size > 0 ? malloc((size_t)size) : NULL;
	*bytes = *data ? fread(*data, 1, (size_t)size, f) : 0;
	(void)fclose(f);
	return *data && *bytes == (size_t)size ? 0 : -EIO;
}

/* ---- kernels ----------------------------------------------------------------- */

static int gen_vector_add(struct job *j)
{
	gv_auto_free float *a = calloc(j->size, 4), *b = calloc(j->size, 4);
	gv_auto_free float *c = calloc(j->size, 4);
	int rc;

	if (!a || !b || !c)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->size; i++) {
		a[i] = next_f32(j);
		b[i] = next_f32(j);
		c[i] = a[i] + b[i];
	}
	rc = write_file(j, "a.bin", a, j->size * 4ull);
	if (!rc)
		rc = write_file(j, "b.bin", b, j->size * 4ull);
	return rc ? rc : write_file(j, "want.bin", c, j->size * 4ull);
}

static int gen_matmul_lds(struct job *j)
{
	size_t n = j->size, bytes = n * n * 4;
	gv_auto_free float *a = malloc(bytes), *b = malloc(bytes), *c = malloc(bytes);
	int rc;

	if (n % 16 || n > 4096)
		return -EINVAL;
	if (!a || !b || !c)
		return -ENOMEM;
	for (size_t i = 0; i < n * n; i++) {
		a[i] = next_f32(j);
		b[i] = next_f32(j);
	}
	for (size_t y = 0; y < n; y++) {
		for (size_t x = 0; x < n; x++) {
			float sum = 0.0f;

			for (size_t k = 0; k < n; k++)
				sum = fmaf(a[y * n + k], b[k * n + x], sum);
			c[y * n + x] = sum;
		}
	}
	rc = write_file(j, "a.bin", a, bytes);
	if (!rc)
		rc = write_file(j, "b.bin", b, bytes);
	return rc ? rc : write_file(j, "want.bin", c, bytes);
}

static int gen_reduction_atomics(struct job *j)
{
	gv_auto_free uint32_t *in = calloc(j->size, 4);
	uint32_t want[3] = {0}, zero[3] = {0};
	int rc;

	if (!in)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->size; i++) {
		in[i] = next_u32(j);
		want[0] += in[i];
		want[1] = GV_MAX(want[1], in[i]);
		want[2]++;
	}
	rc = write_file(j, "a.bin", in, j->size * 4ull);
	if (!rc)
		rc = write_file(j, "b.bin", zero, sizeof(zero));
	return rc ? rc : write_file(j, "want.bin", want, sizeof(want));
}

static int gen_scratch(struct job *j)
{
	gv_auto_free uint32_t *in = calloc(j->size, 4), *want = calloc(j->size, 4);
	int rc;

	if (!in || !want)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->size; i++) {
		in[i] = next_u32(j);
		want[i] = gv_scratch_item(in[i]);
	}
	rc = write_file(j, "a.bin", in, j->size * 4ull);
	return rc ? rc : write_file(j, "want.bin", want, j->size * 4ull);
}

static int gen_seed_ds_read(struct job *j)
{
	uint32_t want[64];

	if (j->size != 64)
		return -EINVAL;
	for (uint32_t i = 0; i < 64; i++)
		want[i] = i;
	return write_file(j, "want.bin", want, sizeof(want));
}

static const struct kernel {
	const char *name;
	int (*gen)(struct job *j);
	bool is_float;
	const char *help; /* how it is run, for people */
} kernels[] = {
        {"vector_add", gen_vector_add, true, "buf:a.bin buf:b.bin out:4*N:out.bin u32:N"},
        {"matmul_lds", gen_matmul_lds, true, "buf:a.bin buf:b.bin out:4*N*N:out.bin u32:N"},
        {"reduction_atomics", gen_reduction_atomics, false,
         "buf:a.bin inout:b.bin:out.bin lds:4*BLOCK u32:N"},
        {"scratch", gen_scratch, false, "buf:a.bin out:4*N:out.bin u32:N"},
        {"seed_ds_read", gen_seed_ds_read, false, "out:256:out.bin lds:256 (N = 64)"},
};

/* ---- check --------------------------------------------------------------------- */

/* Distance in units of the last place; NaN is far from everything. */
static uint32_t ulps(uint32_t a, uint32_t b)
{
	int64_t x = a & 0x80000000u ? -(int64_t)(a & 0x7fffffffu) : (int64_t)a;
	int64_t y = b & 0x80000000u ? -(int64_t)(b & 0x7fffffffu) : (int64_t)b;
	float fa, fb;

	memcpy(&fa, &a, 4);
	memcpy(&fb, &b, 4);
	if (isnan(fa) || isnan(fb))
		return isnan(fa) && isnan(fb) ? 0 : UINT32_MAX;
	return (uint32_t)GV_MIN(llabs(x - y), (long long)UINT32_MAX);
}

static int check(const struct kernel *k, const struct job *j)
{
	gv_auto_free uint8_t *want = NULL, *out = NULL;
	size_t want_bytes = 0, out_bytes = 0, bad = 0, count;
	uint32_t worst = 0;
	int rc = read_file(j, "want.bin", &want, &want_bytes);

	if (!rc)
		rc = read_file(j, "out.bin", &out, &out_bytes);
	if (rc || want_bytes != out_bytes) {
		(void)fprintf(stderr,
		              "gv-example: %s: out.bin or want.bin is missing or of wrong size\n",
		              j->dir);
		return 1;
	}
	count = want_bytes / 4;
	for (size_t i = 0; i < count; i++) {
		uint32_t w, o, d;

		memcpy(&w, want + 4 * i, 4);
		memcpy(&o, out + 4 * i, 4);
		d = k->is_float ? ulps(w, o) : (w != o);
		worst = GV_MAX(worst, d);
		if (d > (k->is_float ? 2u : 0u) && !bad++)
			(void)fprintf(stderr, "gv-example: %s[%zu] is 0x%08x, should be 0x%08x\n",
			              k->name, i, o, w);
	}
	if (bad)
		(void)printf("%s: %zu of %zu values wrong\n", k->name, bad, count);
	else
		(void)printf("%s: %zu values right (worst %u ulp)\n", k->name, count, worst);
	return bad != 0;
}

static void print_help(void)
{
	(void)printf("usage: gv-example gen|check KERNEL SIZE DIR\n"
	             "gen makes the inputs of an example kernel in DIR, check compares out.bin "
	             "there with "
	             "the CPU.\n");
	for (size_t i = 0; i < GV_ARRAY_LEN(kernels); i++)
		(void)printf("  %-18s run with %s\n", kernels[i].name, kernels[i].help);
}

static int usage(void)
{
	(void)fprintf(stderr,
	              "gv-example: gen|check KERNEL SIZE DIR is meant (--help shows how)\n");
	return 2;
}

int main(int argc, char **argv)
{
	const struct kernel *k = NULL;
	struct job j = {.random = 0x9e3779b97f4a7c15ull};
	char *end = NULL;
	int rc;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_help();
		return 0;
	}
	if (argc != 5)
		return usage();
	for (size_t i = 0; i < GV_ARRAY_LEN(kernels); i++)
		k = strcmp(argv[2], kernels[i].name) ? k : &kernels[i];
	j.size = (uint32_t)strtoul(argv[3], &end, 10);
	j.dir = argv[4];
	if (!k || *end || !j.size || j.size > MAX_SIZE)
		return usage();
	if (!strcmp(argv[1], "check"))
		return check(k, &j);
	if (strcmp(argv[1], "gen"))
		return usage();
	rc = k->gen(&j);
	if (rc)
		(void)fprintf(stderr, "gv-example: %s: %s\n", k->name, strerror(-rc));
	return rc != 0;
}
