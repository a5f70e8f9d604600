/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SMEM: scalar loads, stores and atomics, clocks, cache control.
 *
 * i->saddr is the base (a pair, or a V#), i->simm the immediate, i->soffset
 * the SGPR (or CU_NUM_S: none), i->dst the first register of the data. The two
 * lowest bits of an address do not count.
 */
#include <gv/base.h>

#include "memop.h"

#define REALTIME_NS 10 /* a tick of the 100 MHz clock that RLC_GPU_CLOCK_COUNT counts too */

static uint32_t offset_of(const struct cu_wave *w, const struct cu_inst *i)
{
	return i->soffset < CU_NUM_S ? w->s[i->soffset] : 0;
}

/* @scale: bytes that the SGPR counts. */
static uint64_t address(const struct cu_wave *w, const struct cu_inst *i, uint64_t scale)
{
	return (cu_rd64(&w->s[i->saddr]) + offset_of(w, i) * scale + (uint64_t)(int64_t)i->simm) &
	       ~3ull;
}

/* ---- memory by address; all of it is read, or known to be there, before anything changes */
/* It is noted where it was, for the next time. */
static __attribute__((noinline)) void load(struct cu_wave *w, const struct cu_inst *i, uint64_t va)
{
	uint32_t bytes = i->op->dw * 4u, data[16];
	const uint8_t *p = cu_mem_search(w, i, va, bytes, GV_CU_R);

	if (p)
		cu_guest_copy(&w->s[i->dst], p, bytes);
	else if (cu_mem_read(w, va, data, bytes))
		memcpy(&w->s[i->dst], data, bytes);
}

static void store(struct cu_wave *w, const struct cu_inst *i, uint64_t va)
{
	uint32_t bytes = i->op->dw * 4u;

	if (cu_mem_check(w, va, bytes, GV_CU_W))
		(void)cu_mem_write(w, va, &w->s[i->dst], bytes);
}

void cu_s_load(struct cu_wave *w, const struct cu_inst *i)
{
	load(w, i, address(w, i, 1));
}

/* The same for sizes that a compiler knows. */
#define LOAD_DWORDS(n)                                                                             \
	static void load_##n(struct cu_wave *w, const struct cu_inst *i)                           \
	{                                                                                          \
		uint64_t va = address(w, i, 1);                                                    \
		const uint8_t *p = cu_mem_here(w, i, va, 4 * (n), GV_CU_R);                        \
                                                                                                   \
		if (__builtin_expect(p != NULL, 1))                                                \
			cu_guest_copy(&w->s[i->dst], p, 4 * (n));                                  \
		else                                                                               \
			load(w, i, va);                                                            \
	}
LOAD_DWORDS(1)
LOAD_DWORDS(2)
LOAD_DWORDS(4)
LOAD_DWORDS(8)
LOAD_DWORDS(16)

cu_fn cu_smem_handler(const struct cu_inst *i)
{
	static const cu_fn loads[] = {
	        [1] = load_1, [2] = load_2, [4] = load_4, [8] = load_8, [16] = load_16};

	return i->op->fn == cu_s_load ? loads[i->op->dw] : i->op->fn;
}

void cu_s_store(struct cu_wave *w, const struct cu_inst *i)
{
	store(w, i, address(w, i, 1));
}

/* The same for a lane's scratch, of which a dword stands for 64: the SGPR counts 64 bytes. */
void cu_s_scratch_load(struct cu_wave *w, const struct cu_inst *i)
{
	load(w, i, address(w, i, CU_LANES));
}

void cu_s_scratch_store(struct cu_wave *w, const struct cu_inst *i)
{
	store(w, i, address(w, i, CU_LANES));
}

/* ---- buffers: each dword is in range or not */
struct buffer {
	uint64_t base, size, at;
};

static struct buffer read_vsharp(const struct cu_wave *w, const struct cu_inst *i)
{
	const uint32_t *v = &w->s[i->saddr];
	uint32_t stride = v[1] >> 16 & 0x3fff;

	return (struct buffer){
	        .base = cu_rd64(v) & 0xfffffffffffcull,
	        .size = (uint64_t)(stride ? stride : 1) * v[2],
	        .at = (offset_of(w, i) + (uint64_t)(uint32_t)i->simm) & ~3ull,
	};
}

/* How many of @dw dwords lie in the buffer. */
static uint32_t in_range(struct cu_wave *w, const struct buffer *b, uint32_t dw)
{
	uint64_t room = b->at < b->size ? (b->size - b->at) / 4 : 0;
	uint32_t n = (uint32_t)GV_MIN(room, (uint64_t)dw);

	w->run->n.buffer_out_of_range += dw - n;
	return n;
}

void cu_s_buffer_load(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);
	uint32_t data[16] = {0};

	if (cu_mem_read(w, b.base + b.at, data, in_range(w, &b, i->op->dw) * 4))
		memcpy(&w->s[i->dst], data, i->op->dw * 4u);
}

void cu_s_buffer_store(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);
	uint32_t bytes = in_range(w, &b, i->op->dw) * 4;

	if (cu_mem_check(w, b.base + b.at, bytes, GV_CU_W))
		(void)cu_mem_write(w, b.base + b.at, &w->s[i->dst], bytes);
}

/* ---- atomics: data, then what to compare with; the old value comes back with GLC */
static struct cu_operands operands(const struct cu_wave *w, const struct cu_inst *i)
{
	const uint32_t *s = &w->s[i->dst];
	struct cu_operands o = {.kind = i->op->kind, .wide = i->op->dw == 2};

	o.data = o.wide ? cu_rd64(s) : s[0];
	if (o.kind == CU_AT_CMPSWAP)
		o.cmp = o.wide ? cu_rd64(s + 2) : s[1];
	return o;
}

static void give_back(struct cu_wave *w, const struct cu_inst *i, uint64_t old)
{
	if (i->glc)
		memcpy(&w->s[i->dst], &old, i->op->dw * 4u);
}

void cu_s_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct cu_operands o = operands(w, i);
	uint64_t old;

	if (cu_atomic_at(w, address(w, i, 1), &o, &old))
		give_back(w, i, old);
}

void cu_s_buffer_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);
	struct cu_operands o = operands(w, i);
	uint64_t old = 0;

	if (in_range(w, &b, i->op->dw) < i->op->dw || cu_atomic_at(w, b.base + b.at, &o, &old))
		give_back(w, i, old);
}

/* ---- clocks and caches */
/* The shader clock is taken as 1 GHz: only differences mean anything. */
void cu_s_memtime(struct cu_wave *w, const struct cu_inst *i)
{
	cu_wr64(&w->s[i->dst], gv_now_ns());
}

void cu_s_memrealtime(struct cu_wave *w, const struct cu_inst *i)
{
	cu_wr64(&w->s[i->dst], gv_now_ns() / REALTIME_NS);
}

void cu_s_cache(struct cu_wave *w, const struct cu_inst *i)
{
	(void)w;
	(void)i; /* there is no cache between a wave and memory */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
