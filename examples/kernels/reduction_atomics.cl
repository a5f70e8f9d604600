/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * result[0] += sum, result[1] = max, result[2] += count of n unsigned numbers: a tree in dynamic LDS
 * per group, then one global atomic per group and value.
 */
__kernel void reduction_atomics(__global const uint *in, __global uint *result,
                                __local uint *partial, uint n)
{
	uint size = __builtin_amdgcn_workgroup_size_x(), id = __builtin_amdgcn_workitem_id_x();
	uint i = __builtin_amdgcn_workgroup_id_x() * size + id;
	uint v = i < n ? in[i] : 0;

	partial[id] = v;
	if (i < n) {
		__atomic_fetch_max(&result[1], v, __ATOMIC_RELAXED);
		__atomic_fetch_add(&result[2], 1u, __ATOMIC_RELAXED);
	}
	for (uint span = size / 2; span > 0; span /= 2) {
		__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
		__builtin_amdgcn_s_barrier();
		__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
		if (id < span)
			partial[id] += partial[id + span];
	}
	if (id == 0)
		__atomic_fetch_add(&result[0], partial[0], __ATOMIC_RELAXED);
}
