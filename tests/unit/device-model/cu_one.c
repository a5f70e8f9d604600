/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include <gv/base.h>

#include "cu/ramp.h"
#include "cu_one.h"
#include "ut.h"

#define GUARD  0xa5
#define ENDPGM 0xbf810000u
#define NOP    0xbf800000u

uint64_t cu_one_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 2685821657736338717ull >> 11;
}

uint32_t cu_one_below(uint64_t n)
{
	return (uint32_t)(cu_one_random() % n);
}

/* Neighbours in the guest are none in the host. */
static struct cu_one_page *page_of(struct cu_one *o, uint64_t va)
{
	return &o->page[(va - CU_ONE_VA) / 4096 * 7 % CU_ONE_PAGES];
}

uint8_t *cu_one_byte(struct cu_one *o, uint64_t va)
{
	return &page_of(o, va)->byte[va % 4096];
}

bool cu_one_has(uint64_t va, uint64_t bytes)
{
	return va >= CU_ONE_VA && bytes <= CU_ONE_BYTES && va - CU_ONE_VA <= CU_ONE_BYTES - bytes;
}

static int translate(void *ctx, uint64_t va, unsigned access, struct gv_cu_window *w)
{
	struct cu_one *o = ctx;
	unsigned n = (unsigned)((va - CU_ONE_VA) / 4096);

	if (va - CU_ONE_CODE < sizeof(o->code) && o->no_code)
		return o->retry ? -EAGAIN : -EFAULT;
	if (va - CU_ONE_CODE < sizeof(o->code)) {
		*w = (struct gv_cu_window){CU_ONE_CODE, sizeof(o->code), (uint8_t *)o->code,
		                           GV_CU_X};
		return 0;
	}
	if (!cu_one_has(va, 1) || o->absent >> n & 1 ||
	    (access & GV_CU_W && o->read_only >> n & 1)) {
		o->refused++;
		return o->retry && cu_one_has(va, 1) ? -EAGAIN : -EFAULT;
	}
	*w = (struct gv_cu_window){va & ~0xfffull, 4096,
	                           o->no_pointers ? NULL : page_of(o, va)->byte, GV_CU_R};
	if (!(o->read_only >> n & 1))
		w->access |= GV_CU_W;
	return 0;
}

static int copy(void *ctx, uint64_t va, void *buf, size_t n, bool write)
{
	uint8_t *p = cu_one_byte(ctx, va);

	memcpy(write ? p : buf, write ? buf : p, n);
	return 0;
}

static int update(void *ctx, uint64_t va, size_t n, uint64_t (*next)(const void *arg, uint64_t old),
                  const void *arg, uint64_t *old)
{
	uint8_t *p = cu_one_byte(ctx, va);
	uint64_t now;

	*old = 0;
	memcpy(old, p, n);
	now = next(arg, *old);
	memcpy(p, &now, n);
	return 0;
}

static struct gv_cu_dispatch dispatch(struct cu_one *o)
{
	return (struct gv_cu_dispatch){
	        .mem = {.ctx = o,
	                .translate = translate,
	                .copy = copy,
	                .update = update,
	                .generation = &o->generation},
	        .pgm_va = CU_ONE_CODE,
	        .rsrc1 = 0xaf0000 | 15, /* 64 VGPRs */
	        .rsrc2 = 16u << 1 | CU_ONE_LDS / 512 << 15,
	        .dim = {1, 1, 1},
	        .num_thread = {64, 1, 1},
	        .private_base = 1ull << 48,
	        .shared_base = 2ull << 48,
	};
}

void cu_one_again(struct cu_one *o)
{
	struct gv_cu_dispatch d = dispatch(o);

	CU_ASSERT_EQUAL_FATAL(gv_cu_again(o->run, &d), 0);
	o->w = o->run->wave[0];
}

void cu_one_begin(struct cu_one *o, const uint32_t *words, unsigned n)
{
	struct gv_cu_dispatch d = dispatch(o);

	o->code[0] = NOP;
	memcpy(&o->code[1], words, n * 4);
	for (unsigned k = n + 1; k < GV_ARRAY_LEN(o->code); k++)
		o->code[k] = ENDPGM;
	for (unsigned k = 0; k < CU_ONE_PAGES; k++) {
		memset(o->page[k].before, GUARD, sizeof(o->page[k].before));
		memset(o->page[k].after, GUARD, sizeof(o->page[k].after));
	}
	CU_ASSERT_EQUAL_FATAL(gv_cu_begin(&o->run, &d), 0);
	CU_ASSERT_EQUAL(gv_cu_step(o->run, 1), GV_CU_YIELD);
	o->w = o->run->wave[0];
	cu_ramp_settle(o->w, ~0ull);
	memset(o->w->v[0], 0, CU_LANES * 4);
}

enum gv_cu_status cu_one_run(struct cu_one *o)
{
	enum gv_cu_status status = gv_cu_step(o->run, 100);

	cu_ramp_settle(o->w, ~0ull);
	return status;
}

void cu_one_end(struct cu_one *o)
{
	unsigned bad = 0;

	for (unsigned k = 0; k < CU_ONE_PAGES; k++)
		for (unsigned n = 0; n < sizeof(o->page[k].before); n++)
			bad += o->page[k].before[n] != GUARD || o->page[k].after[n] != GUARD;
	CU_ASSERT_EQUAL(bad, 0);
	o->run = gv_cu_free(o->run);
}

/* ---- encodings */
struct cu_words cu_enc_flat(unsigned seg, unsigned op, int offset, unsigned addr, unsigned data,
                            unsigned saddr, unsigned dst, bool glc)
{
	return (struct cu_words){{0xdc000000u | op << 18 | (unsigned)glc << 16 | seg << 14 |
	                                  ((unsigned)offset & 0x1fff),
	                          addr | data << 8 | saddr << 16 | dst << 24}};
}

struct cu_words cu_enc_ds(unsigned op, unsigned offset, unsigned addr, unsigned d0, unsigned d1,
                          unsigned dst)
{
	return (struct cu_words){
	        {0xd8000000u | op << 17 | offset, addr | d0 << 8 | d1 << 16 | dst << 24}};
}

static uint32_t buffer_bits(unsigned offset, unsigned mode)
{
	return offset | (mode & 7) << 12;
}

struct cu_words cu_enc_mubuf(unsigned op, unsigned offset, unsigned mode, unsigned addr,
                             unsigned data, unsigned srsrc, unsigned soffset)
{
	return (struct cu_words){{0xe0000000u | op << 18 | buffer_bits(offset, mode),
	                          addr | data << 8 | srsrc / 4 << 16 | soffset << 24}};
}

struct cu_words cu_enc_mtbuf(unsigned op, unsigned dfmt, unsigned nfmt, unsigned offset,
                             unsigned mode, unsigned addr, unsigned data, unsigned srsrc,
                             unsigned soffset)
{
	return (struct cu_words){
	        {0xe8000000u | op << 15 | dfmt << 19 | nfmt << 23 | buffer_bits(offset, mode),
	         addr | data << 8 | srsrc / 4 << 16 | soffset << 24}};
}

struct cu_words cu_enc_smem(unsigned op, unsigned sdata, unsigned sbase, int offset, int soffset,
                            bool glc)
{
	uint32_t high = (uint32_t)offset & 0x1fffff;

	if (soffset >= 0)
		high |= (uint32_t)soffset << 25;
	return (struct cu_words){{0xc0000000u | op << 18 | 1u << 17 | (unsigned)glc << 16 |
	                                  (unsigned)(soffset >= 0) << 14 | sdata << 6 | sbase / 2,
	                          high}};
}
