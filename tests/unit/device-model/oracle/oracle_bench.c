/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/cu.h"

#include "oracle_bench.h"
#include "oracle_encode.h"

#define VA 0x700000000ull

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

uint64_t bench_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dull;
}

unsigned bench_below(unsigned n)
{
	return (unsigned)(bench_random() >> 33) % n;
}

unsigned bench_scale(void)
{
	const char *s = getenv("GV_ORACLE_SCALE");
	int n = s ? atoi(s) : 1;

	return n > 0 ? (unsigned)n : 1;
}

static uint32_t find_op(const char *name)
{
	for (size_t k = 0; k < gv_gfx9_num_ops; k++)
		if (!strcmp(gv_gfx9_ops[k].name, name))
			return gv_gfx9_ops[k].num;
	fprintf(stderr, "no instruction %s\n", name);
	exit(1);
}

/* Each program asks for the same few again: names are literals, the same one at the same place. */
uint32_t bench_op(const char *name)
{
	static struct {
		const char *name;
		uint32_t num;
	} known[128];
	size_t k = (uintptr_t)name / 2 % GV_ARRAY_LEN(known);

	if (known[k].name != name) {
		known[k].num = find_op(name);
		known[k].name = name;
	}
	return known[k].num;
}

uint64_t bench_memory_va(void)
{
	return VA + offsetof(struct bench, memory);
}

void bench_clear(struct bench *b)
{
	memset(b->in, 0, sizeof(b->in));
	for (unsigned w = 0; w < BENCH_WAVES; w++) {
		b->in[w].sgpr[0] = b->in[w].sgpr[1] = ~0u;
		b->in[w].sgpr[12] = (uint32_t)bench_memory_va();
		b->in[w].sgpr[13] = (uint32_t)(bench_memory_va() >> 32);
	}
}

struct writer {
	uint32_t *at;
	uint32_t mov32, mov64;
};

static void put(struct writer *w, uint32_t word)
{
	*w->at++ = word;
}

/* s[dst:dst+1] = s[base:base+1] + s5 */
static void put_address(struct writer *w, uint32_t dst, uint32_t base)
{
	put(w, enc_sop2(bench_op("s_add_u32"), dst, base, 5));
	put(w, enc_sop2(bench_op("s_addc_u32"), dst + 1, base + 1, ENC_ZERO));
}

static uint32_t row_offset(unsigned k)
{
	return (uint32_t)(offsetof(struct bench_block, row) + k * 256);
}

static void put_loads(struct writer *w, const struct bench_program *p)
{
	put(w, enc_sop2(bench_op("s_lshl_b32"), 5, 4, ENC_ZERO + 12));
	put_address(w, 6, 0);
	put_address(w, 8, 2);
	put(w, enc_smem(bench_op("s_load_dwordx16"), 16, 6));
	put(w, 0);
	put(w, enc_vop2(bench_op("v_lshlrev_b32"), 0, ENC_ZERO + 2, 0));
	for (unsigned k = 0; k < p->rows; k++) {
		put(w, enc_flat(bench_op("global_load_dword"), 2, 0, row_offset(k)));
		put(w, enc_flat_regs(0, 0, 6, 2 + k));
	}
	put(w, enc_sopp(bench_op("s_waitcnt"), 0));
	put(w, enc_sop1(w->mov64, ENC_VCC, 18));
	put(w, enc_sop1(w->mov64, 36, 18));
	put(w, enc_sop1(w->mov64, 38, 18));
	put(w, enc_sop1(w->mov32, ENC_M0, 26));
	put(w, enc_sopc(bench_op("s_cmp_lg_u32"), 27, ENC_ZERO));
	put(w, enc_sop1(w->mov64, ENC_EXEC, 16));
}

static void put_stores(struct writer *w, const struct bench_program *p)
{
	put(w, enc_sopp(bench_op("s_waitcnt"), 0));
	put(w, enc_sop2(bench_op("s_cselect_b32"), 68, ENC_ZERO + 1, ENC_ZERO));
	put(w, enc_sop1(w->mov64, 64, ENC_VCC));
	put(w, enc_sop1(w->mov64, 66, ENC_EXEC));
	put(w, enc_sop1(w->mov32, 69, ENC_M0));
	put(w, enc_sop1(w->mov64, 70, 36));
	put(w, enc_sop1(w->mov64, 72, 38));
	put(w, enc_sop1(w->mov64, ENC_EXEC, ENC_MINUS_ONE));
	for (uint32_t k = 0; k < 3; k++) {
		put(w, enc_smem(bench_op("s_store_dwordx4"), 64 + 4 * k, 8));
		put(w, 16 * k);
	}
	for (unsigned k = 0; k < p->rows; k++) {
		put(w, enc_flat(bench_op("global_store_dword"), 2, 0, row_offset(k)));
		put(w, enc_flat_regs(0, 2 + k, 8, 0));
	}
	put(w, enc_sopp(bench_op("s_endpgm"), 0));
}

static void assemble(struct bench *b, const struct bench_program *p)
{
	struct writer w = {b->code, bench_op("s_mov_b32"), bench_op("s_mov_b64")};

	put_loads(&w, p);
	for (unsigned k = 0; k < p->n; k++)
		put(&w, p->words[k]);
	put_stores(&w, p);
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	(void)access;
	if (va < VA || va - VA >= sizeof(struct bench))
		return -EFAULT;
	*w = (struct gv_cu_window){VA, sizeof(struct bench), ctx, GV_CU_R | GV_CU_W | GV_CU_X};
	return 0;
}

uint32_t bench_mode_bits(const struct orc_mode *m)
{
	return m->round32 | m->round64 << 2u | m->denorm32 << 4u | m->denorm64 << 6u |
	       (uint32_t)m->dx10_clamp << 8 | (uint32_t)m->ieee << 9;
}

static struct gv_cu_dispatch dispatch(struct bench *b, const struct bench_program *p,
                                      unsigned waves)
{
	const struct orc_mode *m = &p->mode;
	uint32_t mode = bench_mode_bits(m) & 0xff;
	uint64_t in = VA + offsetof(struct bench, in), out = VA + offsetof(struct bench, out);
	struct gv_cu_dispatch d = {
	        .mem = {.ctx = b, .translate = translate},
	        .pgm_va = VA + offsetof(struct bench, code),
	        .rsrc1 = 7 | 12 << 6 | mode << 12 | (uint32_t)m->dx10_clamp << 21 |
	                 (uint32_t)m->ieee << 23,
	        .rsrc2 = 4 << 1 | 1 << 7,
	        .user_data = {(uint32_t)in, (uint32_t)(in >> 32), (uint32_t)out,
	                      (uint32_t)(out >> 32)},
	        .dim = {waves, 1, 1},
	        .num_thread = {64, 1, 1},
	        .lds_bytes = p->lds_bytes,
	        .isa = p->isa,
	};

	return d;
}

int bench_run(struct bench *b, const struct bench_program *p, unsigned waves)
{
	struct gv_cu_shared shared = {0};
	struct gv_cu_dispatch d = dispatch(b, p, waves);
	struct gv_cu_run *run = NULL;
	enum gv_cu_status status = GV_CU_FAULT;

	assemble(b, p);
	d.shared = &shared;
	if (gv_cu_begin(&run, &d)) {
		snprintf(b->fault, sizeof(b->fault), "gv_cu_begin refused");
		return -EIO;
	}
	status = gv_cu_step(run, 100000);
	if (status == GV_CU_FAULT)
		gv_cu_fault_text(gv_cu_fault(run), b->fault, sizeof(b->fault));
	else if (status == GV_CU_YIELD)
		snprintf(b->fault, sizeof(b->fault), "does not end");
	gv_cu_free(run);
	return status == GV_CU_DONE ? 0 : -EIO;
}
