/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What llvm-mc-14 makes of encodings. Each sample is a block of its own, so that a bad one does
 * not shift the next, and is followed by an s_nop that says its number.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isa_sample.h"

static uint32_t mark(unsigned n)
{
	return 0xbf800000u | n;
}

static void put_word(FILE *f, uint32_t w)
{
	(void)fprintf(f, "0x%02x 0x%02x 0x%02x 0x%02x ", w & 0xff, w >> 8 & 0xff, w >> 16 & 0xff,
	              w >> 24);
}

static int write_input(int fd, const struct isa_sample *s, unsigned count)
{
	FILE *f = fdopen(fd, "w");

	if (!f) {
		(void)close(fd);
		return -errno;
	}
	for (unsigned n = 0; n < count; n++) {
		(void)fputs("[", f);
		put_word(f, s[n].word[0]);
		put_word(f, s[n].word[1]);
		(void)fputs("]\n[", f);
		put_word(f, mark(n));
		(void)fputs("]\n", f);
	}
	return fclose(f) ? -EIO : 0;
}

/* Tabs and spaces at both ends, and the line's end. */
static char *trim(char *line)
{
	size_t len = strlen(line);

	while (len && strchr(" \t\n", line[len - 1]))
		line[--len] = 0;
	return line + strspn(line, " \t");
}

static bool is_mark(const char *text, unsigned n)
{
	char *end;

	return strncmp(text, "s_nop ", 6) == 0 && strtoul(text + 6, &end, 0) == n && !*end;
}

/* "/[*]INV_OP*[/]" and the like: the opcode is known, an operand is not. */
static bool has_bad_operand(const char *text)
{
	return strstr(text, "/*") != NULL;
}

static int read_output(FILE *f, struct isa_sample *s, unsigned count)
{
	char line[1024];
	unsigned cur = 0, lines = 0;

	while (cur < count && fgets(line, sizeof(line), f)) {
		char *text = trim(line);

		if (!*text || *text == '.')
			continue;
		if (is_mark(text, cur) && !(lines == 0 && s[cur].word[0] == mark(cur))) {
			cur++;
			lines = 0;
			continue;
		}
		if (lines == 0 && !has_bad_operand(text))
			(void)snprintf(s[cur].llvm, sizeof(s[cur].llvm), "%.*s", ISA_TEXT - 1,
			               text);
		s[cur].next |= lines == 1;
		lines++;
	}
	return cur == count ? 0 : -EPROTO;
}

int isa_ask(struct isa_sample *s, unsigned count)
{
	char path[] = "/tmp/gv-isa-XXXXXX", cmd[256];
	int fd = mkstemp(path), rc;
	FILE *f;

	if (fd < 0)
		return -errno;
	rc = write_input(fd, s, count);
	(void)snprintf(cmd, sizeof(cmd),
	               "llvm-mc-14 -arch=amdgcn -mcpu=gfx900 --disassemble %s 2>/dev/null", path);
	f = rc ? NULL : popen(cmd, "r");
	if (f) {
		rc = read_output(f, s, count);
		(void)pclose(f);
	} else if (!rc) {
		rc = -errno;
	}
	(void)unlink(path);
	return rc;
}
