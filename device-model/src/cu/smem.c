/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SMEM: scalar loads and stores, clocks, cache control. */
#include <gv/base.h>

#include "memop.h"

/* i->simm is the immediate, i->soffset the SGPR (or CU_NUM_S: none), i->saddr the base pair. */
static uint32_t offset_of(const struct cu_wave *w, const struct cu_inst *i)
{
	return (uint32_t)i->simm + (i->soffset < CU_NUM_S ? w->s[i->soffset] : 0);
}

static uint64_t address(const struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t off = i->soffset < CU_NUM_S ? w->s[i->soffset] : 0;

	return (cu_rd64(&w->s[i->saddr]) + off + (uint64_t)(int64_t)i->simm) & ~3ull;
}

void cu_s_load(struct cu_wave *w, const struct cu_inst *i)
{
	uint64_t va = address(w, i);
	uint32_t bytes = i->op->dw * 4u;
	const uint8_t *p = cu_mem_try(w, va, bytes, GV_CU_R);

	if (p)
		cu_guest_copy(&w->s[i->dst], p, bytes);
	else
		(void)cu_mem_read(w, va, &w->s[i->dst], bytes);
}

void cu_s_store(struct cu_wave *w, const struct cu_inst *i)
{
	(void)cu_mem_write(w, address(w, i), &w->s[i->dst], i->op->dw * 4u);
}

void cu_s_buffer_load(struct cu_wave *w, const struct cu_inst *i)
{
	const uint32_t *v = &w->s[i->saddr];
	uint64_t base = cu_rd64(v) & 0xffffffffffffull;
	uint32_t stride = v[1] >> 16 & 0x3fff, records = v[2], result[16];
	uint64_t size = stride ? (uint64_t)stride * records : records;

	for (unsigned n = 0; n < i->op->dw; n++) {
		uint64_t at = (offset_of(w, i) & ~3u) + 4ull * n;

		result[n] = 0;
		if (at + 4 > size)
			w->run->n.buffer_out_of_range++;
		else if (!cu_mem_read(w, (base & ~3ull) + at, &result[n], 4))
			return;
	}
	memcpy(&w->s[i->dst], result, i->op->dw * 4u);
}

/* Both count nanoseconds: only differences mean anything to a shader. */
void cu_s_time(struct cu_wave *w, const struct cu_inst *i)
{
	cu_wr64(&w->s[i->dst], gv_now_ns());
}

void cu_s_cache(struct cu_wave *w, const struct cu_inst *i)
{
	(void)w;
	(void)i; /* there is no cache between a wave and memory */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
