/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cores that do not fit one expression. Part of cores.h. */

CU_CORE(ldexp_f64)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	CU_PUT64(d, cu_ud(ldexp(cu_d(CU_64(a)), cu_clamp_s((int32_t)CU_32(b), -5000, 5000))));
}

/* 53 bits of 2/pi for Payne-Hanek reduction, from bit 53 * b on, scaled for a's exponent; there are
 * 1201 bits. Rounded towards zero. */
CU_INLINE double cu_trig_preop(double a, uint32_t segment)
{
	static const uint32_t bits[] = {
	        0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
	        0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
	        0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b,
	        0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7,
	        0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1,
	        0x1f8d5d08, 0x56033046, 0xfc7b0000};
	int e = cu_exp64(a), scale = 0;
	uint32_t shift = (segment & 0x1f) * 53 + (e > 1077 ? (uint32_t)(e - 1077) : 0);
	uint64_t mant = 0;

	for (unsigned n = 0; n < 53; n++) {
		uint32_t bit = shift + n;
		uint32_t word = bit / 32 < GV_ARRAY_LEN(bits) ? bits[bit / 32] : 0;

		mant = mant << 1 | (word >> (31 - bit % 32) & 1);
	}
	scale = -53 - (int)shift + (e >= 1968 ? 128 : 0);
	if (scale < -1074) { /* a subnormal: what is cut off here cannot round */
		mant = scale > -1074 - 64 ? mant >> (-1074 - scale) : 0;
		scale = -1074;
	}
	return ldexp((double)mant, scale);
}

CU_CORE(trig_preop_f64)
{
	CU_UNUSED2;
	for (unsigned L = 0; L < CU_LANES; L++)
		CU_PUT64(d, cu_ud(cu_trig_preop(cu_d(CU_64(a)), CU_32(b))));
}

CU_CORE(frexp_exp_f64)
{
	CU_UNUSED1;
	for (unsigned L = 0; L < CU_LANES; L++) {
		double v = cu_d(CU_64(a));
		int e = 0;

		if (v - v == 0)
			(void)frexp(v, &e);
		d[L] = (uint32_t)e;
	}
}

CU_CORE(cvt_i32_f64)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	{
		double v = cu_d(CU_64(a));

		v = v != v ? 0 : v < -0x1p31 ? -0x1p31 : v > 0x1p31 - 1 ? 0x1p31 - 1 : v;
		d[L] = (uint32_t)(int32_t)v;
	}
}

CU_CORE(cvt_u32_f64)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	{
		double v = cu_d(CU_64(a));

		v = v > 0 ? v : 0;
		d[L] = (uint32_t)(int64_t)(v > 0x1p32 - 1 ? 0x1p32 - 1 : v);
	}
}

CU_CORE(cvt_f64_i32)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	CU_PUT64(d, cu_ud((double)(int32_t)CU_32(a)));
}

CU_CORE(cvt_f64_u32)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	CU_PUT64(d, cu_ud((double)CU_32(a)));
}

CU_CORE(cvt_f32_f64)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	d[L] = cu_u((float)cu_d(CU_64(a)));
}

CU_CORE(cvt_f64_f32)
{
	CU_UNUSED1;
	CU_LANE_LOOP
	CU_PUT64(d, cu_ud((double)cu_f(CU_32(a))));
}

/* Shifts of pairs in 32-bit steps: that is what the host's vector units do well. */
CU_CORE(lshlrev_b64)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t n = CU_32(a) & 31, big = 0u - (CU_32(a) >> 5 & 1), lo = CU_32(b),
		         hi = CU_HIGH(b);
		uint32_t up = lo << n, across = (hi << n) | (lo >> 1) >> (31 - n);

		d[L] = up & ~big;
		d[CU_LANES + L] = (up & big) | (across & ~big);
	}
}

CU_CORE(lshrrev_b64)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t n = CU_32(a) & 31, big = 0u - (CU_32(a) >> 5 & 1), lo = CU_32(b),
		         hi = CU_HIGH(b);
		uint32_t down = hi >> n, across = (lo >> n) | (hi << 1) << (31 - n);

		d[L] = (down & big) | (across & ~big);
		d[CU_LANES + L] = down & ~big;
	}
}

CU_CORE(ashrrev_i64)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t n = CU_32(a) & 31, big = 0u - (CU_32(a) >> 5 & 1), lo = CU_32(b),
		         hi = CU_HIGH(b);
		uint32_t down = (uint32_t)((int32_t)hi >> n), sign = (uint32_t)((int32_t)hi >> 31);
		uint32_t across = (lo >> n) | (hi << 1) << (31 - n);

		d[L] = (down & big) | (across & ~big);
		d[CU_LANES + L] = (sign & big) | (down & ~big);
	}
}

CU_CORE(mad_u64_u32)
{
	CU_LANE_LOOP
	{
		uint64_t p = (uint64_t)CU_32(a) * CU_32(b), r = p + CU_64(c);

		x->out[L] = r < p ? ~0u : 0;
		CU_PUT64(d, r);
	}
}

/* The carry is bit 64 of the sum of 65 bits: its sign. */
CU_CORE(mad_i64_i32)
{
	CU_LANE_LOOP
	{
		int64_t p = (int64_t)(int32_t)CU_32(a) * (int32_t)CU_32(b), q = (int64_t)CU_64(c),
		        r;
		bool over = __builtin_add_overflow(p, q, &r);

		x->out[L] = (r < 0) != over ? ~0u : 0;
		CU_PUT64(d, (uint64_t)r);
	}
}

CU_CORE(mad_u64_u32_sat)
{
	mad_u64_u32_lanes(d, a, b, c, x, sa, sb, sc);
	CU_LANE_LOOP
	{
		d[L] |= x->out[L];
		d[CU_LANES + L] |= x->out[L];
	}
}

CU_CORE(mad_i64_i32_sat)
{
	CU_LANE_LOOP
	{
		int64_t p = (int64_t)(int32_t)CU_32(a) * (int32_t)CU_32(b), q = (int64_t)CU_64(c),
		        r;
		bool over = __builtin_add_overflow(p, q, &r), neg = (r < 0) != over;

		x->out[L] = neg ? ~0u : 0;
		CU_PUT64(d, (uint64_t)(over ? (neg ? INT64_MIN : INT64_MAX) : r));
	}
}

/* Four sums of absolute differences of @b's bytes with @a's, sliding by a byte. */
CU_INLINE uint64_t cu_qsad(uint64_t a, uint32_t b, uint64_t c, bool masked, bool sat)
{
	uint64_t r = 0;

	for (unsigned n = 0; n < 4; n++) {
		uint32_t part = (uint32_t)(a >> (8 * n));
		uint32_t sad = masked ? cu_msad_u8(part, b) : cu_sad_u8(part, b);
		uint32_t sum = sad + (uint32_t)(c >> (16 * n) & 0xffff);

		r |= (uint64_t)(sat ? GV_MIN(sum, 0xffffu) : sum & 0xffff) << (16 * n);
	}
	return r;
}

#define CU_QSAD(name, masked, sat)                                                                 \
	CU_CORE(name)                                                                              \
	{                                                                                          \
		CU_UNUSED3;                                                                        \
		for (unsigned L = 0; L < CU_LANES; L++)                                            \
			CU_PUT64(d, cu_qsad(CU_64(a), CU_32(b), CU_64(c), masked, sat));           \
	}
CU_QSAD(qsad_pk_u16_u8, false, false)
CU_QSAD(mqsad_pk_u16_u8, true, false)
CU_QSAD(qsad_pk_u16_u8_sat, false, true)
CU_QSAD(mqsad_pk_u16_u8_sat, true, true)

/* Four rows wide: reached only through its own handler. */
CU_CORE(mqsad_u32_u8)
{
	CU_UNUSED3;
	for (unsigned L = 0; L < CU_LANES; L++) {
		uint64_t bytes = CU_64(a);
		uint32_t ref = CU_32(b);

		for (unsigned n = 0; n < 4; n++)
			d[n * CU_LANES + L] =
			        cu_msad_u8((uint32_t)(bytes >> (8 * n)), ref) + c[n * CU_LANES + L];
	}
}

CU_CORE(add_co)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t p = CU_32(a), r = p + CU_32(b);

		x->out[L] = r < p ? ~0u : 0;
		d[L] = r;
	}
}

CU_CORE(sub_co)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t p = CU_32(a), q = CU_32(b);

		x->out[L] = p < q ? ~0u : 0;
		d[L] = p - q;
	}
}

CU_CORE(subrev_co)
{
	sub_co_lanes(d, b, a, c, x, sb, sa, sc);
}

CU_CORE(addc_co)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t p = CU_32(a), r = p + CU_32(b),
		         s = r - x->in[L]; /* in is ~0 for a carry */

		x->out[L] = (r < p ? ~0u : 0) | (s < r ? ~0u : 0);
		d[L] = s;
	}
}

CU_CORE(subb_co)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	{
		uint32_t p = CU_32(a), q = CU_32(b), r = p - q, s = r + x->in[L];

		x->out[L] = (p < q ? ~0u : 0) | (s > r ? ~0u : 0);
		d[L] = s;
	}
}

CU_CORE(subbrev_co)
{
	subb_co_lanes(d, b, a, c, x, sb, sa, sc);
}

/* Clamped: a sum that carries is all ones, a difference that borrows is 0. */
#define CU_CARRY_SAT(n, sat)                                                                       \
	CU_CORE(n##_sat)                                                                           \
	{                                                                                          \
		n##_lanes(d, a, b, c, x, sa, sb, sc);                                              \
		CU_LANE_LOOP d[L] = sat;                                                           \
	}
CU_CARRY_SAT(add_co, d[L] | x->out[L])
CU_CARRY_SAT(addc_co, d[L] | x->out[L])
CU_CARRY_SAT(sub_co, d[L] & ~x->out[L])
CU_CARRY_SAT(subrev_co, d[L] & ~x->out[L])
CU_CARRY_SAT(subb_co, d[L] & ~x->out[L])
CU_CARRY_SAT(subbrev_co, d[L] & ~x->out[L])
#undef CU_CARRY_SAT

CU_CORE(cndmask)
{
	CU_UNUSED2;
	CU_LANE_LOOP
	d[L] = (CU_32(a) & ~x->in[L]) | (CU_32(b) & x->in[L]);
}

CU_CORE(div_scale_f32)
{
	for (unsigned L = 0; L < CU_LANES; L++)
		d[L] = cu_u(
		        cu_div_scale32(cu_f(CU_32(a)), cu_f(CU_32(b)), cu_f(CU_32(c)), &x->out[L]));
}

CU_CORE(div_scale_f64)
{
	for (unsigned L = 0; L < CU_LANES; L++)
		CU_PUT64(d, cu_ud(cu_div_scale64(cu_d(CU_64(a)), cu_d(CU_64(b)), cu_d(CU_64(c)),
		                                 &x->out[L])));
}

CU_CORE(div_fmas_f32)
{
	for (unsigned L = 0; L < CU_LANES; L++)
		d[L] = cu_u(
		        cu_div_fmas32(cu_f(CU_32(a)), cu_f(CU_32(b)), cu_f(CU_32(c)), x->in[L]));
}

CU_CORE(div_fmas_f64)
{
	for (unsigned L = 0; L < CU_LANES; L++)
		CU_PUT64(d, cu_ud(cu_div_fmas64(cu_d(CU_64(a)), cu_d(CU_64(b)), cu_d(CU_64(c)),
		                                x->in[L])));
}

CU_CORE(div_fixup_f32)
{
	CU_UNUSED3;
	for (unsigned L = 0; L < CU_LANES; L++)
		d[L] = cu_u(cu_div_fixup32(cu_f(CU_32(a)), cu_f(CU_32(b)), cu_f(CU_32(c))));
}

CU_CORE(div_fixup_f64)
{
	CU_UNUSED3;
	for (unsigned L = 0; L < CU_LANES; L++)
		CU_PUT64(d, cu_ud(cu_div_fixup64(cu_d(CU_64(a)), cu_d(CU_64(b)), cu_d(CU_64(c)))));
}

CU_CORE(class_f64)
{
	CU_UNUSED2;
	for (unsigned L = 0; L < CU_LANES; L++)
		d[L] = cu_class_f64(CU_64(a), CU_32(b));
}
