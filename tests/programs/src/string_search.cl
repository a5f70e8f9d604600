/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boyer-Moore-Horspool over one text; every work item another needle. */
#include "program.h"

PROGRAM(.grid = {64}, .block = {64}, .in = 512, .out = 128, .fill = FILL_TEXT)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const uchar *text = (GLOBAL const uchar *)in;
	uint i = global_id(0), length = 2 + i % 6, first = ~0u, found = 0;
	GLOBAL const uchar *needle = text + 17 * i;
	uchar skip[256];

	for (uint k = 0; k < 256; k++)
		skip[k] = (uchar)length;
	for (uint k = 0; k + 1 < length; k++)
		skip[needle[k]] = (uchar)(length - 1 - k);
	for (uint at = 0; at + length <= 2048; at += skip[text[at + length - 1]]) {
		uint k = length;

		while (k && text[at + k - 1] == needle[k - 1])
			k--;
		if (k)
			continue;
		first = first < at ? first : at;
		found++;
	}
	out[2 * i] = found;
	out[2 * i + 1] = first;
}
