/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The five kinds of kernel of the demonstration. */
#define LID __builtin_amdgcn_workitem_id_x()
#define GID (__builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() + LID)
#define BARRIER                                                                                    \
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");                                     \
	__builtin_amdgcn_s_barrier();                                                              \
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup")

kernel void vadd(global const float *a, global const float *b, global float *c, uint n)
{
	uint i = GID;

	if (i < n)
		c[i] = a[i] + b[i];
}

#define TILE 8
kernel void matmul(global const float *a, global const float *b, global float *c, uint n)
{
	local float ta[TILE][TILE], tb[TILE][TILE];
	uint x = __builtin_amdgcn_workitem_id_x(), y = __builtin_amdgcn_workitem_id_y();
	uint col = __builtin_amdgcn_workgroup_id_x() * TILE + x;
	uint row = __builtin_amdgcn_workgroup_id_y() * TILE + y;
	float sum = 0;

	for (uint t = 0; t < n; t += TILE) {
		ta[y][x] = a[row * n + t + x];
		tb[y][x] = b[(t + y) * n + col];
		BARRIER;
		for (uint k = 0; k < TILE; k++)
			sum = __builtin_fmaf(ta[y][k], tb[k][x], sum);
		BARRIER;
	}
	c[row * n + col] = sum;
}

kernel void reduce(global const uint *in, global uint *total, uint n)
{
	local uint part[256];
	uint l = LID, i = GID;

	part[l] = i < n ? in[i] : 0;
	BARRIER;
	for (uint s = 128; s > 0; s >>= 1) {
		if (l < s)
			part[l] += part[l + s];
		BARRIER;
	}
	if (l == 0)
		__atomic_fetch_add(total, part[0], __ATOMIC_RELAXED);
}

kernel void scratch(global const uint *in, global uint *out)
{
	uint i = GID, a[24];

	for (uint k = 0; k < 24; k++)
		a[k] = in[i] * (k + 1) ^ k;
	for (uint k = 0; k < 24; k++)
		a[a[k] % 24] += a[(k * 7 + in[i]) % 24];
	out[i] = a[in[i] % 24] + a[5];
}

kernel void naive(global const float *a, global const float *b, global float *c, uint n)
{
	uint col = GID, row = __builtin_amdgcn_workgroup_id_y();
	float sum = 0;

	for (uint k = 0; k < n; k++)
		sum = __builtin_fmaf(a[row * n + k], b[k * n + col], sum);
	c[row * n + col] = sum;
}
