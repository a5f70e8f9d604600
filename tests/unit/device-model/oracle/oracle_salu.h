/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scalar instruction does, found by its name: SOP1, SOP2, SOPC, SOPK. */
#ifndef ORACLE_SALU_H
#define ORACLE_SALU_H

#include <stdbool.h>
#include <stdint.h>

struct orc_scalar {
	uint64_t s[2]; /* sources; of SOPK the second is SIMM16 */
	uint64_t exec;
	bool scc;
	/* In and out: the destination (32-bit instructions leave the upper half alone). */
	uint64_t d;
};

typedef void (*orc_scalar_fn)(struct orc_scalar *x);

/** NULL when there is no oracle. It changes exec, scc and d as the instruction does. */
orc_scalar_fn orc_find_scalar(const char *name);

#endif
