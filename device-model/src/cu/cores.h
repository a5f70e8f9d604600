/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the VALU cores out of cores.def: one function for each, a loop over 64
 * lanes that the compiler turns into vector code. Included by cores_*.c, each
 * compiled for another host ISA.
 *
 * Destination rows may be source rows, never half of one: so no iteration
 * depends on another, which CU_LANE_LOOP tells the compiler.
 */
/* What MODE changes besides flushing, for which rows that never ask twice are made: cores_modes.c
 * reads the wave's MODE from struct cu_aux, everybody else has nearest even and IEEE. */
#ifdef CU_MODES
#define CU_F2H(f)        cu_f2h_mode((f), x->round16, x->max16)
#define CU_FMAH(a, b, c) CU_F2H(cu_fmah((a), (b), (c), x->round16))
#define CU_IEEE          (x->ieee)
#define CU_TWIN(...)
#else
#define CU_F2H(f)        cu_f2h(f)
#define CU_FMAH(a, b, c) cu_f2h(cu_fmah((a), (b), (c), 0))
#define CU_IEEE          true
#define CU_TWIN          CU_LANE
#endif

#include "cores_trans.h"

#ifdef __clang__
#define CU_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define CU_IVDEP _Pragma("GCC ivdep")
#endif
#define CU_LANE_LOOP CU_IVDEP for (unsigned L = 0; L < CU_LANES; L++)
/* n_lanes() for callers that know which sources are rows (sa: 1) and which are scalars, the same
 * for all lanes (0), n() for those that do not. CU_32() and CU_64() read either. */
#define CU_CORE(n)                                                                                 \
	CU_INLINE void n##_lanes(uint32_t *d, const uint32_t *a, const uint32_t *b,                \
	                         const uint32_t *c, struct cu_aux *x, unsigned sa, unsigned sb,    \
	                         unsigned sc);                                                     \
	static void n(uint32_t *d, const uint32_t *a, const uint32_t *b, const uint32_t *c,        \
	              struct cu_aux *x)                                                            \
	{                                                                                          \
		struct cu_aux rows = *x; /* no store can change where they are */                  \
                                                                                                   \
		n##_lanes(d, a, b, c, &rows, 1, 1, 1);                                             \
	}                                                                                          \
	CU_INLINE void n##_lanes(uint32_t *d, const uint32_t *a, const uint32_t *b,                \
	                         const uint32_t *c, struct cu_aux *x, unsigned sa, unsigned sb,    \
	                         unsigned sc)
#define CU_UNUSED1 ((void)b, (void)c, (void)x, (void)sa, (void)sb, (void)sc)
#define CU_UNUSED2 ((void)c, (void)x, (void)sa, (void)sb, (void)sc)
#define CU_UNUSED3 ((void)x, (void)sa, (void)sb, (void)sc)
#define CU_32(p)   (p)[L * s##p]
#define CU_HIGH(p) (p)[s##p ? CU_LANES + L : 1]
#define CU_64(p)   ((uint64_t)CU_HIGH(p) << 32 | CU_32(p))
#define CU_PUT64(p, v)                                                                             \
	do {                                                                                       \
		uint64_t v_ = (v);                                                                 \
		(p)[L] = (uint32_t)v_;                                                             \
		(p)[CU_LANES + L] = (uint32_t)(v_ >> 32);                                          \
	} while (0)

/* clang-format off */
#define CU_GET1(T, f) T A = f(CU_32(a));
#define CU_GET2(T, f) T A = f(CU_32(a)), B = f(CU_32(b));
#define CU_GET3(T, f) T A = f(CU_32(a)), B = f(CU_32(b)), C = f(CU_32(c));
#define CU_LANE(n, unused, get, T, f, put)                                                         \
	CU_CORE(n) { unused; CU_LANE_LOOP { get(T, f) (void)L; put; } }
#define CU_ID(v)   (v)
#define CU_LOW(v)  ((v) & 0xffffu)
#define CU_S16(v)  ((int16_t)(v))
#define CU_SIGN(v) ((int32_t)(v))
#define I1(n, e) CU_LANE(n, CU_UNUSED1, CU_GET1, uint32_t, CU_ID, d[L] = (e))
#define I2(n, e) CU_LANE(n, CU_UNUSED2, CU_GET2, uint32_t, CU_ID, d[L] = (e))
#define I3(n, e) CU_LANE(n, CU_UNUSED3, CU_GET3, uint32_t, CU_ID, d[L] = (e))
#define S2(n, e) CU_LANE(n, CU_UNUSED2, CU_GET2, int32_t, CU_SIGN, d[L] = (uint32_t)(e))
#define S3(n, e) CU_LANE(n, CU_UNUSED3, CU_GET3, int32_t, CU_SIGN, d[L] = (uint32_t)(e))
#define W2(n, e) CU_LANE(n, CU_UNUSED2, CU_GET2, uint32_t, CU_LOW, d[L] = (e) & 0xffff)
#define W3(n, e) CU_LANE(n, CU_UNUSED3, CU_GET3, uint32_t, CU_LOW, d[L] = (e) & 0xffff)
/* Rows with f32 operands also make n_ftz(), which flushes subnormals on the way in and out. */
#define CU_FLOAT(n, unused, get, e)                                                                \
	CU_LANE(n, unused, get, float, cu_f, d[L] = cu_u(e))                                       \
	CU_TWIN(n##_ftz, unused, get, float, cu_flushed, d[L] = cu_flush(cu_u(e)))
#define CU_FLOAT_BITS(n, unused, get, e)                                                           \
	CU_LANE(n, unused, get, uint32_t, CU_ID, d[L] = (e))                                       \
	CU_TWIN(n##_ftz, unused, get, uint32_t, cu_flush, d[L] = cu_flush(e))
#define CU_FROM_FLOAT(n, unused, get, e)                                                           \
	CU_LANE(n, unused, get, uint32_t, CU_ID, d[L] = (e))                                       \
	CU_TWIN(n##_ftz, unused, get, uint32_t, cu_flush, d[L] = (e))
#define F1(n, e) CU_FLOAT(n, CU_UNUSED1, CU_GET1, e)
#define F2(n, e) CU_FLOAT(n, CU_UNUSED2, CU_GET2, e)
#define F3(n, e) CU_FLOAT(n, CU_UNUSED3, CU_GET3, e)
#define Z3(n, e) CU_LANE(n, CU_UNUSED3, CU_GET3, float, cu_flushed, d[L] = cu_flush(cu_u(e)))
#define Y1(n, e) I1(n, e)
#define B2(n, e) CU_FLOAT_BITS(n, CU_UNUSED2, CU_GET2, e)
#define B3(n, e) CU_FLOAT_BITS(n, CU_UNUSED3, CU_GET3, e)
#define T1(n, e) CU_FROM_FLOAT(n, CU_UNUSED1, CU_GET1, e)
#define T2(n, e) CU_FROM_FLOAT(n, CU_UNUSED2, CU_GET2, e)
#define H1(n, e) CU_LANE(n, CU_UNUSED1, CU_GET1, float, cu_h2f, d[L] = CU_F2H(e))
#define H2(n, e) CU_LANE(n, CU_UNUSED2, CU_GET2, float, cu_h2f, d[L] = CU_F2H(e))
#define H3(n, e) CU_LANE(n, CU_UNUSED3, CU_GET3, float, cu_h2f, d[L] = CU_F2H(e))
#define D1(n, e) CU_CORE(n) { CU_UNUSED1; CU_LANE_LOOP {                                           \
		double A = cu_d(CU_64(a)); CU_PUT64(d, cu_ud(e)); } }
#define D2(n, e) CU_CORE(n) { CU_UNUSED2; CU_LANE_LOOP {                                           \
		double A = cu_d(CU_64(a)), B = cu_d(CU_64(b)); CU_PUT64(d, cu_ud(e)); } }
#define D3(n, e) CU_CORE(n) { CU_UNUSED3; CU_LANE_LOOP {                                           \
		double A = cu_d(CU_64(a)), B = cu_d(CU_64(b)), C = cu_d(CU_64(c));                 \
		CU_PUT64(d, cu_ud(e)); } }
#define Q2(n, e) CU_CORE(n) { CU_UNUSED2; CU_LANE_LOOP {                                           \
		uint64_t A = CU_64(a), B = CU_64(b); CU_PUT64(d, e); } }
#define CU_LO(p)   (CU_32(p) & 0xffff)
#define CU_HI(p)   (CU_32(p) >> 16)
#define P2(n, e)                                                                                   \
	CU_INLINE uint32_t n##_half(uint32_t A, uint32_t B, const struct cu_aux *x) {              \
		(void)x; return (e) & 0xffff; }                                                    \
	CU_CORE(n) { CU_UNUSED2; CU_LANE_LOOP d[L] =                                               \
		n##_half(CU_LO(a), CU_LO(b), x) | n##_half(CU_HI(a), CU_HI(b), x) << 16; }
#define P3(n, e)                                                                                   \
	CU_INLINE uint32_t n##_half(uint32_t A, uint32_t B, uint32_t C, const struct cu_aux *x) {  \
		(void)x; return (e) & 0xffff; }                                                    \
	CU_CORE(n) { CU_UNUSED3; CU_LANE_LOOP d[L] =                                               \
		n##_half(CU_LO(a), CU_LO(b), CU_LO(c), x) |                                        \
		n##_half(CU_HI(a), CU_HI(b), CU_HI(c), x) << 16; }
#define CMP(n, e) CU_CORE(n) { (void)a; CU_UNUSED1; CU_LANE_LOOP d[L] = (e) ? ~0u : 0; }
#define CI(n, op) I2(n, A op B ? ~0u : 0)
#define CS(n, op) S2(n, A op B ? -1 : 0)
#define CW(n, op) CU_LANE(n, CU_UNUSED2, CU_GET2, uint32_t, CU_LOW, d[L] = A op B ? ~0u : 0)
#define CX(n, op) CU_LANE(n, CU_UNUSED2, CU_GET2, int32_t, CU_S16, d[L] = A op B ? ~0u : 0)
#define CQ(n, op) CU_CORE(n) { CU_UNUSED2; CU_LANE_LOOP d[L] = CU_64(a) op CU_64(b) ? ~0u : 0; }
#define CP(n, op) CU_CORE(n) { CU_UNUSED2; CU_LANE_LOOP                                            \
		d[L] = (int64_t)CU_64(a) op (int64_t)CU_64(b) ? ~0u : 0; }
#define FCMP(n, e)                                                                                 \
	CU_LANE(n##_f32, CU_UNUSED2, CU_GET2, float, cu_f, d[L] = (e) ? ~0u : 0)                   \
	CU_TWIN(n##_f32_ftz, CU_UNUSED2, CU_GET2, float, cu_flushed, d[L] = (e) ? ~0u : 0)         \
	CU_LANE(n##_f16, CU_UNUSED2, CU_GET2, float, cu_h2f, d[L] = (e) ? ~0u : 0)                 \
	CU_CORE(n##_f64) { CU_UNUSED2; CU_LANE_LOOP {                                              \
		double A = cu_d(CU_64(a)), B = cu_d(CU_64(b)); d[L] = (e) ? ~0u : 0; } }
#define FN(n)

#include "cores.def"
#include "cores_special.h"

#include "cores_undef.h"
/* clang-format on */

#define CU_ROW(n, ...) [CU_CORE_##n] = n,
#define CU_FLOAT_ROW   CU_ROW
#define CU_SAME_ROW    CU_ROW
static const cu_core cores[CU_NUM_CORES] = {
#include "cores_each.h"
};

#ifndef CU_MODES
#define CU_ROW(n, ...)
#define CU_FLOAT_ROW(n, ...) [CU_CORE_##n] = n##_ftz,
#define CU_SAME_ROW(n, ...)  [CU_CORE_##n] = n,
static const cu_core flushing[CU_NUM_CORES] = {
#include "cores_each.h"
};
#endif
