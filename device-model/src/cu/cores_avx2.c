/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VALU cores for x86-64 with AVX2, FMA and F16C; sources.cmake sets the flags. */
#include "state.h"
#include "cores_id.h"
#include "cores_div.h"

#define CU_ISA cu_isa_avx2
#include "cores.h"
#include "fast.h"
