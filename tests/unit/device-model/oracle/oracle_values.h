/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands worth trying: edges of every type, and random numbers that are not all alike. */
#ifndef ORACLE_VALUES_H
#define ORACLE_VALUES_H

#include <stdint.h>

#include <gv/gfx9.h>

/** Bits of a type: 16, 32 or 64. */
unsigned value_bits(enum gv_gfx9_type t);
/** How many edges the type has, and one of them. */
unsigned value_edges(enum gv_gfx9_type t);
uint64_t value_edge(enum gv_gfx9_type t, unsigned k);
/** An edge, or random bits, or for floats a random fraction with an exponent near 1. */
uint64_t value_any(enum gv_gfx9_type t);
/** What operand number @code (128-208, 240-248) is for a source of type @t. */
uint64_t value_constant(enum gv_gfx9_type t, uint32_t code);

#endif
