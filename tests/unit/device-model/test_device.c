/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Life of the device: what it refuses to be, resets under load, VFs that come and go, counters. */
#include <linux/pci_regs.h>

#include "core_rig.h"
#include "ut.h"

/* ---- making one --------------------------------------------------------------------- */

static void bad_configurations_are_refused_by_name(void)
{
	static const struct {
		struct gv_dev_cfg cfg;
		const char *names;
	} bad[] = {
	        {{.vram_mib = 255}, "vram_mib"},
	        {{.vram_mib = 240}, "vram_mib"},
	        {{.vram_mib = 264}, "vram_mib"},
	        {{.vram_mib = 262160}, "vram_mib"},
	        {{.vram_mib = UINT64_MAX}, "vram_mib"},
	        {{.max_vfs = 17}, "max_vfs"},
	        {{.max_vfs = UINT32_MAX}, "max_vfs"},
	        {{.vf_bar0_mib = 3}, "vf_bar0_mib"},
	        {{.vf_bar0_mib = 1ull << 40}, "vf_bar0_mib"},
	        {{.vf_bar0_mib = 1ull << 63}, "vf_bar0_mib"},
	        {{.pf_window_mib = 8}, "pf_window_mib"},
	        {{.pf_window_mib = 4096}, "pf_window_mib"},
	        {{.vram_mib = 256, .pf_window_mib = 256}, "pf_window_mib"},
	        {{.pf_window_mib = UINT64_MAX}, "pf_window_mib"},
	        {{.engine_threads = 257}, "engine_threads"},
	};

	for (size_t k = 0; k < GV_ARRAY_LEN(bad); k++) {
		struct gv_dev *dev = (struct gv_dev *)&dev, *was = dev;
		struct gv_err err = {0};

		CU_ASSERT_EQUAL(gv_dev_new(&bad[k].cfg, NULL, &dev, &err), -EINVAL);
		CU_ASSERT_EQUAL(err.code, -EINVAL);
		CU_ASSERT_EQUAL(strncmp(err.text, bad[k].names, strlen(bad[k].names)), 0);
		CU_ASSERT_PTR_EQUAL(dev, was); /* results are written only on success */
		CU_ASSERT_EQUAL(gv_dev_new(&bad[k].cfg, NULL, &dev, NULL), -EINVAL);
	}
}

static void defaults_are_those_of_the_documentation(void)
{
	struct gv_dev_cfg small = {.vram_mib = 256, .engine_threads = 1};
	struct gv_dev *dev = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_dev_new(NULL, NULL, &dev, NULL), 0);
	CU_ASSERT_EQUAL(dev->cfg.vram_mib, 4096);
	CU_ASSERT_EQUAL(gv_dev_max_vfs(dev), 16);
	CU_ASSERT_EQUAL(dev->cfg.vf_bar0_mib, 256);
	CU_ASSERT_EQUAL(dev->cfg.pf_window_mib, 64);
	CU_ASSERT(dev->cfg.engine_threads >= 1);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(dev), 0);
	dev = gv_dev_free(dev);
	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&small, NULL, &dev, NULL), 0);
	CU_ASSERT_EQUAL(dev->cfg.pf_window_mib, 64);
	dev = gv_dev_free(dev);
	CU_ASSERT_PTR_NULL(gv_dev_free(NULL));
}

static void identity_registers_follow_the_configuration(void)
{
	struct gv_dev_cfg cfg = {.vram_mib = 512, .pf_window_mib = 96, .engine_threads = 1};
	struct gv_dev *dev = NULL;
	struct gv_bus *pf = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &dev, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(gv_dev_bus(dev, GV_DEV_PF, &pf, NULL), 0);
	CU_ASSERT_EQUAL(gv_rd32(pf, GVX_MAGIC__BYTE), 0x31585647);
	CU_ASSERT_EQUAL(gv_rd32(pf, GVX_VRAM_SIZE_MIB__BYTE), 512);
	CU_ASSERT_EQUAL(gv_rd32(pf, GVX_PF_WINDOW_MIB__BYTE), 96);
	pf = gv_bus_close(pf);
	dev = gv_dev_free(dev);
}

static void functions_that_do_not_exist_answer_enodev(void)
{
	static const unsigned func[] = {GV_DEV_VF(0), GV_DEV_VF(15), GV_DEV_MAX_FUNCS, UINT32_MAX};
	struct gv_dev_cfg cfg = core_cfg();
	struct gv_dev *dev = NULL;
	struct gv_dev_stats s;
	uint64_t bytes;
	uint32_t val = 0;
	int fd = -1;

	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &dev, NULL), 0);
	for (size_t k = 0; k < GV_ARRAY_LEN(func); k++) {
		CU_ASSERT_EQUAL(gv_dev_read(dev, func[k], GV_REGION_MMIO, 0, &val, 4), -ENODEV);
		CU_ASSERT_EQUAL(gv_dev_write(dev, func[k], GV_REGION_MMIO, 0, &val, 4), -ENODEV);
		CU_ASSERT_EQUAL(gv_dev_reset(dev, func[k]), -ENODEV);
		CU_ASSERT_EQUAL(gv_dev_region_bytes(dev, func[k], GV_REGION_VRAM), 0);
		CU_ASSERT_EQUAL(gv_dev_region_fd(dev, func[k], GV_REGION_VRAM, &fd, &bytes),
		                -ENODEV);
		gv_dev_client_gone(dev, func[k]);
		gv_dev_dma_changed(dev, func[k], 0, UINT64_MAX);
		gv_dev_get_stats(dev, func[k], &s);
		CU_ASSERT_EQUAL(s.guest_errors, 0);
	}
	dev = gv_dev_free(dev);
}

static void regions_that_do_not_exist_are_refused(void)
{
	struct core c;
	uint32_t val = 0;
	uint64_t bytes;
	int fd = -1;

	core_open(&c);
	for (int r = 0; r < 12; r++) {
		bool there = r == GV_REGION_VRAM || r == GV_REGION_DOORBELL ||
		             r == GV_REGION_MMIO || r == GV_REGION_CONFIG;

		CU_ASSERT_EQUAL(gv_dev_region_bytes(c.dev, 0, (enum gv_region)r) > 0, there);
		CU_ASSERT_EQUAL(gv_dev_read(c.dev, 0, (enum gv_region)r, 0, &val, 4),
		                there ? 0 : -ERANGE);
		if (r != GV_REGION_VRAM && r != GV_REGION_DOORBELL)
			CU_ASSERT_EQUAL(gv_dev_region_fd(c.dev, 0, (enum gv_region)r, &fd, &bytes),
			                -ENOTSUP);
	}
	core_close(&c);
}

/* ---- GVX_VF_RESET --------------------------------------------------------------------- */

static void the_reset_bit_stays_until_the_vf_is_fresh(void)
{
	struct core c;

	core_open(&c);
	for (unsigned round = 0; round < 20; round++) {
		core_gates(&c, 0xf);
		for (unsigned f = 1; f <= CORE_VFS; f++)
			core_wr(&c, f, INTERRUPT_CNTL2__BYTE, 5);
		core_wr(&c, GV_DEV_PF, GVX_VF_RESET__BYTE, 0x5);
		CU_ASSERT_EQUAL(
		        gv_wait32(c.bus[0], GVX_VF_RESET__BYTE, UINT32_MAX, 0, CORE_PATIENCE, NULL),
		        0);
		for (unsigned vf = 0; vf < CORE_VFS; vf++)
			CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(vf), INTERRUPT_CNTL2__BYTE),
			                0x5 >> vf & 1 ? 0 : 5);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_REGWR_EN__BYTE), 0xa);
	}
	/* while the housekeeper cannot work, the bit is up: VFs that do not exist never are */
	(void)pthread_mutex_lock(&c.dev->life_lock);
	core_wr(&c, GV_DEV_PF, GVX_VF_RESET__BYTE, UINT32_MAX);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_RESET__BYTE), 0xf);
	(void)pthread_mutex_unlock(&c.dev->life_lock);
	CU_ASSERT(UNTIL(core_rd(&c, GV_DEV_PF, GVX_VF_RESET__BYTE) == 0));
	core_close(&c);
}

/* amdgpu reads COMMAND and writes it back with bus mastering: without Memory Space it would lose
 * its BARs. */
static void a_vf_that_the_pf_resets_keeps_its_pci_express_end(void)
{
	struct core c;
	const uint16_t want = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	core_open(&c);
	gv_cfg_wr16(c.bus[GV_DEV_VF(1)], PCI_COMMAND, want);
	gv_cfg_wr16(c.bus[GV_DEV_VF(1)], GV_CFG_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
	core_wr(&c, GV_DEV_PF, GVX_VF_RESET__BYTE, 0x2);
	CU_ASSERT(UNTIL(core_rd(&c, GV_DEV_PF, GVX_VF_RESET__BYTE) == 0));
	CU_ASSERT_EQUAL(gv_cfg_rd16(c.bus[GV_DEV_VF(1)], PCI_COMMAND), want);
	CU_ASSERT(gv_cfg_rd16(c.bus[GV_DEV_VF(1)], GV_CFG_MSIX + PCI_MSIX_FLAGS) &
	          PCI_MSIX_FLAGS_ENABLE);
	/* a reset on the bus takes all of it */
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_VF(1)), 0);
	CU_ASSERT_EQUAL(gv_cfg_rd16(c.bus[GV_DEV_VF(1)], PCI_COMMAND) & want, 0);
	core_close(&c);
}

/* ---- mode 1 -------------------------------------------------------------------------------- */

static void ask_mode1(struct core *c, unsigned func)
{
	core_wr(c, func, MP0_SMN_C2PMSG_64__BYTE, GV_PUT(PSP_C2PMSG, COMMAND, GV_PSP_MODE1_RST));
}

static bool boot_loader_is_back(struct core *c)
{
	return GV_GET(core_rd(c, GV_DEV_PF, MP0_SMN_C2PMSG_33__BYTE), PSP_C2PMSG, RESPONSE);
}

static void mode_1_resets_every_function_and_leaves_the_vfs(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	for (unsigned f = 0; f <= CORE_VFS; f++)
		core_wr(&c, f, INTERRUPT_CNTL2__BYTE, 5);
	core_wr(&c, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_ENTRIES, 2), 7);
	(void)pthread_mutex_lock(&c.dev->life_lock);
	ask_mode1(&c, GV_DEV_PF);
	CU_ASSERT_FALSE(boot_loader_is_back(&c)); /* the housekeeper cannot work */
	(void)pthread_mutex_unlock(&c.dev->life_lock);
	CU_ASSERT(UNTIL(boot_loader_is_back(&c)));
	for (unsigned f = 0; f <= CORE_VFS; f++)
		CU_ASSERT_EQUAL(core_rd(&c, f, INTERRUPT_CNTL2__BYTE), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VF_REGWR_EN__BYTE), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GV_BYTE_N(GVX_VF0_L2_ENTRIES, 2)), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_VRAM_SIZE_MIB__BYTE), 256);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(c.dev), CORE_VFS);
	core_close(&c);
}

static void a_vf_cannot_ask_for_mode_1(void)
{
	struct core c;

	core_open(&c);
	core_gates(&c, 0xf);
	core_wr(&c, GV_DEV_PF, INTERRUPT_CNTL2__BYTE, 5);
	ask_mode1(&c, GV_DEV_VF(1));
	CU_ASSERT_FALSE(atomic_load(&c.dev->mode1_pending));
	CU_ASSERT_EQUAL(
	        GV_GET(core_rd(&c, GV_DEV_VF(1), MP0_SMN_C2PMSG_64__BYTE), PSP_C2PMSG, STATUS),
	        GV_PSP_STATUS_UNKNOWN);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, INTERRUPT_CNTL2__BYTE), 5);
	core_close(&c);
}

/* ---- resets while everything runs -------------------------------------------------------- */

struct storm {
	struct core *c;
	unsigned func;
	_Atomic bool stop;
	_Atomic unsigned rounds;
	pthread_t thread;
};

/* What a driver does, without looking whether it works: registers, doorbells, mailbox. */
static void *drive(void *arg)
{
	struct storm *s = arg;
	struct gv_bus *bus = s->c->bus[s->func];
	uint32_t x = s->func;

	while (!atomic_load(&s->stop)) {
		uint32_t r = (x = x * 1664525u + 1013904223u) >> 8;
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)(r % GV_REG_COUNT));
		uint64_t val = x;

		gv_wr32(bus, info->byte, x);
		(void)gv_rd32(bus, info->byte);
		(void)gv_bus_write(bus, GV_REGION_DOORBELL, (r % 0x400) * 8ull, &val, 8);
		gv_wr8(bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE + (r & 1), (uint8_t)r);
		(void)gv_bus_read(bus, GV_REGION_VRAM, r % 65536, &val, 8);
		atomic_fetch_add(&s->rounds, 1);
	}
	return NULL;
}

static void start_storm(struct storm *s, struct core *c, unsigned func)
{
	memset(s, 0, sizeof(*s));
	s->c = c;
	s->func = func;
	core_must(pthread_create(&s->thread, NULL, drive, s) == 0, "thread");
}

static void stop_storm(struct storm *s)
{
	atomic_store(&s->stop, true);
	(void)pthread_join(s->thread, NULL);
}

static void resets_under_load_end_in_reset_values(void)
{
	struct storm storm[CORE_VFS];
	struct core c;

	core_open(&c);
	for (unsigned vf = 0; vf < CORE_VFS; vf++)
		start_storm(&storm[vf], &c, GV_DEV_VF(vf));
	for (unsigned round = 0; round < 30; round++) {
		uint64_t begin = gv_now_ns();

		core_gates(&c, 0xf);
		core_wr(&c, GV_DEV_PF, GVX_VF_RESET__BYTE, 0x6);
		CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_VF(round % CORE_VFS)), 0);
		CU_ASSERT(UNTIL(core_rd(&c, GV_DEV_PF, GVX_VF_RESET__BYTE) == 0));
		CU_ASSERT(gv_now_ns() - begin < 5 * GV_S);
	}
	for (unsigned vf = 0; vf < CORE_VFS; vf++) {
		stop_storm(&storm[vf]);
		CU_ASSERT(atomic_load(&storm[vf].rounds) > 0);
	}
	for (unsigned vf = 0; vf < CORE_VFS; vf++) {
		CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_VF(vf)), 0);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(vf), INTERRUPT_CNTL2__BYTE), 0);
		CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(vf), BIF_BX_PF0_MAILBOX_CONTROL__BYTE), 0);
	}
	core_close(&c);
}

static void vfs_come_and_go_under_load(void)
{
	struct storm storm[2];
	struct core c;

	core_open(&c);
	start_storm(&storm[0], &c, GV_DEV_VF(0));
	start_storm(&storm[1], &c, GV_DEV_VF(3));
	for (unsigned round = 0; round < 20; round++) {
		CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], round % (CORE_VFS + 1), NULL), 0);
		CU_ASSERT_EQUAL(gv_dev_num_vfs(c.dev), round % (CORE_VFS + 1));
		core_gates(&c, 0xf);
	}
	stop_storm(&storm[0]);
	stop_storm(&storm[1]);
	core_close(&c);
}

/* ---- counters and complaints -------------------------------------------------------------- */

static void a_new_tenant_starts_with_zero_counters(void)
{
	struct core c;

	core_open(&c);
	for (unsigned k = 0; k < 10; k++)
		(void)core_rd(&c, GV_DEV_VF(0), GVX_MAGIC__BYTE);
	(void)core_rd(&c, GV_DEV_VF(0), GV_BAR5_BYTES - 4);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).guest_errors, 10);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).unimplemented, 1);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GVX_GUEST_ERRORS__BYTE), 10);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GV_BYTE_N(GVX_VF0_ERRORS, 0)), 10);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_PF, GV_BYTE_N(GVX_VF0_ERRORS, 1)), 0);
	CU_ASSERT_EQUAL(core_rd(&c, GV_DEV_VF(0), GV_BYTE_N(GVX_VF0_ERRORS, 0)), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).guest_errors, 11); /* for that */
	/* a reset does not hide what it did */
	CU_ASSERT_EQUAL(gv_dev_reset(c.dev, GV_DEV_VF(0)), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).guest_errors, 11);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], 0, NULL), 0);
	CU_ASSERT_EQUAL(gv_bus_enable_vfs(c.bus[0], CORE_VFS, NULL), 0);
	CU_ASSERT_EQUAL(core_stats(&c, GV_DEV_VF(0)).guest_errors, 0);
	core_close(&c);
}

static void *reset_pf(void *arg)
{
	(void)gv_dev_reset(arg, GV_DEV_PF);
	return NULL;
}

static uint16_t sriov(struct core *c, unsigned off)
{
	return gv_cfg_rd16(c->bus[GV_DEV_PF], (uint16_t)(GV_CFG_SRIOV + off));
}

static void set_sriov(struct core *c, unsigned off, unsigned val)
{
	gv_cfg_wr16(c->bus[GV_DEV_PF], (uint16_t)(GV_CFG_SRIOV + off), (uint16_t)val);
}

/* Whichever is first: what VF Enable says afterwards is what exists. */
static void vf_enable_and_a_reset_of_the_pf_end_in_agreement(void)
{
	struct core c;

	core_open(&c);
	for (unsigned k = 0; k < 200; k++) {
		pthread_t t;
		unsigned want;

		set_sriov(&c, PCI_SRIOV_CTRL, 0);
		set_sriov(&c, PCI_SRIOV_NUM_VF, 2);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, reset_pf, c.dev), 0);
		for (volatile unsigned spin = 0; spin < k * 400; spin++)
			;
		set_sriov(&c, PCI_SRIOV_CTRL, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
		(void)pthread_join(t, NULL);
		want = sriov(&c, PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE ? sriov(&c, PCI_SRIOV_NUM_VF)
		                                                      : 0;
		CU_ASSERT_EQUAL(gv_dev_num_vfs(c.dev), want);
	}
	core_close(&c);
}

struct lines {
	unsigned warn, debug;
	char last[256];
};

static void count_line(void *arg, enum gv_log_level level, const char *line)
{
	struct lines *l = arg;

	l->warn += level == GV_LOG_WARN;
	l->debug += level == GV_LOG_DEBUG;
	(void)snprintf(l->last, sizeof(l->last), "%s", line);
}

static void a_flood_of_errors_does_not_flood_the_log(void)
{
	struct lines l = {0};
	struct gv_log log = {count_line, &l, GV_LOG_DEBUG, "gpu"};
	struct gv_dev_cfg cfg = core_cfg();
	struct gv_dev *dev = NULL;
	uint32_t val = 0;

	cfg.log = &log;
	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&cfg, NULL, &dev, NULL), 0);
	for (unsigned k = 0; k < 10000; k++)
		(void)gv_dev_read(dev, 0, GV_REGION_MMIO, GV_BAR5_BYTES - 4, &val, 4);
	CU_ASSERT_EQUAL(l.warn, 1); /* once per kind */
	CU_ASSERT(l.debug > 10 && l.debug < 100);
	CU_ASSERT_PTR_NOT_NULL(strstr(l.last, "PF: not modelled"));
	CU_ASSERT_PTR_NOT_NULL(strstr(l.last, "0x7fffc"));
	dev = gv_dev_free(dev);
}

UT_MAIN("device", UT(bad_configurations_are_refused_by_name),
        UT(defaults_are_those_of_the_documentation),
        UT(identity_registers_follow_the_configuration),
        UT(functions_that_do_not_exist_answer_enodev), UT(regions_that_do_not_exist_are_refused),
        UT(the_reset_bit_stays_until_the_vf_is_fresh),
        UT(a_vf_that_the_pf_resets_keeps_its_pci_express_end),
        UT(mode_1_resets_every_function_and_leaves_the_vfs), UT(a_vf_cannot_ask_for_mode_1),
        UT(resets_under_load_end_in_reset_values), UT(vfs_come_and_go_under_load),
        UT(vf_enable_and_a_reset_of_the_pf_end_in_agreement),
        UT(a_new_tenant_starts_with_zero_counters), UT(a_flood_of_errors_does_not_flood_the_log))
