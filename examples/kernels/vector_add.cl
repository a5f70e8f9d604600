/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* c[i] = a[i] + b[i]. No device library: sizes and ids come from compiler builtins. */
__kernel void vector_add(__global const float *a, __global const float *b, __global float *c,
                         uint n)
{
	uint i = __builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +
	         __builtin_amdgcn_workitem_id_x();

	if (i < n)
		c[i] = a[i] + b[i];
}
