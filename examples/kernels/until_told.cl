/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At work, which it says, until the host sets *told: for what happens to a kernel in the middle of it. */
__kernel void until_told(volatile __global const uint *told, __global const uint *in,
                         volatile __global uint *out, uint n)
{
	uint i = __builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +
	         __builtin_amdgcn_workitem_id_x();
	uint v = i < n ? in[i] : 0;

	if (i < n)
		out[i] = ~v;
	while (!*told)
		__builtin_amdgcn_s_sleep(8);
	if (i < n)
		out[i] = 3 * v + i;
}
