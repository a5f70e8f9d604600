/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VALU cores for waves whose MODE is unusual: how f16 rounds and overflows, and whether minima
 * know signalling NaNs, they ask of struct cu_aux. How f32 and f64 round is the host's mode. */
#include "state.h"
#include "cores_id.h"
#include "cores_div.h"

#define CU_MODES
#include "cores.h"

const cu_core *const cu_cores_modes = cores;
