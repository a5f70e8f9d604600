/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program in src/ may use. The same source is compiled twice: for gfx900, and for x86-64,
 * where reference.c runs every work item as a coroutine. NAME.cl is OpenCL C 2.0 without its
 * library, NAME.c is C (every pointer is generic there, so memory is reached by flat addressing).
 *
 *   PROGRAM(.grid = {1000}, .block = {64}, .in = 1000, .out = 1000)
 *   KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n) { ... }
 *
 * Everything a program stores in out[] must be the same on both sides bit for bit: no NaN
 * payloads (canon32(), canon64()), no square root but root32(), root64(), wave functions only
 * where the whole wave is active, no conversion from double to half (clang-14 and libgcc do not
 * agree on x86-64 who returns it how), no element of 64 bits of a vector or a small private
 * array written with an index that differs by lane (clang-14 and 15 put the high half on the low
 * one; see README.md).
 */
#ifndef GV_PROGRAM_H
#define GV_PROGRAM_H

#ifdef __OPENCL_C_VERSION__
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define KERNEL        __kernel
#define GLOBAL        __global
#define LOCAL         __local
#define CONSTANT      __constant
#define PROGRAM_CONST __constant
#else
#define KERNEL
#define GLOBAL
#define CONSTANT      static const
#define PROGRAM_CONST const
typedef _Bool bool;
#define true 1
#define false 0
#ifdef __AMDGCN__
#define LOCAL static __attribute__((address_space(3), loader_uninitialized))
#else
#define LOCAL static
#endif
#endif

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef __SIZE_TYPE__ size_t;

#define VECTORS(type)                                                                              \
	typedef type type##2 __attribute__((ext_vector_type(2)));                                  \
	typedef type type##3 __attribute__((ext_vector_type(3)));                                  \
	typedef type type##4 __attribute__((ext_vector_type(4)));                                  \
	typedef type type##8 __attribute__((ext_vector_type(8)));                                  \
	typedef type type##16 __attribute__((ext_vector_type(16)));
VECTORS(char)
VECTORS(uchar)
VECTORS(short)
VECTORS(ushort)
VECTORS(int)
VECTORS(uint)
VECTORS(long)
VECTORS(ulong)
VECTORS(float)
VECTORS(double)
#ifdef __OPENCL_C_VERSION__
VECTORS(half)
#endif

#define NOINLINE __attribute__((noinline))

/* ---- what a program says about itself ------------------------------------------- */

enum program_fill {
	FILL_RANDOM, /* random words; the first 64 are edge cases of integers */
	FILL_FLOAT,  /* floats: edge cases, then every exponent */
	FILL_DOUBLE, /* doubles, likewise */
	FILL_HALF,   /* pairs of halfs: any bits */
	FILL_UNIT,   /* floats in [-1, 1) */
	FILL_TEXT,   /* printable bytes: words, numbers, punctuation */
	FILL_SMALL,  /* words below 1000 */
};

struct program {
	uint grid[3], block[3]; /* work items; 0 = 1 */
	uint in, out;           /* words (32 bits) of the buffers */
	uint n;                 /* third argument; 0: work items of the grid */
	enum program_fill fill;
};

#ifdef __AMDGCN__
#define PROGRAM(...)
#else
#define PROGRAM(...) PROGRAM_CONST struct program program = {__VA_ARGS__};
#endif

/* Between KERNEL and run() of a group of more than 256 work items. */
#ifdef __AMDGCN__
#define GROUP_UP_TO(items) __attribute__((amdgpu_flat_work_group_size(1, items)))
#else
#define GROUP_UP_TO(items)
#endif

/* ---- work items, barriers, lanes ------------------------------------------------- */

#ifdef __AMDGCN__

static inline uint local_id(uint d)
{
	return d == 0   ? __builtin_amdgcn_workitem_id_x()
	       : d == 1 ? __builtin_amdgcn_workitem_id_y()
	                : __builtin_amdgcn_workitem_id_z();
}

static inline uint group_id(uint d)
{
	return d == 0   ? __builtin_amdgcn_workgroup_id_x()
	       : d == 1 ? __builtin_amdgcn_workgroup_id_y()
	                : __builtin_amdgcn_workgroup_id_z();
}

static inline uint group_size(uint d)
{
	return d == 0   ? __builtin_amdgcn_workgroup_size_x()
	       : d == 1 ? __builtin_amdgcn_workgroup_size_y()
	                : __builtin_amdgcn_workgroup_size_z();
}

static inline void sync_group(void)
{
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
	__builtin_amdgcn_s_barrier();
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

static inline uint lane_id(void)
{
	return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0));
}

/* How many of @mask's bits are of lower lanes. */
static inline uint lanes_below(ulong mask)
{
	return __builtin_amdgcn_mbcnt_hi((uint)(mask >> 32),
	                                 __builtin_amdgcn_mbcnt_lo((uint)mask, 0));
}

static inline ulong wave_ballot(bool yes)
{
	return __builtin_amdgcn_uicmp((uint)yes, 0u, 33 /* not equal */);
}

/* @x of lane @lane % 64; 0 when it is not active. */
static inline uint wave_shuffle(uint x, uint lane)
{
	return (uint)__builtin_amdgcn_ds_bpermute((int)(lane << 2), (int)x);
}

static inline uint wave_first(uint x)
{
	return (uint)__builtin_amdgcn_readfirstlane((int)x);
}

/* @lane: the same in all lanes, of an active one. */
static inline uint wave_read(uint x, uint lane)
{
	return (uint)__builtin_amdgcn_readlane((int)x, (int)wave_first(lane));
}

#define wave_dpp(old, x, ctrl, rows, banks, zero)                                                  \
	((uint)__builtin_amdgcn_update_dpp((int)(old), (int)(x), ctrl, rows, banks, zero))
#define wave_swizzle(x, pattern) ((uint)__builtin_amdgcn_ds_swizzle((int)(x), pattern))

#else

struct reference_item {
	uint id[3], group[3], size[3], lane; /* id: in the group */
};

struct reference_item *reference_item(void);
void sync_group(void);
ulong wave_ballot_of(uint yes);
uint wave_shuffle(uint x, uint lane);
uint wave_first(uint x);
uint wave_read(uint x, uint lane);
uint wave_dpp(uint old, uint x, uint ctrl, uint rows, uint banks, uint zero);
uint wave_swizzle(uint x, uint pattern);

static inline uint local_id(uint d)
{
	return reference_item()->id[d];
}

static inline uint group_id(uint d)
{
	return reference_item()->group[d];
}

static inline uint group_size(uint d)
{
	return reference_item()->size[d];
}

static inline uint lane_id(void)
{
	return reference_item()->lane;
}

static inline uint lanes_below(ulong mask)
{
	return (uint)__builtin_popcountl(mask & ((1ul << lane_id()) - 1));
}

static inline ulong wave_ballot(bool yes)
{
	return wave_ballot_of(yes);
}

#endif

static inline uint global_id(uint d)
{
	return group_id(d) * group_size(d) + local_id(d);
}

/* ---- atomics: relaxed, on 32- or 64-bit integers; each gives the old value --------- */

#define fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define fetch_sub(p, v) __atomic_fetch_sub(p, v, __ATOMIC_RELAXED)
#define fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_RELAXED)
#define fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_RELAXED)
#define fetch_xor(p, v) __atomic_fetch_xor(p, v, __ATOMIC_RELAXED)
#define fetch_min(p, v) __atomic_fetch_min(p, v, __ATOMIC_RELAXED)
#define fetch_max(p, v) __atomic_fetch_max(p, v, __ATOMIC_RELAXED)
#define exchange(p, v)  __atomic_exchange_n(p, v, __ATOMIC_RELAXED)
#define compare_exchange(p, expected, v)                                                           \
	__atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

/* ---- bits and numbers ---------------------------------------------------------------- */

static inline uint rotl32(uint x, uint n)
{
	return x << (n & 31) | x >> (-n & 31);
}

static inline ulong rotl64(ulong x, uint n)
{
	return x << (n & 63) | x >> (-n & 63);
}

static inline uint bits32(float x)
{
	union {
		float from;
		uint to;
	} u = {.from = x};

	return u.to;
}

static inline float float_of(uint x)
{
	union {
		uint from;
		float to;
	} u = {.from = x};

	return u.to;
}

static inline ulong bits64(double x)
{
	union {
		double from;
		ulong to;
	} u = {.from = x};

	return u.to;
}

static inline double double_of(ulong x)
{
	union {
		ulong from;
		double to;
	} u = {.from = x};

	return u.to;
}

/* Bits of a float for out[]: every NaN is the same. */
static inline uint canon32(float x)
{
	return x != x ? 0x7fc00000u : bits32(x);
}

static inline ulong canon64(double x)
{
	return x != x ? 0x7ff8000000000000ul : bits64(x);
}

/* xorshift32 step: never 0 when @x is not */
static inline uint next_random(uint x)
{
	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

/* Square roots by Newton's method in basic operations: the same everywhere, though not always
 * rounded right. */
static inline float root32(float a)
{
	float x = float_of((bits32(a) >> 1) + 0x1fbd1df5u);

	for (int i = 0; i < 4; i++)
		x = 0.5f * (x + a / x);
	return a > 0.0f ? x : 0.0f;
}

static inline double root64(double a)
{
	double x = double_of((bits64(a) >> 1) + 0x1ff7a3bea91d9b1bul);

	for (int i = 0; i < 5; i++)
		x = 0.5 * (x + a / x);
	return a > 0.0 ? x : 0.0;
}

#endif
