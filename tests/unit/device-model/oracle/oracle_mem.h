/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a memory instruction (DS, FLAT, GLOBAL, MUBUF) does for one lane: read out of its name,
 * which says the size, the sign, the halves and the operation.
 */
#ifndef ORACLE_MEM_H
#define ORACLE_MEM_H

#include <stdbool.h>
#include <stdint.h>

/* What becomes of memory @m with data @d (and @d2), all of @bits bits. */
typedef uint64_t (*orc_atomic_fn)(uint64_t m, uint64_t d, uint64_t d2, unsigned bits);

enum orc_mem_kind { ORC_LOAD, ORC_STORE, ORC_ATOMIC };

struct orc_mem_op {
	enum orc_mem_kind kind;
	unsigned bytes; /* of one element */
	bool sign;      /* small loads: sign-extended */
	bool d16, high; /* one half of a register, the upper one */
	bool is_float;
	unsigned elements; /* 2: each with its own offset field */
	unsigned unit;     /* bytes an offset field counts; 0: the fields are one of 16 bits */
	bool returns;      /* DS atomics; others have the glc bit */
	bool two_data;     /* d2 is data1 (DS) or follows d (others) */
	orc_atomic_fn fn;
};

/** False: not an instruction that this describes. */
bool orc_mem_parse(const char *name, struct orc_mem_op *op);

/** Do it to @at (@bytes of memory): @data are the data registers, @dst what comes back. */
void orc_mem_apply(const struct orc_mem_op *op, uint8_t *at, const uint32_t *data,
                   const uint32_t *data2, uint32_t *dst);

#endif
