/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One wave, one instruction, registers as a test wants them, and a little
 * memory: pages that lie scattered in the host between guard bytes, each of
 * which may be absent, read only, or without a pointer.
 *
 *	struct cu_one o = {0};
 *	cu_one_begin(&o, word, 2);	registers of o.w are 0, EXEC all ones
 *	o.w->v[0][3] = 7; ...
 *	status = cu_one_run(&o);	then look at o.w and cu_one_byte()
 *	cu_one_end(&o);
 */
#ifndef GV_CU_ONE_H
#define GV_CU_ONE_H

#include "cu/state.h"

#define CU_ONE_VA    0x40000000ull
#define CU_ONE_PAGES 16u
#define CU_ONE_BYTES (CU_ONE_PAGES * 4096u)
#define CU_ONE_LDS   2048u /* bytes */
#define CU_ONE_CODE  0x7000000000ull

struct cu_one_page {
	uint8_t before[256], byte[4096], after[256];
};

struct cu_one {
	struct gv_cu_run *run;
	struct cu_wave *w; /* its registers */
	struct cu_one_page page[CU_ONE_PAGES];
	uint32_t code[64];
	unsigned absent, read_only; /* page masks */
	bool retry;                 /* absent pages may come: -EAGAIN */
	bool no_pointers, no_code;  /* code is absent */
	unsigned refused;           /* times translate() said no */
	uint64_t generation;
};

/** Decode @words of code in a fresh wave. Memory stays as it is. */
void cu_one_begin(struct cu_one *o, const uint32_t *words, unsigned n);
/** The same code once more, in the run that is there. */
void cu_one_again(struct cu_one *o);
/** Execute it. DONE, FAULT or RETRY. */
enum gv_cu_status cu_one_run(struct cu_one *o);
/** Asserts that no byte around the pages has changed. */
void cu_one_end(struct cu_one *o);
/** The byte at @va, which must be in the memory. */
uint8_t *cu_one_byte(struct cu_one *o, uint64_t va);
bool cu_one_has(uint64_t va, uint64_t bytes);

/** Random numbers, the same in each run of a test. */
uint64_t cu_one_random(void);
/** One of 0 to @n - 1, cut to 32 bits. */
uint32_t cu_one_below(uint64_t n);

/* ---- encodings */
struct cu_words {
	uint32_t w[2];
};
struct cu_words cu_enc_flat(unsigned seg, unsigned op, int offset, unsigned addr, unsigned data,
                            unsigned saddr, unsigned dst, bool glc);
struct cu_words cu_enc_ds(unsigned op, unsigned offset, unsigned addr, unsigned d0, unsigned d1,
                          unsigned dst);
/* @mode: bits of offen 1, idxen 2, glc 4 */
struct cu_words cu_enc_mubuf(unsigned op, unsigned offset, unsigned mode, unsigned addr,
                             unsigned data, unsigned srsrc, unsigned soffset);
struct cu_words cu_enc_mtbuf(unsigned op, unsigned dfmt, unsigned nfmt, unsigned offset,
                             unsigned mode, unsigned addr, unsigned data, unsigned srsrc,
                             unsigned soffset);
/* @soffset: SGPR, or negative for none */
struct cu_words cu_enc_smem(unsigned op, unsigned sdata, unsigned sbase, int offset, int soffset,
                            bool glc);

#endif
