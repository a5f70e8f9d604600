/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MUBUF and MTBUF: buffers described by a V#, also swizzled ones (that is how
 * clang reaches scratch).
 *
 * Range: a buffer with a stride that is asked for records (idxen, or the V#
 * adds the thread id) counts records, and an access must also be inside its
 * record; any other counts bytes. (Mesa says of gfx9: NUM_RECORDS is in bytes
 * if IDXEN or STRIDE is 0.) Untyped accesses are checked dword by dword, typed
 * ones and atomics as a whole.
 */
#include <gv/base.h>

#include "memop.h"

/* Bytes that swizzling keeps together. A field of the V# up to gfx8, fixed since (LLVM
 * SIInstrInfo::getScratchRsrcWords23 sets none on gfx9); FLAT scratch interleaves the same way. */
enum { SWIZZLE_ELEMENT = 4 };

/* A V#, and what of the instruction is the same for all lanes. */
struct buffer {
	uint64_t base;
	uint32_t stride, num_records, index_stride, soffset;
	bool swizzle, add_tid, structured;
	bool whole; /* one range check for all bytes of a lane */
};

static struct buffer read_vsharp(const struct cu_wave *w, const struct cu_inst *i)
{
	const uint32_t *s = &w->s[i->saddr];
	struct buffer b = {
	        .base = cu_rd64(s) & 0xffffffffffffull,
	        .stride = s[1] >> 16 & 0x3fff,
	        .num_records = s[2],
	        .swizzle = s[1] >> 31,
	        .index_stride = 8u << (s[3] >> 21 & 3),
	        .add_tid = s[3] >> 23 & 1,
	};

	if (b.add_tid) /* the data format field is then the top of the stride */
		b.stride |= (s[3] >> 15 & 15) << 14;
	b.structured = b.stride && (i->idxen || b.add_tid);
	b.soffset = cu_scalar32(w, i, 0);
	return b;
}

/* @offset: a sum of 32 bits, but what follows it does not wrap. */
static void lane_record(const struct cu_wave *w, const struct cu_inst *i, const struct buffer *b,
                        unsigned lane, uint32_t *index, uint64_t *offset)
{
	uint32_t sum = (uint32_t)i->simm;
	unsigned reg = i->addr;

	*index = b->add_tid ? lane : 0;
	if (i->idxen)
		*index += w->v[reg++][lane];
	if (i->offen)
		sum += w->v[reg][lane];
	*offset = sum;
}

static uint64_t linear(const struct buffer *b, uint32_t index, uint64_t offset)
{
	uint64_t in = offset % SWIZZLE_ELEMENT;
	uint64_t row;

	if (!b->swizzle)
		return (uint64_t)index * b->stride + offset;
	row = (uint64_t)(index / b->index_stride) * b->stride + (offset - in);
	return row * b->index_stride + (uint64_t)(index % b->index_stride) * SWIZZLE_ELEMENT + in;
}

static bool in_range(const struct buffer *b, uint32_t index, uint64_t offset, uint32_t bytes)
{
	if (b->structured)
		return index < b->num_records && offset + bytes <= b->stride;
	return linear(b, index, offset) + b->soffset + bytes <= b->num_records;
}

/* Do all dwords of a typed element or an atomic lie in the buffer? */
static bool whole_in_range(const struct buffer *b, uint32_t index, uint64_t offset, uint32_t bytes)
{
	uint32_t last = (bytes - 1) / SWIZZLE_ELEMENT * SWIZZLE_ELEMENT;

	if (!b->swizzle || b->structured)
		return in_range(b, index, offset, bytes);
	return in_range(b, index, offset + last, bytes - last);
}

static void locate_buffer(const struct cu_wave *w, const struct cu_inst *i, const void *where,
                          unsigned lane, uint32_t bytes, struct cu_place *p)
{
	const struct buffer *b = where;
	uint32_t index;
	uint64_t offset;
	bool whole_ok;

	if (!bytes) /* of an invalid format */
		return;
	lane_record(w, i, b, lane, &index, &offset);
	whole_ok = !b->whole || whole_in_range(b, index, offset, bytes);
	if (!whole_ok || (b->whole && !b->swizzle)) {
		cu_place_add(p, whole_ok ? CU_MEMORY : CU_NOWHERE,
		             b->base + b->soffset + linear(b, index, offset), bytes);
		return;
	}
	while (bytes) {
		uint32_t in = offset % SWIZZLE_ELEMENT,
		         room = b->swizzle ? SWIZZLE_ELEMENT - in : 4;
		uint32_t now = GV_MIN(bytes, room);
		bool ok = b->whole || in_range(b, index, offset, now);

		cu_place_add(p, ok ? CU_MEMORY : CU_NOWHERE,
		             b->base + b->soffset + linear(b, index, offset), now);
		offset += now;
		bytes -= now;
	}
}

/* Scratch as clang uses it: one dword, every lane at the same offset. Then the 64 dwords are one
 * row in memory. False: not that case. */
static bool scratch_row(struct cu_wave *w, const struct cu_inst *i, const struct buffer *b)
{
	bool is_load = i->op->kind == CU_MEM_LOAD;
	uint64_t at, offset;
	uint32_t index;
	uint8_t *host;

	if (i->op->kind > CU_MEM_STORE || i->op->dw != 1 || cu_exec(w) != ~0ull || i->idxen ||
	    i->lds_dma || !b->swizzle || !b->add_tid || b->structured ||
	    b->index_stride != CU_LANES)
		return false;
	for (unsigned l = 1; i->offen && l < CU_LANES; l++)
		if (w->v[i->addr][l] != w->v[i->addr][0])
			return false;
	lane_record(w, i, b, 0, &index, &offset);
	at = linear(b, index, offset);
	if (offset & 3 || !in_range(b, index, offset, 4 * CU_LANES))
		return false;
	host = cu_mem_try(w, i, b->base + b->soffset + at, 4 * CU_LANES,
	                  is_load ? GV_CU_R : GV_CU_W);
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
	struct buffer b = read_vsharp(w, i);

	if (!scratch_row(w, i, &b))
		cu_transfer_untyped(w, i, cu_exec(w), locate_buffer, &b);
}

void cu_mubuf_atomic(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);

	b.whole = true;
	cu_vmem_atomic(w, i, cu_exec(w), locate_buffer, &b);
}

static void from_lds(struct cu_wave *w, const struct cu_inst *i, unsigned lane, void *to)
{
	(void)cu_lds_read(w, cu_dma_lds_at(w, i, lane), to, 4);
}

void cu_mubuf_store_lds(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);
	const struct cu_transfer t = {
	        .locate = locate_buffer, .where = &b, .bytes = 4, .store = from_lds};

	cu_transfer(w, i, cu_exec(w), &t);
}

/* ---- typed */
static unsigned num_components(unsigned kind)
{
	return kind == CU_MEM_D16_HI_X ? 1
	       : kind >= CU_MEM_D16_X  ? kind - CU_MEM_D16_X + 1
	                               : kind - CU_MEM_X + 1;
}

/* Formats of MTBUF are the instruction's, those of MUBUF the V#'s. Only those have DST_SEL. */
struct element {
	unsigned dfmt, nfmt;
	bool d16;
	unsigned sel[4];
};

enum { SEL_1 = 1, SEL_X = 4 };

static struct element element_of(const struct cu_wave *w, const struct cu_inst *i)
{
	uint32_t word = w->s[i->saddr + 3];
	bool own = i->op->format == GV9_MTBUF;
	struct element e = {
	        .dfmt = own ? i->dfmt : word >> 15 & 15,
	        .nfmt = own ? i->nfmt : word >> 12 & 7,
	        .d16 = i->op->kind >= CU_MEM_D16_X,
	};

	for (unsigned c = 0; c < 4; c++)
		e.sel[c] = own ? SEL_X + c : word >> (3 * c) & 7;
	return e;
}

static void put_component(struct cu_wave *w, const struct cu_inst *i, unsigned lane, unsigned c,
                          uint32_t v)
{
	uint32_t *d;

	if (i->op->kind < CU_MEM_D16_X) {
		w->v[i->data + c][lane] = v;
		return;
	}
	d = &w->v[i->data + c / 2][lane];
	if (c % 2 || i->op->kind == CU_MEM_D16_HI_X)
		*d = (*d & 0xffff) | v << 16;
	else
		*d = (*d & 0xffff0000u) | (v & 0xffff);
}

static uint32_t get_component(const struct cu_wave *w, const struct cu_inst *i, unsigned lane,
                              unsigned c)
{
	uint32_t v;

	if (i->op->kind < CU_MEM_D16_X)
		return w->v[i->data + c][lane];
	v = w->v[i->data + c / 2][lane];
	return c % 2 || i->op->kind == CU_MEM_D16_HI_X ? v >> 16 : v & 0xffff;
}

/* What a load brings into component @c. */
static uint32_t component(const struct cu_wave *w, const struct cu_inst *i, const void *from,
                          unsigned c)
{
	struct element e = element_of(w, i);
	uint32_t in[4];

	if (e.sel[c] < SEL_X)
		return e.sel[c] == SEL_1 ? cu_format_one(e.nfmt, e.d16) : 0;
	cu_format_unpack(e.dfmt, e.nfmt, e.d16, from, in);
	return in[e.sel[c] - SEL_X];
}

static void load_element(struct cu_wave *w, const struct cu_inst *i, unsigned lane,
                         const void *from)
{
	for (unsigned c = 0; c < num_components(i->op->kind); c++)
		put_component(w, i, lane, c, component(w, i, from, c));
}

static void element_into_lds(struct cu_wave *w, const struct cu_inst *i, unsigned lane,
                             const void *from)
{
	uint32_t v = component(w, i, from, 0);

	(void)cu_lds_write(w, cu_dma_lds_at(w, i, lane), &v, 4);
}

/* DST_SEL the other way round: what a load would bring into component c comes from there. The
 * others are 0 (a guess). */
static void store_element(struct cu_wave *w, const struct cu_inst *i, unsigned lane, void *to)
{
	struct element e = element_of(w, i);
	uint32_t out[4] = {0};

	for (unsigned c = num_components(i->op->kind); c-- > 0;)
		if (e.sel[c] >= SEL_X)
			out[e.sel[c] - SEL_X] = get_component(w, i, lane, c);
	cu_format_pack(e.dfmt, e.nfmt, e.d16, out, to);
}

void cu_buffer_typed(struct cu_wave *w, const struct cu_inst *i)
{
	struct buffer b = read_vsharp(w, i);
	struct element e = element_of(w, i);
	struct cu_transfer t = {
	        .locate = locate_buffer, .where = &b, .bytes = cu_format_bytes(e.dfmt)};

	b.whole = true;
	if (cu_mem_is_load(i->op))
		t.load = i->lds_dma ? element_into_lds : load_element;
	else
		t.store = store_element;
	cu_transfer(w, i, cu_exec(w), &t);
}
