/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/mailbox.h>
#include <ut.h>

static uint32_t at32(const void *page, size_t off)
{
	uint32_t v;

	memcpy(&v, (const uint8_t *)page + off, sizeof(v));
	return v;
}

static void put32(void *page, size_t off, uint32_t v)
{
	memcpy((uint8_t *)page + off, &v, sizeof(v));
}

static struct gv_mbox_pf2vf_info sample(void)
{
	return (struct gv_mbox_pf2vf_info){.feature_flags = GV_MBOX_FEAT_ERROR_LOG_COLLECT |
	                                                    GV_MBOX_FEAT_HOST_FLR_VRAMLOST,
	                                   .reg_access_flags = GV_MBOX_REG_ACCESS_GC,
	                                   .update_interval_ms = 500,
	                                   .vf_index = 3,
	                                   .gpu_capacity = 16384,
	                                   .pcie_atomics = 0x180,
	                                   .uuid = 0x1122334455667788ull,
	                                   .bad_page_count = 2};
}

static void regions_lie_where_the_driver_looks(void)
{
	CU_ASSERT_EQUAL(GV_MBOX_VBIOS_OFF, 0);
	CU_ASSERT_EQUAL(GV_MBOX_PF2VF_OFF, 0x10000);
	CU_ASSERT_EQUAL(GV_MBOX_VF2PF_OFF, 0x10400);
	CU_ASSERT_EQUAL(GV_MBOX_BAD_PAGES_OFF, 0x10800);
	CU_ASSERT_EQUAL(GV_MBOX_RAS_OFF, 0x11000);
	CU_ASSERT_EQUAL(GV_MBOX_RAS_OFF + GV_MBOX_RAS_BYTES, GV_MBOX_REGION_BYTES);
}

static void checksum_is_the_byte_sum_without_its_own_field(void)
{
	static const uint8_t page[8] = {1, 2, 0xff, 0xff, 0xff, 0xff, 3, 4};

	CU_ASSERT_EQUAL(gv_mbox_checksum(page, 8, 2, 0), 10);
	CU_ASSERT_EQUAL(gv_mbox_checksum(page, 8, 2, 0xfffffffe), 8);
	CU_ASSERT_EQUAL(gv_mbox_checksum(page, 8, 100, 0), 10 + 4 * 0xff);
	CU_ASSERT_EQUAL(gv_mbox_checksum(page, 0, 0, 7), 7);
}

static void pf2vf_v2_has_its_fields_at_the_sheets_offsets(void)
{
	struct gv_mbox_pf2vf_info info = sample();
	struct gv_mbox_pf2vf_v2 page;
	const uint8_t *raw = (const uint8_t *)&page;
	uint32_t sum = 0;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_build(&info, &page, NULL), 0);
	CU_ASSERT_EQUAL(at32(raw, 0x00), 1024);
	CU_ASSERT_EQUAL(at32(raw, 0x04), 2);
	CU_ASSERT_EQUAL(at32(raw, 0x14), 5);
	CU_ASSERT_EQUAL(at32(raw, 0x4c), 0x10800);
	CU_ASSERT_EQUAL(at32(raw, 0x50), 0);
	CU_ASSERT_EQUAL(at32(raw, 0x54), 16);
	CU_ASSERT_EQUAL(at32(raw, 0x58), 500);
	CU_ASSERT_EQUAL(at32(raw, 0x5c), 0x55667788);
	CU_ASSERT_EQUAL(at32(raw, 0x60), 0x11223344);
	CU_ASSERT_EQUAL(at32(raw, 0x64), 3);
	CU_ASSERT_EQUAL(at32(raw, 0x68), 4);
	CU_ASSERT_EQUAL(at32(raw, 0xbc), 0x180);
	CU_ASSERT_EQUAL(at32(raw, 0xc0), 16384);
	for (size_t i = 0; i < sizeof(page); i++) /* as the guest computes it */
		sum += raw[i];
	for (size_t i = 0x10; i < 0x14; i++)
		sum -= raw[i];
	CU_ASSERT_EQUAL(at32(raw, 0x10), sum);
}

static void pf2vf_v2_reads_back_as_it_was_built(void)
{
	struct gv_mbox_pf2vf_info in = sample(), out;
	struct gv_mbox_pf2vf_v2 page;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_build(&in, &page, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_read(&page, 99, &out, NULL), 0);
	CU_ASSERT_EQUAL(out.version, 2);
	CU_ASSERT_EQUAL(out.uuid, in.uuid);
	CU_ASSERT_EQUAL(out.update_interval_ms, 500);
	CU_ASSERT_EQUAL(out.vf_index, 3);
	CU_ASSERT_EQUAL(out.gpu_capacity, 16384);
	CU_ASSERT_EQUAL(out.bad_page_count, 2);
	CU_ASSERT_EQUAL(out.bad_pages_off, GV_MBOX_BAD_PAGES_OFF);
}

static void pf2vf_refuses_to_be_built_from_what_guests_would_not_take(void)
{
	struct gv_mbox_pf2vf_v2 page, before;
	struct gv_mbox_pf2vf_info info;

	memset(&page, 0x5a, sizeof(page));
	before = page;
	info = sample();
	info.update_interval_ms = 199;
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_build(&info, &page, NULL), -ERANGE);
	info.update_interval_ms = 10001;
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_build(&info, &page, NULL), -ERANGE);
	info = sample();
	info.bad_page_count = GV_MBOX_BAD_PAGES_MAX + 1;
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_build(&info, &page, NULL), -ERANGE);
	info = sample();
	info.gpu_capacity = 65536;
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_build(&info, &page, NULL), -ERANGE);
	CU_ASSERT_EQUAL(memcmp(&page, &before, sizeof(page)), 0);
}

static void any_flipped_bit_of_pf2vf_is_found(void)
{
	struct gv_mbox_pf2vf_info info = sample(), out;
	struct gv_mbox_pf2vf_v2 page;
	uint8_t *raw = (uint8_t *)&page;
	unsigned passed = 0;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_build(&info, &page, NULL), 0);
	for (size_t bit = 0; bit < sizeof(page) * 8; bit++) {
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
		passed += gv_mbox_pf2vf_read(raw, 0, &out, NULL) == 0;
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CU_ASSERT_EQUAL(passed, 0);
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(raw, 0, &out, NULL), 0);
}

static void wrong_checksum_says_what_was_found_and_expected(void)
{
	struct gv_mbox_pf2vf_info info = sample(), out = {.uuid = 42};
	struct gv_mbox_pf2vf_v2 page;
	struct gv_err err = {0};
	char want[32];

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_build(&info, &page, NULL), 0);
	(void)snprintf(want, sizeof(want), "0x%x expected", page.checksum);
	page.checksum = 0xdead;
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(&page, 0, &out, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0xdead found"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, want));
	CU_ASSERT_EQUAL(out.uuid, 42);
}

static void pages_of_other_versions_and_sizes_are_refused(void)
{
	struct gv_mbox_pf2vf_info info = sample(), out;
	struct gv_mbox_vf2pf_info guest;
	struct gv_mbox_pf2vf_v2 page;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf2vf_build(&info, &page, NULL), 0);
	for (uint32_t version = 0; version < 300; version++) {
		put32(&page, 4, version);
		if (version != 1 && version != 2)
			CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(&page, 0, &out, NULL), -EPROTONOSUPPORT);
		if (version != 3)
			CU_ASSERT_EQUAL(gv_mbox_vf2pf_read(&page, &guest, NULL), -EPROTONOSUPPORT);
	}
	put32(&page, 4, 2);
	static const uint32_t sizes[] = {0, 1, 16, 0xbf, 1025, 4096, 0x80000000, 0xffffffff};

	for (size_t i = 0; i < GV_ARRAY_LEN(sizes); i++) {
		put32(&page, 0, sizes[i]);
		CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(&page, 0, &out, NULL), -EMSGSIZE);
	}
	put32(&page, 4, 1);
	put32(&page, 0, 43);
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(&page, 0, &out, NULL), -EMSGSIZE);
	put32(&page, 4, 3);
	put32(&page, 0, 1025);
	CU_ASSERT_EQUAL(gv_mbox_vf2pf_read(&page, &guest, NULL), -EMSGSIZE);
}

static void pf2vf_v1_needs_the_key_of_the_ready_message(void)
{
	struct gv_mbox_pf2vf_info in = {.feature_flags = 0x15}, out;
	uint8_t shared[GV_MBOX_PAGE_BYTES] = {0};
	struct gv_mbox_pf2vf_v1 page;

	gv_mbox_pf2vf_build_v1(&in, 0xc0ffee, &page);
	memcpy(shared, &page, sizeof(page));
	CU_ASSERT_EQUAL(at32(shared, 0), 44);
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(shared, 0xc0ffee, &out, NULL), 0);
	CU_ASSERT_EQUAL(out.version, 1);
	CU_ASSERT_EQUAL(out.feature_flags, 0x15);
	CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(shared, 0, &out, NULL), -EBADMSG);
}

static void vf2pf_reads_back_and_its_text_is_made_harmless(void)
{
	struct gv_mbox_vf2pf_info in = {.driver_version = "6.1\x1b[2J\xff!",
	                                .fb_usage_mib = 7,
	                                .fb_size_mib = 512,
	                                .os_info = GV_MBOX_OS_WINDOWS,
	                                .dummy_page_addr = 0x123456789000ull,
	                                .ucode_count = 2,
	                                .ucode = {{10, 0x1b4}, {17, 0x1a8}}};
	struct gv_mbox_vf2pf_info out;
	struct gv_mbox_vf2pf_v3 page;

	CU_ASSERT_EQUAL_FATAL(gv_mbox_vf2pf_build(&in, &page, NULL), 0);
	CU_ASSERT_EQUAL(at32(&page, 0x5c), 7);
	CU_ASSERT_EQUAL(at32(&page, 0x94), 512);
	CU_ASSERT_EQUAL(((uint8_t *)&page)[0x98 + 5], 17);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_vf2pf_read(&page, &out, NULL), 0);
	CU_ASSERT_STRING_EQUAL(out.driver_version, "6.1?[2J?!");
	CU_ASSERT_EQUAL(out.dummy_page_addr, 0x123456789000ull);
	CU_ASSERT_EQUAL(out.ucode_count, 2);
	CU_ASSERT_EQUAL(out.ucode[1].version, 0x1a8);
	CU_ASSERT_STRING_EQUAL(gv_mbox_ucode_name(out.ucode[0].id), "MEC");
	CU_ASSERT_STRING_EQUAL(gv_mbox_ucode_name(out.ucode[1].id), "SMC");
	CU_ASSERT_STRING_EQUAL(gv_mbox_ucode_name(21), "DMCU");
	CU_ASSERT_STRING_EQUAL(gv_mbox_ucode_name(22), "UNKNOWN");
}

static void a_driver_version_without_an_end_stays_in_its_field(void)
{
	struct gv_mbox_vf2pf_info in = {.fb_size_mib = 1}, out;
	struct gv_mbox_vf2pf_v3 page;

	memset(in.driver_version, 'v', 64);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_vf2pf_build(&in, &page, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_vf2pf_read(&page, &out, NULL), 0);
	CU_ASSERT_EQUAL(strlen(out.driver_version), 64);
	memset(in.driver_version, 'v', 65);
	CU_ASSERT_EQUAL(gv_mbox_vf2pf_build(&in, &page, NULL), -ERANGE);
	in.driver_version[0] = '\0';
	in.ucode_count = GV_MBOX_UCODES + 1;
	CU_ASSERT_EQUAL(gv_mbox_vf2pf_build(&in, &page, NULL), -ERANGE);
}

static void random_pages_never_pass(void)
{
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_mbox_pf2vf_info out;
	struct gv_mbox_vf2pf_info guest;
	uint64_t x = 88172645463325252ull;

	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < sizeof(page); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			page[k] = (uint8_t)x;
		}
		put32(page, 4, (uint32_t)i % 4);
		put32(page, 0, (uint32_t)i % 1100);
		CU_ASSERT_NOT_EQUAL(gv_mbox_pf2vf_read(page, 0, &out, NULL), 0);
		CU_ASSERT_NOT_EQUAL(gv_mbox_vf2pf_read(page, &guest, NULL), 0);
	}
}

static void bad_pages_go_there_and_back_for_all_counts(void)
{
	uint64_t in[GV_MBOX_BAD_PAGES_MAX], out[GV_MBOX_BAD_PAGES_MAX];
	uint8_t block[GV_MBOX_BAD_PAGES_BYTES];
	unsigned count = 99;

	for (unsigned i = 0; i < GV_MBOX_BAD_PAGES_MAX; i++)
		in[i] = i * 3;
	for (unsigned n = 0; n <= GV_MBOX_BAD_PAGES_MAX; n++) {
		CU_ASSERT_EQUAL(gv_mbox_bad_pages_build(in, n, block), 0);
		CU_ASSERT_EQUAL(gv_mbox_bad_pages_read(block, n * 8, 1000, out, &count, NULL), 0);
		CU_ASSERT_EQUAL(count, n);
		CU_ASSERT_EQUAL(memcmp(in, out, n * 8), 0);
	}
	CU_ASSERT_EQUAL(gv_mbox_bad_pages_build(in, GV_MBOX_BAD_PAGES_MAX + 1, block), -ERANGE);
	CU_ASSERT_EQUAL(gv_mbox_bad_pages_read(block, 12, 1000, out, &count, NULL), -EMSGSIZE);
	CU_ASSERT_EQUAL(gv_mbox_bad_pages_read(block, 2056, 1000, out, &count, NULL), -EMSGSIZE);
	CU_ASSERT_EQUAL(gv_mbox_bad_pages_read(block, 0xfffffff8, 1000, out, &count, NULL),
	                -EMSGSIZE);
	CU_ASSERT_EQUAL(gv_mbox_bad_pages_read(block, 2048, 765, out, &count, NULL), -ERANGE);
}

static void vf_errors_of_both_categories_are_understood(void)
{
	struct gv_mbox_vf_error e;
	struct gv_mbox_msg msg;

	CU_ASSERT_EQUAL(gv_mbox_vf_error_build(5, 0x12, 0xaabbccdd11223344ull, &msg), 0);
	CU_ASSERT_EQUAL(msg.dw[1], 0x30050012);
	CU_ASSERT_EQUAL(gv_mbox_vf_error_parse(&msg, &e), 0);
	CU_ASSERT_EQUAL(e.category, 3);
	CU_ASSERT_EQUAL(e.data, 0xaabbccdd11223344ull);
	CU_ASSERT_STRING_EQUAL(gv_mbox_vf_error_name(e.sub), "AMDGPU_INIT_FAIL");
	for (uint32_t category = 0; category < 16; category++) {
		msg.dw[1] = category << 28;
		CU_ASSERT_EQUAL(gv_mbox_vf_error_parse(&msg, &e),
		                category == 3 || category == 8 ? 0 : -EPROTO);
	}
	msg.dw[0] = 1;
	CU_ASSERT_EQUAL(gv_mbox_vf_error_parse(&msg, &e), -EINVAL);
	CU_ASSERT_EQUAL(gv_mbox_vf_error_build(0x1000, 0, 0, &msg), -ERANGE);
	CU_ASSERT_EQUAL(gv_mbox_vf_error_build(0, 0x10000, 0, &msg), -ERANGE);
}

UT_MAIN("mailbox pages", UT(regions_lie_where_the_driver_looks),
        UT(checksum_is_the_byte_sum_without_its_own_field),
        UT(pf2vf_v2_has_its_fields_at_the_sheets_offsets), UT(pf2vf_v2_reads_back_as_it_was_built),
        UT(pf2vf_refuses_to_be_built_from_what_guests_would_not_take),
        UT(any_flipped_bit_of_pf2vf_is_found), UT(wrong_checksum_says_what_was_found_and_expected),
        UT(pages_of_other_versions_and_sizes_are_refused),
        UT(pf2vf_v1_needs_the_key_of_the_ready_message),
        UT(vf2pf_reads_back_and_its_text_is_made_harmless),
        UT(a_driver_version_without_an_end_stays_in_its_field), UT(random_pages_never_pass),
        UT(bad_pages_go_there_and_back_for_all_counts),
        UT(vf_errors_of_both_categories_are_understood))
