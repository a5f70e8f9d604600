/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F5: the same source for the emulated GPU and for PoCL. gfx900 has no device library here. */
#ifdef __AMDGCN__
#define ITEM(d)                                                                                    \
	((d) ? __builtin_amdgcn_workgroup_id_y() * __builtin_amdgcn_workgroup_size_y() +           \
	                __builtin_amdgcn_workitem_id_y()                                           \
	     : __builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +           \
	                __builtin_amdgcn_workitem_id_x())
#else
#define ITEM(d) get_global_id(d)
#endif

__kernel __attribute__((reqd_work_group_size(64, 1, 1))) void
matmul(__global const float *a, __global const float *b, __global float *c, uint n)
{
	uint row = ITEM(1), col = ITEM(0);
	float sum = 0;

	for (uint k = 0; k < n; k++)
		sum += a[row * n + k] * b[k * n + col];
	c[row * n + col] = sum;
}

__kernel __attribute__((reqd_work_group_size(256, 1, 1))) void
vadd(__global const float *a, __global const float *b, __global float *c, uint n)
{
	uint i = ITEM(0);

	if (i < n)
		c[i] = a[i] + b[i];
}
