; SPDX-License-Identifier: LGPL-2.1-or-later
;
; ds_read_b32 by hand: every work item stores its number in LDS, waits for its group, reads the
; number back and stores it to out[id]. One group of 64. LDS is not in the descriptor (group
; segment 0): whoever launches it gives at least 256 bytes of dynamic LDS.
;
;   s[4:5]  kernel arguments: out, a pointer
;   v0      work item id in the group
	.text
	.amdgcn_target "amdgcn-amd-amdhsa--gfx900"
	.globl	seed_ds_read
	.p2align	8
	.type	seed_ds_read,@function
seed_ds_read:
	s_load_dwordx2 s[0:1], s[4:5], 0x0
	v_lshlrev_b32_e32 v1, 2, v0
	v_add_u32_e32 v2, 0, v1
	ds_write_b32 v2, v0
	s_waitcnt lgkmcnt(0)
	v_mov_b32_e32 v3, s1
	v_add_co_u32_e32 v0, vcc, s0, v1
	s_barrier
	s_waitcnt lgkmcnt(0)
	ds_read_b32 v2, v1
	s_waitcnt lgkmcnt(0)
	v_addc_co_u32_e32 v1, vcc, 0, v3, vcc
	global_store_dword v[0:1], v2, off
	s_endpgm
.Lend:
	.size	seed_ds_read, .Lend-seed_ds_read

	.rodata
	.p2align	6
	.amdhsa_kernel seed_ds_read
		.amdhsa_group_segment_fixed_size 0
		.amdhsa_private_segment_fixed_size 0
		.amdhsa_kernarg_size 64
		.amdhsa_user_sgpr_private_segment_buffer 1
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_system_sgpr_workgroup_id_x 1
		.amdhsa_system_vgpr_workitem_id 0
		.amdhsa_next_free_vgpr 4
		.amdhsa_next_free_sgpr 6
	.end_amdhsa_kernel

	.amdgpu_metadata
---
amdhsa.version: [1, 1]
amdhsa.target: amdgcn-amd-amdhsa--gfx900
amdhsa.kernels:
  - .name: seed_ds_read
    .symbol: seed_ds_read.kd
    .kernarg_segment_size: 64
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 64
    .sgpr_count: 12
    .vgpr_count: 4
    .max_flat_workgroup_size: 256
    .args:
      - .name: out
        .offset: 0
        .size: 8
        .value_kind: global_buffer
        .address_space: global
...
	.end_amdgpu_metadata
