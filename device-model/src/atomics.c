/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TC atomics: one rule from old value to new, applied with compare-and-swap so that engines,
 * CUs and CPUs all see it as one step.
 */
#include "mem.h"

/* Distance from an operation on 32 bits to the same on 64 (enum gv_tc_op). */
#define TC_64 (GV_TC_SWAP_RTN_64 - GV_TC_SWAP_RTN_32)

static bool is_64(unsigned op)
{
	return op >= GV_TC_SWAP_RTN_64;
}

static bool known(unsigned op)
{
	unsigned o = is_64(op) ? op - TC_64 : op;

	return o == GV_TC_SWAP_RTN_32 || o == GV_TC_CMPSWAP_RTN_32 ||
	       (o >= GV_TC_ADD_RTN_32 && o <= GV_TC_DEC_RTN_32);
}

/* @o: the 32-bit code. Operands of 32-bit operations come zero extended; @less_signed: old < src
 * as signed numbers of the right width. */
static uint64_t apply(unsigned o, uint64_t old, uint64_t src, uint64_t cmp, bool less_signed)
{
	switch (o) {
	case GV_TC_SWAP_RTN_32:
		return src;
	case GV_TC_CMPSWAP_RTN_32:
		return old == cmp ? src : old;
	case GV_TC_ADD_RTN_32:
		return old + src;
	case GV_TC_SUB_RTN_32:
		return old - src;
	case GV_TC_SMIN_RTN_32:
		return less_signed ? old : src;
	case GV_TC_UMIN_RTN_32:
		return GV_MIN(old, src);
	case GV_TC_SMAX_RTN_32:
		return less_signed ? src : old;
	case GV_TC_UMAX_RTN_32:
		return GV_MAX(old, src);
	case GV_TC_AND_RTN_32:
		return old & src;
	case GV_TC_OR_RTN_32:
		return old | src;
	case GV_TC_XOR_RTN_32:
		return old ^ src;
	case GV_TC_INC_RTN_32:
		return old >= src ? 0 : old + 1;
	case GV_TC_DEC_RTN_32:
		return old == 0 || old > src ? src : old - 1;
	default:
		return old; /* known() came first */
	}
}

static uint32_t apply32(unsigned op, uint32_t old, uint64_t src, uint64_t cmp)
{
	return (uint32_t)apply(op, old, (uint32_t)src, (uint32_t)cmp,
	                       (int32_t)old < (int32_t)(uint32_t)src);
}

static uint64_t apply64(unsigned op, uint64_t old, uint64_t src, uint64_t cmp)
{
	return apply(op - TC_64, old, src, cmp, (int64_t)old < (int64_t)src);
}

static uint64_t swap32(uint32_t *p, unsigned op, uint64_t src, uint64_t cmp)
{
	uint32_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(p, &old, apply32(op, old, src, cmp), true,
	                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
	}
	return old;
}

static uint64_t swap64(uint64_t *p, unsigned op, uint64_t src, uint64_t cmp)
{
	uint64_t old = __atomic_load_n(p, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(p, &old, apply64(op, old, src, cmp), true,
	                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
	}
	return old;
}

int gv_mem_update(struct gv_mem *m, uint64_t va, size_t n,
                  uint64_t (*next)(const void *arg, uint64_t old), const void *arg, uint64_t *old)
{
	uint64_t was = 0, now;
	int rc;

	(void)pthread_mutex_lock(&m->fn->gmc->slow_lock);
	rc = gv_mem_read(m, va, &was, n); /* little endian: the low bytes */
	if (!rc) {
		now = next(arg, was);
		rc = gv_mem_write(m, va, &now, n);
	}
	(void)pthread_mutex_unlock(&m->fn->gmc->slow_lock);
	if (!rc)
		*old = was;
	return rc;
}

struct operands {
	unsigned op;
	uint64_t src, cmp;
};

static uint64_t next_value(const void *arg, uint64_t old)
{
	const struct operands *o = arg;

	return is_64(o->op) ? apply64(o->op, old, o->src, o->cmp)
	                    : apply32(o->op, (uint32_t)old, o->src, o->cmp);
}

int gv_mem_atomic(struct gv_mem *m, uint64_t va, unsigned tc_op, uint64_t src, uint64_t cmp,
                  uint64_t *old)
{
	struct gv_window w;
	uint8_t *p;
	int rc;

	if (!known(tc_op))
		return -EOPNOTSUPP;
	if (va % (is_64(tc_op) ? 8 : 4))
		return -EINVAL;
	rc = gv_mem_window(m, va, GV_ACC_R | GV_ACC_W | GV_ACC_ATOMIC, &w);
	if (rc)
		return rc;
	p = w.host ? w.host + (va - w.va) : NULL;
	if (w.host == m->fn->gmc->sink) { /* a PRT page reads 0 and keeps nothing */
		*old = 0;
		return 0;
	}
	if (!p || (uintptr_t)p % (is_64(tc_op) ? 8 : 4))
		return gv_mem_update(m, va, is_64(tc_op) ? 8 : 4, next_value,
		                     &(struct operands){tc_op, src, cmp}, old);
	*old = is_64(tc_op) ? swap64((uint64_t *)(void *)p, tc_op, src, cmp)
	                    : swap32((uint32_t *)(void *)p, tc_op, src, cmp);
	return 0;
}
