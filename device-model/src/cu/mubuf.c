/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MUBUF: buffers described by a V#, also swizzled ones (that is how clang reaches scratch). */
#include <gv/base.h>

#include "memop.h"

/* Bytes that swizzling keeps together. A field of the V# up to gfx8, fixed since (LLVM
 * SIInstrInfo::getScratchRsrcWords23 sets none on gfx9); FLAT scratch interleaves the same way. */
enum { SWIZZLE_ELEMENT = 4 };

/* A V#, as far as untyped accesses use it. */
struct vsharp {
	uint64_t base;
	uint32_t stride, num_records, index_stride;
	bool swizzle, add_tid;
};

static struct vsharp read_vsharp(const uint32_t *s)
{
	struct vsharp v = {
	        .base = (cu_rd64(s) & 0xffffffffffffull),
	        .stride = s[1] >> 16 & 0x3fff,
	        .num_records = s[2],
	        .swizzle = s[1] >> 31,
	        .index_stride = 8u << (s[3] >> 21 & 3),
	        .add_tid = s[3] >> 23 & 1,
	};

	if (v.add_tid) /* the data format field is then the top of the stride */
		v.stride |= (s[3] >> 15 & 15) << 14;
	return v;
}

/* Where one lane's access goes: bytes [offset, ...) of record index. */
struct place {
	uint32_t index, offset, soffset;
};

static struct place lane_place(const struct cu_wave *w, const struct cu_inst *i,
                               const struct vsharp *v, unsigned lane)
{
	struct place p = {0, (uint32_t)i->simm, 0};
	unsigned reg = i->addr;

	if (i->idxen)
		p.index = w->v[reg++][lane];
	if (v->add_tid)
		p.index += lane;
	if (i->offen)
		p.offset += w->v[reg][lane];
	p.soffset = i->src[0].kind == CU_SRC_CONST ? (uint32_t)i->imm[0] : w->s[i->src[0].reg];
	return p;
}

static uint64_t linear(const struct vsharp *v, const struct place *p)
{
	uint64_t rows, in_row;

	if (!v->swizzle)
		return (uint64_t)p->index * v->stride + p->offset;
	rows = (uint64_t)(p->index / v->index_stride) * v->stride +
	       (p->offset / SWIZZLE_ELEMENT) * SWIZZLE_ELEMENT;
	in_row = (uint64_t)(p->index % v->index_stride) * SWIZZLE_ELEMENT +
	         p->offset % SWIZZLE_ELEMENT;
	return rows * v->index_stride + in_row;
}

/* Structured buffers count records; raw ones, and scratch, count bytes. */
static bool in_range(const struct vsharp *v, const struct place *p, uint64_t at, uint32_t bytes)
{
	if (v->stride && v->swizzle && !v->add_tid)
		return p->index < v->num_records && p->offset + (uint64_t)bytes <= v->stride;
	if (v->stride && !v->add_tid)
		return p->index < v->num_records;
	return at + p->soffset + bytes <= v->num_records;
}

/* Move the lane's bytes, in pieces that do not leave a swizzle element. */
static bool move_bytes(struct cu_wave *w, const struct vsharp *v, struct place p, uint8_t *data,
                       uint32_t bytes, bool write)
{
	while (bytes) {
		uint32_t now = v->swizzle
		                       ? GV_MIN(bytes, SWIZZLE_ELEMENT - p.offset % SWIZZLE_ELEMENT)
		                       : bytes;
		uint64_t at;

		if (!v->swizzle)
			now = GV_MIN(bytes, 4u); /* each dword has its own range check */
		at = linear(v, &p);
		if (!in_range(v, &p, at, now))
			w->run->n.buffer_out_of_range++;
		else if (!(write ? cu_mem_write(w, v->base + p.soffset + at, data, now)
		                 : cu_mem_read(w, v->base + p.soffset + at, data, now)))
			return false;
		data += now;
		p.offset += now;
		bytes -= now;
	}
	return true;
}

/* Scratch as clang uses it: one dword, every lane at the same offset. Then the 64 dwords are one
 * row in memory. False: not that case. */
static bool scratch_row(struct cu_wave *w, const struct cu_inst *i, const struct vsharp *v)
{
	bool is_load = i->op->kind == CU_MEM_LOAD;
	struct place p = lane_place(w, i, v, 0);
	uint64_t at;
	uint8_t *host;

	if (i->op->kind > CU_MEM_STORE || i->op->dw != 1 || cu_exec(w) != ~0ull || i->idxen ||
	    !v->swizzle || !v->add_tid || v->index_stride != CU_LANES)
		return false;
	for (unsigned l = 1; i->offen && l < CU_LANES; l++)
		if (w->v[i->addr][l] != w->v[i->addr][0])
			return false;
	at = linear(v, &p);
	if (p.offset & 3 || !in_range(v, &p, at, 4 * CU_LANES))
		return false;
	host = cu_mem_try(w, v->base + p.soffset + at, 4 * CU_LANES, is_load ? GV_CU_R : GV_CU_W);
	if (!host)
		return false;
	if (is_load)
		cu_guest_copy(w->v[i->data], host, 4 * CU_LANES);
	else
		cu_guest_copy(host, w->v[i->data], 4 * CU_LANES);
	return true;
}

void cu_mubuf(struct cu_wave *w, const struct cu_inst *i)
{
	struct vsharp v = read_vsharp(&w->s[i->srsrc]);
	uint32_t bytes = cu_mem_bytes(i->op);
	bool is_load = cu_mem_is_load(i->op->kind);
	uint64_t exec = cu_exec(w);

	if (scratch_row(w, i, &v))
		return;
	for (unsigned l = 0; l < CU_LANES; l++) {
		uint8_t data[16] = {0}; /* a load out of range is 0 */

		if (!(exec >> l & 1))
			continue;
		if (!is_load)
			cu_mem_lane_data(w, i->op, i->data, l, data);
		if (!move_bytes(w, &v, lane_place(w, i, &v, l), data, bytes, !is_load))
			return;
		if (is_load)
			cu_mem_lane_load(w, i->op, i->data, l, data);
	}
}

void cu_mubuf_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct vsharp v = read_vsharp(&w->s[i->srsrc]);
	uint64_t va[CU_LANES] = {0}, lanes = 0, exec = cu_exec(w);

	for (unsigned l = 0; l < CU_LANES; l++) {
		struct place p;
		uint64_t at;

		if (!(exec >> l & 1))
			continue;
		p = lane_place(w, i, &v, l);
		at = linear(&v, &p);
		if (in_range(&v, &p, at, i->op->dw * 4u)) {
			va[l] = v.base + p.soffset + at;
			lanes |= 1ull << l;
			continue;
		}
		w->run->n.buffer_out_of_range++;
		for (unsigned n = 0; i->glc && n < i->op->dw; n++)
			w->v[i->data + n][l] = 0;
	}
	cu_vmem_atomic(w, i, va, lanes);
}
