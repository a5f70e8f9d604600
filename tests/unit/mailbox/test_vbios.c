/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/mailbox_pages.h>
#include <ut.h>

static uint8_t image[GV_MBOX_VBIOS_BYTES];

static uint16_t at16(size_t off)
{
	uint16_t v;

	memcpy(&v, image + off, sizeof(v));
	return v;
}

static uint32_t at32(size_t off)
{
	uint32_t v;

	memcpy(&v, image + off, sizeof(v));
	return v;
}

/* Follows the image as amdgpu's atom parser does, step by step. */
static void the_image_is_what_amdgpu_walks(void)
{
	uint16_t rom, data, table;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_build(NULL, image, NULL), 0);
	CU_ASSERT_EQUAL(at16(0), 0xaa55);
	CU_ASSERT_EQUAL(image[2] * 512, GV_MBOX_VBIOS_BYTES);
	CU_ASSERT_EQUAL(image[0x2f], 0);
	CU_ASSERT_EQUAL(memcmp(image + 0x30, " 761295520", 10), 0);
	CU_ASSERT_NOT_EQUAL(image[0x80], 0);
	rom = at16(0x48);
	CU_ASSERT_EQUAL(memcmp(image + rom + 4, "ATOM", 4), 0);
	CU_ASSERT_NOT_EQUAL(at16(rom + 0x1e), 0);
	data = at16(rom + 0x20);
	table = at16(data + 4 + 2 * 4);
	CU_ASSERT_EQUAL(image[table + 2], 3);
	CU_ASSERT_EQUAL(image[table + 3], 1);
	CU_ASSERT_NOT_EQUAL(at32(table + 8), 0);
	CU_ASSERT(at32(table + 16) & 2); /* GPU_VIRTUALIZATION */
	CU_ASSERT_EQUAL(at32(table + 24), 0x4c);
	table = at16(data + 4 + 2 * 8);
	CU_ASSERT_NOT_EQUAL(at32(table + 16), 0);
	table = at16(data + 4 + 2 * 11);
	CU_ASSERT_EQUAL(image[table + 2], 2);
	CU_ASSERT_EQUAL(image[table + 3], 1);
	CU_ASSERT_EQUAL(at32(table + 4), 0x80000000);
	CU_ASSERT_EQUAL(at16(table + 8), 132);
	table = at16(data + 4 + 2 * 23);
	CU_ASSERT_NOT_EQUAL(table, 0);
	CU_ASSERT_NOT_EQUAL(image[table + 4], 1);
}

static void what_was_built_is_found_again(void)
{
	struct gv_mbox_vbios in = {.part_number = "113-TEST",
	                           .region_off = 5 << 20,
	                           .region_bytes = 256 << 10,
	                           .sclk_10khz = 100000},
	                     out;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_build(&in, image, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_check(image, sizeof(image), &out, NULL), 0);
	CU_ASSERT_STRING_EQUAL(out.part_number, "113-TEST");
	CU_ASSERT_STRING_EQUAL(out.build_date, "01/01/26 00:00");
	CU_ASSERT_EQUAL(out.region_off, 5 << 20);
	CU_ASSERT_EQUAL(out.region_bytes, 256 << 10);
	CU_ASSERT_EQUAL(out.sclk_10khz, 100000);
	CU_ASSERT_EQUAL(out.refclk_10khz, 2700);
}

static void values_that_do_not_fit_are_refused(void)
{
	struct gv_mbox_vbios v = {.region_off = 1};

	CU_ASSERT_EQUAL(gv_mbox_vbios_build(&v, image, NULL), -ERANGE);
	v = (struct gv_mbox_vbios){.region_off = 1ull << 40};
	CU_ASSERT_EQUAL(gv_mbox_vbios_build(&v, image, NULL), -ERANGE);
	v = (struct gv_mbox_vbios){.region_bytes = 64u << 20};
	CU_ASSERT_EQUAL(gv_mbox_vbios_build(&v, image, NULL), -ERANGE);
	v = (struct gv_mbox_vbios){.part_number = "a\nb"};
	CU_ASSERT_EQUAL(gv_mbox_vbios_build(&v, image, NULL), -EINVAL);
	memset(v.part_number, 'x', sizeof(v.part_number));
	CU_ASSERT_EQUAL(gv_mbox_vbios_build(&v, image, NULL), -EINVAL);
}

static void an_image_cut_short_is_refused_at_every_length(void)
{
	struct gv_mbox_vbios out;
	size_t enough = sizeof(image);

	CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_build(NULL, image, NULL), 0);
	while (enough && !gv_mbox_vbios_check(image, enough, &out, NULL))
		enough--;
	CU_ASSERT(enough > 0x80 && enough < 0x800);
	for (size_t n = 0; n <= enough; n++) {
		uint8_t *cut = malloc(n ? n : 1); /* exact, so that reading on is seen */

		memcpy(cut, image, n);
		CU_ASSERT_NOT_EQUAL(gv_mbox_vbios_check(cut, n, &out, NULL), 0);
		free(cut);
	}
}

static void broken_images_say_what_is_broken(void)
{
	static const struct {
		size_t off;
		uint8_t v;
		int rc;
		const char *word;
	} breaks[] = {
	        {0, 0, -EBADMSG, "0xaa55"},          {0x31, 'x', -EBADMSG, "magic"},
	        {0x49, 0xff, -EBADMSG, "ATOM"},      {0x204, 'a', -EBADMSG, "ATOM"},
	        {0x221, 0xff, -ENOENT, "list ends"}, {0x340, 6, -ENOENT, "vram_usage"},
	};
	struct gv_mbox_vbios out;
	struct gv_err err;

	for (size_t i = 0; i < GV_ARRAY_LEN(breaks); i++) {
		CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_build(NULL, image, NULL), 0);
		image[breaks[i].off] = breaks[i].v;
		CU_ASSERT_EQUAL(gv_mbox_vbios_check(image, sizeof(image), &out, &err),
		                breaks[i].rc);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, breaks[i].word));
	}
}

static void no_sriov_flag_means_no_region(void)
{
	struct gv_mbox_vbios out;
	uint16_t table;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_vbios_build(NULL, image, NULL), 0);
	table = at16(at16(at16(0x48) + 0x20) + 4 + 2 * 11);
	for (unsigned top = 0; top < 4; top++) {
		image[table + 7] = (uint8_t)(top << 6);
		CU_ASSERT_EQUAL(gv_mbox_vbios_check(image, sizeof(image), &out, NULL),
		                top == 2 ? 0 : -ENOENT);
	}
}

UT_MAIN("mailbox vbios", UT(the_image_is_what_amdgpu_walks), UT(what_was_built_is_found_again),
        UT(values_that_do_not_fit_are_refused), UT(an_image_cut_short_is_refused_at_every_length),
        UT(broken_images_say_what_is_broken), UT(no_sriov_flag_means_no_region))
