/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program of csmith (Debian: csmith, libcsmith-dev) needs in place of its csmith.h to be a
 * program of gv-programs: hunt.py includes it and renames main(). */
#ifndef GV_CSMITH_RUN_H
#define GV_CSMITH_RUN_H

#include "program.h"

PROGRAM(.grid = {1}, .block = {64}, .in = 1, .out = 2)

typedef __INT8_TYPE__ int8_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __INT16_TYPE__ int16_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;

#define CHAR_BIT   8
#define INT8_MIN   (-128)
#define INT8_MAX   127
#define UINT8_MAX  255
#define INT16_MIN  (-32768)
#define INT16_MAX  32767
#define UINT16_MAX 65535
#define INT32_MIN  (-2147483647 - 1)
#define INT32_MAX  2147483647
#define UINT32_MAX 4294967295u
#define INT64_MIN  (-9223372036854775807l - 1)
#define INT64_MAX  9223372036854775807l
#define UINT64_MAX 18446744073709551615ul
#define CHAR_MIN   INT8_MIN
#define CHAR_MAX   INT8_MAX
#define SHRT_MIN   INT16_MIN
#define SHRT_MAX   INT16_MAX
#define INT_MIN    INT32_MIN
#define INT_MAX    INT32_MAX
#define UINT_MAX   UINT32_MAX
#define LONG_MIN   INT64_MIN
#define LONG_MAX   INT64_MAX
#define FLT_MAX    __FLT_MAX__
#define DBL_MAX    __DBL_MAX__
#define FLT_MIN    __FLT_MIN__

#define fabsf __builtin_fabsf
#define fabs  __builtin_fabs
#define NULL  ((void *)0)

#define STATIC         static
#define UNDEFINED(val) (val)
#define LOG_INDEX
#define LOG_EXEC
#define FUNC_NAME(x) (safe_##x)
#include <safe_math.h>
#undef FUNC_NAME

static uint32_t crc32_context = 0xffffffffu;

static void crc32_byte(uint8_t b)
{
	crc32_context ^= b;
	for (int k = 0; k < 8; k++)
		crc32_context = crc32_context >> 1 ^ (0xedb88320u & -(crc32_context & 1));
}

static void transparent_crc(uint64_t val, const char *name, int flag)
{
	for (int k = 0; k < 64; k += 8)
		crc32_byte((uint8_t)(val >> k));
}

static void transparent_crc_bytes(const char *ptr, int bytes, const char *name, int flag)
{
	while (bytes--)
		crc32_byte((uint8_t)*ptr++);
}

#define printf(...)                 ((void)0)
#define crc32_gentab()              ((void)0)
#define platform_main_begin()       ((void)0)
#define platform_main_end(crc, out) ((void)0)

static int csmith_main(void);

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	out[1] = (uint)csmith_main();
	out[0] = crc32_context;
}

#endif
