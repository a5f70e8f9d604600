/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every bus shares: configuration-space helpers and checked life-cycle calls. */
#include <string.h>

#include <gv/bus.h>

#define PCI_STATUS             0x06
#define PCI_STATUS_CAP_LIST    0x10
#define PCI_CAPABILITY_LIST    0x34
#define PCI_EXT_CAP_ID_SRIOV   0x10
#define PCI_EXT_CAP_ID_VSEC    0x0b
#define PCI_SRIOV_CTRL         0x08
#define PCI_SRIOV_CTRL_VFE_MSE 0x09
#define PCI_SRIOV_TOTAL_VF     0x0e
#define PCI_SRIOV_NUM_VF       0x10
#define MAX_CAPS               64 /* more than fit: a longer list loops */

static uint32_t cfg_read(struct gv_bus *bus, uint16_t off, size_t n)
{
	uint32_t v = 0;

	return gv_bus_read(bus, GV_REGION_CONFIG, off, &v, n) ? UINT32_MAX : v;
}

uint8_t gv_cfg_rd8(struct gv_bus *bus, uint16_t off)
{
	return (uint8_t)cfg_read(bus, off, 1);
}

uint16_t gv_cfg_rd16(struct gv_bus *bus, uint16_t off)
{
	return (uint16_t)cfg_read(bus, off, 2);
}

uint32_t gv_cfg_rd32(struct gv_bus *bus, uint16_t off)
{
	return cfg_read(bus, off, 4);
}

void gv_cfg_wr8(struct gv_bus *bus, uint16_t off, uint8_t val)
{
	(void)gv_bus_write(bus, GV_REGION_CONFIG, off, &val, sizeof(val));
}

void gv_cfg_wr16(struct gv_bus *bus, uint16_t off, uint16_t val)
{
	(void)gv_bus_write(bus, GV_REGION_CONFIG, off, &val, sizeof(val));
}

void gv_cfg_wr32(struct gv_bus *bus, uint16_t off, uint32_t val)
{
	(void)gv_bus_write(bus, GV_REGION_CONFIG, off, &val, sizeof(val));
}

uint8_t gv_rd8(struct gv_bus *bus, uint32_t byte)
{
	uint8_t v = 0;

	return gv_bus_read(bus, GV_REGION_MMIO, byte, &v, 1) ? UINT8_MAX : v;
}

void gv_wr8(struct gv_bus *bus, uint32_t byte, uint8_t val)
{
	(void)gv_bus_write(bus, GV_REGION_MMIO, byte, &val, 1);
}

int gv_cfg_find_cap(struct gv_bus *bus, uint8_t id, uint16_t *off)
{
	uint8_t at;

	if (!(gv_cfg_rd16(bus, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return -ENOENT;
	at = (uint8_t)(gv_cfg_rd8(bus, PCI_CAPABILITY_LIST) & 0xfc);
	for (int i = 0; at && i < MAX_CAPS; i++) {
		uint16_t head = gv_cfg_rd16(bus, at);

		if ((head & 0xff) == id) {
			*off = at;
			return 0;
		}
		at = (uint8_t)((head >> 8) & 0xfc);
	}
	return at ? -EPROTO : -ENOENT;
}

static int find_ext(struct gv_bus *bus, uint16_t id, int vsec, uint16_t *off)
{
	uint16_t at = 0x100;

	for (int i = 0; at && i < MAX_CAPS; i++) {
		uint32_t head = gv_cfg_rd32(bus, at);

		if (head == 0 || head == UINT32_MAX)
			return -ENOENT;
		if ((head & 0xffff) == id && (vsec < 0 || (gv_cfg_rd32(bus, (uint16_t)(at + 4)) &
		                                           0xffff) == (uint32_t)vsec)) {
			*off = at;
			return 0;
		}
		at = (head >> 20) & 0xffc;
	}
	return at ? -EPROTO : -ENOENT;
}

int gv_cfg_find_ext_cap(struct gv_bus *bus, uint16_t id, uint16_t *off)
{
	return find_ext(bus, id, -1, off);
}

int gv_cfg_find_vsec(struct gv_bus *bus, uint16_t vsec, uint16_t *off)
{
	return find_ext(bus, PCI_EXT_CAP_ID_VSEC, vsec, off);
}

int gv_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	if (bytes == 0 || bytes > UINT64_MAX - 4095)
		return -EINVAL;
	return bus->ops->dma_alloc(bus, (bytes + 4095) & ~4095ull, dma);
}

void gv_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	if (!dma || !dma->bytes)
		return;
	bus->ops->dma_free(bus, dma);
	memset(dma, 0, sizeof(*dma));
}

int gv_bus_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd)
{
	return bus->ops->irq_enable(bus, vector, eventfd);
}

int gv_bus_reset(struct gv_bus *bus)
{
	return bus->ops->reset(bus);
}

int gv_bus_status(struct gv_bus *bus)
{
	return bus->ops->status(bus);
}

int gv_bus_enable_vfs(struct gv_bus *bus, unsigned num_vfs, struct gv_err *err)
{
	uint16_t cap, total;
	int rc = gv_cfg_find_ext_cap(bus, PCI_EXT_CAP_ID_SRIOV, &cap);

	if (rc)
		return gv_fail(err, -ENOTSUP, "%s has no SR-IOV capability, so it is no PF",
		               bus->name);
	total = gv_cfg_rd16(bus, (uint16_t)(cap + PCI_SRIOV_TOTAL_VF));
	if (num_vfs > total)
		return gv_fail(err, -ERANGE, "%s: %u VFs asked, TotalVFs is %u", bus->name, num_vfs,
		               total);
	if (bus->ops->enable_vfs) {
		rc = bus->ops->enable_vfs(bus, num_vfs);
		return rc ? gv_fail(err, rc, "%s: enabling %u VFs: %s", bus->name, num_vfs,
		                    strerror(-rc))
		          : 0;
	}
	/* NumVFs may only change while VF Enable is 0 (PCIe SR-IOV spec, 3.3.7). */
	gv_cfg_wr16(bus, (uint16_t)(cap + PCI_SRIOV_CTRL), 0);
	gv_cfg_wr16(bus, (uint16_t)(cap + PCI_SRIOV_NUM_VF), (uint16_t)num_vfs);
	if (num_vfs)
		gv_cfg_wr16(bus, (uint16_t)(cap + PCI_SRIOV_CTRL), PCI_SRIOV_CTRL_VFE_MSE);
	return gv_bus_status(bus);
}

struct gv_bus *gv_bus_close(struct gv_bus *bus)
{
	if (bus)
		bus->ops->close(bus);
	return NULL;
}
