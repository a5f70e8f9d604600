/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VALU cores for any host. */
#include "state.h"
#include "cores_id.h"
#include "cores_div.h"

#define CU_ISA cu_isa_base
#include "cores.h"
#include "fast.h"
