/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data parallel processing: shifts, rotations, mirrors, broadcasts in rows of lanes. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {64}, .in = 128, .out = 128 * 16)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), x = in[i], old = i * 0x01010101u, sum = x;

	out += 16 * i;
	out[0] = wave_dpp(old, x, 0x1b, 0xf, 0xf, false);  /* quad_perm:[3,2,1,0] */
	out[1] = wave_dpp(old, x, 0x101, 0xf, 0xf, false); /* row_shl:1 */
	out[2] = wave_dpp(old, x, 0x10f, 0xf, 0xf, true);
	out[3] = wave_dpp(old, x, 0x113, 0xf, 0xf, false); /* row_shr:3 */
	out[4] = wave_dpp(old, x, 0x125, 0xf, 0xf, false); /* row_ror:5 */
	out[5] = wave_dpp(old, x, 0x130, 0xf, 0xf, false); /* wave_shl:1 */
	out[6] = wave_dpp(old, x, 0x134, 0xf, 0xf, false); /* wave_rol:1 */
	out[7] = wave_dpp(old, x, 0x138, 0xf, 0xf, true);  /* wave_shr:1 */
	out[8] = wave_dpp(old, x, 0x13c, 0xf, 0xf, false); /* wave_ror:1 */
	out[9] = wave_dpp(old, x, 0x140, 0xf, 0xf, false); /* row_mirror */
	out[10] = wave_dpp(old, x, 0x141, 0x5, 0xa, false); /* row_half_mirror, some rows and banks */
	out[11] = wave_dpp(old, x, 0x142, 0xa, 0xf, false); /* row_bcast:15 */
	out[12] = wave_dpp(old, x, 0x143, 0xc, 0xf, false); /* row_bcast:31 */
	/* the compiler's own scan of a wave */
	sum += wave_dpp(0, sum, 0x111, 0xf, 0xf, false);
	sum += wave_dpp(0, sum, 0x112, 0xf, 0xf, false);
	sum += wave_dpp(0, sum, 0x114, 0xf, 0xf, false);
	sum += wave_dpp(0, sum, 0x118, 0xf, 0xf, false);
	sum += wave_dpp(0, sum, 0x142, 0xa, 0xf, false);
	sum += wave_dpp(0, sum, 0x143, 0xc, 0xf, false);
	out[13] = sum;
	out[14] = wave_swizzle(x, 0x801b);
	out[15] = wave_swizzle(x, 0x041f) ^ wave_swizzle(x, 0x3c10); /* swap neighbours; masks */
}
