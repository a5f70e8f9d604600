/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "oracle_float.h"
#include "oracle_mem.h"

static int64_t extended(uint64_t v, unsigned bits)
{
	return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

#define OP(name, value)                                                                            \
	static uint64_t name(uint64_t m, uint64_t d, uint64_t d2, unsigned bits)                   \
	{                                                                                          \
		(void)m, (void)d, (void)d2, (void)bits;                                            \
		return value;                                                                      \
	}
OP(op_add, m + d)
OP(op_sub, m - d)
OP(op_rsub, d - m)
OP(op_inc, m >= d ? 0 : m + 1)
OP(op_dec, m == 0 || m > d ? d : m - 1)
OP(op_smin, extended(d, bits) < extended(m, bits) ? d : m)
OP(op_smax, extended(d, bits) > extended(m, bits) ? d : m)
OP(op_umin, d < m ? d : m)
OP(op_umax, d > m ? d : m)
OP(op_and, m &d)
OP(op_or, m | d)
OP(op_xor, m ^ d)
OP(op_swap, d)
OP(op_mskor, (m & ~d) | d2)
OP(op_wrap, m >= d ? m - d : m + d2)
/* Each half is exchanged where its data has the top bit set, which is not stored. */
OP(op_condxchg, (d >> 31 & 1 ? d & 0x7fffffff : m & 0xffffffff) |
                        (d >> 63 ? d & 0x7fffffff00000000 : m & 0xffffffff00000000))
OP(op_cmpst, m == d ? d2 : m)   /* DS: data0 is compared */
OP(op_cmpswap, m == d2 ? d : m) /* others: the second half is compared */

static struct orc_num num(uint64_t v, unsigned bits)
{
	return orc_unpack(bits == 64 ? &orc_f64 : &orc_f32, v, false);
}

/* Comparisons with a NaN are false. */
OP(op_fmin, orc_compare(num(d, bits), num(m, bits)) == -1 ? d : m)
OP(op_fmax, orc_compare(num(d, bits), num(m, bits)) == 1 ? d : m)
OP(op_fcmpst, orc_compare(num(m, bits), num(d, bits)) == 0 ? d2 : m)

/* To the nearest, whatever MODE says. */
static uint64_t op_fadd(uint64_t m, uint64_t d, uint64_t d2, unsigned bits)
{
	(void)d2;
	return orc_round(&orc_f32, orc_add(num(m, bits), num(d, bits), ORC_NEAREST),
	                 (struct orc_pack){ORC_NEAREST, false, false});
}

static const struct {
	const char *name;
	orc_atomic_fn fn, of_sign, of_float;
} ops[] = {
        {"add", op_add, op_add, op_fadd},
        {"sub", op_sub, NULL, NULL},
        {"rsub", op_rsub, NULL, NULL},
        {"inc", op_inc, NULL, NULL},
        {"dec", op_dec, NULL, NULL},
        {"min", op_umin, op_smin, op_fmin},
        {"max", op_umax, op_smax, op_fmax},
        {"smin", op_smin, NULL, NULL},
        {"smax", op_smax, NULL, NULL},
        {"umin", op_umin, NULL, NULL},
        {"umax", op_umax, NULL, NULL},
        {"and", op_and, NULL, NULL},
        {"or", op_or, NULL, NULL},
        {"xor", op_xor, NULL, NULL},
        {"mskor", op_mskor, NULL, NULL},
        {"wrap", op_wrap, NULL, NULL},
        {"wrxchg", op_swap, NULL, NULL},
        {"wrxchg2", op_swap, NULL, NULL},
        {"wrxchg2st64", op_swap, NULL, NULL},
        {"swap", op_swap, NULL, NULL},
        {"condxchg32", op_condxchg, NULL, NULL},
        {"cmpst", op_cmpst, NULL, op_fcmpst},
        {"cmpswap", op_cmpswap, NULL, NULL},
};

/* The letter before a size: u, i, b, f. */
static orc_atomic_fn find_op(const char *word, char letter)
{
	for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++)
		if (!strcmp(ops[k].name, word))
			return letter == 'i'   ? ops[k].of_sign
			       : letter == 'f' ? ops[k].of_float
			                       : ops[k].fn;
	return NULL;
}

/* Words of a name: "ds_add_rtn_u32" is ds, add, rtn, u32. */
struct words {
	char text[48];
	char *at[8];
	unsigned n;
};

static void split(const char *name, struct words *w)
{
	char *rest = NULL;

	strncpy(w->text, name, sizeof(w->text) - 1);
	w->text[sizeof(w->text) - 1] = 0;
	w->n = 0;
	for (char *p = strtok_r(w->text, "_", &rest); p && w->n < 8; p = strtok_r(NULL, "_", &rest))
		w->at[w->n++] = p;
}

static bool has(const struct words *w, const char *word)
{
	for (unsigned k = 0; k < w->n; k++)
		if (!strcmp(w->at[k], word))
			return true;
	return false;
}

static void halves(const struct words *w, struct orc_mem_op *op)
{
	op->high = has(w, "hi");
	op->d16 = has(w, "d16");
}

/* ds_read2st64_b64: two elements, offsets count 64 of them. */
static void two_offsets(const char *word, struct orc_mem_op *op)
{
	if (!strstr(word, "2") || strstr(word, "32"))
		return;
	op->elements = 2;
	op->unit = op->bytes * (strstr(word, "st64") ? 64 : 1);
}

static bool parse_ds(const struct words *w, struct orc_mem_op *op)
{
	const char *type = NULL;

	for (unsigned k = 2; k < w->n && !type; k++)
		if (strchr("uibf", w->at[k][0]) && w->at[k][1] >= '0' && w->at[k][1] <= '9')
			type = w->at[k];
	if (!type || has(w, "src2") || has(w, "addtid") || w->n < 3)
		return false;
	op->bytes = (unsigned)atoi(type + 1) / 8;
	op->sign = type[0] == 'i';
	op->is_float = type[0] == 'f';
	halves(w, op);
	two_offsets(w->at[1], op);
	if (!strncmp(w->at[1], "read", 4)) {
		op->kind = ORC_LOAD;
	} else if (!strncmp(w->at[1], "write", 5)) {
		op->kind = ORC_STORE;
	} else {
		op->kind = ORC_ATOMIC;
		op->fn = find_op(w->at[1], type[0]);
		op->returns = has(w, "rtn");
		op->two_data = has(w, "mskor") || has(w, "cmpst") || has(w, "wrap");
		return op->fn != NULL;
	}
	return true;
}

static unsigned size_of(const char *word, bool *sign)
{
	static const char *const names[] = {"ubyte",   "sbyte",   "ushort",  "sshort", "dword",
	                                    "dwordx2", "dwordx3", "dwordx4", "byte",   "short"};
	static const uint8_t bytes[] = {1, 1, 2, 2, 4, 8, 12, 16, 1, 2};

	for (unsigned k = 0; k < sizeof(bytes); k++)
		if (!strcmp(word, names[k])) {
			*sign = word[0] == 's' && k < 4;
			return bytes[k];
		}
	return 0;
}

static bool parse_global(const struct words *w, struct orc_mem_op *op)
{
	if (w->n < 3)
		return false;
	if (!strcmp(w->at[1], "atomic")) {
		op->kind = ORC_ATOMIC;
		op->bytes = has(w, "x2") ? 8 : 4;
		op->fn = find_op(w->at[2], 'u');
		op->two_data = has(w, "cmpswap");
		return op->fn != NULL;
	}
	op->kind = !strcmp(w->at[1], "load") ? ORC_LOAD : ORC_STORE;
	op->bytes = size_of(w->at[2], &op->sign);
	halves(w, op);
	return op->bytes && (op->kind == ORC_LOAD || !strcmp(w->at[1], "store"));
}

bool orc_mem_parse(const char *name, struct orc_mem_op *op)
{
	struct words w;

	memset(op, 0, sizeof(*op));
	op->elements = 1;
	split(name, &w);
	if (w.n > 2 && !strcmp(w.at[1], "buffer")) { /* s_buffer_atomic_add: like s_atomic_add */
		w.n--;
		memmove(w.at + 1, w.at + 2, (w.n - 1) * sizeof(w.at[0]));
	}
	return w.n > 1 && (!strcmp(w.at[0], "ds") ? parse_ds(&w, op) : parse_global(&w, op));
}

static uint64_t get(const void *p, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

static void load(const struct orc_mem_op *op, const uint8_t *at, uint32_t *dst)
{
	uint64_t v = 0;

	if (op->bytes >= 4) {
		memcpy(dst, at, op->bytes);
		return;
	}
	v = get(at, op->bytes);
	if (op->sign)
		v = (uint64_t)extended(v, 8 * op->bytes);
	if (!op->d16)
		dst[0] = (uint32_t)v;
	else if (op->high)
		dst[0] = (dst[0] & 0xffff) | (uint32_t)v << 16;
	else
		dst[0] = (dst[0] & 0xffff0000) | (v & 0xffff);
}

static void store(const struct orc_mem_op *op, uint8_t *at, const uint32_t *data)
{
	uint32_t v = op->high ? data[0] >> 16 : data[0];

	if (op->bytes >= 4)
		memcpy(at, data, op->bytes);
	else
		memcpy(at, &v, op->bytes);
}

void orc_mem_apply(const struct orc_mem_op *op, uint8_t *at, const uint32_t *data,
                   const uint32_t *data2, uint32_t *dst)
{
	uint64_t old = 0, next = 0;

	if (op->kind == ORC_LOAD) {
		load(op, at, dst);
		return;
	}
	if (op->kind == ORC_STORE) {
		store(op, at, data);
		return;
	}
	old = get(at, op->bytes);
	next = op->fn(old, get(data, op->bytes), get(data2, op->bytes), 8 * op->bytes);
	memcpy(at, &next, op->bytes);
	if (op->returns)
		memcpy(dst, &old, op->bytes);
}
