/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A private array that is indexed by data lives in scratch memory: each work item fills 32
 * values and then walks through them by the values themselves.
 */
__kernel void scratch(__global const uint *in, __global uint *out, uint n)
{
	uint i = __builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +
	         __builtin_amdgcn_workitem_id_x();
	volatile uint box[32];
	uint at;

	if (i >= n)
		return;
	for (uint k = 0; k < 32; k++)
		box[k] = in[i] * (2 * k + 1) + k;
	at = in[i];
	for (uint k = 0; k < 64; k++) {
		uint v = box[at & 31];

		box[(at >> 5) & 31] = v ^ k;
		at = at * 1664525u + v;
	}
	out[i] = at;
}
