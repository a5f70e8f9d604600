/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON of VERSION. Few keys matter and base knows no JSON library, so this is a strict
 * walker: it checks the whole text, never goes deeper than MAX_DEPTH, and remembers numbers
 * and booleans directly under "capabilities".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <gv/base.h>
#include <gv/vfio_user.h>

#define MAX_DEPTH 8

struct walk {
	const char *at, *end; /* end: the terminating NUL */
	struct gv_vfu_caps caps;
	bool in_caps; /* the object being read is "capabilities" */
};

struct text {
	const char *s;
	size_t n;
};

static int read_value(struct walk *w, unsigned depth, const struct text *key);

static void skip_space(struct walk *w)
{
	while (w->at < w->end && strchr(" \t\r\n", *w->at))
		w->at++;
}

static bool take_char(struct walk *w, char c)
{
	skip_space(w);
	if (w->at == w->end || *w->at != c)
		return false;
	w->at++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int read_escape(struct walk *w)
{
	if (w->at == w->end)
		return -EINVAL;
	if (*w->at != 'u')
		return strchr("\"\\/bfnrt", *w->at++) ? 0 : -EINVAL;
	w->at++;
	for (int i = 0; i < 4; i++)
		if (w->at == w->end || !is_hex(*w->at++))
			return -EINVAL;
	return 0;
}

/* The raw text between the quotes: our keys have no escapes, so a key with one never matches. */
static int read_string(struct walk *w, struct text *out)
{
	if (!take_char(w, '"'))
		return -EINVAL;
	out->s = w->at;
	while (w->at < w->end && *w->at != '"') {
		unsigned char c = (unsigned char)*w->at++;

		if (c < 0x20 || (c == '\\' && read_escape(w)))
			return -EINVAL;
	}
	if (w->at == w->end)
		return -EINVAL;
	out->n = (size_t)(w->at++ - out->s);
	return 0;
}

static bool key_is(const struct text *key, const char *name)
{
	return key && key->n == strlen(name) && memcmp(key->s, name, key->n) == 0;
}

static uint64_t *known_number(struct walk *w, const struct text *key)
{
	if (!w->in_caps)
		return NULL;
	if (key_is(key, "max_msg_fds"))
		return &w->caps.max_msg_fds;
	if (key_is(key, "max_data_xfer_size"))
		return &w->caps.max_data_xfer_size;
	if (key_is(key, "pgsizes"))
		return &w->caps.pgsizes;
	if (key_is(key, "max_dma_maps"))
		return &w->caps.max_dma_maps;
	return NULL;
}

static size_t take_digits(struct walk *w, uint64_t *val, bool *wraps)
{
	size_t n = 0;

	for (; w->at < w->end && *w->at >= '0' && *w->at <= '9'; w->at++, n++) {
		uint64_t digit = (uint64_t)(*w->at - '0');

		*wraps |= *val > (UINT64_MAX - digit) / 10;
		*val = *val * 10 + digit;
	}
	return n;
}

static int read_number(struct walk *w, const struct text *key)
{
	uint64_t *out = known_number(w, key), val = 0, rest = 0;
	bool wraps = false, whole = true, minus = take_char(w, '-');
	const char *first = w->at;
	size_t n = take_digits(w, &val, &wraps);

	if (n == 0 || (n > 1 && *first == '0'))
		return -EINVAL;
	if (w->at < w->end && *w->at == '.') {
		w->at++;
		whole = false;
		if (take_digits(w, &rest, &(bool){false}) == 0)
			return -EINVAL;
	}
	if (w->at < w->end && (*w->at == 'e' || *w->at == 'E')) {
		w->at++;
		whole = false;
		if (w->at < w->end && (*w->at == '+' || *w->at == '-'))
			w->at++;
		if (take_digits(w, &rest, &(bool){false}) == 0)
			return -EINVAL;
	}
	if (!out)
		return 0;
	if (minus || wraps || !whole)
		return -EINVAL;
	*out = val;
	return 0;
}

static bool take_word(struct walk *w, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(w->end - w->at) < n || memcmp(w->at, word, n) != 0)
		return false;
	w->at += n;
	return true;
}

static int read_word(struct walk *w, const struct text *key)
{
	bool yes = take_word(w, "true");

	if (!yes && !take_word(w, "false"))
		return take_word(w, "null") && !known_number(w, key) ? 0 : -EINVAL;
	if (known_number(w, key))
		return -EINVAL;
	if (w->in_caps && key_is(key, "write_multiple"))
		w->caps.write_multiple = yes;
	return 0;
}

static int read_member(struct walk *w, unsigned depth)
{
	struct text key;

	if (read_string(w, &key) || !take_char(w, ':'))
		return -EINVAL;
	return read_value(w, depth, &key);
}

/* Members of an object or elements of an array, after the opening bracket. */
static int read_list(struct walk *w, unsigned depth, bool object)
{
	char close = object ? '}' : ']';

	if (depth > MAX_DEPTH)
		return -EINVAL;
	if (take_char(w, close))
		return 0;
	do {
		if (object ? read_member(w, depth) : read_value(w, depth, NULL))
			return -EINVAL;
	} while (take_char(w, ','));
	return take_char(w, close) ? 0 : -EINVAL;
}

static int read_value(struct walk *w, unsigned depth, const struct text *key)
{
	bool outer = w->in_caps;
	struct text ignored;
	int rc;

	skip_space(w);
	if (w->at == w->end)
		return -EINVAL;
	if (*w->at == '{' || *w->at == '[') {
		bool object = *w->at++ == '{';

		if (known_number(w, key))
			return -EINVAL;
		w->in_caps = object && depth == 1 && key_is(key, "capabilities");
		rc = read_list(w, depth + 1, object);
		w->in_caps = outer;
		return rc;
	}
	if (*w->at == '"')
		return known_number(w, key) ? -EINVAL : read_string(w, &ignored);
	if (*w->at == '-' || (*w->at >= '0' && *w->at <= '9'))
		return read_number(w, key);
	return read_word(w, key);
}

static bool make_sense(const struct gv_vfu_caps *c)
{
	return c->max_data_xfer_size >= 8 && c->max_dma_maps >= 1 && c->pgsizes >= GV_VFU_PAGE &&
	       c->pgsizes % GV_VFU_PAGE == 0;
}

struct gv_vfu_caps gv_vfu_caps_default(void)
{
	return (struct gv_vfu_caps){.max_msg_fds = 1,
	                            .max_data_xfer_size = GV_VFU_MAX_XFER,
	                            .pgsizes = GV_VFU_PAGE,
	                            .max_dma_maps = GV_VFU_MAX_MAPS};
}

int gv_vfu_caps_parse(const char *json, size_t n, struct gv_vfu_caps *caps)
{
	struct walk w = {.at = json, .caps = *caps};

	if (n == 0 || memchr(json, 0, n) != json + n - 1)
		return -EINVAL;
	w.end = json + n - 1;
	skip_space(&w);
	if (w.at == w.end || *w.at != '{' || read_value(&w, 0, NULL))
		return -EINVAL;
	skip_space(&w);
	if (w.at != w.end || !make_sense(&w.caps))
		return -EINVAL;
	*caps = w.caps;
	return 0;
}

size_t gv_vfu_caps_format(char *buf, size_t n, const struct gv_vfu_caps *caps)
{
	int need = snprintf(
	        buf, n,
	        "{\"capabilities\":{\"max_msg_fds\":%" PRIu64 ",\"max_data_xfer_size\":%" PRIu64
	        ",\"pgsizes\":%" PRIu64 ",\"max_dma_maps\":%" PRIu64 "%s}}",
	        caps->max_msg_fds, caps->max_data_xfer_size, caps->pgsizes, caps->max_dma_maps,
	        caps->write_multiple ? ",\"write_multiple\":true" : "");

	return (size_t)need + 1;
}
