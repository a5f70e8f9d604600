/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code-object reader on what clang makes (tests/fuzz/corpus/code_object), and on that broken in
 * every way that fits a loop. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include <gv/code_object.h>

#include "ut.h"

static uint8_t *data;
static size_t bytes;

static void load(const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", GV_CORPUS, name);
	f = fopen(path, "rbe");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	free(data);
	data = malloc(1 << 20);
	bytes = fread(data, 1, 1 << 20, f);
	(void)fclose(f);
	CU_ASSERT_TRUE_FATAL(bytes > 64);
}

static void a_kernel_is_described_as_the_compiler_wrote_it(void)
{
	const struct gv_co_kernel *k = NULL;
	struct gv_co *co = NULL;
	struct gv_err err = {0};

	load("vector_add.co");
	CU_ASSERT_EQUAL_FATAL(gv_co_read(data, bytes, &co, &err), 0);
	CU_ASSERT_EQUAL(gv_co_kernels(co), 1);
	CU_ASSERT_EQUAL_FATAL(gv_co_find(co, "vector_add", &k, &err), 0);
	CU_ASSERT_EQUAL(k->arg[0].kind, GV_CO_ARG_GLOBAL_BUFFER);
	CU_ASSERT_EQUAL(k->arg[3].kind, GV_CO_ARG_BY_VALUE);
	CU_ASSERT_EQUAL(k->arg[3].offset, 24);
	CU_ASSERT_EQUAL(k->arg[3].bytes, 4);
	CU_ASSERT_EQUAL(k->properties, 0xb); /* segment buffer, dispatch, arguments */
	CU_ASSERT_EQUAL(k->entry_off & 255, 0);
	CU_ASSERT_EQUAL(gv_co_find(co, "other", &k, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "vector_add"));
	gv_co_free(co);
	load("matmul_lds.co");
	CU_ASSERT_EQUAL_FATAL(gv_co_read(data, bytes, &co, &err), 0);
	k = gv_co_kernel_at(co, 0);
	CU_ASSERT_EQUAL(k->lds_bytes, 2048);
	CU_ASSERT_EQUAL(k->reqd_workgroup_size[1], 16);
	gv_co_free(co);
	load("scratch.co");
	CU_ASSERT_EQUAL_FATAL(gv_co_read(data, bytes, &co, &err), 0);
	CU_ASSERT_TRUE(gv_co_kernel_at(co, 0)->scratch_bytes >= 128);
	gv_co_free(co);
}

static void pointers_in_data_are_relocated(void)
{
	struct gv_co *co = NULL;
	struct gv_err err = {0};
	uint64_t changed = 0, n;
	uint8_t *a, *b;

	load("reloc.co");
	CU_ASSERT_EQUAL_FATAL(gv_co_read(data, bytes, &co, &err), 0);
	n = gv_co_image_bytes(co);
	a = malloc(n);
	b = malloc(n);
	gv_co_image(co, 0x100000000, a);
	gv_co_image(co, 0x300001000, b);
	for (uint64_t i = 0; i + 8 <= n; i += 8) {
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y) {
			CU_ASSERT_EQUAL(y - x, 0x200001000);
			changed++;
		}
	}
	CU_ASSERT_TRUE(changed >= 1);
	free(a);
	free(b);
	gv_co_free(co);
}

/* The header says what it is not for us. */
static void a_foreign_file_is_refused_with_the_reason(void)
{
	static const struct {
		size_t off;
		uint8_t val;
		int rc;
		const char *says;
	} rows[] = {
	        {0, 0x7e, -ENOEXEC, "not an ELF"},
	        {EI_CLASS, ELFCLASS32, -ENOEXEC, ""},
	        {EI_DATA, ELFDATA2MSB, -ENOEXEC, ""},
	        {EI_OSABI, 0, -ENOEXEC, "OS ABI"},
	        {EI_ABIVERSION, 4, -EOPNOTSUPP, "ABI version"},
	        {offsetof(Elf64_Ehdr, e_machine), 62, -ENOEXEC, "not AMDGPU"},
	        {offsetof(Elf64_Ehdr, e_type), ET_REL, -ENOEXEC, "shared object"},
	        {offsetof(Elf64_Ehdr, e_flags), 0x2f, -ENOEXEC, "gfx900"},
	        {offsetof(Elf64_Ehdr, e_phnum), 0, -EBADMSG, "program headers"},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++) {
		struct gv_co *co = NULL;
		struct gv_err err = {0};

		load("vector_add.co");
		data[rows[i].off] = rows[i].val;
		CU_ASSERT_EQUAL(gv_co_read(data, bytes, &co, &err), rows[i].rc);
		CU_ASSERT_PTR_NULL(co);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].says));
	}
}

static void every_truncation_is_refused_or_harmless(void)
{
	load("scratch.co");
	for (size_t n = 0; n < bytes; n += n < 4096 ? 1 : 17) {
		uint8_t *copy = malloc(n + 1); /* exact size: ASan sees any step beyond */
		struct gv_co *co = NULL;
		struct gv_err err = {0};
		int rc;

		memcpy(copy, data, n);
		copy = realloc(copy, n ? n : 1);
		rc = gv_co_read(copy, n, &co, &err);
		CU_ASSERT_TRUE(rc <= 0 && (rc == 0) == (co != NULL));
		CU_ASSERT_TRUE(rc == 0 || err.text[0]);
		gv_co_free(co);
		free(copy);
	}
}

static void any_changed_byte_is_refused_or_harmless(void)
{
	static const uint8_t vals[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	load("vector_add.co");
	for (size_t i = 0; i < bytes; i++) {
		uint8_t was = data[i];

		for (size_t v = 0; v < sizeof(vals); v++) {
			struct gv_co *co = NULL;
			struct gv_err err = {0};

			data[i] = vals[v];
			if (gv_co_read(data, bytes, &co, &err) == 0) {
				uint64_t n = gv_co_image_bytes(co);
				const struct gv_co_kernel *k = gv_co_kernel_at(co, 0);

				CU_ASSERT_TRUE(k->entry_off < n && k->descriptor_off <= n - 64);
				for (unsigned a = 0; a < k->num_args; a++)
					CU_ASSERT_TRUE((uint64_t)k->arg[a].offset +
					                       k->arg[a].bytes <=
					               k->kernarg_bytes);
				gv_co_free(co);
			}
		}
		data[i] = was;
	}
}

UT_MAIN("code_object", UT(a_kernel_is_described_as_the_compiler_wrote_it),
        UT(pointers_in_data_are_relocated), UT(a_foreign_file_is_refused_with_the_reason),
        UT(every_truncation_is_refused_or_harmless), UT(any_changed_byte_is_refused_or_harmless))
