/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "oracle.h"

static const struct orc_table *const tables[] = {
        &orc_float_rows, &orc_convert_rows, &orc_special_rows, &orc_int_rows, &orc_packed_rows};

orc_fn orc_find(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (size_t k = 0; k < tables[t]->count; k++)
			if (!strcmp(tables[t]->rows[k].name, name))
				return tables[t]->rows[k].fn;
	return NULL;
}

enum orc_rounding orc_mode_round(const struct orc_mode *m, const struct orc_format *f)
{
	return f == &orc_f32 ? m->round32 : m->round64;
}

static unsigned denorms(const struct orc_mode *m, const struct orc_format *f)
{
	return f == &orc_f32 ? m->denorm32 : m->denorm64;
}

bool orc_keeps_in(const struct orc_mode *m, const struct orc_format *f)
{
	return (denorms(m, f) & 1) != 0;
}

bool orc_keeps_out(const struct orc_mode *m, const struct orc_format *f)
{
	return (denorms(m, f) & 2) != 0;
}

struct orc_num orc_source(const struct orc_lane *l, const struct orc_format *f, unsigned k)
{
	return orc_unpack(f, l->s[k], !orc_keeps_in(l->mode, f));
}

uint64_t orc_result_bits(const struct orc_lane *l, const struct orc_format *f, struct orc_num v)
{
	struct orc_pack how = {orc_mode_round(l->mode, f), !orc_keeps_out(l->mode, f), false};

	return orc_round(f, v, how);
}
