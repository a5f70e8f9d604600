/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single instructions that clang seldom emits: r starts as z, x and y are sources. */
typedef unsigned int u32;
typedef unsigned long u64;

#define V(n, text)                                                                                 \
	{                                                                                          \
		u32 r = z;                                                                         \
		__asm volatile(text : "+v"(r) : "v"(x), "v"(y) : "vcc", "s20");                                  \
		out[(n)*64 + l] = r;                                                               \
	}
#define W(n, text)                                                                                 \
	{                                                                                          \
		u64 r = zz;                                                                        \
		__asm volatile(text : "+v"(r) : "v"(xx), "v"(x), "v"(y) : "vcc");                         \
		out[(n)*64 + l] = (u32)r;                                                          \
		out[((n) + 1) * 64 + l] = (u32)(r >> 32);                                          \
	}
/* scalars: of lane 0 */
#define S(n, text)                                                                                 \
	{                                                                                          \
		u32 r = sz;                                                                        \
		__asm volatile(text : "+s"(r) : "s"(sx), "s"(sy) : "scc", "s20", "s21", "s22", "s23");                         \
		out[(n)*64 + l] = r;                                                               \
	}
#define T(n, text)                                                                                 \
	{                                                                                          \
		u64 r = szz;                                                                       \
		__asm volatile(text : "+s"(r) : "s"(sxx), "s"(sy) : "scc");                        \
		out[(n)*64 + l] = (u32)r;                                                          \
		out[((n) + 1) * 64 + l] = (u32)(r >> 32);                                          \
	}

kernel void vector_asm(global const u32 *a, global u32 *out)
{
	u32 l = __builtin_amdgcn_workitem_id_x();
	u32 x = a[l], y = a[64 + l], z = a[128 + l];
	u64 xx = (u64)y << 32 | x, zz = (u64)x << 32 | z;

	V(0, "v_mov_b32_sdwa %0, %1 dst_sel:BYTE_2 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_1")
	V(1, "v_mov_b32_sdwa %0, %1 dst_sel:WORD_1 dst_unused:UNUSED_PAD src0_sel:WORD_0")
	V(2, "v_mov_b32_sdwa %0, sext(%1) dst_sel:BYTE_1 dst_unused:UNUSED_SEXT src0_sel:BYTE_3")
	V(3, "v_add_u32_sdwa %0, %1, sext(%2) dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_1 src1_sel:BYTE_0")
	V(4, "v_add_u32_e64 %0, %1, %2 clamp")
	V(5, "v_sub_u32_e64 %0, %1, %2 clamp")
	V(6, "v_add_i32 %0, %1, %2 clamp")
	V(7, "v_sub_i32 %0, %1, %2 clamp")
	V(8, "v_add_u16_e64 %0, %1, %2 clamp")
	V(9, "v_add_i16 %0, %1, %2 clamp")
	V(10, "v_add_i16 %0, %1, %2 op_sel:[1,0,1]")
	V(11, "v_pk_add_u16 %0, %1, %2 clamp")
	V(12, "v_pk_sub_i16 %0, %1, %2 clamp")
	V(13, "v_pk_mad_i16 %0, %1, %2, %0 op_sel:[1,0,0] op_sel_hi:[0,1,1]")
	V(14, "v_pk_lshrrev_b16 %0, 3, %1 op_sel_hi:[0,1]")
	V(15, "v_cvt_pk_u16_u32 %0, %1, %2")
	V(16, "v_cvt_pk_i16_i32 %0, %1, %2")
	V(17, "v_bfm_b32 %0, %1, %2")
	V(18, "v_mul_hi_u32_u24 %0, %1, %2")
	V(19, "v_mul_hi_i32_i24 %0, %1, %2")
	V(20, "v_mad_u32_u16 %0, %1, %2, %0")
	V(21, "v_sad_hi_u8 %0, %1, %2, %0")
	V(22, "v_med3_i16 %0, %1, %2, %0 op_sel:[1,0,0,0]")
	V(23, "s_movk_i32 s20, 0x1234\n v_writelane_b32 %0, s20, 9")
	V(24, "v_add_u32_dpp %0, %1, %2 row_shr:1 row_mask:0x5 bank_mask:0xe")
	V(25, "v_add_u32_dpp %0, %1, %2 row_half_mirror row_mask:0xf bank_mask:0xf bound_ctrl:0")
	V(26, "v_sub_u32_dpp %0, %1, %2 wave_shl:1 row_mask:0xf bank_mask:0xf")
	V(27, "v_cmpx_lt_u32 vcc, %1, %2\n v_mov_b32 %0, 77\n s_mov_b64 exec, -1")
	V(28, "v_cmp_eq_u16_sdwa vcc, %1, %2 src0_sel:BYTE_0 src1_sel:BYTE_0\n v_cndmask_b32 %0, 5, %1, vcc")
	V(29, "v_ffbh_i32 %0, %1")
	V(30, "v_sat_pk_u8_i16 %0, %1")
	V(31, "v_mov_b32 %0, %2\n v_swap_b32 %0, %0")
	W(32, "v_qsad_pk_u16_u8 %0, %1, %2, %1")
	W(34, "v_ashrrev_i64 %0, %2, %1")
	W(36, "v_mad_i64_i32 %0, vcc, %2, %3, %1")
	V(38, "v_mac_f32 %0, %1, %2")
	V(39, "v_mul_f32_e64 %0, |%1|, -%2 clamp")
	V(40, "v_add_f32_e64 %0, %1, %2 mul:2")
	V(41, "v_max_f16 %0, %1, %2")
	V(42, "v_cvt_pkrtz_f16_f32 %0, %1, %2")
	V(43, "v_cvt_rpi_i32_f32 %0, %1")
	V(44, "v_cvt_pk_u8_f32 %0, %1, 2, %0")
	V(45, "v_cndmask_b32_e64 %0, %1, %2, exec")
	V(46, "v_subrev_co_u32 %0, vcc, %1, %2\n v_subbrev_co_u32 %0, vcc, 0, %0, vcc")
	{
		u32 r;

		__asm volatile("v_mov_b32 v40, %1\n v_mov_b32 v41, 2\n v_mov_b32 v42, %2\n s_movk_i32 s20, 2\n"
		               "s_set_gpr_idx_on s20, gpr_idx(DST)\n v_add_u32 v40, v40, v42\n"
		               "s_set_gpr_idx_off\n v_add_u32 %0, v40, v42"
		               : "=v"(r)
		               : "v"(x), "v"(y)
		               : "s20", "m0", "v40", "v41", "v42");
		out[48 * 64 + l] = r; /* x + (x + y) */
	}
	V(47, "v_mov_b32 %0, vcc_lo\n v_mov_b32 %0, src_execz\n v_add_u32 %0, src_vccz, %0")
}

kernel void scalar_asm(global const u32 *a, global u32 *out)
{
	u32 l = __builtin_amdgcn_workitem_id_x();
	u32 sx = __builtin_amdgcn_readfirstlane(a[0]), sy = __builtin_amdgcn_readfirstlane(a[1]);
	u32 sz = __builtin_amdgcn_readfirstlane(a[2]);
	u64 sxx = (u64)sy << 32 | sx, szz = (u64)sx << 32 | sz;

	S(0, "s_bfe_u32 %0, %1, 0x90005")
	S(1, "s_bfe_i32 %0, %1, 0x90005")
	S(2, "s_absdiff_i32 %0, %1, %2")
	S(3, "s_lshl3_add_u32 %0, %1, %2")
	S(4, "s_pack_lh_b32_b16 %0, %1, %2")
	S(5, "s_quadmask_b32 %0, %1")
	S(6, "s_wqm_b32 %0, %1")
	S(7, "s_flbit_i32 %0, %1")
	S(8, "s_ff0_i32_b32 %0, %1")
	S(9, "s_bitset1_b32 %0, 7\n s_bitset0_b32 %0, 9")
	S(10, "s_bitcmp1_b32 %1, 3\n s_cselect_b32 %0, %1, %2")
	S(11, "s_cmp_gt_i32 %1, %2\n s_cmov_b32 %0, 99")
	S(12, "s_mov_b32 %0, %1\n s_mulk_i32 %0, -7\n s_addk_i32 %0, 0x1234")
	S(13, "s_mov_b32 %0, %1\n s_cmpk_lt_i32 %0, 0x100\n s_cselect_b32 %0, 1, 2")
	S(14, "s_mov_b32 m0, 1\n s_mov_b32 s20, %1\n s_mov_b32 s21, %2\n s_movrels_b32 %0, s20")
	S(15, "s_bcnt0_i32_b32 %0, %1")
	S(16, "s_sext_i32_i8 %0, %1\n s_abs_i32 %0, %0")
	S(17, "s_mul_hi_i32 %0, %1, %2")
	S(18, "s_getreg_b32 %0, hwreg(HW_REG_MODE, 4, 4)")
	S(19, "s_add_u32 %0, %1, %2\n s_addc_u32 %0, 0, 0")
	S(20, "s_sub_i32 %0, %1, %2\n s_cselect_b32 %0, 3, 4")
	T(22, "s_bfe_u64 %0, %1, 0x1c0009")
	T(24, "s_bfm_b64 %0, 12, 35")
	T(26, "s_bitreplicate_b64_b32 %0, %2")
	T(28, "s_brev_b64 %0, %1")
	T(30, "s_not_b64 %0, %1\n s_nand_b64 %0, %0, %1")
	T(32, "s_andn2_saveexec_b64 %0, 0\n s_mov_b64 exec, %0")
	T(34, "s_ashr_i64 %0, %1, 13")
	S(36, "s_call_b64 s[22:23], 2\n s_add_u32 %0, %0, 3\n s_branch 2\n s_mov_b32 %0, 5\n s_setpc_b64 s[22:23]")
}

/* LDS operations on dword l (or a pair); what they return, then what they left. */
#define D(n, text)                                                                                 \
	{                                                                                          \
		u32 r = 0;                                                                         \
		m[l] = z;                                                                          \
		__asm volatile("s_waitcnt lgkmcnt(0)\n" text "\n s_waitcnt lgkmcnt(0)"             \
		               : "=v"(r)                                                           \
		               : "v"(at), "v"(x), "v"(y)                                           \
		               : "memory");                                                        \
		out[(n)*64 + l] = r;                                                               \
		out[((n) + 1) * 64 + l] = m[l];                                                    \
	}
kernel void lds_asm(global const u32 *a, global u32 *out)
{
	local volatile u32 m[128];
	u32 l = __builtin_amdgcn_workitem_id_x(), at = (u32)(local u32 *)&m[l];
	u32 x = a[l], y = a[64 + l], z = a[128 + l];

	D(0, "ds_mskor_rtn_b32 %0, %1, %2, %3")
	D(2, "ds_rsub_rtn_u32 %0, %1, %2")
	D(4, "ds_inc_rtn_u32 %0, %1, %2")
	D(6, "ds_dec_rtn_u32 %0, %1, %2")
	D(8, "ds_wrap_rtn_b32 %0, %1, %2, %3")
	D(10, "ds_wrxchg_rtn_b32 %0, %1, %2")
	D(12, "ds_min_rtn_i32 %0, %1, %2")
	D(14, "ds_max_rtn_f32 %0, %1, %2")
	D(16, "ds_add_rtn_f32 %0, %1, %2")
	D(18, "ds_cmpst_rtn_b32 %0, %1, %2, %3")
	D(20, "ds_write_b8_d16_hi %1, %2\n ds_read_u8 %0, %1")
	D(22, "ds_read_i8 %0, %1 offset:1")
}

kernel void vector_insert(global const u32 *in, global uint8 *out, u32 k)
{
	u32 i = __builtin_amdgcn_workitem_id_x();
	uint8 v = (uint8)(i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7);

	v[k & 7] = in[i];
	v[in[i] & 7] += 100;
	out[i] = v;
}
