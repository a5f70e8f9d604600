/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass over the text, no memory of its own. The depth is limited, so the
 * recursion is. json-c then builds the tree from text known to be sound.
 */
#include <stdio.h>
#include <string.h>

#include <gv/configs.h>

#include "scan.h"

#define MAX_KEYS 32u /* in one object; a profile knows fewer */

struct key {
	const char *at;
	size_t bytes;
};

struct scan {
	const char *text, *at, *end;
	struct gv_err *err;
	unsigned depth;
	char path[128];
};

static int fail(struct scan *s, const char *what)
{
	unsigned line = 1;
	size_t column = 1;

	for (const char *p = s->text; p < s->at; p++) {
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
	}
	return gv_fail(s->err, -EINVAL, "%s: line %u, column %zu: %s", s->path[0] ? s->path : "$",
	               line, column, what);
}

static int peek(const struct scan *s)
{
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at)
		s->at++;
}

/* Length of the UTF-8 sequence at @p, 0 if it is none: no overlong forms, no surrogates. */
static size_t utf8(const unsigned char *p, size_t left)
{
	static const struct {
		uint8_t lo, hi, second_lo, second_hi, bytes;
	} forms[] = {
	        {0x20, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
	        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
	        {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(forms); i++) {
		if (p[0] < forms[i].lo || p[0] > forms[i].hi)
			continue;
		if (forms[i].bytes > left)
			return 0;
		if (forms[i].bytes > 1 && (p[1] < forms[i].second_lo || p[1] > forms[i].second_hi))
			return 0;
		for (size_t k = 2; k < forms[i].bytes; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].bytes;
	}
	return 0;
}

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int scan_escape(struct scan *s)
{
	s->at++;
	if (peek(s) == 'u') {
		for (int i = 0; i < 4; i++) {
			s->at++;
			if (!is_hex(peek(s)))
				return fail(s, "\\u needs four hex digits");
		}
	} else if (peek(s) <= 0 || !strchr("\"\\/bfnrt", peek(s))) {
		return fail(s, "no such escape");
	}
	s->at++;
	return 0;
}

/* *@key: the bytes between the quotes; NULL when escapes are welcome. */
static int scan_string(struct scan *s, struct key *key)
{
	const char *start = ++s->at;

	while (peek(s) != '"') {
		size_t n;

		if (peek(s) < 0)
			return fail(s, "the string has no end");
		if (peek(s) == '\\') {
			int rc = key ? fail(s, "no key of a profile needs an escape")
			             : scan_escape(s);

			if (rc)
				return rc;
			continue;
		}
		n = utf8((const unsigned char *)s->at, (size_t)(s->end - s->at));
		if (!n)
			return fail(s, "neither UTF-8 text nor an escape");
		s->at += n;
	}
	if (key)
		*key = (struct key){start, (size_t)(s->at - start)};
	s->at++;
	return 0;
}

static bool take_digits(struct scan *s)
{
	const char *start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > start;
}

static int scan_number(struct scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!take_digits(s))
		return fail(s, "no JSON value starts like this");
	if (peek(s) >= '0' && peek(s) <= '9')
		return fail(s, "a number does not start with 0");
	if (peek(s) == '.') {
		s->at++;
		if (!take_digits(s))
			return fail(s, "digits are missing behind the point");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!take_digits(s))
			return fail(s, "digits are missing in the exponent");
	}
	return 0;
}

static int scan_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < GV_ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(s->end - s->at) >= n && !memcmp(s->at, words[i], n)) {
			s->at += n;
			return 0;
		}
	}
	return scan_number(s);
}

static int scan_value(struct scan *s);

/* Go one step down the path, look at the value there, and come back up. */
static int scan_member(struct scan *s, const char *fmt, int n, const char *name)
{
	size_t had = strlen(s->path);
	int rc;

	(void)snprintf(s->path + had, sizeof(s->path) - had, fmt, n, name);
	rc = scan_value(s);
	s->path[had] = '\0';
	return rc;
}

static int scan_pair(struct scan *s, struct key *keys, unsigned count)
{
	struct key *key = &keys[count];
	char where[96];
	int rc;

	if (peek(s) != '"')
		return fail(s, "a key in double quotes is expected");
	rc = scan_string(s, key);
	if (rc)
		return rc;
	for (unsigned i = 0; i < count; i++) {
		if (keys[i].bytes != key->bytes || memcmp(keys[i].at, key->at, key->bytes))
			continue;
		(void)snprintf(where, sizeof(where), "key \"%.*s\" a second time",
		               (int)GV_MIN(key->bytes, 40ul), key->at);
		return fail(s, where);
	}
	skip_space(s);
	if (peek(s) != ':')
		return fail(s, "':' is expected");
	s->at++;
	return scan_member(s, s->path[0] ? ".%.*s" : "%.*s", (int)GV_MIN(key->bytes, 40ul),
	                   key->at);
}

/* 1: another member follows, 0: the end, else an error. */
static int scan_separator(struct scan *s, char end)
{
	skip_space(s);
	if (peek(s) == end) {
		s->at++;
		return 0;
	}
	if (peek(s) != ',')
		return fail(s, end == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
	s->at++;
	skip_space(s);
	return 1;
}

static int scan_object(struct scan *s)
{
	struct key keys[MAX_KEYS];
	unsigned count = 0;
	int rc;

	s->at++;
	skip_space(s);
	if (peek(s) == '}') {
		s->at++;
		return 0;
	}
	do {
		if (count == MAX_KEYS)
			return fail(s, "more keys than any profile has");
		rc = scan_pair(s, keys, count++);
		if (rc)
			return rc;
		rc = scan_separator(s, '}');
	} while (rc > 0);
	return rc;
}

static int scan_array(struct scan *s)
{
	int count = 0;
	int rc;

	s->at++;
	skip_space(s);
	if (peek(s) == ']') {
		s->at++;
		return 0;
	}
	do {
		rc = scan_member(s, "[%d]%s", count++, "");
		if (rc)
			return rc;
		rc = scan_separator(s, ']');
	} while (rc > 0);
	return rc;
}

static int scan_value(struct scan *s)
{
	int rc;

	skip_space(s);
	if (s->depth == GV_CFG_MAX_DEPTH)
		return fail(s, "nested deeper than any profile");
	s->depth++;
	switch (peek(s)) {
	case '{':
		rc = scan_object(s);
		break;
	case '[':
		rc = scan_array(s);
		break;
	case '"':
		rc = scan_string(s, NULL);
		break;
	case -1:
		rc = fail(s, "the text ends where a value is expected");
		break;
	default:
		rc = scan_word(s);
		break;
	}
	s->depth--;
	return rc;
}

int gv_cfg_scan(const char *text, size_t bytes, struct gv_err *err)
{
	struct scan s = {.text = text, .at = text, .end = text + bytes, .err = err};
	int rc = scan_value(&s);

	if (rc)
		return rc;
	skip_space(&s);
	if (s.at < s.end)
		return fail(&s, "text behind the end of the profile");
	return 0;
}
