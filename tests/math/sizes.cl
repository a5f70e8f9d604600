/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a work item is told about the launch; ten words each. */
__kernel void sizes(__global uint *out)
{
	uint at = (uint)get_global_linear_id();

	for (uint d = 0; d < 3; d++) {
		out[10 * at + d] = (uint)get_global_size(d) | (uint)get_global_offset(d) << 16;
		out[10 * at + 3 + d] = (uint)get_local_size(d) | (uint)get_enqueued_local_size(d) << 16;
		out[10 * at + 6 + d] = (uint)get_num_groups(d) | (uint)get_group_id(d) << 16;
	}
	out[10 * at + 9] = get_work_dim();
}
