/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration space, SR-IOV and MSI-X, as a kernel would look at them. */
#include <linux/pci_regs.h>

#include "core_rig.h"
#include "ut.h"

#define SRIOV(off) ((uint16_t)(GV_CFG_SRIOV + (off)))

/* ---- BARs ------------------------------------------------------------------------ */

/* As the kernel sizes a BAR: all ones in, address mask out. */
static uint64_t size_bar(struct gv_bus *bus, uint16_t at)
{
	uint32_t type = gv_cfg_rd32(bus, at);
	uint64_t mask;

	gv_cfg_wr32(bus, at, UINT32_MAX);
	mask = gv_cfg_rd32(bus, at) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
	if (!(type & PCI_BASE_ADDRESS_MEM_TYPE_64))
		return (uint32_t)(~mask + 1);
	gv_cfg_wr32(bus, (uint16_t)(at + 4), UINT32_MAX);
	mask |= (uint64_t)gv_cfg_rd32(bus, (uint16_t)(at + 4)) << 32;
	return ~mask + 1;
}

static void bars_size_to_what_their_regions_hold(void)
{
	static const enum gv_region bars[] = {GV_REGION_VRAM, GV_REGION_DOORBELL, GV_REGION_MMIO};
	struct core c;

	core_open(&c);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		for (size_t b = 0; b < GV_ARRAY_LEN(bars); b++) {
			uint64_t bytes =
			        size_bar(c.bus[f], (uint16_t)(PCI_BASE_ADDRESS_0 + 4 * bars[b]));

			CU_ASSERT_EQUAL(bytes, gv_dev_region_bytes(c.dev, f, bars[b]));
			CU_ASSERT_EQUAL(bytes & (bytes - 1), 0);
		}
	/* the PF's capability says the same of its VFs */
	for (size_t b = 0; b < GV_ARRAY_LEN(bars); b++)
		CU_ASSERT_EQUAL(size_bar(c.bus[0], SRIOV(PCI_SRIOV_BAR + 4 * bars[b])),
		                gv_dev_region_bytes(c.dev, GV_DEV_VF(0), bars[b]));
	/* a BAR that does not exist is zero whatever is written */
	gv_cfg_wr32(c.bus[0], PCI_BASE_ADDRESS_4, UINT32_MAX);
	CU_ASSERT_EQUAL(gv_cfg_rd32(c.bus[0], PCI_BASE_ADDRESS_4), 0);
	CU_ASSERT_EQUAL(gv_dev_region_bytes(c.dev, 0, (enum gv_region)1), 0);
	core_close(&c);
}

static void the_pf_bar_covers_all_vram(void)
{
	struct gv_dev_cfg cfg = core_cfg();

	cfg.vf_bar0_mib = 16;
	for (cfg.vram_mib = 256; cfg.vram_mib <= 1024; cfg.vram_mib += 256) {
		struct gv_dev *dev;
		uint64_t bytes;

		CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &dev, NULL), 0);
		bytes = gv_dev_region_bytes(dev, GV_DEV_PF, GV_REGION_VRAM);
		CU_ASSERT(bytes >= cfg.vram_mib * GV_MIB && bytes < 2 * cfg.vram_mib * GV_MIB);
		dev = gv_dev_free(dev);
	}
}

/* ---- capabilities ----------------------------------------------------------------- */

static unsigned walk_caps(struct gv_bus *bus, uint8_t *ids, unsigned max)
{
	uint8_t at = gv_cfg_rd8(bus, PCI_CAPABILITY_LIST);
	unsigned n = 0;

	for (; at && n < max; at = gv_cfg_rd8(bus, (uint16_t)(at + 1)))
		ids[n++] = gv_cfg_rd8(bus, at);
	return n;
}

static unsigned walk_ext(struct gv_bus *bus, uint16_t *ids, unsigned max)
{
	unsigned at = PCI_CFG_SPACE_SIZE, n = 0;

	while (at && n < max) {
		uint32_t head = gv_cfg_rd32(bus, (uint16_t)at);

		ids[n++] = PCI_EXT_CAP_ID(head);
		at = PCI_EXT_CAP_NEXT(head);
	}
	return n;
}

static void capability_chains_end(void)
{
	static const uint16_t pf_want[] = {PCI_EXT_CAP_ID_VNDR, PCI_EXT_CAP_ID_ERR,
	                                   PCI_EXT_CAP_ID_ARI, PCI_EXT_CAP_ID_SRIOV,
	                                   PCI_EXT_CAP_ID_VNDR};
	struct core c;
	uint8_t ids[16];
	uint16_t ext[16];

	core_open(&c);
	for (unsigned f = 0; f <= CORE_VFS; f++) {
		unsigned n = f == GV_DEV_PF ? 5 : 3;

		CU_ASSERT(gv_cfg_rd16(c.bus[f], PCI_STATUS) & PCI_STATUS_CAP_LIST);
		CU_ASSERT_EQUAL(walk_caps(c.bus[f], ids, 16), 3);
		CU_ASSERT_EQUAL(ids[0], PCI_CAP_ID_PM);
		CU_ASSERT_EQUAL(ids[1], PCI_CAP_ID_EXP);
		CU_ASSERT_EQUAL(ids[2], PCI_CAP_ID_MSIX);
		CU_ASSERT_EQUAL(walk_ext(c.bus[f], ext, 16), n);
		for (unsigned k = 0; k < n; k++)
			CU_ASSERT_EQUAL(ext[k], pf_want[k]);
	}
	core_close(&c);
}

static void capabilities_are_where_vega10_has_them(void)
{
	struct core c;
	uint16_t at = 0;

	core_open(&c);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(c.bus[0], PCI_EXT_CAP_ID_SRIOV, &at), 0);
	CU_ASSERT_EQUAL(at, 0x330);
	CU_ASSERT_EQUAL(gv_cfg_find_vsec(c.bus[0], GV_VSEC_GPUIOV, &at), 0);
	CU_ASSERT_EQUAL(at, 0x400);
	CU_ASSERT_EQUAL(gv_cfg_find_cap(c.bus[1], PCI_CAP_ID_MSIX, &at), 0);
	CU_ASSERT_EQUAL(at, 0xc0);
	CU_ASSERT_EQUAL(gv_cfg_find_ext_cap(c.bus[1], PCI_EXT_CAP_ID_SRIOV, &at), -ENOENT);
	CU_ASSERT_EQUAL(gv_cfg_find_vsec(c.bus[1], GV_VSEC_GPUIOV, &at), -ENOENT);
	CU_ASSERT_EQUAL(gv_cfg_rd16(c.bus[0], PCI_VENDOR_ID), 0x1002);
	CU_ASSERT_EQUAL(gv_cfg_rd16(c.bus[0], PCI_DEVICE_ID), 0x6860);
	CU_ASSERT_EQUAL(gv_cfg_rd16(c.bus[1], PCI_DEVICE_ID), 0x686c);
	CU_ASSERT_EQUAL(gv_cfg_rd32(c.bus[1], PCI_CLASS_REVISION) >> 8, 0x038000);
	core_close(&c);
}

/* Every byte of the PF written with ones, then with what it was: nothing may change that has no
 * writable bit, and no access may leave the space. */
static void identity_and_headers_are_read_only(void)
{
	static const struct {
		uint16_t at, n;
	} fixed[] = {{PCI_VENDOR_ID, 4},
	             {PCI_CLASS_REVISION, 4},
	             {PCI_SUBSYSTEM_VENDOR_ID, 4},
	             {PCI_CAPABILITY_LIST, 1},
	             {GV_CFG_PCIE, 8},
	             {GV_CFG_MSIX, 2},
	             {GV_CFG_MSIX + PCI_MSIX_TABLE, 8},
	             {PCI_CFG_SPACE_SIZE, 8},
	             {GV_CFG_AER, 4},
	             {GV_CFG_ARI, 4},
	             {GV_CFG_SRIOV, 8},
	             {GV_CFG_SRIOV + PCI_SRIOV_INITIAL_VF, 4},
	             {GV_CFG_SRIOV + PCI_SRIOV_VF_OFFSET, 4},
	             {GV_CFG_GPUIOV, 12}};
	struct core c;

	core_open(&c);
	for (unsigned f = 0; f < 2; f++)
		for (size_t k = 0; k < GV_ARRAY_LEN(fixed); k++)
			for (uint16_t b = 0; b < fixed[k].n; b++) {
				uint16_t at = (uint16_t)(fixed[k].at + b);
				uint8_t was = gv_cfg_rd8(c.bus[f], at);

				gv_cfg_wr8(c.bus[f], at, (uint8_t)~was);
				CU_ASSERT_EQUAL(gv_cfg_rd8(c.bus[f], at), was);
			}
	core_close(&c);
}

static void accesses_outside_configuration_space_are_refused(void)
{
	struct core c;
	uint8_t buf[8] = {0};
	static const uint64_t off[] = {GV_CFG_BYTES - 3, GV_CFG_BYTES, UINT64_MAX, 1ull << 40};

	core_open(&c);
	for (size_t k = 0; k < GV_ARRAY_LEN(off); k++) {
		CU_ASSERT_EQUAL(gv_dev_read(c.dev, 0, GV_REGION_CONFIG, off[k], buf, 4), -ERANGE);
		CU_ASSERT_EQUAL(gv_dev_write(c.dev, 1, GV_REGION_CONFIG, off[k], buf, 4), -ERANGE);
		CU_ASSERT_EQUAL(gv_pci_config(core_fn(&c, 0), off[k], buf, 4, true), -ERANGE);
	}
	core_close(&c);
}

/* ---- VF Enable ----------------------------------------------------------------------- */

struct watcher {
	unsigned calls, last;
	_Atomic unsigned irqs[GV_DEV_MAX_FUNCS];
};

static void vfs_changed(void *arg, unsigned num_vfs)
{
	struct watcher *w = arg;

	w->calls++;
	w->last = num_vfs;
}

static void irq(void *arg, unsigned func, unsigned vector)
{
	(void)vector;
	atomic_fetch_add(&((struct watcher *)arg)->irqs[func], 1);
}

static struct gv_dev *open_watched(struct watcher *w)
{
	struct gv_dev_cfg cfg = core_cfg();
	struct gv_dev_host host = {.arg = w, .irq = irq, .vfs_changed = vfs_changed};
	struct gv_dev *dev = NULL;

	memset(w, 0, sizeof(*w));
	core_must(gv_dev_new(&cfg, &host, &dev, NULL) == 0, "device");
	return dev;
}

static void cfg16(struct gv_dev *dev, unsigned func, uint16_t off, uint16_t val)
{
	CU_ASSERT_EQUAL(gv_dev_write(dev, func, GV_REGION_CONFIG, off, &val, 2), 0);
}
static uint16_t read16(struct gv_dev *dev, uint16_t off)
{
	uint16_t val = 0;

	CU_ASSERT_EQUAL(gv_dev_read(dev, GV_DEV_PF, GV_REGION_CONFIG, off, &val, 2), 0);
	return val;
}
static uint32_t vf_reads(struct gv_dev *dev, unsigned vf, int *rc)
{
	uint32_t val = 0;

	*rc = gv_dev_read(dev, GV_DEV_VF(vf), GV_REGION_CONFIG, 0, &val, 4);
	return val;
}

static void vfs_appear_and_vanish_with_vf_enable(void)
{
	struct watcher w;
	struct gv_dev *dev = open_watched(&w);
	int rc;

	for (unsigned n = 1; n <= CORE_VFS; n++) {
		cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), (uint16_t)n);
		CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), 0); /* not yet */
		cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), PCI_SRIOV_CTRL_VFE);
		CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), n);
		CU_ASSERT_EQUAL(w.last, n);
		for (unsigned vf = 0; vf < CORE_VFS; vf++) {
			uint32_t id = vf_reads(dev, vf, &rc);

			CU_ASSERT_EQUAL(rc, vf < n ? 0 : -ENODEV);
			CU_ASSERT_EQUAL(id, vf < n ? 0x686c1002 : 0);
			CU_ASSERT_EQUAL(gv_dev_region_bytes(dev, GV_DEV_VF(vf), GV_REGION_MMIO),
			                vf < n ? GV_BAR5_BYTES : 0);
		}
		cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), 0);
		CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), 0);
		CU_ASSERT_EQUAL(w.last, 0);
		CU_ASSERT_EQUAL(w.calls, 2 * n);
		(void)vf_reads(dev, 0, &rc);
		CU_ASSERT_EQUAL(rc, -ENODEV);
	}
	dev = gv_dev_free(dev);
}

static void num_vfs_is_locked_while_vfs_exist(void)
{
	struct watcher w;
	struct gv_dev *dev = open_watched(&w);
	uint32_t both;

	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), 2);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), PCI_SRIOV_CTRL_VFE);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), 4);
	CU_ASSERT_EQUAL(read16(dev, SRIOV(PCI_SRIOV_NUM_VF)), 2);
	/* also as part of a wider write, and one that takes VF Enable away at the same time */
	both = 3;
	CU_ASSERT_EQUAL(gv_dev_write(dev, 0, GV_REGION_CONFIG, SRIOV(PCI_SRIOV_NUM_VF), &both, 4),
	                0);
	CU_ASSERT_EQUAL(read16(dev, SRIOV(PCI_SRIOV_NUM_VF)), 2);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), 2);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), 0);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), 4);
	CU_ASSERT_EQUAL(read16(dev, SRIOV(PCI_SRIOV_NUM_VF)), 4);
	dev = gv_dev_free(dev);
}

static void more_vfs_than_there_are_is_an_error_of_the_pf(void)
{
	struct watcher w;
	struct gv_dev *dev = open_watched(&w);
	struct gv_dev_stats s;

	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), UINT16_MAX);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), PCI_SRIOV_CTRL_VFE);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), CORE_VFS);
	gv_dev_get_stats(dev, GV_DEV_PF, &s);
	CU_ASSERT_EQUAL(s.guest_errors, 1);
	dev = gv_dev_free(dev);
}

/* ---- FLR -------------------------------------------------------------------------------- */

static void the_flr_bit_resets_that_function_only(void)
{
	struct core c;
	const uint16_t devctl = GV_CFG_PCIE + PCI_EXP_DEVCTL;

	core_open(&c);
	CU_ASSERT(gv_cfg_rd32(c.bus[1], GV_CFG_PCIE + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR);
	core_gates(&c, 0xf);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		core_wr(&c, f, INTERRUPT_CNTL2__BYTE, 7);
	gv_cfg_wr16(c.bus[2], devctl, PCI_EXP_DEVCTL_BCR_FLR);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		CU_ASSERT_EQUAL(core_rd(&c, f, INTERRUPT_CNTL2__BYTE), f == 2 ? 0 : 7);
	CU_ASSERT(!(gv_cfg_rd16(c.bus[2], devctl) & PCI_EXP_DEVCTL_BCR_FLR));
	/* shut until the PF opens it */
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_REGWR_EN__BYTE), 0xf & ~2u);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_FB_EN__BYTE), 0xf & ~2u);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_DOORBELL_EN__BYTE), 0xf & ~2u);
	/* in the upper byte alone, and without the bit nothing happens */
	gv_cfg_wr8(c.bus[3], devctl, 0xff);
	CU_ASSERT_EQUAL(core_rd(&c, 3, INTERRUPT_CNTL2__BYTE), 7);
	gv_cfg_wr8(c.bus[3], devctl + 1, PCI_EXP_DEVCTL_BCR_FLR >> 8);
	CU_ASSERT_EQUAL(core_rd(&c, 3, INTERRUPT_CNTL2__BYTE), 0);
	core_close(&c);
}

static void flr_of_the_pf_makes_the_vfs_vanish(void)
{
	struct watcher w;
	struct gv_dev *dev = open_watched(&w);

	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_NUM_VF), 3);
	cfg16(dev, GV_DEV_PF, SRIOV(PCI_SRIOV_CTRL), PCI_SRIOV_CTRL_VFE);
	cfg16(dev, GV_DEV_PF, GV_CFG_PCIE + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), 0);
	CU_ASSERT_EQUAL(w.last, 0);
	CU_ASSERT_EQUAL(w.calls, 2);
	CU_ASSERT_EQUAL(read16(dev, SRIOV(PCI_SRIOV_CTRL)) & PCI_SRIOV_CTRL_VFE, 0);
	dev = gv_dev_free(dev);
}

/* ---- MSI-X -------------------------------------------------------------------------------- */

static void msix_control(struct gv_dev *dev, uint16_t flags)
{
	cfg16(dev, GV_DEV_PF, GV_CFG_MSIX + PCI_MSIX_FLAGS, flags);
}
static void vector_ctrl(struct gv_dev *dev, unsigned vector, uint32_t val)
{
	uint64_t at = GV_MSIX_TABLE + vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;

	CU_ASSERT_EQUAL(gv_dev_write(dev, GV_DEV_PF, GV_REGION_MMIO, at, &val, 4), 0);
}
static uint32_t pending(struct gv_dev *dev)
{
	uint32_t val = 0;

	CU_ASSERT_EQUAL(gv_dev_read(dev, GV_DEV_PF, GV_REGION_MMIO, GV_MSIX_PBA, &val, 4), 0);
	return val;
}

static void masked_vectors_wait_in_the_pending_bits(void)
{
	struct watcher w;
	struct gv_dev *dev = open_watched(&w);
	struct gv_fn *pf = &dev->fn[GV_DEV_PF];
	uint32_t one = UINT32_MAX;

	CU_ASSERT_EQUAL(read16(dev, GV_CFG_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE,
	                GV_MSIX_VECTORS - 1);
	msix_control(dev, PCI_MSIX_FLAGS_ENABLE);
	vector_ctrl(dev, 0, PCI_MSIX_ENTRY_CTRL_MASKBIT);
	gv_pci_irq(pf, 0);
	gv_pci_irq(pf, 0);
	CU_ASSERT_EQUAL(w.irqs[0], 0);
	CU_ASSERT_EQUAL(pending(dev), 1);
	(void)gv_dev_write(dev, 0, GV_REGION_MMIO, GV_MSIX_PBA, &one, 4);
	CU_ASSERT_EQUAL(pending(dev), 1); /* read-only */
	vector_ctrl(dev, 0, 0);
	CU_ASSERT_EQUAL(w.irqs[0], 1); /* once, not twice */
	CU_ASSERT_EQUAL(pending(dev), 0);
	/* the function's mask holds back all of them */
	msix_control(dev, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	vector_ctrl(dev, 2, 0);
	gv_pci_irq(pf, 0);
	gv_pci_irq(pf, 2);
	CU_ASSERT_EQUAL(pending(dev), 5);
	msix_control(dev, PCI_MSIX_FLAGS_ENABLE);
	CU_ASSERT_EQUAL(w.irqs[0], 3);
	gv_pci_irq(pf, GV_MSIX_VECTORS);
	CU_ASSERT_EQUAL(w.irqs[0], 3);
	CU_ASSERT_EQUAL(pf->count.interrupts, 3);
	dev = gv_dev_free(dev);
}

static void the_msix_table_is_memory_of_the_function(void)
{
	struct core c;

	core_open(&c);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		for (uint32_t k = 0; k < GV_MSIX_VECTORS * 4; k++)
			core_wr(&c, f, GV_MSIX_TABLE + 4 * k, f << 16 | k);
	for (unsigned f = 0; f <= CORE_VFS; f++) {
		for (uint32_t k = 0; k < GV_MSIX_VECTORS * 4; k++)
			CU_ASSERT_EQUAL(core_rd(&c, f, GV_MSIX_TABLE + 4 * k), f << 16 | k);
		CU_ASSERT_EQUAL(core_stats(&c, f).unimplemented, 0);
		/* byte accesses, and the first dword behind the table is nobody's */
		gv_wr8(c.bus[f], GV_MSIX_TABLE + 1, 0xab);
		CU_ASSERT_EQUAL(core_rd(&c, f, GV_MSIX_TABLE), f << 16 | 0xab00);
		(void)core_rd(&c, f, GV_MSIX_TABLE + GV_MSIX_VECTORS * PCI_MSIX_ENTRY_SIZE);
		CU_ASSERT_EQUAL(core_stats(&c, f).unimplemented, 1);
	}
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, 1), 0);
	CU_ASSERT_EQUAL(core_rd(&c, 1, GV_MSIX_TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL),
	                PCI_MSIX_ENTRY_CTRL_MASKBIT);
	core_close(&c);
}

UT_MAIN("config", UT(bars_size_to_what_their_regions_hold), UT(the_pf_bar_covers_all_vram),
        UT(capability_chains_end), UT(capabilities_are_where_vega10_has_them),
        UT(identity_and_headers_are_read_only),
        UT(accesses_outside_configuration_space_are_refused),
        UT(vfs_appear_and_vanish_with_vf_enable), UT(num_vfs_is_locked_while_vfs_exist),
        UT(more_vfs_than_there_are_is_an_error_of_the_pf),
        UT(the_flr_bit_resets_that_function_only), UT(flr_of_the_pf_makes_the_vfs_vanish),
        UT(masked_vectors_wait_in_the_pending_bits), UT(the_msix_table_is_memory_of_the_function))
