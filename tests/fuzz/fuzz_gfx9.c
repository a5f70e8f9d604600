/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Code of a hostile guest through the disassembler: any words, any number of them. Each step must
 * go on by one or two dwords, and its text must end within what GV_GFX9_TEXT promises.
 */
#include <stdlib.h>
#include <string.h>

#include <gv/gfx9.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t word[512];
	size_t count = size / 4 < 512 ? size / 4 : 512;

	if (count)
		memcpy(word, data, count * 4);
	for (size_t at = 0; at < count;) {
		struct gv_gfx9_inst in;
		char line[GV_GFX9_TEXT];
		uint64_t target;
		int rc = gv_gfx9_decode(&word[at], count - at, &in);

		check(in.dwords == 1 || in.dwords == 2);
		check(in.valid == (rc == 0) && (rc || (in.op && at + in.dwords <= count)));
		check(in.num_operands <= GV_GFX9_OPERANDS);
		memset(line, 'x', sizeof(line));
		(void)gv_gfx9_print(&in, line, sizeof(line));
		check(memchr(line, 0, sizeof(line) - 1) != NULL);
		(void)gv_gfx9_target(&in, at * 4, &target);
		at += in.dwords;
	}
	return 0;
}
