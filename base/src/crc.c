/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include <gv/base.h>

#define POLY 0xedb88320u /* IEEE 802.3, bits reversed */

uint32_t gv_crc32(uint32_t crc, const void *data, size_t bytes)
{
	static _Thread_local uint32_t table[256];
	const uint8_t *p = data;

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v = i;

			for (int bit = 0; bit < 8; bit++)
				v = v >> 1 ^ (v & 1 ? POLY : 0);
			table[i] = v;
		}
	for (crc = ~crc; bytes; bytes--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

/* ---- CRC-32C -------------------------------------------------------------------
 * The instruction has a latency of three cycles and can start each cycle: one chain would run at a
 * third of the speed, so quadwords go to four chains in turn. */

#define LANES 4u

/* Half a byte at a time: for hosts without the instruction. */
static uint32_t step_plain(uint32_t crc, uint64_t val)
{
	static const uint32_t table[16] = {
	        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (unsigned k = 0; k < 16; k++, val >>= 4)
		crc = crc >> 4 ^ table[(crc ^ val) & 15];
	return crc;
}

static uint64_t load(const uint8_t *at)
{
	uint64_t val;

	memcpy(&val, at, sizeof(val));
	return val;
}

static void plain(uint32_t crc[LANES], const uint8_t *at, size_t rounds)
{
	for (; rounds; rounds--, at += LANES * 8)
		for (unsigned k = 0; k < LANES; k++)
			crc[k] = step_plain(crc[k], load(at + 8 * k));
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t step_fast(uint32_t crc, uint64_t val)
{
	return (uint32_t)_mm_crc32_u64(crc, val);
}

__attribute__((target("sse4.2"))) static void fast(uint32_t crc[LANES], const uint8_t *at,
                                                   size_t rounds)
{
	uint64_t a = crc[0], b = crc[1], c = crc[2], d = crc[3];

	for (; rounds; rounds--, at += LANES * 8) {
		a = _mm_crc32_u64(a, load(at));
		b = _mm_crc32_u64(b, load(at + 8));
		c = _mm_crc32_u64(c, load(at + 16));
		d = _mm_crc32_u64(d, load(at + 24));
	}
	crc[0] = (uint32_t)a;
	crc[1] = (uint32_t)b;
	crc[2] = (uint32_t)c;
	crc[3] = (uint32_t)d;
}

static bool has_fast(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
#define fast      plain
#define step_fast step_plain
static bool has_fast(void)
{
	return false;
}
#endif

uint32_t gv_crc32c_wide(const void *buf, size_t bytes)
{
	uint32_t crc[LANES] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, all = UINT32_MAX;
	size_t rounds = bytes / (LANES * 8), rest = bytes % (LANES * 8);
	uint8_t tail[LANES * 8] = {0};
	bool quick = has_fast();

	(quick ? fast : plain)(crc, buf, rounds);
	if (rest) {
		memcpy(tail, (const uint8_t *)buf + rounds * sizeof(tail), rest);
		(quick ? fast : plain)(crc, tail, 1);
	}
	for (unsigned k = 0; k < LANES; k++)
		all = (quick ? step_fast : step_plain)(all, (uint64_t)bytes << 32 | crc[k]);
	return ~all;
}
