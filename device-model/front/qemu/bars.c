/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The BARs of a function: guest accesses to the core. */
#include "front.h"

#include <dlfcn.h>

/* Leave the BQL for the time of an access that may wait for an engine; see front.h. */
static bool leave_bql(void)
{
	bool locked = bql_locked();

	if (locked)
		bql_unlock();
	return locked;
}

static void enter_bql(bool was_locked)
{
	if (was_locked)
		bql_lock();
}

static void trace(const struct gvq_fn *fn, enum gv_region region, char what, uint64_t off,
                  uint64_t val, unsigned n)
{
	if (fn->front->trace)
		(void)fprintf(stderr,
		              "gpuvisor-gpu: func %u BAR%d %c 0x%" PRIx64 "/%u 0x%" PRIx64 "\n",
		              fn->func, region, what, off, n, val);
}

/* A CPU that executes a load or store, and nothing else on its stack. A device that was told to
 * transfer data to or from a BAR of ours is refused: it may be an engine of ours, which holds locks
 * that the access would want, or a device of QEMU in the middle of something, which would not
 * expect others to run while we leave the BQL. Memory behind BAR0 is open to both. */
static bool by_cpu(MemTxAttrs attrs)
{
	return qemu_in_vcpu_thread() && !attrs.unspecified && !attrs.requester_id;
}

static MemTxResult refuse(const struct gvq_fn *fn)
{
	gv_logf(&fn->front->log, GV_LOG_DEBUG, "DMA into a BAR of function %u refused", fn->func);
	return MEMTX_DECODE_ERROR;
}

static MemTxResult read_region(struct gvq_fn *fn, enum gv_region region, uint64_t off,
                               uint64_t *val, unsigned n, MemTxAttrs attrs)
{
	uint64_t got = 0;
	bool locked;

	*val = UINT64_MAX;
	if (!by_cpu(attrs))
		return refuse(fn);
	locked = leave_bql();
	gvq_settle(fn->front);
	if (gv_dev_read(fn->front->dev, fn->func, region, off, &got, n) == 0)
		*val = got;
	enter_bql(locked);
	trace(fn, region, 'R', off, *val, n);
	return MEMTX_OK;
}

static MemTxResult write_region(struct gvq_fn *fn, enum gv_region region, uint64_t off,
                                uint64_t val, unsigned n, MemTxAttrs attrs)
{
	bool locked;

	if (!by_cpu(attrs))
		return refuse(fn);
	trace(fn, region, 'W', off, val, n);
	locked = leave_bql();
	gvq_settle(fn->front);
	(void)gv_dev_write(fn->front->dev, fn->func, region, off, &val, n);
	enter_bql(locked);
	return MEMTX_OK;
}

static MemTxResult read_vram(void *opaque, hwaddr off, uint64_t *val, unsigned n, MemTxAttrs attrs)
{
	return read_region(opaque, GV_REGION_VRAM, off, val, n, attrs);
}

static MemTxResult write_vram(void *opaque, hwaddr off, uint64_t val, unsigned n, MemTxAttrs attrs)
{
	return write_region(opaque, GV_REGION_VRAM, off, val, n, attrs);
}

static MemTxResult read_registers(void *opaque, hwaddr off, uint64_t *val, unsigned n,
                                  MemTxAttrs attrs)
{
	return read_region(opaque, GV_REGION_MMIO, off, val, n, attrs);
}

static MemTxResult write_registers(void *opaque, hwaddr off, uint64_t val, unsigned n,
                                   MemTxAttrs attrs)
{
	return write_region(opaque, GV_REGION_MMIO, off, val, n, attrs);
}

static MemTxResult read_doorbell(void *opaque, hwaddr off, uint64_t *val, unsigned n,
                                 MemTxAttrs attrs)
{
	return read_region(opaque, GV_REGION_DOORBELL, off, val, n, attrs);
}

static MemTxResult write_doorbell(void *opaque, hwaddr off, uint64_t val, unsigned n,
                                  MemTxAttrs attrs)
{
	return write_region(opaque, GV_REGION_DOORBELL, off, val, n, attrs);
}

#define GVQ_OPS(what)                                                                              \
	{                                                                                          \
		.read_with_attrs = read_##what, .write_with_attrs = write_##what,                  \
		.endianness = DEVICE_LITTLE_ENDIAN,                                                \
		.valid = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},          \
		.impl = {.min_access_size = 1, .max_access_size = 8, .unaligned = true},           \
	}
static const MemoryRegionOps vram_ops = GVQ_OPS(vram);
static const MemoryRegionOps register_ops = GVQ_OPS(registers);
static const MemoryRegionOps doorbell_ops = GVQ_OPS(doorbell);

/* Our accesses drop the BQL, so that two vCPUs can be in one device: QEMU would take the second
 * for a device that calls itself, and refuse it. by_cpu() is what guards us. */
static void init_io(MemoryRegion *mr, struct gvq_fn *fn, const MemoryRegionOps *ops,
                    const char *name, uint64_t bytes)
{
	memory_region_init_io(mr, OBJECT(&fn->pdev), ops, fn, name, bytes);
	mr->disable_reentrancy_guard = true;
}

static void init_bar0(struct gvq_fn *fn, MemoryRegion *memory, uint64_t bytes)
{
	const struct gvq_window *w = &fn->front->window[fn->func];
	Object *owner = OBJECT(&fn->pdev);

	memory_region_init(&fn->bar0, owner, "gpuvisor-bar0", bytes);
	init_io(&fn->bar0_trap, fn, &vram_ops, "gpuvisor-bar0-trap", bytes);
	memory_region_add_subregion(&fn->bar0, 0, &fn->bar0_trap);
	if (!w->host)
		return;
	memory_region_init_alias(&fn->bar0_shown, owner, "gpuvisor-bar0-shown", memory, 0, w->room);
	memory_region_set_enabled(&fn->bar0_shown, false);
	memory_region_add_subregion_overlap(&fn->bar0, 0, &fn->bar0_shown, 1);
	fn->has_memory = true;
}

static void init_bar5(struct gvq_fn *fn, uint64_t bytes)
{
	memory_region_init(&fn->bar5, OBJECT(&fn->pdev), "gpuvisor-bar5", bytes);
	init_io(&fn->registers, fn, &register_ops, "gpuvisor-registers", bytes);
	/* Below QEMU's MSI-X table and pending bits. */
	memory_region_add_subregion_overlap(&fn->bar5, 0, &fn->registers, -1);
}

/* Versions up to 10.0.2 have a function for the BARs of VFs, later ones take them for all. */
static void show_bar(struct gvq_fn *fn, int n, MemoryRegion *mr, const struct gvq_bars *bars)
{
	void (*vf_bar)(PCIDevice *, int, MemoryRegion *) = NULL;

	if (fn->func != GV_DEV_PF)
		*(void **)&vf_bar = dlsym(RTLD_DEFAULT, "pcie_sriov_vf_register_bar");
	if (vf_bar)
		vf_bar(&fn->pdev, n, mr);
	else
		pci_register_bar(&fn->pdev, n, bars->type[n], mr);
}

bool gvq_bars_init(struct gvq_fn *fn, struct gvq_fn *pf, Error **errp)
{
	const struct gvq_front *f = fn->front;
	const struct gvq_bars *bars = fn->func == GV_DEV_PF ? &f->pf_bars : &f->vf_bars;

	if (!bars->bytes[0] || !bars->bytes[2] || !bars->bytes[5]) {
		error_setg(errp, "gpuvisor-gpu: the GPU core has no BAR0, BAR2 and BAR5");
		return false;
	}
	init_bar0(fn, &pf->memory[fn->func], bars->bytes[0]);
	init_io(&fn->bar2, fn, &doorbell_ops, "gpuvisor-doorbells", bars->bytes[2]);
	init_bar5(fn, bars->bytes[5]);
	show_bar(fn, 0, &fn->bar0, bars);
	show_bar(fn, 2, &fn->bar2, bars);
	show_bar(fn, 5, &fn->bar5, bars);
	return true;
}

/* A region inside another keeps its owner alive, also where that is the same. */
void gvq_bars_done(struct gvq_fn *fn)
{
	if (!memory_region_size(&fn->bar0))
		return;
	memory_region_del_subregion(&fn->bar0, &fn->bar0_trap);
	if (fn->has_memory)
		memory_region_del_subregion(&fn->bar0, &fn->bar0_shown);
	memory_region_del_subregion(&fn->bar5, &fn->registers);
}
