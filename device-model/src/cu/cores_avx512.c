/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VALU cores for x86-64 with AVX-512F/BW/DQ/VL; sources.cmake sets the flags. */
#include "state.h"
#include "cores_id.h"
#include "cores_div.h"

#define CU_ISA cu_isa_avx512
#include "cores.h"
#include "fast.h"
