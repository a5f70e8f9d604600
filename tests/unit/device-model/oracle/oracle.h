/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a gfx900 instruction does to one lane, in plain scalar C, found by its name.
 * Written from AMD's "Vega" Instruction Set Architecture and independent of the
 * interpreter: nothing here includes or shares code with device-model/.
 *
 * Sources come as the instruction sees them: selected (SDWA, op_sel, constants) and
 * with neg and abs applied. Results are before omod and clamp of floating point;
 * integer instructions clamp themselves, since where they saturate differs.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>

#include "oracle_float.h"

/* MODE register fields that change results. */
struct orc_mode {
	uint8_t round32, round64;   /* enum orc_rounding; "64" is f64 and f16 */
	uint8_t denorm32, denorm64; /* bit 0: inputs kept, bit 1: results kept */
	bool dx10_clamp, ieee;
};

struct orc_lane {
	const struct orc_mode *mode;
	const struct orc_format *f; /* of the result when that is a float, else of source 0 */
	uint64_t s[3];
	uint64_t s2_high; /* upper half of a 128-bit source 2 */
	uint64_t old;     /* what the result register held */
	bool carry;       /* the lane's bit of the mask that is read */
	unsigned lane;
	bool clamp;
};

struct orc_result {
	uint64_t d, d_high; /* d_high: of 128-bit results */
	bool carry;         /* the lane's bit of the mask that is written */
	uint64_t alt;       /* also right, where documents are silent */
	bool has_alt;
	uint64_t ulps;   /* float results may be this far off */
	double absolute; /* or this far */
	bool exact_nan;  /* NaNs are specified to the bit */
	bool anything;   /* not specified at all */
	bool any_nan;    /* they may be signalling in IEEE mode too */
};

typedef void (*orc_fn)(const struct orc_lane *l, struct orc_result *r);

struct orc_row {
	const char *name;
	orc_fn fn;
};

/** NULL when there is no oracle. */
orc_fn orc_find(const char *name);

struct orc_table {
	const struct orc_row *rows;
	size_t count;
};
extern const struct orc_table orc_float_rows, orc_convert_rows, orc_special_rows, orc_int_rows,
        orc_packed_rows;

#define ORC_TABLE(rows)                                                                            \
	{                                                                                          \
		rows, sizeof(rows) / sizeof((rows)[0])                                             \
	}

enum orc_rounding orc_mode_round(const struct orc_mode *m, const struct orc_format *f);
bool orc_keeps_in(const struct orc_mode *m, const struct orc_format *f);
bool orc_keeps_out(const struct orc_mode *m, const struct orc_format *f);
/** Source @k as a number in format @f, flushed if MODE says so. */
struct orc_num orc_source(const struct orc_lane *l, const struct orc_format *f, unsigned k);
/** Rounded to @f as MODE says. */
uint64_t orc_result_bits(const struct orc_lane *l, const struct orc_format *f, struct orc_num v);

#endif
