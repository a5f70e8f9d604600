/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as the code, registers and memory of a workgroup: as they are, or made into encodings of
 * rows that the table has. Whatever they are, the run ends, faults, waits or goes on; it reaches
 * its own windows only, and takes no more instructions than it was given.
 *
 *	byte 0: how (enum), 1: waves and VGPRs, 2: LDS and FLOAT_MODE, 3: pages that are absent
 *	then a seed for registers and memory, then code
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/ramp.h"

enum {
	HOW_TABLE = 1,       /* code is rows and operands, else words */
	HOW_NO_POINTERS = 2, /* memory through copies */
	HOW_RETRY = 4,       /* absent pages may come: -EAGAIN */
	HOW_EVERYWHERE = 8,  /* any address is some page, so that little faults */
	HOW_SAVE = 16,       /* in the middle, into another run */
	HOW_SMALL_STEPS = 32,
};

#define MEM_VA    0x40000000ull
#define PAGES     16u
#define PAGE      4096u
#define MAX_WORDS 512u
#define STEPS     24u
#define STEP      400u
/* gv_cu_step() says "about as many": one turn of a wave may end late, by an instruction. */
#define SLACK 16u
#define GUARD 0x600df00ddeadbeefull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each page is its own allocation: a sanitizer sees a byte too far. Guards are for without. */
struct page {
	uint64_t before[8];
	uint8_t byte[PAGE];
	uint64_t after[8];
};

struct input {
	uint8_t how, shape, modes, absent;
	uint64_t random;
	struct page *page[PAGES];
	uint64_t generation;
};

static uint64_t next(struct input *in)
{
	in->random ^= in->random << 13;
	in->random ^= in->random >> 7;
	in->random ^= in->random << 17;
	return in->random * 2685821657736338717ull >> 16;
}

/* ---- memory */
static bool find(struct input *in, uint64_t va, unsigned *page)
{
	uint64_t at = va - MEM_VA;

	if (in->how & HOW_EVERYWHERE)
		at %= PAGES * PAGE;
	*page = (unsigned)(at / PAGE);
	return at < PAGES * PAGE && !(*page < 8 && in->absent >> *page & 1);
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	struct input *in = ctx;
	unsigned n;

	(void)access;
	if (!find(in, va, &n)) {
		if (!(in->how & HOW_RETRY))
			return -EFAULT;
		in->absent &= (uint8_t)(in->absent - 1);
		return -EAGAIN;
	}
	*w = (struct gv_cu_window){va & ~(PAGE - 1ull), PAGE,
	                           in->how & HOW_NO_POINTERS ? NULL : in->page[n]->byte,
	                           GV_CU_R | GV_CU_W | GV_CU_X};
	return 0;
}

static uint8_t *inside(struct input *in, uint64_t va, size_t bytes)
{
	unsigned n;

	if (!find(in, va, &n) || bytes > PAGE - va % PAGE)
		abort(); /* it was never given to the run */
	return in->page[n]->byte + va % PAGE;
}

static int copy(void *ctx, uint64_t va, void *buf, size_t n, bool write)
{
	uint8_t *p = inside(ctx, va, n);

	memcpy(write ? p : buf, write ? buf : p, n);
	return 0;
}

static int update(void *ctx, uint64_t va, size_t n, uint64_t (*next_value)(const void *, uint64_t),
                  const void *arg, uint64_t *old)
{
	uint8_t *p = inside(ctx, va, n);
	uint64_t now;

	*old = 0;
	memcpy(old, p, n);
	now = next_value(arg, *old);
	memcpy(p, &now, n);
	return 0;
}

static void make_memory(struct input *in)
{
	for (unsigned n = 0; n < PAGES; n++) {
		struct page *p = malloc(sizeof(*p));

		if (!p)
			abort();
		in->page[n] = p;
		for (unsigned k = 0; k < GV_ARRAY_LEN(p->before); k++)
			p->before[k] = p->after[k] = GUARD;
		for (unsigned k = 0; k < PAGE; k += 8) {
			uint64_t v = next(in);

			memcpy(p->byte + k, &v, 8);
		}
	}
}

static void free_memory(struct input *in)
{
	for (unsigned n = 0; n < PAGES; n++) {
		const struct page *p = in->page[n];

		for (unsigned k = 0; k < GV_ARRAY_LEN(p->before); k++)
			if (p->before[k] != GUARD || p->after[k] != GUARD)
				abort();
		free(in->page[n]);
	}
}

/* ---- code */
/* Operands of @word with registers that most waves have, and addresses that they hold. */
static void soften(struct input *in, uint32_t word[2])
{
	if (next(in) % 4)
		word[1] &= 0x1f1f1f1f | (uint32_t)(next(in) & next(in) & next(in));
	if (next(in) % 4 == 0)
		word[1] = (word[1] & 0xff80ffff) | 0x7f0000; /* no SGPR */
}

/* Bits that say which row, by format; the rest is operands. */
static bool row_word(const struct gv_gfx9_op *op, uint32_t *bits, uint32_t *mask)
{
	static const struct {
		uint32_t base;
		unsigned shift;
		uint32_t mask;
	} f[GV9_NUM_FORMATS] = {
	        [GV9_SOP2] = {0x80000000, 23, 0xff800000},
	        [GV9_SOPK] = {0xb0000000, 23, 0xff800000},
	        [GV9_SOP1] = {0xbe800000, 8, 0xff80ff00},
	        [GV9_SOPC] = {0xbf000000, 16, 0xffff0000},
	        [GV9_SOPP] = {0xbf800000, 16, 0xffff0000},
	        [GV9_SMEM] = {0xc0000000, 18, 0xfffc0000},
	        [GV9_VOP2] = {0x00000000, 25, 0xfe000000},
	        [GV9_VOP1] = {0x7e000000, 9, 0xfe01fe00},
	        [GV9_VOPC] = {0x7c000000, 17, 0xfffe0000},
	        [GV9_VOP3] = {0xd0000000, 16, 0xffff0000},
	        [GV9_VOP3P] = {0xd3800000, 16, 0xffff0000},
	        [GV9_DS] = {0xd8000000, 17, 0xfffe0000},
	        [GV9_FLAT] = {0xdc000000, 18, 0xfffcc000},
	        [GV9_SCRATCH] = {0xdc004000, 18, 0xfffcc000},
	        [GV9_GLOBAL] = {0xdc008000, 18, 0xfffcc000},
	        [GV9_MUBUF] = {0xe0000000, 18, 0xfdfc0000},
	        [GV9_MTBUF] = {0xe8000000, 15, 0xfc078000},
	};

	*bits = f[op->format].base | (uint32_t)op->num << f[op->format].shift;
	*mask = f[op->format].mask;
	return *mask != 0;
}

/* What would hide all that comes after it. */
static bool ends_the_wave(uint32_t word)
{
	uint32_t op = word >> 16 & 0x7f;

	return word >> 23 == 0x17f && (op == 1 || op == 27 || op == 30 || op == 13 || op == 18);
}

static unsigned table_code(struct input *in, const uint8_t *data, size_t size, uint32_t *code)
{
	unsigned n = 0;

	for (size_t at = 0; at + 2 <= size && n + 2 <= MAX_WORDS; at += 2) {
		const struct gv_gfx9_op *op;
		uint32_t bits, mask;

		op = &gv_gfx9_ops[(data[at] | (unsigned)data[at + 1] << 8) % gv_gfx9_num_ops];
		if (!row_word(op, &bits, &mask) || (ends_the_wave(bits) && next(in) % 64))
			continue;
		code[n] = bits | ((uint32_t)next(in) & ~mask);
		code[n + 1] = (uint32_t)next(in);
		soften(in, &code[n]);
		n += 2;
	}
	return n;
}

static void put_code(struct input *in, const uint8_t *data, size_t size)
{
	static const uint32_t endpgm = 0xbf810000;
	uint32_t code[MAX_WORDS + 1];
	unsigned n = (unsigned)GV_MIN(size / 4, (size_t)MAX_WORDS);

	if (in->how & HOW_TABLE)
		n = table_code(in, data, size, code);
	else
		memcpy(code, data, n * 4u);
	code[n++] = endpgm;
	memcpy(in->page[8]->byte, code, n * 4u); /* a page that is never absent */
}

/* ---- the run */
static struct gv_cu_dispatch dispatch(struct input *in)
{
	uint32_t vgprs = in->shape & 7, waves = in->shape >> 4 & 3;

	return (struct gv_cu_dispatch){
	        .mem = {.ctx = in,
	                .translate = translate,
	                .copy = copy,
	                .update = update,
	                .generation = &in->generation},
	        .pgm_va = MEM_VA + 8 * PAGE,
	        .rsrc1 = (vgprs == 7 ? 63u : vgprs * 2 + 1) | 0xa00000u | (in->modes & 0xf0u) << 12,
	        .rsrc2 = 16u << 1 | 7u << 7 | 2u << 11 | (in->modes & 7u) << 15,
	        .dim = {2, 1, 1},
	        .num_thread = {64 * waves + 33, 1, 1},
	        .private_base = 1ull << 48,
	        .shared_base = 2ull << 48,
	        .scratch_base = MEM_VA + 2 * PAGE,
	        .tba = in->modes & 8 ? MEM_VA + 9 * PAGE : 0,
	        .wave_limit = in->shape & 8 ? 3000 : 0,
	};
}

/* SGPRs that are likely bases, V#s and offsets; VGPRs that are likely addresses. */
static void set_registers(struct input *in, struct cu_wave *w)
{
	if (next(in) & 1) /* else what work items are called stays */
		cu_ramp_settle(w, ~0ull);
	for (unsigned n = 0; n < 102; n++)
		w->s[n] = (uint32_t)next(in);
	for (uint64_t n = 0; n < 100; n += 2 + 2 * (next(in) & 1)) {
		w->s[n] = (uint32_t)(MEM_VA + next(in) % (PAGES * PAGE));
		w->s[n + 1] &= next(in) & 1 ? 0 : 0xffff0000u;
		w->s[n + 2] &= 0xffff;
	}
	for (unsigned r = 0; r < w->run->num_vgprs; r++)
		for (unsigned l = 0; l < CU_LANES; l++)
			w->v[r][l] = r & 1 ? (next(in) % 8 ? 0 : (uint32_t)next(in) % 3 << 16)
			             : next(in) % 4 ? (uint32_t)(MEM_VA + next(in) % (PAGES * PAGE))
			                            : (uint32_t)next(in);
	cu_wr64(&w->s[CU_EXEC], next(in) & 1 ? ~0ull : next(in) << 20 ^ next(in));
	w->s[CU_M0] = (uint32_t)(next(in) & next(in));
}

/* Half-way: what one run saved, another takes. */
static struct gv_cu_run *move(struct input *in, struct gv_cu_run *run)
{
	struct gv_cu_dispatch d = dispatch(in);
	size_t bytes = gv_cu_save_size(run);
	uint8_t *buf = malloc(bytes);
	struct gv_cu_run *to = NULL;

	if (!buf || gv_cu_begin(&to, &d))
		abort();
	if (gv_cu_save(run, buf, bytes) || gv_cu_restore(to, buf, bytes))
		to = gv_cu_free(to);
	free(buf);
	if (!to)
		return run;
	(void)gv_cu_free(run);
	return to;
}

static struct gv_cu_run *steps(struct input *in, struct gv_cu_run *run)
{
	uint64_t budget = in->how & HOW_SMALL_STEPS ? 7 : STEP;
	char text[64]; /* too short, as a caller's may be */

	for (unsigned n = 0; n < STEPS; n++) {
		uint64_t before = gv_cu_counters(run)->instructions;
		enum gv_cu_status s = gv_cu_step(run, budget);

		if (gv_cu_counters(run)->instructions - before > budget + SLACK)
			abort();
		if (s == GV_CU_FAULT)
			(void)gv_cu_fault_text(gv_cu_fault(run), text, sizeof(text));
		if (s == GV_CU_FAULT || s == GV_CU_DONE)
			break;
		if (n == STEPS / 2 && in->how & HOW_SAVE)
			run = move(in, run);
		in->generation += n % 5 == 0;
	}
	return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {0};
	struct gv_cu_dispatch d;
	struct gv_cu_run *run;

	if (size < 12)
		return 0;
	in.how = data[0];
	in.shape = data[1];
	in.modes = data[2];
	in.absent = data[3];
	memcpy(&in.random, data + 4, 8);
	in.random |= 1;
	make_memory(&in);
	put_code(&in, data + 12, size - 12);
	d = dispatch(&in);
	if (gv_cu_begin(&run, &d) == 0) {
		(void)gv_cu_step(run, 0);
		if (gv_cu_step(run, 1) == GV_CU_YIELD)
			for (unsigned n = 0; n < run->num_waves; n++)
				set_registers(&in, run->wave[n]);
		run = steps(&in, run);
		(void)gv_cu_free(run);
	}
	free_memory(&in);
	return 0;
}
