/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of the VALU cores: CU_CORE_add_f32 indexes the tables of struct cu_isa. */
#ifndef GV_CU_CORES_ID_H
#define GV_CU_CORES_ID_H

enum {
	CU_CORE_NONE,
#define CU_ROW(n, ...) CU_CORE_##n,
#define CU_FLOAT_ROW   CU_ROW
#define CU_SAME_ROW    CU_ROW
#include "cores_each.h"
	CU_NUM_CORES,
};

#endif
