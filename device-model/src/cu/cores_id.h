/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of the VALU cores: CU_CORE_add_f32 indexes cu_cores_base[] and its sisters. */
#ifndef GV_CU_CORES_ID_H
#define GV_CU_CORES_ID_H

/* clang-format off */
#define CU_ID(n, ...) CU_CORE_##n,
#define I1 CU_ID
#define I2 CU_ID
#define I3 CU_ID
#define S2 CU_ID
#define S3 CU_ID
#define W2 CU_ID
#define W3 CU_ID
#define F1 CU_ID
#define F2 CU_ID
#define F3 CU_ID
#define H1 CU_ID
#define H2 CU_ID
#define H3 CU_ID
#define D1 CU_ID
#define D2 CU_ID
#define D3 CU_ID
#define P2 CU_ID
#define P3 CU_ID
#define CI CU_ID
#define CS CU_ID
#define CW CU_ID
#define CX CU_ID
#define CQ CU_ID
#define CP CU_ID
#define CMP CU_ID
#define FN CU_ID
#define FCMP(n, ...) CU_CORE_##n##_f32, CU_CORE_##n##_f16, CU_CORE_##n##_f64,
enum {
	CU_CORE_NONE,
#include "cores.def"
	CU_NUM_CORES,
};
#undef CU_ID
#undef I1
#undef I2
#undef I3
#undef S2
#undef S3
#undef W2
#undef W3
#undef F1
#undef F2
#undef F3
#undef H1
#undef H2
#undef H3
#undef D1
#undef D2
#undef D3
#undef P2
#undef P3
#undef CI
#undef CS
#undef CW
#undef CX
#undef CQ
#undef CP
#undef CMP
#undef FN
#undef FCMP
/* clang-format on */

#endif
