/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every opcode number of every format is shown to LLVM's disassembler; where it
 * knows an instruction, the tables must have the same name and length. Every
 * row that is interpreted must have been confirmed that way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gv/base.h>

#include "cu/state.h"
#include "cu_rig.h"
#include "ut.h"

#define MAX_SAMPLES 16000
#define END_MARK    0xffffu

struct sample {
	uint32_t word[2];
	char llvm[48]; /* empty: LLVM does not decode it */
	unsigned llvm_dwords;
};

static struct sample *samples;
static unsigned num_samples;

static void add(uint32_t a, uint32_t b)
{
	if (num_samples < MAX_SAMPLES)
		samples[num_samples++] = (struct sample){.word = {a, b}};
}

/* Operand fields that some instruction of the format accepts. */
static void add_vop3(void)
{
	static const uint32_t high[] = {0x104 | 0x106 << 9 | 0x108 << 18, 0x104 | 0x106 << 9, 0x104,
	                                0x104 | 0x106 << 9 | 12 << 18, 0};

	for (uint32_t op = 0; op < 1024; op++) {
		if (op < 896 || op >= 1024)
			for (unsigned t = 0; t < GV_ARRAY_LEN(high); t++)
				add(0xd0000000u | op << 16 | 8, high[t]);
		add(0xd0000000u | op << 16 | 10 << 8 | 8, op < 896 ? high[3] : high[0]);
	}
	for (uint32_t op = 0; op < 128; op++) {
		add(0xd3800000u | op << 16 | 0x4008, high[0] | 3u << 27);
		add(0xd3800000u | op << 16 | 0x4008, high[1] | 3u << 27);
	}
}

static void add_memory(void)
{
	static const uint32_t ds[] = {1 | 2 << 8 | 6 << 24,
	                              1 | 6 << 24,
	                              1 | 2 << 8 | 4 << 16,
	                              1 | 2 << 8,
	                              6 << 24,
	                              1 | 2 << 8 | 4 << 16 | 6 << 24,
	                              0};
	static const uint32_t flat[] = {2 | 4 << 8 | 8 << 24, 2 | 8 << 24, 2 | 4 << 8};

	for (uint32_t op = 0; op < 256; op++) {
		for (unsigned t = 0; t < GV_ARRAY_LEN(ds); t++)
			add(0xd8000000u | op << 17 | 0x10, ds[t]);
		add(0xd8000000u | op << 17, 0);
		add(0xc0020000u | op << 18 | 8 << 6 | 4, 0x10);
		add(0xc0000000u | op << 18 | 8 << 6, 0);
		add(0xc0000000u | op << 18, 0);
	}
	for (uint32_t op = 0; op < 128; op++) {
		for (unsigned t = 0; t < GV_ARRAY_LEN(flat); t++) {
			add(0xdc000000u | op << 18, flat[t]);
			add(0xdc000000u | op << 18 | 1u << 16, flat[t]);
			add(0xdc004000u | op << 18, flat[t] | 0x7f << 16);
			add(0xdc008000u | op << 18, flat[t] | 0x7f << 16);
		}
		add(0xe0001000u | op << 18, 2 | 4 << 8 | 2 << 16 | 8 << 24);
		add(0xe0000000u | op << 18, 0);
		add(0xe0010000u | op << 18, 2 << 16);
		if (op < 16)
			add(0xe8880000u | op << 15, 4 << 8 | 2 << 16 | 8 << 24);
	}
}

static void add_short(void)
{
	for (uint32_t op = 0; op < 256; op++) {
		add(0xbe800000u | 4 << 16 | op << 8 | 8, 0);
		add(0xbe800000u | 4 << 16 | op << 8, 0);
		add(0xbe800000u | op << 8 | 8, 0);
		add(0x7e000000u | 1 << 17 | op << 9 | 0x103, 0);
		add(0x7e000000u | op << 9, 0);
		add(0x7c000000u | op << 17 | 2 << 9 | 0x103, 0);
		if (op < 53) {
			add(0x80000000u | op << 23 | 4 << 16 | 8 | 10 << 8, 0);
			add(0x80000000u | op << 23 | 8 | 10 << 8, 0);
		}
		if (op < 29) {
			add(0xb0000000u | op << 23 | 4 << 16 | 0x12, 7);
			add(0xb0000000u | op << 23 | 0xf801, 7);
		}
		if (op < 128) {
			add(0xbf000000u | op << 16 | 8 | 10 << 8, 0);
			add(0xbf800000u | op << 16 | 1, 0);
			add(0xbf800000u | op << 16, 0);
		}
		if (op < 62)
			add(op << 25 | 1 << 17 | 2 << 9 | 0x103, 9);
	}
}

static bool write_input(const char *path)
{
	FILE *f = fopen(path, "w");

	for (unsigned n = 0; f && n < num_samples; n++) {
		const uint32_t line[3] = {0xbf800000u | n, 0, 0xbf800000u | END_MARK};

		for (unsigned k = 0; k < 6; k++) {
			uint32_t w = k == 0 ? line[0] : k > 2 ? line[2] : samples[n].word[k - 1];

			fprintf(f, "0x%02x 0x%02x 0x%02x 0x%02x%s", w & 0xff, w >> 8 & 0xff,
			        w >> 16 & 0xff, w >> 24, k == 1 ? " " : "\n");
		}
	}
	return f && fclose(f) == 0;
}

/* "	v_add_f32_e32 v1, v2, v3   ; encoding: [0x02,...]" of sample @s. */
static void read_line(struct sample *s, const char *line)
{
	const char *enc = strstr(line, "encoding: [");
	unsigned byte[4], dwords = 1;
	uint32_t first;

	if (!enc || sscanf(enc, "encoding: [0x%x,0x%x,0x%x,0x%x", &byte[0], &byte[1], &byte[2],
	                   &byte[3]) != 4)
		return;
	for (const char *p = enc; *p; p++)
		dwords += *p == ',';
	first = byte[0] | byte[1] << 8 | byte[2] << 16 | byte[3] << 24;
	if (first != s->word[0] || s->llvm[0])
		return; /* LLVM skipped a word it did not know */
	s->llvm_dwords = (dwords + 3) / 4;
	(void)sscanf(line, " %47s", s->llvm);
}

static bool read_output(FILE *f)
{
	char line[512];
	unsigned cur = END_MARK, v;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " s_nop %i", (int *)&v) == 1) {
			/* s_nop itself is a sample too, but of operands 0 and 1 only */
			if (cur < num_samples && v <= 1)
				read_line(&samples[cur], line);
			if (v > 1 || cur >= num_samples)
				cur = v;
			continue;
		}
		if (cur < num_samples)
			read_line(&samples[cur], line);
	}
	return true;
}

static bool ask_llvm(void)
{
	char path[] = "/tmp/gv-mc-XXXXXX", cmd[256];
	int fd = mkstemp(path);
	FILE *f;
	bool ok;

	if (fd < 0)
		return false;
	(void)close(fd);
	(void)snprintf(
	        cmd, sizeof(cmd),
	        "llvm-mc-14 -arch=amdgcn -mcpu=gfx900 --disassemble -show-encoding %s 2>/dev/null",
	        path);
	ok = write_input(path);
	f = ok ? popen(cmd, "r") : NULL;
	ok = f && read_output(f);
	if (f)
		(void)pclose(f);
	(void)unlink(path);
	return ok;
}

static void strip(char *name)
{
	static const char *const tails[] = {"_e32", "_e64"};

	for (unsigned n = 0; n < GV_ARRAY_LEN(tails); n++) {
		size_t len = strlen(name), tail = strlen(tails[n]);

		if (len > tail && strcmp(name + len - tail, tails[n]) == 0)
			name[len - tail] = 0;
	}
}

/* Graphics only, or of another kind: the interpreter has no rows for them. */
static bool is_foreign(const char *name)
{
	static const char *const start[] = {"v_interp_", "v_screen_partition", "ds_gws_",
	                                    "ds_ordered"};

	for (unsigned n = 0; n < GV_ARRAY_LEN(start); n++)
		if (strncmp(name, start[n], strlen(start[n])) == 0)
			return true;
	return false;
}

static bool confirmed(const struct cu_op *op)
{
	for (unsigned n = 0; n < num_samples; n++) {
		unsigned dwords;

		if (samples[n].llvm[0] && cu_decode_op(samples[n].word, &dwords) == op)
			return true;
	}
	return false;
}

static void llvm_and_the_tables_agree_on_name_and_length(void)
{
	unsigned known = 0, wrong = 0;

	for (unsigned n = 0; n < num_samples; n++) {
		struct sample *s = &samples[n];
		unsigned dwords;
		const char *ours = gv_cu_name(s->word, &dwords);

		if (!s->llvm[0])
			continue;
		strip(s->llvm);
		known++;
		/* one LLVM name, two of the hardware's encodings */
		if (ours && strcmp(s->llvm, "buffer_wbinvl1") == 0)
			continue;
		if (ours ? strcmp(ours, s->llvm) == 0 && dwords == s->llvm_dwords
		         : is_foreign(s->llvm) || strcmp(s->llvm, "buffer_wbinvl1") == 0)
			continue;
		if (wrong++ < 10)
			printf("%08x %08x: LLVM %s (%u), tables %s (%u)\n", s->word[0], s->word[1],
			       s->llvm, s->llvm_dwords, ours ? ours : "-", dwords);
	}
	CU_ASSERT_TRUE(known > 1000);
	CU_ASSERT_EQUAL(wrong, 0);
}

static void every_interpreted_row_was_confirmed(void)
{
	unsigned rows = 0, missing = 0;

	for (unsigned n = 0; n < cu_table.count; n++) {
		const struct cu_op *op = &cu_table.row[n];

		rows += op->fn || op->core;
		if ((op->fn || op->core) && !confirmed(op) && missing++ < 20)
			printf("not confirmed: %s\n", op->name);
	}
	CU_ASSERT_TRUE(rows > 800);
	CU_ASSERT_EQUAL(missing, 0);
}

static void foreign_formats_are_known_but_not_interpreted(void)
{
	static const uint32_t word[][2] = {{0xf0000000u, 0}, {0xc4000000u, 0}};

	for (unsigned n = 0; n < GV_ARRAY_LEN(word); n++) {
		unsigned dwords;

		CU_ASSERT_PTR_NOT_NULL(gv_cu_name(word[n], &dwords));
		CU_ASSERT_EQUAL(dwords, 2);
		CU_ASSERT_FALSE(gv_cu_implemented(word[n]));
	}
}

static const struct ut_case cases[] = {
        UT(llvm_and_the_tables_agree_on_name_and_length),
        UT(every_interpreted_row_was_confirmed),
        UT(foreign_formats_are_known_but_not_interpreted),
};

int main(int argc, char **argv)
{
	int rc;

	if (!cu_rig_has("llvm-mc-14")) {
		puts("SKIP: llvm-mc-14 is not installed");
		return 77;
	}
	samples = calloc(MAX_SAMPLES, sizeof(*samples));
	if (!samples)
		return 1;
	add_short();
	add_vop3();
	add_memory();
	if (!ask_llvm()) {
		puts("llvm-mc-14 cannot be run");
		return 1;
	}
	rc = ut_main(argc, argv, "cu decode", cases, (int)GV_ARRAY_LEN(cases));
	free(samples);
	return rc;
}
