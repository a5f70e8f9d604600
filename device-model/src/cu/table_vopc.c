/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VOPC: the compares, also in their VOP3 forms (same number). */
#include "cores_id.h"
#include "state.h"

/* clang-format off */
#define C(n, nm, t0, t1, c)                                                                        \
	{.name = "v_cmp_" nm, .flags = CU_F_CMP, .num = (n), .format = CU_VOPC, .dt = CU_B32,      \
	 .st = {CU_##t0, CU_##t1}, .core = CU_CORE_##c},                                           \
	{.name = "v_cmpx_" nm, .flags = CU_F_CMP | CU_F_CMPX, .num = (n) + CX_##t0,                \
	 .format = CU_VOPC, .dt = CU_B32, .st = {CU_##t0, CU_##t1}, .core = CU_CORE_##c},
/* how far v_cmpx is from v_cmp */
#define CX_F16 16
#define CX_F32 16
#define CX_F64 16
#define CX_B16 16
#define CX_B32 16
#define CX_B64 16
#define CLASS(n, nm, t, t1, c)                                                                     \
	{.name = "v_cmp_class_" nm, .flags = CU_F_CMP, .num = (n), .format = CU_VOPC,              \
	 .dt = CU_B32, .st = {CU_##t, CU_##t1}, .core = CU_CORE_##c},                              \
	{.name = "v_cmpx_class_" nm, .flags = CU_F_CMP | CU_F_CMPX, .num = (n) + 1,                \
	 .format = CU_VOPC, .dt = CU_B32, .st = {CU_##t, CU_##t1}, .core = CU_CORE_##c},
#define FLOATS(n, nm, T, t)                                                                        \
	C(n, "f_" nm, T, T, never) C(n + 1, "lt_" nm, T, T, lt_##t) C(n + 2, "eq_" nm, T, T, eq_##t) \
	C(n + 3, "le_" nm, T, T, le_##t) C(n + 4, "gt_" nm, T, T, gt_##t)                          \
	C(n + 5, "lg_" nm, T, T, lg_##t) C(n + 6, "ge_" nm, T, T, ge_##t)                          \
	C(n + 7, "o_" nm, T, T, o_##t) C(n + 8, "u_" nm, T, T, u_##t)                              \
	C(n + 9, "nge_" nm, T, T, nge_##t) C(n + 10, "nlg_" nm, T, T, nlg_##t)                     \
	C(n + 11, "ngt_" nm, T, T, ngt_##t) C(n + 12, "nle_" nm, T, T, nle_##t)                    \
	C(n + 13, "neq_" nm, T, T, neq_##t) C(n + 14, "nlt_" nm, T, T, nlt_##t)                    \
	C(n + 15, "tru_" nm, T, T, always)
#define INTS(n, nm, T, eq, t)                                                                      \
	C(n, "f_" nm, T, T, never) C(n + 1, "lt_" nm, T, T, lt_##t) C(n + 2, "eq_" nm, T, T, eq_##eq) \
	C(n + 3, "le_" nm, T, T, le_##t) C(n + 4, "gt_" nm, T, T, gt_##t)                          \
	C(n + 5, "ne_" nm, T, T, ne_##eq) C(n + 6, "ge_" nm, T, T, ge_##t)                         \
	C(n + 7, "t_" nm, T, T, always)

static const struct cu_op rows[] = {
	CLASS(16, "f32", F32, B32, class_f32)
	CLASS(18, "f64", F64, B32, class_f64)
	CLASS(20, "f16", F16, B16, class_f16)
	FLOATS(32, "f16", F16, f16)
	FLOATS(64, "f32", F32, f32)
	FLOATS(96, "f64", F64, f64)
	INTS(160, "i16", B16, u16, i16)
	INTS(168, "u16", B16, u16, u16)
	INTS(192, "i32", B32, u32, i32)
	INTS(200, "u32", B32, u32, u32)
	INTS(224, "i64", B64, u64, i64)
	INTS(232, "u64", B64, u64, u64)
};
/* clang-format on */

const struct cu_table cu_table_vopc = {rows, sizeof(rows) / sizeof(rows[0])};
