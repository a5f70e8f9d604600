/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name of every row of cores.def, in order; what it computes is left out. The includer says
 * what becomes of them: CU_FLOAT_ROW(n) rows have an n_ftz(), CU_SAME_ROW(n) rows do the same
 * whether f32 subnormals are flushed or not, CU_ROW(n) are the others. FCMP rows are three.
 * No include guard: used more than once.
 */
/* clang-format off */
#define I1 CU_ROW
#define I2 CU_ROW
#define I3 CU_ROW
#define S2 CU_ROW
#define S3 CU_ROW
#define W2 CU_ROW
#define W3 CU_ROW
#define F1 CU_FLOAT_ROW
#define F2 CU_FLOAT_ROW
#define F3 CU_FLOAT_ROW
#define B2 CU_FLOAT_ROW
#define B3 CU_FLOAT_ROW
#define T1 CU_FLOAT_ROW
#define T2 CU_FLOAT_ROW
#define Z3 CU_SAME_ROW
#define Y1 CU_SAME_ROW
#define H1 CU_ROW
#define H2 CU_ROW
#define H3 CU_ROW
#define D1 CU_ROW
#define D2 CU_ROW
#define D3 CU_ROW
#define Q2 CU_ROW
#define P2 CU_ROW
#define P3 CU_ROW
#define CI CU_ROW
#define CS CU_ROW
#define CW CU_ROW
#define CX CU_ROW
#define CQ CU_ROW
#define CP CU_ROW
#define CMP CU_ROW
#define FN CU_ROW
#define FCMP(n, ...) CU_FLOAT_ROW(n##_f32) CU_ROW(n##_f16) CU_ROW(n##_f64)
#include "cores.def"
#include "cores_undef.h"
/* clang-format on */
#undef CU_ROW
#undef CU_FLOAT_ROW
#undef CU_SAME_ROW
