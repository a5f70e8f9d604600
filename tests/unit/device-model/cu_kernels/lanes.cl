/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one work item cannot do alone: lanes, workgroups, atomics; and the chip's own functions. */
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef unsigned int u32;
typedef unsigned long u64;
#define LID __builtin_amdgcn_workitem_id_x()
#define GID (__builtin_amdgcn_workgroup_id_x() * __builtin_amdgcn_workgroup_size_x() + LID)
#define BARRIER                                                                                    \
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");                                     \
	__builtin_amdgcn_s_barrier();                                                              \
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup")

/* out: 64 results of each operation, one operation behind the other */
kernel void lane_moves(global const int *in, global int *out)
{
	u32 l = LID;
	int v = in[l];

	out[0 * 64 + l] = __builtin_amdgcn_ds_bpermute((int)((l * 5 + 3) & 63) << 2, v);
	out[1 * 64 + l] = __builtin_amdgcn_ds_permute((int)(l ^ 21) << 2, v);
	out[2 * 64 + l] = __builtin_amdgcn_ds_swizzle(v, 0x041f); /* xor 1 */
	out[3 * 64 + l] = __builtin_amdgcn_ds_swizzle(v, 0x801b); /* quad reversed */
	out[4 * 64 + l] = __builtin_amdgcn_readfirstlane(v + 1);
	out[5 * 64 + l] = __builtin_amdgcn_readlane(v, 37);
	out[6 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x101, 0xf, 0xf, false); /* row_shl:1 */
	out[7 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x112, 0xf, 0xf, true);  /* row_shr:2, 0 */
	out[8 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x123, 0xf, 0xf, false); /* row_ror:3 */
	out[9 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x138, 0xf, 0xf, false); /* wave_shr:1 */
	out[10 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x140, 0xf, 0xf, false); /* row_mirror */
	out[11 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x142, 0xa, 0xf, false); /* row_bcast:15 */
	out[12 * 64 + l] = __builtin_amdgcn_update_dpp(-1, v, 0x143, 0xc, 0xf, false); /* row_bcast:31 */
	out[13 * 64 + l] = __builtin_amdgcn_mov_dpp(v, 0x4e, 0xf, 0xf, true); /* quad_perm 2,3,0,1 */
	out[14 * 64 + l] = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0));
	{
		u64 m = __builtin_amdgcn_uicmp((u32)v, 500u, 36); /* v < 500? */

		out[15 * 64 + l] = __builtin_popcountl(m) + (int)(m >> l & 1) * 1000;
	}
}

/* Inclusive sum over the wave, the way libraries write it. */
kernel void wave_scan(global const int *in, global int *out)
{
	int v = in[GID];

	v += __builtin_amdgcn_update_dpp(0, v, 0x111, 0xf, 0xf, false);
	v += __builtin_amdgcn_update_dpp(0, v, 0x112, 0xf, 0xf, false);
	v += __builtin_amdgcn_update_dpp(0, v, 0x114, 0xf, 0xf, false);
	v += __builtin_amdgcn_update_dpp(0, v, 0x118, 0xf, 0xf, false);
	v += __builtin_amdgcn_update_dpp(0, v, 0x142, 0xa, 0xf, false);
	v += __builtin_amdgcn_update_dpp(0, v, 0x143, 0xc, 0xf, false);
	out[GID] = v;
}

#define RELAXED __ATOMIC_RELAXED
kernel void atomics(global u32 *t, global int *s, global u64 *w, global u32 *old)
{
	u32 i = GID, v = i * 2654435761u;

	__atomic_fetch_add(&t[0], v, RELAXED);
	__atomic_fetch_sub(&t[1], v, RELAXED);
	__atomic_fetch_and(&t[2], v | 0xf0f0f0ffu, RELAXED);
	__atomic_fetch_or(&t[3], 1u << (i & 31), RELAXED);
	__atomic_fetch_xor(&t[4], v, RELAXED);
	__atomic_fetch_min(&t[5], v, RELAXED);
	__atomic_fetch_max(&t[6], v, RELAXED);
	__atomic_fetch_min(&s[0], (int)v, RELAXED);
	__atomic_fetch_max(&s[1], (int)v, RELAXED);
	__atomic_fetch_add(&w[0], (u64)v << 20, RELAXED);
	__atomic_fetch_max(&w[1], (u64)v << 30 ^ i, RELAXED);
	__atomic_fetch_xor(&w[2], (u64)v * v, RELAXED);
	__atomic_fetch_min(&w[3], (u64)v << 31 | 5, RELAXED);
	old[i] = __atomic_fetch_add(&t[7], 1u, RELAXED);
	__builtin_amdgcn_atomic_inc32((volatile global u32 *)&t[8], 99u, __ATOMIC_RELAXED, "agent");
	{
		u64 seen = w[4], next;

		do
			next = seen + i;
		while (!__atomic_compare_exchange_n(&w[4], &seen, next, false, RELAXED, RELAXED));
	}
	{
		u32 seen = t[9], next;

		do
			next = __builtin_astype(__builtin_astype(seen, float) + 1.0f, u32);
		while (!__atomic_compare_exchange_n(&t[9], &seen, next, false, RELAXED, RELAXED));
	}
}

kernel void local_atomics(global const u32 *in, global u32 *out)
{
	local u32 t[8];
	local u64 w[4];
	u32 l = LID, v = in[GID];

	if (l < 8)
		t[l] = l == 2 || l == 5 ? ~0u : 0;
	if (l < 4)
		w[l] = 0;
	BARRIER;
	__atomic_fetch_add(&t[0], v, RELAXED);
	__atomic_fetch_sub(&t[1], v, RELAXED);
	__atomic_fetch_and(&t[2], v | 0xffff00u, RELAXED);
	__atomic_fetch_or(&t[3], v & 0x5555, RELAXED);
	__atomic_fetch_xor(&t[4], v, RELAXED);
	__atomic_fetch_min(&t[5], v, RELAXED);
	__atomic_fetch_max(&t[6], v, RELAXED);
	__atomic_fetch_add(&w[0], (u64)v * v, RELAXED);
	__atomic_fetch_max(&w[1], (u64)v << 17, RELAXED);
	{
		u32 seen = t[7];

		while (!__atomic_compare_exchange_n(&t[7], &seen, seen * 1 + v, false, RELAXED, RELAXED))
			;
	}
	BARRIER;
	if (l < 8)
		out[__builtin_amdgcn_workgroup_id_x() * 12 + l] = t[l];
	else if (l < 10)
		((global u64 *)&out[__builtin_amdgcn_workgroup_id_x() * 12 + 8])[l - 8] = w[l - 8];
}

/* Histogram of bytes in LDS, all element widths of LDS traffic. */
kernel void local_widths(global const uint4 *in, global uint4 *out)
{
	local uchar b[64];
	local ushort h[64];
	local ulong q[64];
	local uint4 v[64];
	u32 l = LID, m = 63 - l;
	uint4 x = in[l];

	b[l] = (uchar)x.x;
	h[l] = (ushort)x.y;
	q[l] = (ulong)x.z << 32 | x.w;
	v[l] = x;
	BARRIER;
	x = v[m];
	x.x += b[m] + (u32)(char)b[l ^ 1];
	x.y += h[m] - (u32)(short)h[l ^ 3];
	x.z ^= (u32)(q[m] >> 32);
	x.w ^= (u32)q[l ^ 7];
	out[l] = x;
}

/* Sizes of global accesses. */
kernel void global_widths(global const uchar *b, global const ushort *h, global const ulong2 *q,
                          global uint4 *out, global uchar *bo, global ushort *ho)
{
	u32 i = GID;
	ulong2 x = q[i];
	uint3 t = *(global const uint3 *)(b + i * 4); /* unaligned to its own size */

	out[i] = (uint4)((u32)x.x + b[i], (u32)(x.y >> 32) - (char)b[i + 1], h[i] * 3 + t.x,
	                 (u32)(short)h[i] ^ t.y ^ t.z);
	bo[i] = (uchar)(b[i] + 1);
	ho[i] = (ushort)(h[i] * 7);
}

kernel void ids(global uint4 *out)
{
	u32 nx = __builtin_amdgcn_workgroup_size_x(), ny = __builtin_amdgcn_workgroup_size_y();
	u32 nz = __builtin_amdgcn_workgroup_size_z();
	u32 x = __builtin_amdgcn_workgroup_id_x() * nx + __builtin_amdgcn_workitem_id_x();
	u32 y = __builtin_amdgcn_workgroup_id_y() * ny + __builtin_amdgcn_workitem_id_y();
	u32 z = __builtin_amdgcn_workgroup_id_z() * nz + __builtin_amdgcn_workitem_id_z();

	out[(z * 16 + y) * 16 + x] = (uint4)(x, y, z, 1);
}

kernel void functions(global const float *in, global float *out, u32 n)
{
	u32 i = GID;
	float x = in[i];

	out[0 * n + i] = __builtin_amdgcn_rcpf(x);
	out[1 * n + i] = __builtin_amdgcn_rsqf(x);
	out[2 * n + i] = __builtin_amdgcn_sqrtf(x);
	out[3 * n + i] = __builtin_exp2f(x * 0.01f);
	out[4 * n + i] = __builtin_log2f(x);
	out[5 * n + i] = __builtin_amdgcn_sinf(x * 0.01f);
	out[6 * n + i] = __builtin_amdgcn_cosf(x * 0.01f);
	out[7 * n + i] = __builtin_amdgcn_fractf(x);
	out[8 * n + i] = __builtin_amdgcn_frexp_mantf(x);
	out[9 * n + i] = (float)__builtin_amdgcn_frexp_expf(x);
	out[10 * n + i] = __builtin_amdgcn_ldexpf(x, (int)(i & 31) - 16);
	out[11 * n + i] = __builtin_amdgcn_fmed3f(x, 2.0f, 5.0f);
}

kernel void functions64(global const double *in, global double *out, u32 n)
{
	u32 i = GID;
	double x = in[i];

	out[0 * n + i] = __builtin_amdgcn_rcp(x);
	out[1 * n + i] = __builtin_amdgcn_rsq(x);
	out[2 * n + i] = __builtin_amdgcn_sqrt(x);
	out[3 * n + i] = __builtin_amdgcn_fract(x);
	out[4 * n + i] = __builtin_amdgcn_frexp_mant(x);
	out[5 * n + i] = (double)__builtin_amdgcn_frexp_exp(x);
	out[6 * n + i] = __builtin_amdgcn_ldexp(x, (int)(i & 31) - 16);
}

kernel void byte_functions(global const u32 *a, global const u32 *b, global u32 *out, u32 n)
{
	u32 i = GID, x = a[i], y = b[i];

	out[0 * n + i] = __builtin_amdgcn_perm(x, y, 0x0c050301u + (i & 3));
	out[1 * n + i] = __builtin_amdgcn_alignbit(x, y, i & 31);
	out[2 * n + i] = __builtin_amdgcn_alignbyte(x, y, i & 3);
	out[3 * n + i] = __builtin_amdgcn_lerp(x, y, 0x01000100u);
	out[4 * n + i] = __builtin_amdgcn_sad_u8(x, y, i);
	out[5 * n + i] = __builtin_amdgcn_sad_u16(x, y, i);
	out[6 * n + i] = __builtin_amdgcn_msad_u8(x, y, i);
	out[7 * n + i] = __builtin_amdgcn_ubfe(x, y & 31, i & 15);
	out[8 * n + i] = __builtin_amdgcn_sbfe(x, y & 31, i & 15);
}

/* Vectors indexed by a variable. */
kernel void vector_index(global const uint8 *in, global u32 *out, u32 k)
{
	uint8 v = in[0];

	out[GID] = v[k & 7] * 3 + v[GID & 7];
}

typedef struct {
	u32 a[6];
} box;
static __attribute__((noinline)) box turn(box b, u32 by)
{
	box r;

	for (u32 n = 0; n < 6; n++)
		r.a[n] = b.a[(n + by) % 6] + n;
	return r;
}
kernel void structs(global const u32 *in, global u32 *out)
{
	u32 i = GID;
	box b;

	for (u32 n = 0; n < 6; n++)
		b.a[n] = in[i] + n * n;
	b = turn(turn(b, in[i] & 7), i);
	out[i] = b.a[0] + b.a[3] * 5;
}

static __attribute__((noinline)) u32 depth(u32 n)
{
	return n < 2 ? n : depth(n - 1) + depth(n - 2);
}
kernel void recursion(global u32 *out)
{
	out[GID] = depth(GID & 7);
}

kernel void unfused(global const float *in, global float *out)
{
	out[GID] = in[GID] * in[GID + 64] + in[GID + 128];
}

kernel void clocks(global u64 *out)
{
	u64 a = __builtin_amdgcn_s_memtime(), b = __builtin_amdgcn_s_memrealtime();

	__builtin_amdgcn_s_sleep(1);
	out[GID] = __builtin_amdgcn_s_memtime() - a;
	out[GID + 64] = __builtin_amdgcn_s_memrealtime() - b;
}

kernel void half_pairs(global const half2 *a, global const half2 *b, global half2 *out)
{
	u32 i = GID;

	out[i] = a[i] * b[i] + (half2)(a[i].y, b[i].x);
}

kernel void short_pairs(global const short2 *a, global const short2 *b, global short2 *out)
{
	u32 i = GID;
	short2 x = a[i], y = b[i];

	out[i] = (x * y + x) ^ (x > y ? x : y) ^ (x << (short2)3) ^ (y >> (short2)2) ^
	         (x < y ? x - y : y - x);
}

/* Halves of registers loaded and stored one by one. */
kernel void gather_pairs(global const short *a, global const uchar *b, global short *out)
{
	local short l[128];
	u32 i = GID, n = LID;
	short2 v = (short2)(a[i * 3], a[i * 5 + 1]), w = (short2)(b[i], (char)b[i + 9]);

	l[n * 2] = v.y;
	l[n * 2 + 1] = v.x;
	BARRIER;
	v = v * w + (short2)(l[(n ^ 1) * 2], l[(n ^ 3) * 2 + 1]);
	out[i] = v.y;
	out[i + 64] = v.x;
}

constant u32 primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
global u32 counter = 1000;

/* A table, a program-scope variable, and a pointer that may go to LDS, scratch or memory. */
kernel void pointers(global u32 *out)
{
	local u32 l[64];
	u32 i = GID, n = LID, mine[2];
	u32 *p;

	l[n] = n * 10;
	mine[0] = mine[1] = n * 100;
	out[i] = primes[i % 12];
	BARRIER;
	p = i % 3 == 0 ? (u32 *)&l[n] : i % 3 == 1 ? (u32 *)&mine[n & 1] : (u32 *)&out[i];
	*p += 7;
	__atomic_fetch_add(i % 3 == 0 ? (u32 *)&l[n] : (u32 *)&out[i], 3u, RELAXED);
	__atomic_fetch_add(&counter, 1u, RELAXED);
	BARRIER;
	out[i] += l[n] + mine[n & 1];
	if (i == 0)
		out[64] = __atomic_load_n(&counter, RELAXED);
}

/* With f32 subnormals off this is v_mad_mix. */
kernel void mixed(global const half *a, global const float *b, global float *out, global half *small)
{
	u32 i = GID;
	float m = (float)a[i] * b[i] + (float)a[i + 64];

	out[i] = m;
	small[i] = (half)((float)a[i] * (float)a[i + 64] + b[i]);
}
