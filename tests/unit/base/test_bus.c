/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability lists, good ones and those of devices that lie, and the checked calls. */
#include <linux/pci_regs.h>

#include "fake_bus.h"
#include "ut.h"

static void put16(struct fake_bus *f, unsigned at, unsigned val)
{
	f->config[at] = (uint8_t)val;
	f->config[at + 1] = (uint8_t)(val >> 8);
}
static void put32(struct fake_bus *f, unsigned at, uint32_t val)
{
	memcpy(f->config + at, &val, sizeof(val));
}
static void ext(struct fake_bus *f, unsigned at, unsigned id, unsigned next)
{
	put32(f, at, id | 1u << 16 | next << 20);
}

static void with_caps(struct fake_bus *f)
{
	fake_init(f);
	put16(f, PCI_STATUS, PCI_STATUS_CAP_LIST);
	f->config[PCI_CAPABILITY_LIST] = 0x51; /* the two lowest bits are not part of it */
	put16(f, 0x50, PCI_CAP_ID_PM | 0x70 << 8);
	put16(f, 0x70, PCI_CAP_ID_EXP | 0xfc << 8);
	put16(f, 0xfc, PCI_CAP_ID_MSIX);
	ext(f, 0x100, PCI_EXT_CAP_ID_VNDR, 0x150);
	put32(f, 0x104, 7);
	ext(f, 0x150, PCI_EXT_CAP_ID_SRIOV, 0xffc);
	put16(f, 0x150 + PCI_SRIOV_TOTAL_VF, 4);
	ext(f, 0xffc, PCI_EXT_CAP_ID_ARI, 0);
}

static void capabilities_are_found(void)
{
	struct fake_bus f;
	uint16_t at = 0;

	with_caps(&f);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_PM, &at), 0);
	CU_ASSERT_EQUAL(at, 0x50);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSIX, &at), 0);
	CU_ASSERT_EQUAL(at, 0xfc);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSI, &at), -ENOENT);
	CU_ASSERT_EQUAL(at, 0xfc); /* written only on success */
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ARI, &at), 0);
	CU_ASSERT_EQUAL(at, 0xffc);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ATS, &at), -ENOENT);
	CU_ASSERT_EQUAL(gv_cfg_find_vsec(&f.bus, 7, &at), 0);
	CU_ASSERT_EQUAL(at, 0x100);
	CU_ASSERT_EQUAL(gv_cfg_find_vsec(&f.bus, 8, &at), -ENOENT);
}

static void devices_without_lists_have_no_capabilities(void)
{
	struct fake_bus f;
	uint16_t at = 0;

	with_caps(&f);
	put16(&f, PCI_STATUS, 0);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_PM, &at), -ENOENT);
	put32(&f, 0x100, 0);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ARI, &at), -ENOENT);
	put32(&f, 0x100, UINT32_MAX);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ARI, &at), -ENOENT);
	f.lost = -EIO;
	CU_ASSERT(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSI, &at) < 0);
	CU_ASSERT(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ATS, &at) < 0);
}

static void lists_that_loop_are_refused(void)
{
	struct fake_bus f;
	uint16_t at = 0;

	with_caps(&f);
	put16(&f, 0xfc, PCI_CAP_ID_MSIX | 0x50 << 8);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSI, &at), -EPROTO);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSIX, &at), 0);
	put16(&f, 0x50, PCI_CAP_ID_PM | 0x50 << 8); /* to itself */
	CU_ASSERT_EQUAL(gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSIX, &at), -EPROTO);
	ext(&f, 0xffc, PCI_EXT_CAP_ID_ARI, 0x100);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ATS, &at), -EPROTO);
	CU_ASSERT_EQUAL(gv_cfg_find_vsec(&f.bus, 8, &at), -EPROTO);
	CU_ASSERT(f.cfg_reads < 1000);
}

static void random_lists_always_end(void)
{
	struct fake_bus f;
	uint32_t s = 1;
	uint16_t at = 0;

	fake_init(&f);
	for (unsigned round = 0; round < 500; round++) {
		for (size_t k = 0; k < sizeof(f.config); k++)
			f.config[k] = (uint8_t)((s = s * 1664525u + 1013904223u) >> 24);
		(void)gv_cfg_find_cap(&f.bus, PCI_CAP_ID_MSI, &at);
		(void)gv_cfg_find_ext_cap(&f.bus, PCI_EXT_CAP_ID_ATS, &at);
		(void)gv_cfg_find_vsec(&f.bus, 8, &at);
	}
	CU_ASSERT(f.cfg_reads < 500 * 3 * 200);
}

static void small_accesses_are_what_they_say(void)
{
	struct fake_bus f;

	fake_init(&f);
	gv_cfg_wr32(&f.bus, 0x10, 0x11223344);
	gv_cfg_wr16(&f.bus, 0x12, 0xaabb);
	gv_cfg_wr8(&f.bus, 0x10, 0xcc);
	CU_ASSERT_EQUAL(gv_cfg_rd32(&f.bus, 0x10), 0xaabb33cc);
	CU_ASSERT_EQUAL(gv_cfg_rd16(&f.bus, 0x11), 0xbb33);
	CU_ASSERT_EQUAL(gv_cfg_rd8(&f.bus, 0x13), 0xaa);
	gv_wr8(&f.bus, 5, 0x99);
	CU_ASSERT_EQUAL(gv_rd8(&f.bus, 5), 0x99);
	/* a failed read gives all ones of its size */
	f.lost = -EIO;
	CU_ASSERT_EQUAL(gv_cfg_rd8(&f.bus, 0x10), 0xff);
	CU_ASSERT_EQUAL(gv_cfg_rd16(&f.bus, 0x10), 0xffff);
	CU_ASSERT_EQUAL(gv_cfg_rd32(&f.bus, 0x10), UINT32_MAX);
	CU_ASSERT_EQUAL(gv_rd8(&f.bus, 5), 0xff);
}

static void num_vfs_is_written_while_vf_enable_is_off(void)
{
	struct fake_bus f;
	struct gv_err err = {0};

	with_caps(&f);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 3, &err), 0);
	CU_ASSERT_EQUAL(f.cfg_writes, 3);
	CU_ASSERT_EQUAL(f.cfg_write[0], (0x150 + PCI_SRIOV_CTRL) << 16);
	CU_ASSERT_EQUAL(f.cfg_write[1], (0x150 + PCI_SRIOV_NUM_VF) << 16 | 3);
	CU_ASSERT_EQUAL(f.cfg_write[2] >> 16, 0x150 + PCI_SRIOV_CTRL);
	CU_ASSERT(f.cfg_write[2] & PCI_SRIOV_CTRL_VFE);
	CU_ASSERT(f.cfg_write[2] & PCI_SRIOV_CTRL_MSE);
	f.cfg_writes = 0;
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 0, &err), 0);
	CU_ASSERT_EQUAL(f.cfg_writes, 2);
	f.cfg_writes = 0;
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 5, &err), -ERANGE);
	CU_ASSERT_EQUAL(f.cfg_writes, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "5 VFs asked, TotalVFs is 4"));
	ext(&f, 0x150, PCI_EXT_CAP_ID_ARI, 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 1, &err), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no PF"));
}

static void a_bus_with_its_own_way_is_asked_instead(void)
{
	struct fake_bus f;
	struct gv_bus_ops own;

	with_caps(&f);
	own = *f.bus.ops;
	own.enable_vfs = fake_enable_vfs;
	f.bus.ops = &own;
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 2, NULL), 0);
	CU_ASSERT_EQUAL(f.enabled, 2);
	CU_ASSERT_EQUAL(f.cfg_writes, 0);
	f.enable_rc = -EACCES;
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 4, NULL), -EACCES);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(&f.bus, 5, NULL), -ERANGE);
	CU_ASSERT_EQUAL(f.enabled, 4);
}

static void dma_sizes_are_rounded_and_checked(void)
{
	struct fake_bus f;
	struct gv_dma d = {0};

	fake_init(&f);
	CU_ASSERT_EQUAL(gv_dma_alloc(&f.bus, 0, &d), -EINVAL);
	CU_ASSERT_EQUAL(gv_dma_alloc(&f.bus, UINT64_MAX, &d), -EINVAL);
	CU_ASSERT_EQUAL(gv_dma_alloc(&f.bus, UINT64_MAX - 4094, &d), -EINVAL);
	CU_ASSERT_EQUAL(f.dma_bytes, 0);
	CU_ASSERT_EQUAL(gv_dma_alloc(&f.bus, 4097, &d), 0);
	CU_ASSERT_EQUAL(f.dma_bytes, 8192);
	gv_dma_free(&f.bus, &d);
	CU_ASSERT_EQUAL(d.bytes, 0);
	gv_dma_free(&f.bus, &d);
	gv_dma_free(&f.bus, NULL);
	CU_ASSERT_EQUAL(f.dma_frees, 1);
}

static void uris_of_no_known_kind_are_refused(void)
{
	static const char *const bad[] = {
	        "", "vfio", "vfio:", "vfio-user:", "pci:0", "/run/x.sock", "VFIO:0"};

	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		struct gv_bus *bus = NULL;
		struct gv_err err = {0};

		CU_ASSERT_EQUAL(gv_bus_open(bad[k], NULL, NULL, &bus, &err), -EINVAL);
		CU_ASSERT_PTR_NULL(bus);
		CU_ASSERT(err.text[0] != 0);
	}
}

UT_MAIN("bus", UT(capabilities_are_found), UT(devices_without_lists_have_no_capabilities),
        UT(lists_that_loop_are_refused), UT(random_lists_always_end),
        UT(small_accesses_are_what_they_say), UT(num_vfs_is_written_while_vf_enable_is_off),
        UT(a_bus_with_its_own_way_is_asked_instead), UT(dma_sizes_are_rounded_and_checked),
        UT(uris_of_no_known_kind_are_refused))
