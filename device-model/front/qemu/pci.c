/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PF (gpuvisor-gpu) and its VFs as PCI devices of QEMU. Offsets of capabilities are those of
 * the core's own configuration space, so a driver sees the same device behind every front end.
 */
#include "front.h"

#define GVQ_VSEC_EMPTY_BYTES 0x10 /* Vega10 begins its extended capabilities with this */

struct gvq_fn *gvq_fn(void *obj)
{
	return obj; /* PCIDevice is the first member */
}

/* ---- capabilities ------------------------------------------------------------------ */

static bool add_pm(PCIDevice *d, Error **errp)
{
	int at = pci_add_capability(d, PCI_CAP_ID_PM, GV_CFG_PM, PCI_PM_SIZEOF, errp);

	if (at < 0)
		return false;
	pci_set_word(d->config + at + PCI_PM_PMC, 3); /* PM 1.2 */
	pci_set_word(d->config + at + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(d->wmask + at + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	return true;
}

static bool add_msix(struct gvq_fn *fn, Error **errp)
{
	PCIDevice *d = &fn->pdev;

	if (msix_init(d, GV_MSIX_VECTORS, &fn->bar5, GV_REGION_MMIO, GV_MSIX_TABLE, &fn->bar5,
	              GV_REGION_MMIO, GV_MSIX_PBA, GV_CFG_MSIX, errp))
		return false;
	for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
		msix_vector_use(d, v);
	return true;
}

/* The core's bytes [at, at + n) of its configuration space. */
static void copy_config(struct gvq_fn *fn, unsigned at, size_t n)
{
	(void)gv_dev_read(fn->front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, fn->pdev.config + at, n);
}

static bool add_capabilities(struct gvq_fn *fn, Error **errp)
{
	PCIDevice *d = &fn->pdev;

	if (!add_pm(d, errp))
		return false;
	if (pcie_endpoint_cap_init(d, GV_CFG_PCIE) < 0) {
		error_setg(errp, "gpuvisor-gpu: no PCI Express capability");
		return false;
	}
	pcie_cap_flr_init(d);
	pcie_cap_deverr_init(d);
	if (!add_msix(fn, errp))
		return false;
	pcie_add_capability(d, PCI_EXT_CAP_ID_VNDR, 1, PCI_CONFIG_SPACE_SIZE, GVQ_VSEC_EMPTY_BYTES);
	copy_config(fn, PCI_CONFIG_SPACE_SIZE + PCI_VNDR_HEADER, 4);
	if (pcie_aer_init(d, PCI_ERR_VER, GV_CFG_AER, PCI_ERR_SIZEOF, errp) < 0)
		return false;
	gvq_ari_init(d, GV_CFG_ARI);
	return true;
}

static void drop_capabilities(struct gvq_fn *fn)
{
	PCIDevice *d = &fn->pdev;

	if (d->exp.aer_cap)
		pcie_aer_exit(d);
	if (msix_present(d)) {
		msix_unuse_all_vectors(d);
		msix_uninit(d, &fn->bar5, &fn->bar5);
	}
	if (d->exp.exp_cap)
		pcie_cap_exit(d);
}

/* What fn_realize() made, or as much of it as there is. */
static void undo(struct gvq_fn *fn)
{
	drop_capabilities(fn);
	gvq_bars_done(fn);
}

/* ---- SR-IOV -------------------------------------------------------------------------- */

static bool add_sriov(struct gvq_fn *pf, Error **errp)
{
	const struct gvq_bars *bars = &pf->front->vf_bars;
	uint16_t vfs = (uint16_t)gv_dev_max_vfs(pf->front->dev);
	PCIDevice *d = &pf->pdev;

#if GVQ_QEMU >= 1000
	/* Here the VFs are made at once, before pcie_sriov_pf_init_vf_bar() can say what their
	 * BARs are. */
	memcpy(d->exp.sriov_pf.vf_bar_type, bars->type, sizeof(bars->type));
	if (!pcie_sriov_pf_init(d, GV_CFG_SRIOV, GVQ_TYPE_VF, GV_PCI_DEVICE_VF, vfs, vfs,
	                        GV_VF_OFFSET, GV_VF_STRIDE, errp))
		return false;
#else
	pcie_sriov_pf_init(d, GV_CFG_SRIOV, GVQ_TYPE_VF, GV_PCI_DEVICE_VF, vfs, vfs, GV_VF_OFFSET,
	                   GV_VF_STRIDE);
#endif
	for (int n = 0; n < (int)GV_ARRAY_LEN(bars->bytes); n++)
		if (bars->bytes[n])
			pcie_sriov_pf_init_vf_bar(d, n, bars->type[n], bars->bytes[n]);
	return true;
}

/* The VFs that QEMU shows are those that the core has. */
static void follow_vfs(struct gvq_fn *pf)
{
	unsigned vfs = pcie_sriov_num_vfs(&pf->pdev);

	if (vfs == pf->front->told_vfs)
		return;
	pf->front->told_vfs = vfs;
	gvq_ask_vfs(pf->front, vfs);
}

static void lose_vfs(struct gvq_fn *pf)
{
#if GVQ_QEMU >= 1000
	pcie_sriov_pf_reset(&pf->pdev);
#else
	pcie_sriov_pf_disable_vfs(&pf->pdev);
	/* VF Enable stays set after that: the kernel would think that its VFs are still there. */
	if (pf->pdev.exp.sriov_cap)
		pci_set_word(pf->pdev.config + pf->pdev.exp.sriov_cap + PCI_SRIOV_CTRL, 0);
#endif
	pf->front->told_vfs = 0;
}

/* ---- configuration space: GPUIOV is the core's ------------------------------------------ */

/* Its first dword links QEMU's list of capabilities. */
static bool in_gpuiov(uint32_t at)
{
	return at >= GV_CFG_GPUIOV + 4 && at < GV_CFG_GPUIOV + GIOV_BYTES;
}

static uint32_t pf_read_config(PCIDevice *d, uint32_t at, int n)
{
	uint32_t val = pci_default_read_config(d, at, n);
	uint8_t core[sizeof(val)] = {0};

	if (!in_gpuiov(at) && !in_gpuiov(at + (uint32_t)n - 1))
		return val;
	(void)gv_dev_read(gvq_fn(d)->front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, core, (size_t)n);
	for (int k = 0; k < n; k++)
		if (in_gpuiov(at + (uint32_t)k)) {
			val &= ~(0xffu << 8 * k);
			val |= (uint32_t)core[k] << 8 * k;
		}
	return val;
}

/* SOFT_PF_FLR waits for engines, all else in there is a register. */
static void write_gpuiov(struct gvq_front *front, uint32_t at, uint8_t val)
{
	if (at - GV_CFG_GPUIOV == GIOV_RESET_CONTROL__OFF &&
	    GV_GET(val, GIOV_RESET_CONTROL, SOFT_PF_FLR))
		gvq_ask_soft_flr(front);
	else
		(void)gv_dev_write(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &val, 1);
}

static void fn_write_config(PCIDevice *d, uint32_t at, uint32_t val, int n)
{
	pci_default_write_config(d, at, val, n);
	pcie_aer_write_config(d, at, val, n);
	pcie_cap_flr_write_config(d, at, val, n);
}

static void pf_write_config(PCIDevice *d, uint32_t at, uint32_t val, int n)
{
	struct gvq_fn *pf = gvq_fn(d);

	fn_write_config(d, at, val, n);
	follow_vfs(pf);
	if (!in_gpuiov(at) && !in_gpuiov(at + (uint32_t)n - 1))
		return;
	if (n == 4 && at % 4 == 0 && at - GV_CFG_GPUIOV != GIOV_RESET_CONTROL__OFF) {
		(void)gv_dev_write(pf->front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &val, 4);
		return;
	}
	for (int k = 0; k < n; k++)
		if (in_gpuiov(at + (uint32_t)k))
			write_gpuiov(pf->front, at + (uint32_t)k, (uint8_t)(val >> 8 * k));
}

/* ---- life of a function ------------------------------------------------------------------ */

static void fn_exit(PCIDevice *d)
{
	struct gvq_fn *fn = gvq_fn(d);

	fn->front->pdev[fn->func] = NULL;
	undo(fn);
}

static bool fn_realize(struct gvq_fn *fn, struct gvq_fn *pf, Error **errp)
{
	if (!gvq_bars_init(fn, pf, errp) || !add_capabilities(fn, errp)) {
		undo(fn);
		return false;
	}
	fn->front->pdev[fn->func] = &fn->pdev;
	return true;
}

static void pf_exit(PCIDevice *d)
{
	if (d->exp.sriov_cap)
		pcie_sriov_pf_exit(d);
	fn_exit(d);
}

static void pf_realize(PCIDevice *d, Error **errp)
{
	struct gvq_fn *pf = gvq_fn(d);

	pf->func = GV_DEV_PF;
	if (!gvq_front_new(pf, errp))
		return;
	gvq_windows_register(pf);
	if (!fn_realize(pf, pf, errp))
		return;
	if (!add_sriov(pf, errp)) {
		fn_exit(d);
		return;
	}
	pcie_add_capability(d, PCI_EXT_CAP_ID_VNDR, 1, GV_CFG_GPUIOV, GIOV_BYTES);
	gvq_windows_show(pf->front);
}

static void vf_realize(PCIDevice *d, Error **errp)
{
	struct gvq_fn *vf = gvq_fn(d), *pf = gvq_fn(pcie_sriov_get_pf(d));

	if (!pf) {
		error_setg(errp, GVQ_TYPE_VF ": is made by its PF");
		return;
	}
	vf->func = GV_DEV_VF(pcie_sriov_vf_number(d));
	vf->front = gvq_front_get(pf->front);
	if (fn_realize(vf, pf, errp))
		gvq_windows_show(vf->front);
	else
		gvq_front_put(vf->front);
}

/* An access that another vCPU has begun may still be in the front: see end() in life.c. */
static void vf_exit(PCIDevice *d)
{
	fn_exit(d);
	gvq_front_put(gvq_fn(d)->front);
}

/* FLR, reset of the bus above, reset of the machine. */
static void fn_reset(DeviceState *dev)
{
	struct gvq_fn *fn = gvq_fn(dev);

	if (!fn->front)
		return;
	if (fn->func == GV_DEV_PF)
		lose_vfs(fn);
	pcie_cap_deverr_reset(&fn->pdev);
	gvq_ask_reset(fn->front, fn->func);
}

static void pf_finalize(Object *obj)
{
	gvq_front_put(gvq_fn(obj)->front);
}

/* ---- types --------------------------------------------------------------------------------- */

static GVQ_PROPERTY pf_properties[] = {
        DEFINE_PROP_UINT64("vram", struct gvq_fn, vram_mib, 4096),
        DEFINE_PROP_UINT32("max-vfs", struct gvq_fn, max_vfs, 4),
        DEFINE_PROP_UINT64("vf-bar0", struct gvq_fn, vf_bar0_mib, 256),
        DEFINE_PROP_UINT32("engine-threads", struct gvq_fn, engine_threads, 0),
        DEFINE_PROP_BOOL("map-vram", struct gvq_fn, map_vram, true),
        DEFINE_PROP_BOOL("trace", struct gvq_fn, trace, false),
        GVQ_PROPERTIES_END};

/* Memory of the core and work of its engines cannot be saved. */
static const VMStateDescription no_migration = {.name = GVQ_TYPE_PF, .unmigratable = 1};

static void init_class(ObjectClass *klass)
{
	DeviceClass *dc = DEVICE_CLASS(klass);
	PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

	k->vendor_id = k->subsystem_vendor_id = GV_PCI_VENDOR_AMD;
	k->subsystem_id = GV_PCI_DEVICE_PF;
	k->class_id = GV_PCI_CLASS >> 8;
	dc->vmsd = &no_migration;
	set_bit(DEVICE_CATEGORY_DISPLAY, dc->categories);
	gvq_set_reset(dc, fn_reset);
}

static void init_pf_class(ObjectClass *klass, GVQ_CLASS_DATA data)
{
	PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

	init_class(klass);
	k->device_id = GV_PCI_DEVICE_PF;
	k->realize = pf_realize;
	k->exit = pf_exit;
	k->config_read = pf_read_config;
	k->config_write = pf_write_config;
	DEVICE_CLASS(klass)->desc = "gpuvisor: emulated SR-IOV GPU";
	device_class_set_props(DEVICE_CLASS(klass), pf_properties);
}

static void init_vf_class(ObjectClass *klass, GVQ_CLASS_DATA data)
{
	PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

	init_class(klass);
	k->device_id = GV_PCI_DEVICE_VF;
	k->realize = vf_realize;
	k->exit = vf_exit;
	k->config_write = fn_write_config;
	DEVICE_CLASS(klass)->user_creatable = false;
}

void gvq_register_types(void)
{
	static InterfaceInfo pcie[] = {{INTERFACE_PCIE_DEVICE}, {}};
	static const TypeInfo types[] = {{.name = GVQ_TYPE_PF,
	                                  .parent = TYPE_PCI_DEVICE,
	                                  .instance_size = sizeof(struct gvq_fn),
	                                  .instance_finalize = pf_finalize,
	                                  .class_init = init_pf_class,
	                                  .interfaces = pcie},
	                                 {.name = GVQ_TYPE_VF,
	                                  .parent = TYPE_PCI_DEVICE,
	                                  .instance_size = sizeof(struct gvq_fn),
	                                  .class_init = init_vf_class,
	                                  .interfaces = pcie}};

	for (size_t k = 0; k < GV_ARRAY_LEN(types); k++)
		(void)type_register_static(&types[k]);
}
