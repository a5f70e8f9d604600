/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SMEM, DS, FLAT, GLOBAL, SCRATCH and MUBUF: opcode, name, kind, dwords moved, handler. */
#include "memop.h"

/* clang-format off */
#define M(f, n, nm, handler, k, d, fl)                                                             \
	{.name = nm, .fn = handler, .flags = (fl), .num = (n), .format = CU_##f, .dw = (d), .kind = (k)},
#define LOADS_AND_STORES(f, prefix, handler)                                                       \
	M(f, 16, prefix "load_ubyte", handler, CU_MEM_LOAD_U8, 1, 0) \
	M(f, 17, prefix "load_sbyte", handler, CU_MEM_LOAD_I8, 1, 0) \
	M(f, 18, prefix "load_ushort", handler, CU_MEM_LOAD_U16, 1, 0) \
	M(f, 19, prefix "load_sshort", handler, CU_MEM_LOAD_I16, 1, 0) \
	M(f, 20, prefix "load_dword", handler, CU_MEM_LOAD, 1, 0) \
	M(f, 21, prefix "load_dwordx2", handler, CU_MEM_LOAD, 2, 0) \
	M(f, 22, prefix "load_dwordx3", handler, CU_MEM_LOAD, 3, 0) \
	M(f, 23, prefix "load_dwordx4", handler, CU_MEM_LOAD, 4, 0) \
	M(f, 24, prefix "store_byte", handler, CU_MEM_STORE_8, 1, 0) \
	M(f, 25, prefix "store_byte_d16_hi", handler, CU_MEM_STORE_8_HI, 1, 0) \
	M(f, 26, prefix "store_short", handler, CU_MEM_STORE_16, 1, 0) \
	M(f, 27, prefix "store_short_d16_hi", handler, CU_MEM_STORE_16_HI, 1, 0) \
	M(f, 28, prefix "store_dword", handler, CU_MEM_STORE, 1, 0) \
	M(f, 29, prefix "store_dwordx2", handler, CU_MEM_STORE, 2, 0) \
	M(f, 30, prefix "store_dwordx3", handler, CU_MEM_STORE, 3, 0) \
	M(f, 31, prefix "store_dwordx4", handler, CU_MEM_STORE, 4, 0) \
	M(f, 32, prefix "load_ubyte_d16", handler, CU_MEM_LOAD_U8_D16, 1, 0) \
	M(f, 33, prefix "load_ubyte_d16_hi", handler, CU_MEM_LOAD_U8_HI, 1, 0) \
	M(f, 34, prefix "load_sbyte_d16", handler, CU_MEM_LOAD_I8_D16, 1, 0) \
	M(f, 35, prefix "load_sbyte_d16_hi", handler, CU_MEM_LOAD_I8_HI, 1, 0) \
	M(f, 36, prefix "load_short_d16", handler, CU_MEM_LOAD_16_D16, 1, 0) \
	M(f, 37, prefix "load_short_d16_hi", handler, CU_MEM_LOAD_16_HI, 1, 0) \

#define ATOMICS(f, prefix, handler) \
	M(f, 64, prefix "atomic_swap", handler, CU_AT_SWAP, 1, CU_F_ATOMIC) \
	M(f, 96, prefix "atomic_swap_x2", handler, CU_AT_SWAP, 2, CU_F_ATOMIC) \
	M(f, 65, prefix "atomic_cmpswap", handler, CU_AT_CMPSWAP, 1, CU_F_ATOMIC) \
	M(f, 97, prefix "atomic_cmpswap_x2", handler, CU_AT_CMPSWAP, 2, CU_F_ATOMIC) \
	M(f, 66, prefix "atomic_add", handler, CU_AT_ADD, 1, CU_F_ATOMIC) \
	M(f, 98, prefix "atomic_add_x2", handler, CU_AT_ADD, 2, CU_F_ATOMIC) \
	M(f, 67, prefix "atomic_sub", handler, CU_AT_SUB, 1, CU_F_ATOMIC) \
	M(f, 99, prefix "atomic_sub_x2", handler, CU_AT_SUB, 2, CU_F_ATOMIC) \
	M(f, 68, prefix "atomic_smin", handler, CU_AT_SMIN, 1, CU_F_ATOMIC) \
	M(f, 100, prefix "atomic_smin_x2", handler, CU_AT_SMIN, 2, CU_F_ATOMIC) \
	M(f, 69, prefix "atomic_umin", handler, CU_AT_UMIN, 1, CU_F_ATOMIC) \
	M(f, 101, prefix "atomic_umin_x2", handler, CU_AT_UMIN, 2, CU_F_ATOMIC) \
	M(f, 70, prefix "atomic_smax", handler, CU_AT_SMAX, 1, CU_F_ATOMIC) \
	M(f, 102, prefix "atomic_smax_x2", handler, CU_AT_SMAX, 2, CU_F_ATOMIC) \
	M(f, 71, prefix "atomic_umax", handler, CU_AT_UMAX, 1, CU_F_ATOMIC) \
	M(f, 103, prefix "atomic_umax_x2", handler, CU_AT_UMAX, 2, CU_F_ATOMIC) \
	M(f, 72, prefix "atomic_and", handler, CU_AT_AND, 1, CU_F_ATOMIC) \
	M(f, 104, prefix "atomic_and_x2", handler, CU_AT_AND, 2, CU_F_ATOMIC) \
	M(f, 73, prefix "atomic_or", handler, CU_AT_OR, 1, CU_F_ATOMIC) \
	M(f, 105, prefix "atomic_or_x2", handler, CU_AT_OR, 2, CU_F_ATOMIC) \
	M(f, 74, prefix "atomic_xor", handler, CU_AT_XOR, 1, CU_F_ATOMIC) \
	M(f, 106, prefix "atomic_xor_x2", handler, CU_AT_XOR, 2, CU_F_ATOMIC) \
	M(f, 75, prefix "atomic_inc", handler, CU_AT_INC, 1, CU_F_ATOMIC) \
	M(f, 107, prefix "atomic_inc_x2", handler, CU_AT_INC, 2, CU_F_ATOMIC) \
	M(f, 76, prefix "atomic_dec", handler, CU_AT_DEC, 1, CU_F_ATOMIC) \
	M(f, 108, prefix "atomic_dec_x2", handler, CU_AT_DEC, 2, CU_F_ATOMIC) \

static const struct cu_op rows[] = {
	/* ---- SMEM */
	M(SMEM, 0, "s_load_dword", cu_s_load, 0, 1, 0)
	M(SMEM, 8, "s_buffer_load_dword", cu_s_buffer_load, 0, 1, 0)
	M(SMEM, 1, "s_load_dwordx2", cu_s_load, 0, 2, 0)
	M(SMEM, 9, "s_buffer_load_dwordx2", cu_s_buffer_load, 0, 2, 0)
	M(SMEM, 2, "s_load_dwordx4", cu_s_load, 0, 4, 0)
	M(SMEM, 10, "s_buffer_load_dwordx4", cu_s_buffer_load, 0, 4, 0)
	M(SMEM, 3, "s_load_dwordx8", cu_s_load, 0, 8, 0)
	M(SMEM, 11, "s_buffer_load_dwordx8", cu_s_buffer_load, 0, 8, 0)
	M(SMEM, 4, "s_load_dwordx16", cu_s_load, 0, 16, 0)
	M(SMEM, 12, "s_buffer_load_dwordx16", cu_s_buffer_load, 0, 16, 0)
	M(SMEM, 5, "s_scratch_load_dword", NULL, 0, 1, 0)
	M(SMEM, 16, "s_store_dword", cu_s_store, 0, 1, 0)
	M(SMEM, 21, "s_scratch_store_dword", NULL, 0, 1, 0)
	M(SMEM, 24, "s_buffer_store_dword", NULL, 0, 1, 0)
	M(SMEM, 6, "s_scratch_load_dwordx2", NULL, 0, 2, 0)
	M(SMEM, 17, "s_store_dwordx2", cu_s_store, 0, 2, 0)
	M(SMEM, 22, "s_scratch_store_dwordx2", NULL, 0, 2, 0)
	M(SMEM, 25, "s_buffer_store_dwordx2", NULL, 0, 2, 0)
	M(SMEM, 7, "s_scratch_load_dwordx4", NULL, 0, 4, 0)
	M(SMEM, 18, "s_store_dwordx4", cu_s_store, 0, 4, 0)
	M(SMEM, 23, "s_scratch_store_dwordx4", NULL, 0, 4, 0)
	M(SMEM, 26, "s_buffer_store_dwordx4", NULL, 0, 4, 0)
	M(SMEM, 32, "s_dcache_inv", cu_s_cache, 0, 0, 0)
	M(SMEM, 33, "s_dcache_wb", cu_s_cache, 0, 0, 0)
	M(SMEM, 34, "s_dcache_inv_vol", cu_s_cache, 0, 0, 0)
	M(SMEM, 35, "s_dcache_wb_vol", cu_s_cache, 0, 0, 0)
	M(SMEM, 36, "s_memtime", cu_s_time, 0, 2, 0)
	M(SMEM, 37, "s_memrealtime", cu_s_time, 0, 2, 0)
	M(SMEM, 38, "s_atc_probe", cu_s_cache, 0, 0, 0)
	M(SMEM, 39, "s_atc_probe_buffer", cu_s_cache, 0, 0, 0)
	M(SMEM, 40, "s_dcache_discard", cu_s_cache, 0, 0, 0)
	M(SMEM, 41, "s_dcache_discard_x2", cu_s_cache, 0, 0, 0)
	M(SMEM, 64, "s_buffer_atomic_swap", NULL, 0, 1, 0)
	M(SMEM, 96, "s_buffer_atomic_swap_x2", NULL, 0, 2, 0)
	M(SMEM, 128, "s_atomic_swap", NULL, 0, 1, 0)
	M(SMEM, 160, "s_atomic_swap_x2", NULL, 0, 2, 0)
	M(SMEM, 65, "s_buffer_atomic_cmpswap", NULL, 0, 1, 0)
	M(SMEM, 97, "s_buffer_atomic_cmpswap_x2", NULL, 0, 2, 0)
	M(SMEM, 129, "s_atomic_cmpswap", NULL, 0, 1, 0)
	M(SMEM, 161, "s_atomic_cmpswap_x2", NULL, 0, 2, 0)
	M(SMEM, 66, "s_buffer_atomic_add", NULL, 0, 1, 0)
	M(SMEM, 98, "s_buffer_atomic_add_x2", NULL, 0, 2, 0)
	M(SMEM, 130, "s_atomic_add", NULL, 0, 1, 0)
	M(SMEM, 162, "s_atomic_add_x2", NULL, 0, 2, 0)
	M(SMEM, 67, "s_buffer_atomic_sub", NULL, 0, 1, 0)
	M(SMEM, 99, "s_buffer_atomic_sub_x2", NULL, 0, 2, 0)
	M(SMEM, 131, "s_atomic_sub", NULL, 0, 1, 0)
	M(SMEM, 163, "s_atomic_sub_x2", NULL, 0, 2, 0)
	M(SMEM, 68, "s_buffer_atomic_smin", NULL, 0, 1, 0)
	M(SMEM, 100, "s_buffer_atomic_smin_x2", NULL, 0, 2, 0)
	M(SMEM, 132, "s_atomic_smin", NULL, 0, 1, 0)
	M(SMEM, 164, "s_atomic_smin_x2", NULL, 0, 2, 0)
	M(SMEM, 69, "s_buffer_atomic_umin", NULL, 0, 1, 0)
	M(SMEM, 101, "s_buffer_atomic_umin_x2", NULL, 0, 2, 0)
	M(SMEM, 133, "s_atomic_umin", NULL, 0, 1, 0)
	M(SMEM, 165, "s_atomic_umin_x2", NULL, 0, 2, 0)
	M(SMEM, 70, "s_buffer_atomic_smax", NULL, 0, 1, 0)
	M(SMEM, 102, "s_buffer_atomic_smax_x2", NULL, 0, 2, 0)
	M(SMEM, 134, "s_atomic_smax", NULL, 0, 1, 0)
	M(SMEM, 166, "s_atomic_smax_x2", NULL, 0, 2, 0)
	M(SMEM, 71, "s_buffer_atomic_umax", NULL, 0, 1, 0)
	M(SMEM, 103, "s_buffer_atomic_umax_x2", NULL, 0, 2, 0)
	M(SMEM, 135, "s_atomic_umax", NULL, 0, 1, 0)
	M(SMEM, 167, "s_atomic_umax_x2", NULL, 0, 2, 0)
	M(SMEM, 72, "s_buffer_atomic_and", NULL, 0, 1, 0)
	M(SMEM, 104, "s_buffer_atomic_and_x2", NULL, 0, 2, 0)
	M(SMEM, 136, "s_atomic_and", NULL, 0, 1, 0)
	M(SMEM, 168, "s_atomic_and_x2", NULL, 0, 2, 0)
	M(SMEM, 73, "s_buffer_atomic_or", NULL, 0, 1, 0)
	M(SMEM, 105, "s_buffer_atomic_or_x2", NULL, 0, 2, 0)
	M(SMEM, 137, "s_atomic_or", NULL, 0, 1, 0)
	M(SMEM, 169, "s_atomic_or_x2", NULL, 0, 2, 0)
	M(SMEM, 74, "s_buffer_atomic_xor", NULL, 0, 1, 0)
	M(SMEM, 106, "s_buffer_atomic_xor_x2", NULL, 0, 2, 0)
	M(SMEM, 138, "s_atomic_xor", NULL, 0, 1, 0)
	M(SMEM, 170, "s_atomic_xor_x2", NULL, 0, 2, 0)
	M(SMEM, 75, "s_buffer_atomic_inc", NULL, 0, 1, 0)
	M(SMEM, 107, "s_buffer_atomic_inc_x2", NULL, 0, 2, 0)
	M(SMEM, 139, "s_atomic_inc", NULL, 0, 1, 0)
	M(SMEM, 171, "s_atomic_inc_x2", NULL, 0, 2, 0)
	M(SMEM, 76, "s_buffer_atomic_dec", NULL, 0, 1, 0)
	M(SMEM, 108, "s_buffer_atomic_dec_x2", NULL, 0, 2, 0)
	M(SMEM, 140, "s_atomic_dec", NULL, 0, 1, 0)
	M(SMEM, 172, "s_atomic_dec_x2", NULL, 0, 2, 0)
	/* ---- FLAT and its segments */
	LOADS_AND_STORES(FLAT, "flat_", cu_flat)
	ATOMICS(FLAT, "flat_", cu_flat_atomic)
	LOADS_AND_STORES(GLOBAL, "global_", cu_global)
	ATOMICS(GLOBAL, "global_", cu_flat_atomic)
	LOADS_AND_STORES(SCRATCH, "scratch_", cu_scratch)
	/* ---- MUBUF */
	LOADS_AND_STORES(MUBUF, "buffer_", cu_mubuf)
	ATOMICS(MUBUF, "buffer_", cu_mubuf_atomic)
	M(MUBUF, 0, "buffer_load_format_x", NULL, 0, 0, 0)
	M(MUBUF, 1, "buffer_load_format_xy", NULL, 0, 0, 0)
	M(MUBUF, 2, "buffer_load_format_xyz", NULL, 0, 0, 0)
	M(MUBUF, 3, "buffer_load_format_xyzw", NULL, 0, 0, 0)
	M(MUBUF, 4, "buffer_store_format_x", NULL, 0, 0, 0)
	M(MUBUF, 5, "buffer_store_format_xy", NULL, 0, 0, 0)
	M(MUBUF, 6, "buffer_store_format_xyz", NULL, 0, 0, 0)
	M(MUBUF, 7, "buffer_store_format_xyzw", NULL, 0, 0, 0)
	M(MUBUF, 8, "buffer_load_format_d16_x", NULL, 0, 0, 0)
	M(MUBUF, 9, "buffer_load_format_d16_xy", NULL, 0, 0, 0)
	M(MUBUF, 10, "buffer_load_format_d16_xyz", NULL, 0, 0, 0)
	M(MUBUF, 11, "buffer_load_format_d16_xyzw", NULL, 0, 0, 0)
	M(MUBUF, 12, "buffer_store_format_d16_x", NULL, 0, 0, 0)
	M(MUBUF, 13, "buffer_store_format_d16_xy", NULL, 0, 0, 0)
	M(MUBUF, 14, "buffer_store_format_d16_xyz", NULL, 0, 0, 0)
	M(MUBUF, 15, "buffer_store_format_d16_xyzw", NULL, 0, 0, 0)
	M(MUBUF, 38, "buffer_load_format_d16_hi_x", NULL, 0, 0, 0)
	M(MUBUF, 39, "buffer_store_format_d16_hi_x", NULL, 0, 0, 0)
	M(MUBUF, 62, "buffer_wbinvl1", cu_s_cache, 0, 0, 0)
	M(MUBUF, 63, "buffer_wbinvl1_vol", cu_s_cache, 0, 0, 0)
	/* ---- DS */
	M(DS, 0, "ds_add_u32", cu_ds_atomic, CU_AT_ADD, 1, CU_F_ATOMIC)
	M(DS, 32, "ds_add_rtn_u32", cu_ds_atomic, CU_AT_ADD, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 1, "ds_sub_u32", cu_ds_atomic, CU_AT_SUB, 1, CU_F_ATOMIC)
	M(DS, 33, "ds_sub_rtn_u32", cu_ds_atomic, CU_AT_SUB, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 2, "ds_rsub_u32", cu_ds_atomic, CU_AT_RSUB, 1, CU_F_ATOMIC)
	M(DS, 34, "ds_rsub_rtn_u32", cu_ds_atomic, CU_AT_RSUB, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 3, "ds_inc_u32", cu_ds_atomic, CU_AT_INC, 1, CU_F_ATOMIC)
	M(DS, 35, "ds_inc_rtn_u32", cu_ds_atomic, CU_AT_INC, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 4, "ds_dec_u32", cu_ds_atomic, CU_AT_DEC, 1, CU_F_ATOMIC)
	M(DS, 36, "ds_dec_rtn_u32", cu_ds_atomic, CU_AT_DEC, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 5, "ds_min_i32", cu_ds_atomic, CU_AT_SMIN, 1, CU_F_ATOMIC)
	M(DS, 37, "ds_min_rtn_i32", cu_ds_atomic, CU_AT_SMIN, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 6, "ds_max_i32", cu_ds_atomic, CU_AT_SMAX, 1, CU_F_ATOMIC)
	M(DS, 38, "ds_max_rtn_i32", cu_ds_atomic, CU_AT_SMAX, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 7, "ds_min_u32", cu_ds_atomic, CU_AT_UMIN, 1, CU_F_ATOMIC)
	M(DS, 39, "ds_min_rtn_u32", cu_ds_atomic, CU_AT_UMIN, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 8, "ds_max_u32", cu_ds_atomic, CU_AT_UMAX, 1, CU_F_ATOMIC)
	M(DS, 40, "ds_max_rtn_u32", cu_ds_atomic, CU_AT_UMAX, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 9, "ds_and_b32", cu_ds_atomic, CU_AT_AND, 1, CU_F_ATOMIC)
	M(DS, 41, "ds_and_rtn_b32", cu_ds_atomic, CU_AT_AND, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 10, "ds_or_b32", cu_ds_atomic, CU_AT_OR, 1, CU_F_ATOMIC)
	M(DS, 42, "ds_or_rtn_b32", cu_ds_atomic, CU_AT_OR, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 11, "ds_xor_b32", cu_ds_atomic, CU_AT_XOR, 1, CU_F_ATOMIC)
	M(DS, 43, "ds_xor_rtn_b32", cu_ds_atomic, CU_AT_XOR, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 12, "ds_mskor_b32", cu_ds_atomic, CU_AT_MSKOR, 1, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 44, "ds_mskor_rtn_b32", cu_ds_atomic, CU_AT_MSKOR, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 13, "ds_write_b32", cu_ds_access, CU_MEM_STORE, 1, 0)
	M(DS, 14, "ds_write2_b32", cu_ds_two, CU_MEM_STORE, 1, CU_F_TWO)
	M(DS, 15, "ds_write2st64_b32", cu_ds_two, CU_MEM_STORE, 1, CU_F_TWO | CU_F_ST64)
	M(DS, 45, "ds_wrxchg_rtn_b32", cu_ds_atomic, CU_AT_SWAP, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 46, "ds_wrxchg2_rtn_b32", cu_ds_xchg2, 0, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO | CU_F_TWICE)
	M(DS, 47, "ds_wrxchg2st64_rtn_b32", cu_ds_xchg2, 0, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO | CU_F_TWICE | CU_F_ST64)
	M(DS, 16, "ds_cmpst_b32", cu_ds_atomic, CU_AT_CMPSWAP, 1, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 48, "ds_cmpst_rtn_b32", cu_ds_atomic, CU_AT_CMPSWAP, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 17, "ds_cmpst_f32", cu_ds_atomic, CU_AT_FCMPSWAP, 1, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 49, "ds_cmpst_rtn_f32", cu_ds_atomic, CU_AT_FCMPSWAP, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 18, "ds_min_f32", cu_ds_atomic, CU_AT_FMIN, 1, CU_F_ATOMIC)
	M(DS, 50, "ds_min_rtn_f32", cu_ds_atomic, CU_AT_FMIN, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 19, "ds_max_f32", cu_ds_atomic, CU_AT_FMAX, 1, CU_F_ATOMIC)
	M(DS, 51, "ds_max_rtn_f32", cu_ds_atomic, CU_AT_FMAX, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 54, "ds_read_b32", cu_ds_access, CU_MEM_LOAD, 1, CU_F_RTN)
	M(DS, 55, "ds_read2_b32", cu_ds_two, CU_MEM_LOAD, 1, CU_F_RTN | CU_F_TWICE)
	M(DS, 56, "ds_read2st64_b32", cu_ds_two, CU_MEM_LOAD, 1, CU_F_RTN | CU_F_TWICE | CU_F_ST64)
	M(DS, 64, "ds_add_u64", cu_ds_atomic, CU_AT_ADD, 2, CU_F_ATOMIC)
	M(DS, 96, "ds_add_rtn_u64", cu_ds_atomic, CU_AT_ADD, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 65, "ds_sub_u64", cu_ds_atomic, CU_AT_SUB, 2, CU_F_ATOMIC)
	M(DS, 97, "ds_sub_rtn_u64", cu_ds_atomic, CU_AT_SUB, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 66, "ds_rsub_u64", cu_ds_atomic, CU_AT_RSUB, 2, CU_F_ATOMIC)
	M(DS, 98, "ds_rsub_rtn_u64", cu_ds_atomic, CU_AT_RSUB, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 67, "ds_inc_u64", cu_ds_atomic, CU_AT_INC, 2, CU_F_ATOMIC)
	M(DS, 99, "ds_inc_rtn_u64", cu_ds_atomic, CU_AT_INC, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 68, "ds_dec_u64", cu_ds_atomic, CU_AT_DEC, 2, CU_F_ATOMIC)
	M(DS, 100, "ds_dec_rtn_u64", cu_ds_atomic, CU_AT_DEC, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 69, "ds_min_i64", cu_ds_atomic, CU_AT_SMIN, 2, CU_F_ATOMIC)
	M(DS, 101, "ds_min_rtn_i64", cu_ds_atomic, CU_AT_SMIN, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 70, "ds_max_i64", cu_ds_atomic, CU_AT_SMAX, 2, CU_F_ATOMIC)
	M(DS, 102, "ds_max_rtn_i64", cu_ds_atomic, CU_AT_SMAX, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 71, "ds_min_u64", cu_ds_atomic, CU_AT_UMIN, 2, CU_F_ATOMIC)
	M(DS, 103, "ds_min_rtn_u64", cu_ds_atomic, CU_AT_UMIN, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 72, "ds_max_u64", cu_ds_atomic, CU_AT_UMAX, 2, CU_F_ATOMIC)
	M(DS, 104, "ds_max_rtn_u64", cu_ds_atomic, CU_AT_UMAX, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 73, "ds_and_b64", cu_ds_atomic, CU_AT_AND, 2, CU_F_ATOMIC)
	M(DS, 105, "ds_and_rtn_b64", cu_ds_atomic, CU_AT_AND, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 74, "ds_or_b64", cu_ds_atomic, CU_AT_OR, 2, CU_F_ATOMIC)
	M(DS, 106, "ds_or_rtn_b64", cu_ds_atomic, CU_AT_OR, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 75, "ds_xor_b64", cu_ds_atomic, CU_AT_XOR, 2, CU_F_ATOMIC)
	M(DS, 107, "ds_xor_rtn_b64", cu_ds_atomic, CU_AT_XOR, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 76, "ds_mskor_b64", cu_ds_atomic, CU_AT_MSKOR, 2, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 108, "ds_mskor_rtn_b64", cu_ds_atomic, CU_AT_MSKOR, 2, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 77, "ds_write_b64", cu_ds_access, CU_MEM_STORE, 2, 0)
	M(DS, 78, "ds_write2_b64", cu_ds_two, CU_MEM_STORE, 2, CU_F_TWO)
	M(DS, 79, "ds_write2st64_b64", cu_ds_two, CU_MEM_STORE, 2, CU_F_TWO | CU_F_ST64)
	M(DS, 109, "ds_wrxchg_rtn_b64", cu_ds_atomic, CU_AT_SWAP, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 110, "ds_wrxchg2_rtn_b64", cu_ds_xchg2, 0, 2, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO | CU_F_TWICE)
	M(DS, 111, "ds_wrxchg2st64_rtn_b64", cu_ds_xchg2, 0, 2, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO | CU_F_TWICE | CU_F_ST64)
	M(DS, 80, "ds_cmpst_b64", cu_ds_atomic, CU_AT_CMPSWAP, 2, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 112, "ds_cmpst_rtn_b64", cu_ds_atomic, CU_AT_CMPSWAP, 2, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 81, "ds_cmpst_f64", cu_ds_atomic, CU_AT_FCMPSWAP, 2, CU_F_ATOMIC | CU_F_TWO)
	M(DS, 113, "ds_cmpst_rtn_f64", cu_ds_atomic, CU_AT_FCMPSWAP, 2, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 82, "ds_min_f64", cu_ds_atomic, CU_AT_FMIN, 2, CU_F_ATOMIC)
	M(DS, 114, "ds_min_rtn_f64", cu_ds_atomic, CU_AT_FMIN, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 83, "ds_max_f64", cu_ds_atomic, CU_AT_FMAX, 2, CU_F_ATOMIC)
	M(DS, 115, "ds_max_rtn_f64", cu_ds_atomic, CU_AT_FMAX, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 118, "ds_read_b64", cu_ds_access, CU_MEM_LOAD, 2, CU_F_RTN)
	M(DS, 119, "ds_read2_b64", cu_ds_two, CU_MEM_LOAD, 2, CU_F_RTN | CU_F_TWICE)
	M(DS, 120, "ds_read2st64_b64", cu_ds_two, CU_MEM_LOAD, 2, CU_F_RTN | CU_F_TWICE | CU_F_ST64)
	M(DS, 29, "ds_write_addtid_b32", NULL, 0, 0, 0)
	M(DS, 128, "ds_add_src2_u32", NULL, 0, 0, 0)
	M(DS, 129, "ds_sub_src2_u32", NULL, 0, 0, 0)
	M(DS, 130, "ds_rsub_src2_u32", NULL, 0, 0, 0)
	M(DS, 131, "ds_inc_src2_u32", NULL, 0, 0, 0)
	M(DS, 132, "ds_dec_src2_u32", NULL, 0, 0, 0)
	M(DS, 133, "ds_min_src2_i32", NULL, 0, 0, 0)
	M(DS, 134, "ds_max_src2_i32", NULL, 0, 0, 0)
	M(DS, 135, "ds_min_src2_u32", NULL, 0, 0, 0)
	M(DS, 136, "ds_max_src2_u32", NULL, 0, 0, 0)
	M(DS, 137, "ds_and_src2_b32", NULL, 0, 0, 0)
	M(DS, 138, "ds_or_src2_b32", NULL, 0, 0, 0)
	M(DS, 139, "ds_xor_src2_b32", NULL, 0, 0, 0)
	M(DS, 141, "ds_write_src2_b32", NULL, 0, 0, 0)
	M(DS, 146, "ds_min_src2_f32", NULL, 0, 0, 0)
	M(DS, 147, "ds_max_src2_f32", NULL, 0, 0, 0)
	M(DS, 149, "ds_add_src2_f32", NULL, 0, 0, 0)
	M(DS, 192, "ds_add_src2_u64", NULL, 0, 0, 0)
	M(DS, 193, "ds_sub_src2_u64", NULL, 0, 0, 0)
	M(DS, 194, "ds_rsub_src2_u64", NULL, 0, 0, 0)
	M(DS, 195, "ds_inc_src2_u64", NULL, 0, 0, 0)
	M(DS, 196, "ds_dec_src2_u64", NULL, 0, 0, 0)
	M(DS, 197, "ds_min_src2_i64", NULL, 0, 0, 0)
	M(DS, 198, "ds_max_src2_i64", NULL, 0, 0, 0)
	M(DS, 199, "ds_min_src2_u64", NULL, 0, 0, 0)
	M(DS, 200, "ds_max_src2_u64", NULL, 0, 0, 0)
	M(DS, 201, "ds_and_src2_b64", NULL, 0, 0, 0)
	M(DS, 202, "ds_or_src2_b64", NULL, 0, 0, 0)
	M(DS, 203, "ds_xor_src2_b64", NULL, 0, 0, 0)
	M(DS, 205, "ds_write_src2_b64", NULL, 0, 0, 0)
	M(DS, 210, "ds_min_src2_f64", NULL, 0, 0, 0)
	M(DS, 211, "ds_max_src2_f64", NULL, 0, 0, 0)
	M(DS, 20, "ds_nop", cu_ds_nop, 0, 0, 0)
	M(DS, 21, "ds_add_f32", cu_ds_atomic, CU_AT_FADD, 1, CU_F_ATOMIC)
	M(DS, 30, "ds_write_b8", cu_ds_access, CU_MEM_STORE_8, 1, 0)
	M(DS, 31, "ds_write_b16", cu_ds_access, CU_MEM_STORE_16, 1, 0)
	M(DS, 52, "ds_wrap_rtn_b32", cu_ds_wrap, 0, 1, CU_F_ATOMIC | CU_F_RTN | CU_F_TWO)
	M(DS, 53, "ds_add_rtn_f32", cu_ds_atomic, CU_AT_FADD, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 57, "ds_read_i8", cu_ds_access, CU_MEM_LOAD_I8, 1, CU_F_RTN)
	M(DS, 58, "ds_read_u8", cu_ds_access, CU_MEM_LOAD_U8, 1, CU_F_RTN)
	M(DS, 59, "ds_read_i16", cu_ds_access, CU_MEM_LOAD_I16, 1, CU_F_RTN)
	M(DS, 60, "ds_read_u16", cu_ds_access, CU_MEM_LOAD_U16, 1, CU_F_RTN)
	M(DS, 61, "ds_swizzle_b32", cu_ds_swizzle, CU_MEM_LOAD, 1, CU_F_RTN)
	M(DS, 62, "ds_permute_b32", cu_ds_permute, 0, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 63, "ds_bpermute_b32", cu_ds_bpermute, 0, 1, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 84, "ds_write_b8_d16_hi", cu_ds_access, CU_MEM_STORE_8_HI, 1, 0)
	M(DS, 85, "ds_write_b16_d16_hi", cu_ds_access, CU_MEM_STORE_16_HI, 1, 0)
	M(DS, 86, "ds_read_u8_d16", cu_ds_access, CU_MEM_LOAD_U8_D16, 1, CU_F_RTN)
	M(DS, 87, "ds_read_u8_d16_hi", cu_ds_access, CU_MEM_LOAD_U8_HI, 1, CU_F_RTN)
	M(DS, 88, "ds_read_i8_d16", cu_ds_access, CU_MEM_LOAD_I8_D16, 1, CU_F_RTN)
	M(DS, 89, "ds_read_i8_d16_hi", cu_ds_access, CU_MEM_LOAD_I8_HI, 1, CU_F_RTN)
	M(DS, 90, "ds_read_u16_d16", cu_ds_access, CU_MEM_LOAD_16_D16, 1, CU_F_RTN)
	M(DS, 91, "ds_read_u16_d16_hi", cu_ds_access, CU_MEM_LOAD_16_HI, 1, CU_F_RTN)
	M(DS, 126, "ds_condxchg32_rtn_b64", NULL, 0, 2, CU_F_ATOMIC | CU_F_RTN)
	M(DS, 182, "ds_read_addtid_b32", cu_ds_addtid, 0, 1, CU_F_RTN | CU_F_NOADDR)
	M(DS, 189, "ds_consume", cu_ds_count, CU_AT_SUB, 1, CU_F_RTN | CU_F_NOADDR)
	M(DS, 190, "ds_append", cu_ds_count, CU_AT_ADD, 1, CU_F_RTN | CU_F_NOADDR)
	M(DS, 222, "ds_write_b96", cu_ds_access, CU_MEM_STORE, 3, 0)
	M(DS, 223, "ds_write_b128", cu_ds_access, CU_MEM_STORE, 4, 0)
	M(DS, 254, "ds_read_b96", cu_ds_access, CU_MEM_LOAD, 3, CU_F_RTN)
	M(DS, 255, "ds_read_b128", cu_ds_access, CU_MEM_LOAD, 4, CU_F_RTN)
};
/* clang-format on */

const struct cu_table cu_table_mem = {rows, sizeof(rows) / sizeof(rows[0])};
