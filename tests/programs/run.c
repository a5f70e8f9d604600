/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "local_gpu.h"

/* As the reference writes it: struct program of program.h. */
struct header {
	uint32_t grid[3], block[3], in_words, out_words, n, fill;
};

enum { BUFFER_BYTES = 4 << 20 };

struct gpu {
	struct gv_local_gpu *local;
	struct gv_guest_buf *in, *out;
	struct gv_guest_aql *aql; /* NULL: PM4 */
};

/* The reference file: @words are @head's input and output, one after the other. */
struct reference {
	struct header head;
	uint32_t *words;
};

int gpu_new(bool aql, struct gpu **out, struct gv_err *err)
{
	struct gpu *g = calloc(1, sizeof(*g));
	struct gv_guest *guest;
	int rc = g ? gv_local_gpu_new(&g->local, err) : gv_fail(err, -ENOMEM, "out of memory");

	if (rc) {
		free(g);
		return rc;
	}
	guest = gv_local_gpu_guest(g->local);
	rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, BUFFER_BYTES, &g->in, err);
	if (!rc)
		rc = gv_guest_buf_new(guest, NULL, GV_GUEST_VRAM, BUFFER_BYTES, &g->out, err);
	if (!rc && aql)
		rc = gv_guest_aql_new(guest, &g->aql, err);
	if (rc)
		g = gpu_free(g);
	else
		*out = g;
	return rc;
}

struct gpu *gpu_free(struct gpu *g)
{
	if (!g)
		return NULL;
	gv_guest_aql_free(g->aql);
	gv_guest_buf_free(g->in);
	gv_guest_buf_free(g->out);
	gv_local_gpu_free(g->local);
	free(g);
	return NULL;
}

static int read_reference(const char *path, struct reference *ref, struct gv_err *err)
{
	FILE *f = fopen(path, "re");
	size_t words, got = 0;
	int rc = 0;

	if (!f)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (fread(&ref->head, sizeof(ref->head), 1, f) != 1 ||
	    ref->head.in_words > BUFFER_BYTES / 4 || ref->head.out_words > BUFFER_BYTES / 4)
		rc = gv_fail(err, -EBADMSG, "%s: no header, or too large", path);
	words = rc ? 0 : (size_t)ref->head.in_words + ref->head.out_words;
	ref->words = rc ? NULL : calloc(words + 1, 4);
	if (ref->words)
		got = fread(ref->words, 4, words, f);
	(void)fclose(f);
	if (!rc && (!ref->words || got != words))
		rc = gv_fail(err, -EBADMSG, "%s: %zu words, should be %zu", path, got, words);
	return rc;
}

/* After a fault or a timeout: the VF is reset, and an AQL queue does not outlive that. */
static void recover(struct gpu *g)
{
	struct gv_guest *guest = gv_local_gpu_guest(g->local);
	bool aql = g->aql;

	g->aql = gv_guest_aql_free(g->aql);
	(void)gv_guest_recover(guest, NULL);
	if (aql)
		(void)gv_guest_aql_new(guest, &g->aql, NULL);
}

static int launch_and_wait(struct gpu *g, struct gv_guest_program *program,
                           const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                           uint64_t timeout_ns, struct gv_err *err)
{
	struct gv_guest_queue *q = gv_guest_compute(gv_local_gpu_guest(g->local), 0);
	uint64_t seq = 0;
	int rc;

	if (g->aql) {
		rc = gv_guest_aql_launch(g->aql, program, k, l, &seq, err);
		return rc ? rc : gv_guest_aql_wait(g->aql, seq, gv_now_ns() + timeout_ns, err);
	}
	rc = gv_guest_launch(q, program, k, l, &seq, err);
	return rc ? rc : gv_guest_wait(q, seq, gv_now_ns() + timeout_ns, err);
}

static int launch(struct gpu *g, const struct gv_co *co, const struct reference *ref,
                  uint64_t timeout_ns, struct gv_err *err)
{
	struct gv_guest *guest = gv_local_gpu_guest(g->local);
	struct {
		uint64_t in, out;
		uint32_t n;
	} args = {gv_guest_buf_va(g->in), gv_guest_buf_va(g->out), ref->head.n};
	struct gv_guest_launch l = {.kernarg = &args, .kernarg_bytes = 20};
	struct gv_guest_program *program = NULL;
	int rc = gv_guest_program_new(guest, co, &program, err);

	memcpy(l.grid, ref->head.grid, sizeof(l.grid));
	memcpy(l.block, ref->head.block, sizeof(l.block));
	if (!rc)
		rc = launch_and_wait(g, program, gv_co_kernel_at(co, 0), &l, timeout_ns, err);
	gv_guest_program_free(program);
	if (rc == -EIO || rc == -ETIMEDOUT)
		recover(g);
	return rc;
}

static int compare(struct gpu *g, const struct reference *ref, struct outcome *out,
                   struct gv_err *err)
{
	const uint32_t *want = ref->words + ref->head.in_words;
	size_t words = ref->head.out_words;
	gv_auto_free uint32_t *got = calloc(words + 1, 4);
	int rc = got ? gv_guest_buf_download(g->out, 0, got, words * 4, err) : -ENOMEM;

	out->words = (unsigned)words;
	for (size_t i = words; !rc && i-- > 0;) {
		if (got[i] == want[i])
			continue;
		out->wrong++;
		out->first = (unsigned)i;
		out->expected = want[i];
		out->got = got[i];
	}
	return rc;
}

int gpu_run(struct gpu *g, const struct job *job, unsigned timeout_s, struct outcome *out,
            struct gv_err *err)
{
	struct reference ref = {0};
	struct outcome o = {0};
	gv_auto_free uint32_t *zero = NULL;
	struct gv_co *co = NULL;
	uint64_t start;
	int rc = read_reference(job->reference, &ref, err);

	if (!rc)
		rc = gv_co_open(job->object, &co, err);
	if (!rc && !(zero = calloc(ref.head.out_words + 1, 4)))
		rc = gv_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = gv_guest_buf_upload(g->out, 0, zero, ref.head.out_words * 4ull, err);
	if (!rc && ref.head.in_words)
		rc = gv_guest_buf_upload(g->in, 0, ref.words, ref.head.in_words * 4ull, err);
	start = gv_now_ns();
	if (!rc)
		rc = launch(g, co, &ref, timeout_s * GV_S, err);
	o.ms = (double)(gv_now_ns() - start) / (double)GV_MS;
	if (!rc)
		rc = compare(g, &ref, &o, err);
	if (!rc)
		*out = o;
	gv_co_free(co);
	free(ref.words);
	return rc;
}
