/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/run_args.h>

#include "ut.h"

static struct gv_run_arg arg(const char *spec)
{
	struct gv_run_arg a = {0};
	struct gv_err err = {0};

	CU_ASSERT_EQUAL(gv_run_arg_parse(spec, &a, &err), 0);
	return a;
}

static void each_kind_is_read(void)
{
	struct gv_run_arg a = arg("inout:in file:dir/out:1");
	float f = 0;
	double d = 0;

	CU_ASSERT_STRING_EQUAL(a.in, "in file");
	CU_ASSERT_STRING_EQUAL(a.out, "dir/out:1");
	a = arg("out:64K:x");
	CU_ASSERT_EQUAL(a.bytes, 65536);
	a = arg("i32:-2147483648");
	CU_ASSERT_EQUAL(memcmp(a.value, "\0\0\0\x80", 4), 0);
	a = arg("u64:0xffffffffffffffff");
	CU_ASSERT_EQUAL(a.value[7], 0xff);
	a = arg("f32:1.5");
	memcpy(&f, a.value, 4);
	CU_ASSERT_EQUAL(f, 1.5f);
	a = arg("f64:-1e300");
	memcpy(&d, a.value, 8);
	CU_ASSERT_EQUAL(d, -1e300);
	CU_ASSERT_EQUAL(arg("lds:256").bytes, 256);
	CU_ASSERT_STRING_EQUAL(arg("buf:a:b").in, "a:b");
}

static void what_makes_no_sense_is_refused_by_name(void)
{
	static const char *const bad[] = {
	        "",
	        "x",
	        ":",
	        "buf",
	        "buf:",
	        "foo:1",
	        "u32:",
	        "u32:-1",
	        "u32:x",
	        "u32:4294967296",
	        "i32:2147483648",
	        "u8:256",
	        "i8:-129",
	        "u16:65536",
	        "f32:",
	        "f32:1x",
	        "f32:1e99",
	        "f64:x",
	        "inout:a",
	        "inout::b",
	        "inout:a:",
	        "out:5",
	        "out:x:f",
	        "out:0:f",
	        "out:-1:f",
	        "out:1:",
	        "out:99999999999999999999:f",
	        "out:18446744073709551615G:f",
	        "lds:0",
	        "lds:65537",
	        "lds:x",
	        "i64:9223372036854775808",
	        "u32: 1",
	        "buffer_with_a_very_long_kind_name:1",
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		struct gv_run_arg a = {.bytes = 77};
		struct gv_err err = {0};

		CU_ASSERT_EQUAL(gv_run_arg_parse(bad[i], &a, &err), -EINVAL);
		CU_ASSERT_TRUE(err.text[0] != 0);
		CU_ASSERT_EQUAL(a.bytes, 77);
	}
}

static const struct gv_co_kernel kernel = {
        .name = "k",
        .has_args = true,
        .num_args = 5,
        .kernarg_bytes = 48,
        .lds_bytes = 100,
        .arg = {{.name = "a", .kind = GV_CO_ARG_GLOBAL_BUFFER, .offset = 0, .bytes = 8},
                {.name = "n", .type = "uint", .kind = GV_CO_ARG_BY_VALUE, .offset = 8, .bytes = 4},
                {.name = "l",
                 .kind = GV_CO_ARG_DYNAMIC_LDS,
                 .offset = 12,
                 .bytes = 4,
                 .pointee_align = 16},
                {.name = "x",
                 .type = "double",
                 .kind = GV_CO_ARG_BY_VALUE,
                 .offset = 16,
                 .bytes = 8},
                {.kind = GV_CO_ARG_HIDDEN, .offset = 24, .bytes = 8}},
};

static int place(const struct gv_co_kernel *k, const char *const *specs, unsigned count,
                 struct gv_run_arg *args, uint32_t *lds, struct gv_err *err)
{
	for (unsigned i = 0; i < count; i++)
		args[i] = arg(specs[i]);
	return gv_run_args_place(k, args, count, lds, err);
}

static void arguments_go_where_the_metadata_says(void)
{
	static const char *const specs[] = {"buf:f", "u32:1", "lds:64", "f64:1", "lds:32"};
	struct gv_run_arg args[5];
	struct gv_err err = {0};
	uint32_t lds = 0;

	CU_ASSERT_EQUAL(place(&kernel, specs, 5, args, &lds, &err), 0);
	CU_ASSERT_EQUAL(args[0].offset, 0);
	CU_ASSERT_EQUAL(args[1].offset, 8);
	CU_ASSERT_EQUAL(args[2].offset, 12);
	CU_ASSERT_EQUAL(args[2].lds_offset, 112); /* behind 100 static bytes, aligned */
	CU_ASSERT_EQUAL(args[3].offset, 16);
	CU_ASSERT_FALSE(args[4].placed);
	CU_ASSERT_EQUAL(lds, 176 + 32 - 100);
}

static void arguments_that_do_not_match_are_refused_by_name(void)
{
	static const struct {
		const char *spec[6];
		unsigned count;
		const char *says;
	} rows[] = {
	        {{"buf:f"}, 1, "takes 4 arguments, 1 given"},
	        {{"buf:f", "u32:1", "lds:4", "f64:1", "u32:1"}, 5, "takes 4 arguments, 5 given"},
	        {{"u64:1", "u32:1", "lds:4", "f64:1"}, 4, "argument 1 'a'"},
	        {{"buf:f", "u64:1", "lds:4", "f64:1"}, 4, "argument 2 'n'"},
	        {{"buf:f", "f32:1", "lds:4", "f64:1"}, 4, "takes u32:"},
	        {{"buf:f", "u32:1", "u32:4", "f64:1"}, 4, "takes lds:"},
	        {{"buf:f", "u32:1", "lds:4", "u64:1"}, 4, "takes f64:"},
	        {{"buf:f", "u32:1", "lds:65530", "f64:1"}, 4, "a group has 65536"},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++) {
		struct gv_run_arg args[6];
		struct gv_err err = {0};
		uint32_t lds = 0;

		CU_ASSERT_EQUAL(place(&kernel, rows[i].spec, rows[i].count, args, &lds, &err),
		                -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].says));
	}
}

static void a_kernel_without_metadata_takes_them_packed(void)
{
	static const char *const specs[] = {"u8:1", "buf:f", "u16:2", "u32:3", "lds:16"};
	struct gv_co_kernel k = {.name = "k", .kernarg_bytes = 24};
	struct gv_run_arg args[5];
	struct gv_err err = {0};
	uint32_t lds = 0;

	CU_ASSERT_EQUAL(place(&k, specs, 5, args, &lds, &err), 0);
	CU_ASSERT_EQUAL(args[1].offset, 8);
	CU_ASSERT_EQUAL(args[2].offset, 16);
	CU_ASSERT_EQUAL(args[3].offset, 20);
	CU_ASSERT_EQUAL(lds, 16);
	k.kernarg_bytes = 20;
	CU_ASSERT_EQUAL(place(&k, specs, 5, args, &lds, &err), -EINVAL);
}

UT_MAIN("run_args", UT(each_kind_is_read), UT(what_makes_no_sense_is_refused_by_name),
        UT(arguments_go_where_the_metadata_says),
        UT(arguments_that_do_not_match_are_refused_by_name),
        UT(a_kernel_without_metadata_takes_them_packed))
