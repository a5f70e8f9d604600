/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-isa-compare: our disassembler against LLVM's. For each of many encodings both must agree on
 * whether it is an instruction, on its length and on its text, or isa_differ.c must know why not.
 * Every row of the table must have been agreed on at least once.
 *
 *	gv-isa-compare [--count N] [--seed S] [--show N]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa_sample.h"

#define MAX_REASONS 32

struct tally {
	unsigned long agreed, valid, wrong;
	unsigned long reason[MAX_REASONS];
	unsigned show;
	bool *seen; /* rows agreed on */
};

static bool agree(const struct isa_sample *s, const struct gv_gfx9_inst *in, const char *text)
{
	bool ours = in->valid && !in->loose;

	if (!ours || !s->llvm[0])
		return ours == (s->llvm[0] != 0);
	return strcmp(text, s->llvm) == 0 && s->next == (in->dwords == 1);
}

static void compare(struct tally *t, const struct isa_sample *s)
{
	struct gv_gfx9_inst in;
	char text[GV_GFX9_TEXT];
	int why;

	(void)gv_gfx9_decode(s->word, 2, &in);
	(void)gv_gfx9_print(&in, text, sizeof(text));
	if (agree(s, &in, text)) {
		t->agreed++;
		t->valid += s->llvm[0] != 0;
		if (s->llvm[0])
			t->seen[in.op - gv_gfx9_ops] = true;
		return;
	}
	why = isa_explain(s, &in);
	if (why >= 0) {
		t->reason[why]++;
		return;
	}
	if (t->wrong++ < t->show)
		printf("%08x %08x\n  LLVM %s%s\n  ours %s (%u)%s%s\n", s->word[0], s->word[1],
		       s->llvm[0] ? s->llvm : "-", s->next ? " +" : "", text, in.dwords,
		       in.valid ? "" : " invalid", in.loose ? " loose" : "");
}

static unsigned unseen_rows(const struct tally *t)
{
	unsigned missing = 0;

	for (size_t n = 0; n < gv_gfx9_num_ops; n++)
		if (!t->seen[n] && missing++ < 40)
			printf("never agreed on: %s\n", gv_gfx9_ops[n].name);
	return missing;
}

static int run(struct tally *t, unsigned long count, uint64_t seed)
{
	struct isa_sample *s = calloc(ISA_BATCH, sizeof(*s));
	int rc = s ? 0 : -1;

	for (unsigned long done = 0; done < count && !rc; done += ISA_BATCH) {
		unsigned n = count - done < ISA_BATCH ? (unsigned)(count - done) : ISA_BATCH;

		for (unsigned k = 0; k < n; k++)
			isa_make(&s[k], done + k, &seed);
		rc = isa_ask(s, n);
		for (unsigned k = 0; k < n && !rc; k++)
			compare(t, &s[k]);
	}
	free(s);
	if (rc)
		printf("llvm-mc-14 did not answer: %s\n", strerror(-rc));
	return rc;
}

static int report(const struct tally *t, unsigned long count)
{
	unsigned missing = unseen_rows(t);

	printf("%lu encodings: %lu agree (%lu instructions)\n", count, t->agreed, t->valid);
	for (unsigned n = 0; n < isa_num_reasons(); n++)
		printf("%8lu %s\n", t->reason[n], isa_reason(n));
	printf("%8lu not explained, %u of %zu rows never agreed on\n", t->wrong, missing,
	       gv_gfx9_num_ops);
	return t->wrong || missing ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
	                                        {"seed", required_argument, NULL, 's'},
	                                        {"show", required_argument, NULL, 'n'},
	                                        {0}};
	struct tally t = {.show = 10};
	unsigned long count = 60000, seed = 1;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			count = strtoul(optarg, NULL, 0);
		else if (c == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			t.show = (unsigned)strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (system("llvm-mc-14 --version >/dev/null 2>&1") != 0) {
		puts("SKIP: llvm-mc-14 is not installed");
		return 77;
	}
	t.seen = calloc(gv_gfx9_num_ops, sizeof(bool));
	rc = t.seen && run(&t, count, seed) == 0 ? report(&t, count) : 1;
	free(t.seen);
	return rc;
}
