/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of a code object, or words, as assembler text. Needs no device. */
#include <inttypes.h>
#include <string.h>

#include <gv/code_object.h>
#include <gv/gfx9.h>
#include <gv/hsa.h>
#include <gv/hw_spec.h>

#include "cli.h"

#define MAX_RAW_WORDS (1u << 20)

/* Code at @at of some address space; what branches of it lead to is marked. */
struct code {
	const char *name;
	const uint32_t *word;
	size_t count;
	uint64_t at;
	uint32_t *label; /* of each word: 0 none, else its number */
};

static uint64_t end_of(const struct code *c)
{
	return c->at + c->count * 4;
}

/* ---- labels */
static uint32_t *label_at(const struct code *c, uint64_t va)
{
	return va >= c->at && va < end_of(c) && (va & 3) == 0 ? &c->label[(va - c->at) / 4] : NULL;
}

static void number_labels(struct code *c)
{
	uint32_t next = 1;

	for (size_t n = 0; n < c->count; n++) {
		struct gv_gfx9_inst in;
		uint64_t to;
		uint32_t *label;

		(void)gv_gfx9_decode(&c->word[n], c->count - n, &in);
		label = gv_gfx9_target(&in, c->at + 4 * n, &to) ? label_at(c, to) : NULL;
		if (label)
			*label = 1;
		n += in.dwords - 1u;
	}
	for (size_t n = 0; n < c->count; n++)
		if (c->label[n])
			c->label[n] = next++;
}

/* ---- text */
static void print_text(const struct code *c, const struct gv_gfx9_inst *in, uint64_t pc)
{
	char text[GV_GFX9_TEXT];
	uint64_t to = 0;
	bool branch = gv_gfx9_target(in, pc, &to);
	const uint32_t *label = branch ? label_at(c, to) : NULL;

	(void)gv_gfx9_print(in, text, sizeof(text));
	if (label) /* the number, which is last, becomes the label */
		(void)printf("%.*sL%u\n", (int)(strrchr(text, ' ') + 1 - text), text, *label);
	else if (branch)
		(void)printf("%s  ; 0x%" PRIx64 "\n", text, to);
	else
		(void)puts(text);
}

static void print_code(const struct code *c)
{
	for (size_t n = 0; n < c->count;) {
		struct gv_gfx9_inst in;
		uint64_t pc = c->at + 4 * n;

		(void)gv_gfx9_decode(&c->word[n], c->count - n, &in);
		if (c->label[n])
			(void)printf("L%u:\n", c->label[n]);
		(void)printf("  %6" PRIx64 "  %08x ", pc, in.word[0]);
		if (in.dwords == 2 && n + 1 < c->count)
			(void)printf("%08x  ", c->word[n + 1]);
		else
			(void)printf("%8s  ", "");
		print_text(c, &in, pc);
		n += in.dwords;
	}
}

/* ---- JSON */
static void json_instruction(struct json *j, const struct code *c, size_t n,
                             const struct gv_gfx9_inst *in)
{
	char text[GV_GFX9_TEXT], word[12];
	uint64_t to;

	json_key(j, NULL);
	json_open(j, '{');
	json_u64(j, "offset", c->at + 4 * n);
	json_key(j, "words");
	json_open(j, '[');
	for (size_t k = 0; k < in->dwords && n + k < c->count; k++) {
		(void)snprintf(word, sizeof(word), "%08x", c->word[n + k]);
		json_str(j, NULL, word);
	}
	json_close(j, ']');
	json_str(j, "text", gv_gfx9_print(in, text, sizeof(text)));
	json_bool(j, "valid", in->valid);
	if (gv_gfx9_target(in, c->at + 4 * n, &to))
		json_u64(j, "target", to);
	json_close(j, '}');
}

static void json_code(struct json *j, const struct code *c)
{
	json_key(j, "instructions");
	json_open(j, '[');
	for (size_t n = 0; n < c->count;) {
		struct gv_gfx9_inst in;

		(void)gv_gfx9_decode(&c->word[n], c->count - n, &in);
		json_instruction(j, c, n, &in);
		n += in.dwords;
	}
	json_close(j, ']');
}

/* ---- kernel descriptors */
struct user_sgpr {
	const char *what;
	unsigned property, count;
};

static const struct user_sgpr user_sgprs[] = {
        {"private_segment_buffer", GV_KD_PRIVATE_SEGMENT_BUFFER, 4},
        {"dispatch_ptr", GV_KD_DISPATCH_PTR, 2},
        {"queue_ptr", GV_KD_QUEUE_PTR, 2},
        {"kernarg_segment_ptr", GV_KD_KERNARG_SEGMENT_PTR, 2},
        {"dispatch_id", GV_KD_DISPATCH_ID, 2},
        {"flat_scratch_init", GV_KD_FLAT_SCRATCH_INIT, 2},
        {"private_segment_size", GV_KD_PRIVATE_SEGMENT_SIZE, 1},
};

/* Granules of 4 VGPRs; of 16 SGPRs, counted in halves. */
static unsigned vgprs(const struct gv_co_kernel *k)
{
	return (GV_GET(k->rsrc1, COMPUTE_PGM_RSRC1, VGPRS) + 1) * 4;
}

static unsigned sgprs(const struct gv_co_kernel *k)
{
	return (GV_GET(k->rsrc1, COMPUTE_PGM_RSRC1, SGPRS) / 2 + 1) * 16;
}

static void print_kernel(const struct gv_co_kernel *k)
{
	unsigned first = 0;

	(void)printf("%s: descriptor %s at %" PRIx64 "\n", k->name, k->symbol, k->descriptor_off);
	(void)printf("  %u VGPRs, %u SGPRs, LDS %u bytes a group, scratch %u bytes an item, "
	             "arguments %u bytes\n",
	             vgprs(k), sgprs(k), k->lds_bytes, k->scratch_bytes, k->kernarg_bytes);
	for (size_t n = 0; n < GV_ARRAY_LEN(user_sgprs); n++) {
		const struct user_sgpr *u = &user_sgprs[n];

		if (!(k->properties & u->property))
			continue;
		if (u->count > 1)
			(void)printf("  s[%u:%u] %s\n", first, first + u->count - 1, u->what);
		else
			(void)printf("  s%u %s\n", first, u->what);
		first += u->count;
	}
}

static void json_kernel(struct json *j, const struct gv_co_kernel *k)
{
	unsigned first = 0;

	json_str(j, "name", k->name);
	json_str(j, "descriptor", k->symbol);
	json_u64(j, "descriptor_offset", k->descriptor_off);
	json_u64(j, "vgprs", vgprs(k));
	json_u64(j, "sgprs", sgprs(k));
	json_u64(j, "lds_bytes", k->lds_bytes);
	json_u64(j, "scratch_bytes", k->scratch_bytes);
	json_u64(j, "kernarg_bytes", k->kernarg_bytes);
	json_key(j, "user_sgprs");
	json_open(j, '[');
	for (size_t n = 0; n < GV_ARRAY_LEN(user_sgprs); n++) {
		if (!(k->properties & user_sgprs[n].property))
			continue;
		json_key(j, NULL);
		json_open(j, '{');
		json_str(j, "what", user_sgprs[n].what);
		json_u64(j, "first", first);
		json_u64(j, "count", user_sgprs[n].count);
		json_close(j, '}');
		first += user_sgprs[n].count;
	}
	json_close(j, ']');
}

/* ---- what there is to show */
static void begin(struct json *j, const char *key)
{
	if (!j)
		return;
	json_open(j, '{');
	json_key(j, key);
	json_open(j, '[');
}

static void end(struct json *j)
{
	if (!j)
		return;
	json_close(j, ']');
	json_close(j, '}');
	json_end(j);
}

static int show(struct json *j, struct code *c, const struct gv_co_kernel *k)
{
	gv_auto_free uint32_t *label = calloc(c->count + 1, sizeof(*label));

	if (!label)
		return -ENOMEM;
	c->label = label;
	number_labels(c);
	if (!j) {
		if (k)
			print_kernel(k);
		print_code(c);
		return 0;
	}
	json_key(j, NULL);
	json_open(j, '{');
	if (k)
		json_kernel(j, k);
	json_code(j, c);
	json_close(j, '}');
	return 0;
}

static int show_kernels(struct json *j, const struct gv_co *co, const struct gv_co_kernel *only)
{
	uint64_t bytes = gv_co_image_bytes(co);
	gv_auto_free uint8_t *image = malloc(bytes);
	const struct gv_co_kernel *k;
	int rc = image ? 0 : -ENOMEM;

	if (image)
		gv_co_image(co, 0, image);
	for (unsigned n = 0; !rc && (k = gv_co_kernel_at(co, n)); n++) {
		struct code c = {.name = k->name,
		                 .word = (const uint32_t *)(const void *)(image + k->entry_off),
		                 .count = k->code_bytes / 4,
		                 .at = k->entry_off};

		if (only && k != only)
			continue;
		if (!j && n && !only)
			(void)puts("");
		rc = show(j, &c, k);
	}
	return rc;
}

static int read_object(const struct cli *cli, struct json *j, struct gv_err *err)
{
	const struct gv_co_kernel *only = NULL;
	struct gv_co *co = NULL;
	int rc = gv_co_open(cli->argv[0], &co, err);

	if (!rc && cli->argc == 2 && gv_co_find(co, cli->argv[1], &only, err))
		rc = gv_fail_prefix(err, "%s", cli->argv[0]);
	if (!rc) {
		begin(j, "kernels");
		rc = show_kernels(j, co, only);
		end(j);
		if (rc)
			(void)gv_fail(err, rc, "%s: out of memory", cli->argv[0]);
	}
	gv_co_free(co);
	return rc;
}

/* ---- words: hexadecimal, 0x or not, between anything that is not a letter or digit */
static int add_word(uint32_t *word, size_t *count, const char *text, struct gv_err *err)
{
	char *end;
	unsigned long v = strtoul(text, &end, 16);

	if (*end || strlen(text) > 10 || v > UINT32_MAX)
		return gv_fail(err, -EINVAL, "'%.16s' is no hexadecimal word of 32 bits", text);
	if (*count == MAX_RAW_WORDS)
		return gv_fail(err, -EFBIG, "more than %u words", MAX_RAW_WORDS);
	word[(*count)++] = (uint32_t)v;
	return 0;
}

static int read_words(FILE *f, uint32_t *word, size_t *count, struct gv_err *err)
{
	char text[24];
	int rc = 0;

	(void)!fscanf(f, "%*[^0-9a-zA-Z]");
	while (!rc && fscanf(f, " %23[0-9a-zA-Z]%*[^0-9a-zA-Z]", text) == 1)
		rc = add_word(word, count, text, err);
	if (!rc && !*count)
		rc = gv_fail(err, -ENODATA, "no words");
	return rc;
}

static int read_raw(const struct cli *cli, struct json *j, struct gv_err *err)
{
	gv_auto_free uint32_t *word = calloc(MAX_RAW_WORDS, sizeof(*word));
	const char *path = cli->argv[1];
	bool input = strcmp(path, "-") == 0;
	FILE *f = input ? stdin : fopen(path, "re");
	struct code c = {.name = path, .word = word};
	int rc = 0;

	if (!f || !word)
		rc = gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	else if (read_words(f, word, &c.count, err))
		rc = gv_fail_prefix(err, "%s", path);
	if (f && !input)
		(void)fclose(f);
	if (rc)
		return rc;
	begin(j, "code");
	rc = show(j, &c, NULL);
	end(j);
	return rc ? gv_fail(err, rc, "out of memory") : 0;
}

int cmd_disasm(struct cli *cli)
{
	bool raw = cli->argc && strcmp(cli->argv[0], "--raw") == 0;
	struct json j = {.f = stdout}, *json = cli->json ? &j : NULL;
	struct gv_err err = {0};
	int rc;

	if (raw ? cli->argc != 2 : cli->argc < 1 || cli->argc > 2)
		return cli_usage("disasm takes CODE.co [KERNEL], or --raw FILE");
	rc = raw ? read_raw(cli, json, &err) : read_object(cli, json, &err);
	return rc ? cli_fail(&err) : CLI_OK;
}
