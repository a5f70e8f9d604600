/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodings to compare: isa_sample.c makes them, isa_llvm.c asks LLVM, isa_differ.c explains. */
#ifndef ISA_SAMPLE_H
#define ISA_SAMPLE_H

#include <gv/gfx9.h>

#define ISA_BATCH 60000u /* samples per run of LLVM */
#define ISA_TEXT  240
#define ISA_EACH  4u

struct isa_sample {
	uint32_t word[2];
	char llvm[ISA_TEXT]; /* empty: not an instruction */
	bool next;           /* LLVM found another one in the second word */
};

/** Number @n of the endless list that @seed begins; @s->word is set. The list begins with
 *  instructions of every row, ISA_EACH times. */
void isa_make(struct isa_sample *s, unsigned long n, uint64_t *seed);

/** Fill in what LLVM says. 0 or -errno. */
int isa_ask(struct isa_sample *s, unsigned count);

/** Why our text and LLVM's may differ for @s: the number of an isa_reason(), or -1. */
int isa_explain(const struct isa_sample *s, const struct gv_gfx9_inst *in);

unsigned isa_num_reasons(void);
const char *isa_reason(unsigned n);

#endif
