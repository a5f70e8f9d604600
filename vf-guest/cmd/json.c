/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "cli.h"

static void put_string(FILE *f, const char *s)
{
	(void)fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			(void)fprintf(f, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(f, "\\u%04x", c);
		else
			(void)fputc(c, f);
	}
	(void)fputc('"', f);
}

void json_open(struct json *j, char bracket)
{
	(void)fputc(bracket, j->f);
	j->more = false;
}

void json_close(struct json *j, char bracket)
{
	(void)fputc(bracket, j->f);
	j->more = true;
}

void json_key(struct json *j, const char *key)
{
	if (j->more)
		(void)fputs(", ", j->f);
	j->more = true;
	if (key) {
		put_string(j->f, key);
		(void)fputs(": ", j->f);
	}
}

void json_str(struct json *j, const char *key, const char *val)
{
	json_key(j, key);
	put_string(j->f, val);
}

void json_u64(struct json *j, const char *key, uint64_t val)
{
	json_key(j, key);
	(void)fprintf(j->f, "%" PRIu64, val);
}

void json_f64(struct json *j, const char *key, double val)
{
	json_key(j, key);
	(void)fprintf(j->f, "%.3f", val);
}

void json_bool(struct json *j, const char *key, bool val)
{
	json_key(j, key);
	(void)fputs(val ? "true" : "false", j->f);
}

void json_end(struct json *j)
{
	(void)fputc('\n', j->f);
	(void)fflush(j->f);
}
