/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One work item, one result: x = a[i], y = b[i], r = c[i]. Compiled by clang for gfx900 and,
 * from the same text, by the host's compiler (test_cu_items.c), which says what is right.
 */
#ifdef __OPENCL_C_VERSION__
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define GID                                                                                        \
	(__builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() +                 \
	 __builtin_amdgcn_workitem_id_x())
#define ITEM(name, TA, TC)                                                                         \
	static void name##_item(TA x, TA y, TC *r, uint i);                                        \
	kernel void name(global const TA *a, global const TA *b, global TC *c)                     \
	{                                                                                          \
		uint i = GID;                                                                      \
		TC r = 0;                                                                          \
		name##_item(a[i], b[i], &r, i);                                                    \
		c[i] = r;                                                                          \
	}                                                                                          \
	static void name##_item(TA x, TA y, TC *r, uint i)
#define BITREV32 __builtin_bitreverse32
#define BITREV64 __builtin_bitreverse64
#define CU_HOST
#endif
#define NOINLINE CU_HOST __attribute__((noinline))

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long s64;
typedef unsigned long u64;

/* ---- integers */
ITEM(int_div, s32, s32)
{
	s32 d = y == 0 || y == -1 ? 3 : y;

	*r = x / d * 3 + x % d;
}

ITEM(uint_div, u32, u32)
{
	u32 d = y ? y : 7;

	*r = x / d ^ (x % d) << 3;
}

ITEM(uint_div_small, u32, u32)
{
	u32 d = (y & 0xff) + 1;

	*r = x / d + (x & 0xffff) % d + x / 10 + x % 1000;
}

ITEM(long_div, s64, s64)
{
	s64 d = y == 0 || y == -1 ? 5 : y;

	*r = x / d + x % d + (x >> 20) / ((y >> 40) | 1);
}

ITEM(ulong_div, u64, u64)
{
	u64 d = y ? y : 9;

	*r = x / d + x % d * 3 + x / ((y >> 33) | 1) + x % 1000000007ul;
}

ITEM(long_mul, s64, s64)
{
	*r = x * y + (s64)((u64)x >> 32) * (s32)y - (s64)(s32)x * (s32)y + (s64)((u64)(u32)x * (u32)y);
}

ITEM(mul_high, u32, u32)
{
	*r = (u32)((u64)x * y >> 32) ^ (u32)((u64)((s64)(s32)x * (s32)y) >> 32);
}

ITEM(mul24, s32, s32)
{
	s32 p = x << 8 >> 8, q = y << 8 >> 8;

	*r = (s32)((u32)p * (u32)q + (u32)i) ^ (s32)((x & 0xffffff) * (u32)(y & 0xffffff) + 17u);
}

ITEM(shifts, u32, u32)
{
	*r = (x << (y & 31)) + (x >> (y >> 5 & 31)) + (u32)((s32)x >> (y >> 10 & 31));
}

ITEM(long_shifts, u64, u64)
{
	*r = (x << (y & 63)) + (x >> (y >> 6 & 63)) + (u64)((s64)x >> (y >> 12 & 63));
}

ITEM(rotate, u32, u32)
{
	u32 n = y & 31;

	*r = (x << n | x >> (-n & 31)) + (x >> 13 | x << 19) + (u32)(((u64)x << 32 | y) >> 11);
}

ITEM(bit_counts, u32, u32)
{
	*r = (u32)__builtin_popcount(x) + (x ? (u32)__builtin_clz(x) : 40) * 64 +
	     (y ? (u32)__builtin_ctz(y) : 50) * 4096 + (BITREV32(x) & 0xfff00000u);
}

ITEM(long_bit_counts, u64, u64)
{
	*r = (u64)__builtin_popcountl(x) + (x ? (u64)__builtin_clzl(x) : 70) * 256 +
	     (y ? (u64)__builtin_ctzl(y) : 80) * 65536 + (BITREV64(x) & 0xffffffff00000000ul);
}

ITEM(bit_fields, u32, u32)
{
	*r = (x >> 5 & 0x7f) + (u32)((s32)(x << 7) >> 20) + ((x & y) | (~x & 0x12345678)) +
	     __builtin_bswap32(x) + (x >> (y & 7) & ((1u << (y >> 3 & 15)) - 1));
}

ITEM(min_max, s32, s32)
{
	s32 lo = x < y ? x : y, hi = x > y ? x : y, z = (s32)(i * 77777u);
	u32 ux = (u32)x, uy = (u32)y;
	s32 med = z < lo ? lo : z > hi ? hi : z;

	*r = lo ^ hi ^ med ^ (s32)(ux < uy ? ux : uy) ^ (x < -100 ? -100 : x > 100 ? 100 : x) ^
	     (s32)(ux > uy ? ux - uy : uy - ux);
}

ITEM(three_operands, u32, u32)
{
	*r = ((x << 3) + y) ^ ((x + y) << 5) ^ (x + y + i) ^ (x << 7 | y) ^ ((x & y) | i) ^
	     (x | y | i) ^ ((x ^ y) + i) ^ (x * y + i);
}

ITEM(bytes, u32, u32)
{
	u8 a0 = (u8)x, a1 = (u8)(x >> 8), a2 = (u8)(x >> 16), a3 = (u8)(x >> 24);
	u8 b0 = (u8)y, b1 = (u8)(y >> 8), b2 = (u8)(y >> 16), b3 = (u8)(y >> 24);

	*r = (u8)(a0 * b0 + a1) | (u32)(u8)(a1 + b1 * 3) << 8 | (u32)(u8)(a2 - b2) << 16 |
	     (u32)(u8)(a3 > b3 ? a3 - b3 : b3 / ((a3 & 7) + 1)) << 24;
}

ITEM(signed_bytes, u32, s32)
{
	s8 a0 = (s8)x, a1 = (s8)(x >> 8), a2 = (s8)(x >> 16), b0 = (s8)y, b3 = (s8)(y >> 24);

	*r = a0 * b0 + (a1 << 4) - a2 * b3 + (s8)(a0 + b3) + (a1 < b0 ? a2 : -b3) + a2 / ((b0 & 15) + 1);
}

ITEM(byte_array, u8, u8)
{
	*r = (u8)(x * y + (x >> 3) - (y << 2) + (x > y ? x % (y | 1) : 7));
}

ITEM(short_array, s16, s16)
{
	*r = (s16)(x * y + (x >> 3) - (y << 2) + (x > y ? x : y) + (s16)(x - y) / 3);
}

ITEM(halves_of_words, u32, u32)
{
	u16 a = (u16)x, b = (u16)(x >> 16), c = (u16)y, d = (u16)(y >> 16);

	*r = (u32)(u16)(a * c + b) | (u32)(u16)(b - d + (a >> 3)) << 16;
}

ITEM(chained_compares, s32, s32)
{
	*r = (x < y) + (x <= y) * 2 + ((u32)x < (u32)y) * 4 + (x == y) * 8 + (x != 5) * 16 +
	     (x > 0 && y > 0 ? 32 : x < 0 || y < 0 ? 64 : 128);
}

ITEM(long_compares, s64, s64)
{
	*r = (x < y) + (x >= y) * 2 + ((u64)x < (u64)y) * 4 + (x == y) * 8 + (x > 12345678901l) * 16 +
	     (x < y ? x : y) + ((u64)x > (u64)y ? x : y);
}

/* ---- control flow */
ITEM(collatz, u32, u32)
{
	u32 n = (x & 0xffff) + 1, steps = 0;

	while (n != 1 && steps < 200) {
		n = n & 1 ? 3 * n + 1 : n / 2;
		steps++;
	}
	*r = steps * 3 + n;
}

ITEM(nested_loops, u32, u32)
{
	u32 sum = 0;

	for (u32 p = 0; p < (x & 15); p++) {
		if (p == (y & 7))
			continue;
		for (u32 q = p; q < 20; q++) {
			if ((q * p ^ x) % 11 == 3)
				break;
			sum += q * p + y;
		}
		if (sum > 0xf0000000u)
			break;
	}
	*r = sum;
}

ITEM(switch_table, u32, u32)
{
	switch (x % 13) {
	case 0: *r = y + 1; break;
	case 1: *r = y * 3; break;
	case 2: *r = y ^ 0x55; break;
	case 3: *r = y >> 2; break;
	case 4: *r = ~y; break;
	case 5: *r = y - x; break;
	case 6: *r = y | 9; /* fall through */
	case 7: *r += y % 9; break;
	case 8: *r = y & x; break;
	case 9: *r = x; break;
	default: *r = 77; break;
	}
}

static NOINLINE u32 helper(u32 a, u32 b)
{
	u32 t[8];

	for (u32 k = 0; k < 8; k++)
		t[k] = a * k + b;
	return t[a & 7] ^ t[b & 7];
}

static NOINLINE u32 outer(u32 a, u32 b)
{
	return a & 1 ? helper(a, b) + helper(b, a) : helper(a + b, a - b) * 3;
}

ITEM(calls, u32, u32)
{
	*r = outer(x, y);
	if (x > y)
		*r += outer(y, i);
}

ITEM(private_array, u32, u32)
{
	u32 a[40];

	for (u32 k = 0; k < 40; k++)
		a[k] = x * k + y;
	for (u32 k = 0; k < 40; k++)
		a[a[k] % 40] ^= a[(y + k) % 40] + k;
	*r = a[x % 40] + a[y % 40];
}

ITEM(private_bytes, u32, u32)
{
	u8 a[32];
	u16 b[16];
	u64 c[8];

	for (u32 k = 0; k < 32; k++)
		a[k] = (u8)(x >> (k & 15)) + (u8)k;
	for (u32 k = 0; k < 16; k++)
		b[k] = (u16)(y * k + a[(x + k) & 31]);
	for (u32 k = 0; k < 8; k++)
		c[k] = (u64)b[(y + k) & 15] << (a[k] & 31);
	*r = (u32)(c[x & 7] >> 3) + b[y & 15] + a[(x >> 4) & 31];
}

/* The pointer may go either way: flat addresses into scratch. */
ITEM(flat_private, u32, u32)
{
	u32 a[4], b[4];
	u32 *p = x & 1 ? a : b;

	for (u32 k = 0; k < 4; k++) {
		a[k] = x + k;
		b[k] = y * (k + 2);
	}
	p[y & 3] += 5;
	*r = a[y & 3] * 3 + b[y & 3] + p[x >> 1 & 3];
}

/* ---- f32 */
ITEM(float_basic, float, float)
{
	*r = x + y - x * y * 0.5f;
}

ITEM(float_div, float, float)
{
	*r = x / y;
}

ITEM(float_fma, float, float)
{
	*r = __builtin_fmaf(x, y, -x) + __builtin_fmaf(-x, x, y);
}

ITEM(float_round, float, float)
{
	*r = __builtin_floorf(x) + __builtin_ceilf(y) * 2 + __builtin_truncf(x) * 3 +
	     __builtin_rintf(y) * 5 + __builtin_fabsf(x) + __builtin_copysignf(x, y);
}

/* of zeros of either sign, and of signalling NaNs, libraries may choose */
ITEM(float_minmax, float, float)
{
	x = x == 0 ? 3 : __builtin_isnan(x) ? __builtin_nanf("") : x;
	y = y == 0 ? 5 : __builtin_isnan(y) ? __builtin_nanf("") : y;
	*r = __builtin_fminf(x, y) * 2 + __builtin_fmaxf(x, y) + (x < 0 ? 0 : x > 1 ? 1 : x);
}

ITEM(float_compare, float, u32)
{
	*r = (x < y) | (x <= y) << 1 | (x > y) << 2 | (x >= y) << 3 | (x == y) << 4 | (x != y) << 5 |
	     (__builtin_isnan(x) || __builtin_isnan(y)) << 6 | !(x < y) << 7 | !(x >= y) << 8 |
	     __builtin_isinf(x) << 9;
}

ITEM(float_from_int, s32, float)
{
	*r = (float)x + (float)(u32)y + (float)(u8)x + (float)(u8)(y >> 16) + (float)(s16)y;
}

ITEM(float_to_int, float, s32)
{
	float p = __builtin_fabsf(x) < 1e9f ? x : 3.5f, q = y >= 0 && y < 4e9f ? y : 9.9f;

	*r = (s32)p + (s32)(u32)q;
}

ITEM(float_from_long, s64, float)
{
	*r = (float)x - (float)(u64)y;
}

ITEM(float_to_long, float, s64)
{
	float p = __builtin_fabsf(x) < 9e18f ? x : 3.5f, q = y >= 0 && y < 1.8e19f ? y : 9.9f;

	*r = (s64)p + (s64)(u64)q;
}

ITEM(float_sqrt, float, float)
{
	*r = __builtin_sqrtf(x < 0 ? -x : x);
}

/* ---- f64 */
ITEM(double_basic, double, double)
{
	*r = x + y - x * y * 0.5;
}

ITEM(double_div, double, double)
{
	*r = x / y;
}

ITEM(double_fma, double, double)
{
	*r = __builtin_fma(x, y, -x) + __builtin_fma(-x, x, y);
}

ITEM(double_round, double, double)
{
	*r = __builtin_floor(x) + __builtin_ceil(y) * 2 + __builtin_trunc(x) * 3 +
	     __builtin_rint(y) * 5 + __builtin_fabs(x);
}

ITEM(double_compare, double, u32)
{
	*r = (x < y) | (x <= y) << 1 | (x > y) << 2 | (x == y) << 4 | (x != y) << 5 |
	     (__builtin_isnan(x) || __builtin_isnan(y)) << 6;
}

/* of zeros of either sign, and of signalling NaNs, libraries may choose */
ITEM(double_minmax, double, double)
{
	x = x == 0 ? 3 : __builtin_isnan(x) ? __builtin_nan("") : x;
	y = y == 0 ? 5 : __builtin_isnan(y) ? __builtin_nan("") : y;
	*r = __builtin_fmin(x, y) * 2 + __builtin_fmax(x, y);
}

ITEM(double_convert, double, double)
{
	double p = __builtin_fabs(x) < 1e9 ? x : 3.5, q = y >= 0 && y < 4e9 ? y : 9.5;

	*r = (double)(s32)p + (double)(u32)q + (double)(float)x + (double)(s64)(p * 1000) +
	     (double)(u64)(q * 1e6);
}

ITEM(double_sqrt, double, double)
{
	*r = __builtin_sqrt(x < 0 ? -x : x);
}

#ifndef CU_NO_HALF
/* ---- f16 */
#ifdef __OPENCL_C_VERSION__
typedef half f16;
#else
typedef _Float16 f16;
#endif
#ifdef __OPENCL_C_VERSION__
#define AS_HALF(u)   __builtin_astype((u16)(u), half)
#define AS_USHORT(h) __builtin_astype((half)(h), u16)
#endif

ITEM(half_basic, u16, u16)
{
	f16 p = AS_HALF(x), q = AS_HALF(y);

	*r = AS_USHORT((f16)((f16)(p + q) - (f16)(p * q)));
}

ITEM(half_div, u16, u16)
{
	*r = AS_USHORT((f16)(AS_HALF(x) / AS_HALF(y)));
}

ITEM(half_compare, u16, u16)
{
	f16 p = AS_HALF(x), q = AS_HALF(y);

	*r = (u16)((p < q) | (p <= q) << 1 | (p == q) << 2 | (p != q) << 3 | (p > q ? 16 : 32));
}

ITEM(half_convert, u16, float)
{
	*r = (float)AS_HALF(x) + (float)AS_HALF(y);
}

ITEM(half_from_float, float, u16)
{
	*r = AS_USHORT((f16)x) ^ AS_USHORT((f16)(y * 0.001f));
}

/* clang keeps the two halves in one register: packed arithmetic */
ITEM(half_packed, u32, u32)
{
	f16 pl = AS_HALF((u16)x), ph = AS_HALF((u16)(x >> 16));
	f16 ql = AS_HALF((u16)y), qh = AS_HALF((u16)(y >> 16));

	pl = (f16)((f16)(pl * ql) + ql);
	ph = (f16)((f16)(ph * qh) + qh);
	*r = AS_USHORT(pl) | (u32)AS_USHORT(ph) << 16;
}
#endif
