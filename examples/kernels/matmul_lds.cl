/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C = A * B for square matrices of n (a multiple of 16), in 16 x 16 tiles held in LDS. */
#define TILE 16

__kernel __attribute__((reqd_work_group_size(TILE, TILE, 1))) void
matmul_lds(__global const float *a, __global const float *b, __global float *c, uint n)
{
	__local float ta[TILE][TILE], tb[TILE][TILE];
	uint x = __builtin_amdgcn_workitem_id_x(), y = __builtin_amdgcn_workitem_id_y();
	uint col = __builtin_amdgcn_workgroup_id_x() * TILE + x;
	uint row = __builtin_amdgcn_workgroup_id_y() * TILE + y;
	float sum = 0.0f;

	for (uint t = 0; t < n; t += TILE) {
		ta[y][x] = a[row * n + t + x];
		tb[y][x] = b[(t + y) * n + col];
		__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
		__builtin_amdgcn_s_barrier();
		__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
		for (uint k = 0; k < TILE; k++)
			sum = __builtin_fmaf(ta[y][k], tb[k][x], sum);
		__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
		__builtin_amdgcn_s_barrier();
		__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
	}
	c[row * n + col] = sum;
}
