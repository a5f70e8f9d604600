/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
