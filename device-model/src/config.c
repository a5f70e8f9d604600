/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration space and MSI-X. Each byte has a mask of bits that software
 * may write and one of bits that it clears by writing 1; what a write causes
 * is done after the locks are free.
 *
 * A VF's identity and BARs read 0xffff and 0 on a real bus and are filled in
 * by the host kernel (vfio-pci virtualises both). Here no kernel stands
 * between a VF and its client: QEMU's vfio-user client takes ids and BAR
 * types from this space, so a VF shows real ones.
 */
#include <linux/pci_regs.h>
#include <string.h>

#include "device.h"

#define MSIX_DWORDS (GV_MSIX_VECTORS * PCI_MSIX_ENTRY_SIZE / 4)

struct gv_pci {
	uint8_t cfg[GV_CFG_BYTES], rw[GV_CFG_BYTES], w1c[GV_CFG_BYTES]; /* under dev->lock */
	pthread_mutex_t msix_lock; /* leaf; the members below */
	uint32_t table[MSIX_DWORDS];
	uint32_t pending;
	uint16_t control; /* copy of the capability's Message Control */
	bool programmed;  /* somebody wrote the table: its masks count */
};

/* ---- filling in --------------------------------------------------------------- */

static void set(uint8_t *at, size_t n, uint64_t val)
{
	for (size_t k = 0; k < n; k++)
		at[k] = (uint8_t)(val >> 8 * k);
}

static uint64_t get(const uint8_t *at, size_t n)
{
	uint64_t val = 0;

	for (size_t k = 0; k < n; k++)
		val |= (uint64_t)at[k] << 8 * k;
	return val;
}

/* @n bytes at @off: value, and which bits software may write. */
static void put(struct gv_pci *p, unsigned off, size_t n, uint64_t val, uint64_t rw)
{
	set(p->cfg + off, n, val);
	set(p->rw + off, n, rw);
}

uint64_t gv_pci_bar_bytes(struct gv_fn *f, enum gv_region region)
{
	uint64_t bytes = f->dev->cfg.vf_bar0_mib * GV_MIB;

	switch (region) {
	case GV_REGION_VRAM:
		/* The PF reaches all of VRAM, like a part with its BAR resized to the full. */
		for (; !gv_fn_is_vf(f) && bytes < f->dev->cfg.vram_mib * GV_MIB;)
			bytes *= 2;
		return bytes;
	case GV_REGION_DOORBELL:
		return GV_BAR2_BYTES;
	case GV_REGION_MMIO:
		return GV_BAR5_BYTES;
	case GV_REGION_CONFIG:
		return GV_CFG_BYTES;
	case GV_REGION_COUNT:
		break;
	}
	return 0;
}

/* Writing all ones to a BAR reads back its size: the address bits below it do not exist. */
static void fill_bars(struct gv_pci *p, struct gv_fn *f, unsigned at)
{
	const uint64_t pref64 = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;

	put(p, at + 4 * GV_REGION_VRAM, 8, pref64, ~(gv_pci_bar_bytes(f, GV_REGION_VRAM) - 1));
	put(p, at + 4 * GV_REGION_DOORBELL, 8, pref64,
	    ~(gv_pci_bar_bytes(f, GV_REGION_DOORBELL) - 1));
	put(p, at + 4 * GV_REGION_MMIO, 4, PCI_BASE_ADDRESS_MEM_TYPE_32,
	    ~(gv_pci_bar_bytes(f, GV_REGION_MMIO) - 1));
}

static void fill_header(struct gv_pci *p, struct gv_fn *f)
{
	put(p, PCI_VENDOR_ID, 2, GV_PCI_VENDOR_AMD, 0);
	put(p, PCI_DEVICE_ID, 2, gv_fn_is_vf(f) ? GV_PCI_DEVICE_VF : GV_PCI_DEVICE_PF, 0);
	put(p, PCI_COMMAND, 2, 0,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
	            PCI_COMMAND_INTX_DISABLE);
	put(p, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	put(p, PCI_CLASS_PROG, 3, GV_PCI_CLASS, 0);
	put(p, PCI_CACHE_LINE_SIZE, 1, 0, UINT8_MAX);
	fill_bars(p, f, PCI_BASE_ADDRESS_0);
	put(p, PCI_SUBSYSTEM_VENDOR_ID, 2, GV_PCI_VENDOR_AMD, 0);
	put(p, PCI_SUBSYSTEM_ID, 2, GV_PCI_DEVICE_PF, 0);
	put(p, PCI_CAPABILITY_LIST, 1, GV_CFG_PM, 0);
	put(p, PCI_INTERRUPT_LINE, 1, 0, UINT8_MAX);
}

static void fill_caps(struct gv_pci *p)
{
	put(p, GV_CFG_PM, 2, PCI_CAP_ID_PM | GV_CFG_PCIE << 8, 0);
	put(p, GV_CFG_PM + PCI_PM_PMC, 2, 3, 0); /* PM 1.2 */
	put(p, GV_CFG_PM + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET, PCI_PM_CTRL_STATE_MASK);

	put(p, GV_CFG_PCIE, 2, PCI_CAP_ID_EXP | GV_CFG_MSIX << 8, 0);
	put(p, GV_CFG_PCIE + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 0);
	put(p, GV_CFG_PCIE + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR | 1, 0);
	put(p, GV_CFG_PCIE + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN,
	    UINT16_MAX & ~PCI_EXP_DEVCTL_BCR_FLR);
	put(p, GV_CFG_PCIE + PCI_EXP_LNKCAP, 4, PCI_EXP_LNKCAP_SLS_8_0GB | 16 << 4 /* lanes */, 0);
	put(p, GV_CFG_PCIE + PCI_EXP_LNKSTA, 2,
	    PCI_EXP_LNKSTA_CLS_8_0GB | 16 << PCI_EXP_LNKSTA_NLW_SHIFT, 0);
	put(p, GV_CFG_PCIE + PCI_EXP_LNKCTL2, 2, PCI_EXP_LNKCTL2_TLS_8_0GT, 0);

	put(p, GV_CFG_MSIX, 2, PCI_CAP_ID_MSIX, 0);
	put(p, GV_CFG_MSIX + PCI_MSIX_FLAGS, 2, GV_MSIX_VECTORS - 1,
	    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put(p, GV_CFG_MSIX + PCI_MSIX_TABLE, 4, GV_MSIX_TABLE | GV_REGION_MMIO, 0);
	put(p, GV_CFG_MSIX + PCI_MSIX_PBA, 4, GV_MSIX_PBA | GV_REGION_MMIO, 0);
}

static void ext_cap(struct gv_pci *p, unsigned at, unsigned id, unsigned version, unsigned next)
{
	put(p, at, 4, id | version << 16 | (uint64_t)next << 20, 0);
}

static void fill_sriov(struct gv_pci *p, struct gv_fn *f)
{
	struct gv_fn *vf = &f->dev->fn[GV_DEV_VF(0)];
	const unsigned at = GV_CFG_SRIOV, pages = 0x553; /* 4K 8K 64K 256K 1M 4M: the spec's six */

	ext_cap(p, at, PCI_EXT_CAP_ID_SRIOV, 1, GV_CFG_GPUIOV);
	put(p, at + PCI_SRIOV_CTRL, 2, 0,
	    PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI);
	put(p, at + PCI_SRIOV_INITIAL_VF, 2, f->dev->cfg.max_vfs, 0);
	put(p, at + PCI_SRIOV_TOTAL_VF, 2, f->dev->cfg.max_vfs, 0);
	put(p, at + PCI_SRIOV_NUM_VF, 2, 0, UINT16_MAX);
	put(p, at + PCI_SRIOV_VF_OFFSET, 2, GV_VF_OFFSET, 0);
	put(p, at + PCI_SRIOV_VF_STRIDE, 2, GV_VF_STRIDE, 0);
	put(p, at + PCI_SRIOV_VF_DID, 2, GV_PCI_DEVICE_VF, 0);
	put(p, at + PCI_SRIOV_SUP_PGSIZE, 4, pages, 0);
	put(p, at + PCI_SRIOV_SYS_PGSIZE, 4, 1, pages);
	fill_bars(p, vf, at + PCI_SRIOV_BAR);
}

static void fill_ext_caps(struct gv_pci *p, struct gv_fn *f)
{
	/* Vega10 begins with an empty vendor-specific capability (nbio_6_1_offset.h). */
	ext_cap(p, PCI_CFG_SPACE_SIZE, PCI_EXT_CAP_ID_VNDR, 1, GV_CFG_AER);
	put(p, PCI_CFG_SPACE_SIZE + PCI_VNDR_HEADER, 4, 1 | 1 << 16 | 0x10ull << 20, 0);
	ext_cap(p, GV_CFG_AER, PCI_EXT_CAP_ID_ERR, 2, GV_CFG_ARI);
	put(p, GV_CFG_AER + PCI_ERR_UNCOR_MASK, 4, 0, UINT32_MAX);
	put(p, GV_CFG_AER + PCI_ERR_UNCOR_SEVER, 4, PCI_ERR_UNC_DLP | PCI_ERR_UNC_MALF_TLP,
	    UINT32_MAX);
	put(p, GV_CFG_AER + PCI_ERR_COR_MASK, 4, PCI_ERR_COR_ADV_NFAT, UINT32_MAX);
	ext_cap(p, GV_CFG_ARI, PCI_EXT_CAP_ID_ARI, 1, gv_fn_is_vf(f) ? 0 : GV_CFG_SRIOV);
	if (gv_fn_is_vf(f))
		return;
	fill_sriov(p, f);
	gv_gpuiov_fill(f->dev, p->cfg + GV_CFG_GPUIOV, p->rw + GV_CFG_GPUIOV,
	               p->w1c + GV_CFG_GPUIOV);
}

/* ---- accesses -------------------------------------------------------------------- */

/* What a write asks for beyond storing; done without locks. */
struct request {
	bool flr, vfs, soft_flr;
};

static uint16_t reg16(const struct gv_pci *p, unsigned off)
{
	return (uint16_t)get(p->cfg + off, 2);
}

static bool vf_enable(const struct gv_pci *p)
{
	return reg16(p, GV_CFG_SRIOV + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE;
}

static bool touches(uint64_t off, size_t n, unsigned at, size_t bytes)
{
	return off < at + bytes && off + n > at;
}

static void store_bytes(struct gv_fn *f, uint64_t off, const uint8_t *buf, size_t n)
{
	struct gv_pci *p = f->pci;
	const unsigned num = GV_CFG_SRIOV + PCI_SRIOV_NUM_VF;
	bool locked = vf_enable(p); /* NumVFs: PCIe SR-IOV, 3.3.7 */

	for (size_t k = 0; k < n; k++) {
		uint8_t rw = p->rw[off + k];

		if (!gv_fn_is_vf(f) && locked && touches(off + k, 1, num, 2))
			rw = 0;
		p->cfg[off + k] = (uint8_t)((p->cfg[off + k] & ~rw) | (buf[k] & rw));
		p->cfg[off + k] &= (uint8_t) ~(buf[k] & p->w1c[off + k]);
	}
	if (!gv_fn_is_vf(f) && reg16(p, num) > f->dev->cfg.max_vfs) {
		gv_guest_error(f, "NumVFs %u, TotalVFs is %u", reg16(p, num), f->dev->cfg.max_vfs);
		put(p, num, 2, f->dev->cfg.max_vfs, UINT16_MAX);
	}
}

/* Under dev->lock: store and say what is to be done. */
static struct request apply(struct gv_fn *f, uint64_t off, const uint8_t *buf, size_t n)
{
	const unsigned flr = GV_CFG_PCIE + PCI_EXP_DEVCTL + 1;
	struct gv_pci *p = f->pci;
	struct request r = {.flr = touches(off, n, flr, 1) &&
	                           (buf[flr - off] << 8 & PCI_EXP_DEVCTL_BCR_FLR)};

	/* Registers changed since the last look: bytes not written now must not undo that. */
	if (!gv_fn_is_vf(f) && touches(off, n, GV_CFG_GPUIOV, GIOV_BYTES))
		gv_gpuiov_refresh(f->dev, p->cfg + GV_CFG_GPUIOV);
	store_bytes(f, off, buf, n);
	if (gv_fn_is_vf(f))
		return r;
	r.vfs = touches(off, n, GV_CFG_SRIOV + PCI_SRIOV_CTRL, 2);
	if (touches(off, n, GV_CFG_GPUIOV, GIOV_BYTES)) {
		uint64_t first = GV_MAX(off, (uint64_t)GV_CFG_GPUIOV);

		r.soft_flr = gv_gpuiov_wrote(f->dev, p->cfg + GV_CFG_GPUIOV,
		                             (unsigned)(first - GV_CFG_GPUIOV),
		                             (size_t)(off + n - first));
	}
	return r;
}

unsigned gv_pci_wanted_vfs(struct gv_fn *pf)
{
	unsigned vfs = 0;

	(void)pthread_mutex_lock(&pf->dev->lock);
	if (vf_enable(pf->pci))
		vfs = reg16(pf->pci, GV_CFG_SRIOV + PCI_SRIOV_NUM_VF);
	(void)pthread_mutex_unlock(&pf->dev->lock);
	return vfs;
}

static void fire_pending(struct gv_fn *f);

static void write_config(struct gv_fn *f, uint64_t off, const uint8_t *buf, size_t n)
{
	struct gv_pci *p = f->pci;
	struct request r;

	(void)pthread_mutex_lock(&f->dev->lock);
	r = apply(f, off, buf, n);
	(void)pthread_mutex_lock(&p->msix_lock);
	p->control = reg16(p, GV_CFG_MSIX + PCI_MSIX_FLAGS);
	(void)pthread_mutex_unlock(&p->msix_lock);
	(void)pthread_mutex_unlock(&f->dev->lock);
	fire_pending(f);
	gv_world_begin(f->dev, true);
	if (r.vfs)
		gv_dev_follow_vf_enable(f->dev);
	if (r.soft_flr)
		gv_fn_reset_engines(f);
	if (r.flr)
		(void)gv_dev_reset(f->dev, f->index);
}

int gv_pci_config(struct gv_fn *f, uint64_t off, void *buf, size_t n, bool write)
{
	struct gv_pci *p = f->pci;

	if (off > GV_CFG_BYTES || n > GV_CFG_BYTES - off)
		return -ERANGE;
	if (write) {
		write_config(f, off, buf, n);
		return 0;
	}
	(void)pthread_mutex_lock(&f->dev->lock);
	if (!gv_fn_is_vf(f) && touches(off, n, GV_CFG_GPUIOV, GIOV_BYTES))
		gv_gpuiov_refresh(f->dev, p->cfg + GV_CFG_GPUIOV);
	memcpy(buf, p->cfg + off, n);
	(void)pthread_mutex_unlock(&f->dev->lock);
	return 0;
}

/* ---- MSI-X --------------------------------------------------------------------------- */

static uint32_t *vector_control(struct gv_pci *p, unsigned vector)
{
	return &p->table[(vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL) / 4];
}

/* Under msix_lock. A client that never wrote the table (vfio-user clients hand over eventfds
 * instead) has nothing masked there. */
static bool may_fire(struct gv_pci *p, unsigned vector)
{
	if (p->control & PCI_MSIX_FLAGS_MASKALL)
		return false;
	return !p->programmed || !(*vector_control(p, vector) & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void fire(struct gv_fn *f, unsigned vector)
{
	atomic_fetch_add(&f->count.interrupts, 1);
	if (f->dev->host.irq)
		f->dev->host.irq(f->dev->host.arg, f->index, vector);
}

void gv_pci_irq(struct gv_fn *f, unsigned vector)
{
	struct gv_pci *p = f->pci;
	bool now;

	if (vector >= GV_MSIX_VECTORS)
		return;
	(void)pthread_mutex_lock(&p->msix_lock);
	now = may_fire(p, vector);
	if (!now)
		p->pending |= gv_mask(vector, 1);
	(void)pthread_mutex_unlock(&p->msix_lock);
	if (now)
		fire(f, vector);
}

/* After a mask opened. */
static void fire_pending(struct gv_fn *f)
{
	struct gv_pci *p = f->pci;
	uint32_t due = 0;

	(void)pthread_mutex_lock(&p->msix_lock);
	for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
		if (p->pending & gv_mask(v, 1) && may_fire(p, v))
			due |= gv_mask(v, 1);
	p->pending &= ~due;
	(void)pthread_mutex_unlock(&p->msix_lock);
	for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
		if (due & gv_mask(v, 1))
			fire(f, v);
}

static bool in_table(uint64_t off)
{
	return off >= GV_MSIX_TABLE && off < GV_MSIX_TABLE + MSIX_DWORDS * 4;
}

bool gv_pci_in_msix(uint64_t off)
{
	return in_table(off) || (off >= GV_MSIX_PBA && off < GV_MSIX_PBA + sizeof(uint64_t));
}

uint32_t gv_pci_msix_read(struct gv_fn *f, uint32_t off)
{
	struct gv_pci *p = f->pci;
	uint32_t val = 0;

	(void)pthread_mutex_lock(&p->msix_lock);
	if (in_table(off))
		val = p->table[(off - GV_MSIX_TABLE) / 4];
	else if (off == GV_MSIX_PBA)
		val = p->pending;
	(void)pthread_mutex_unlock(&p->msix_lock);
	return val;
}

void gv_pci_msix_write(struct gv_fn *f, uint32_t off, uint32_t val, uint32_t be)
{
	struct gv_pci *p = f->pci;
	uint32_t *at;

	if (!in_table(off))
		return; /* the pending bits are read-only */
	(void)pthread_mutex_lock(&p->msix_lock);
	at = &p->table[(off - GV_MSIX_TABLE) / 4];
	*at = (*at & ~be) | (val & be);
	p->programmed = true;
	(void)pthread_mutex_unlock(&p->msix_lock);
	fire_pending(f);
}

/* ---- life ------------------------------------------------------------------------------ */

int gv_pci_init(struct gv_fn *f)
{
	f->pci = calloc(1, sizeof(*f->pci));
	if (!f->pci)
		return -ENOMEM;
	(void)pthread_mutex_init(&f->pci->msix_lock, NULL);
	return 0;
}

void gv_pci_done(struct gv_fn *f)
{
	if (!f->pci)
		return;
	(void)pthread_mutex_destroy(&f->pci->msix_lock);
	free(f->pci);
	f->pci = NULL;
}

void gv_pci_reset(struct gv_fn *f)
{
	struct gv_pci *p = f->pci;

	memset(p->cfg, 0, sizeof(p->cfg));
	memset(p->rw, 0, sizeof(p->rw));
	memset(p->w1c, 0, sizeof(p->w1c));
	fill_header(p, f);
	fill_caps(p);
	fill_ext_caps(p, f);
	(void)pthread_mutex_lock(&p->msix_lock);
	memset(p->table, 0, sizeof(p->table));
	for (unsigned v = 0; v < GV_MSIX_VECTORS; v++)
		*vector_control(p, v) = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	p->pending = 0;
	p->programmed = false;
	p->control = reg16(p, GV_CFG_MSIX + PCI_MSIX_FLAGS);
	(void)pthread_mutex_unlock(&p->msix_lock);
}
