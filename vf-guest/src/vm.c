/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VM: one VMID's addresses and page tables. */
#include "guest.h"

static int make_table(struct gv_guest_vm *vm, struct gv_err *err)
{
	const struct gv_pt_mem mem = {
	        .alloc = gv_vram_table_alloc,
	        .free = gv_vram_table_free,
	        .wrote = gv_vram_table_wrote,
	        .arg = vm->g,
	};
	int rc = gv_pt_new(vm->levels, &mem, &vm->pt);

	return rc ? gv_fail(err, rc, "no room for page tables in visible memory") : 0;
}

static int map_ib(struct gv_guest_vm *vm, const struct gv_guest_queue *q, struct gv_err *err)
{
	int rc;

	if (!q->ib || q->ib->vm == vm)
		return 0;
	rc = gv_heap_take_at(&vm->va, q->ib->va, q->ib->bytes);
	return rc ? gv_fail(err, rc, "the address of the command buffer is taken")
	          : gv_vm_map_buf(vm, q->ib, q->ib->va, err);
}

/* Command buffers of the queues are seen in every VM at the same address. */
static int map_ibs(struct gv_guest_vm *vm, struct gv_err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < GV_MAX_COMPUTE && !rc; i++)
		rc = map_ib(vm, &vm->g->compute[i], err);
	for (unsigned i = 0; i < GV_NUM_SDMA && !rc; i++)
		rc = map_ib(vm, &vm->g->sdma[i], err);
	return rc;
}

int gv_vm_make(struct gv_guest *g, unsigned vmid, unsigned levels, struct gv_guest_vm **out,
               struct gv_err *err)
{
	struct gv_guest_vm *vm = calloc(1, sizeof(*vm));
	int rc;

	if (!vm)
		return gv_fail(err, -ENOMEM, "out of memory");
	*vm = (struct gv_guest_vm){.g = g, .vmid = vmid, .levels = levels, .next = g->vms};
	rc = make_table(vm, err);
	if (!rc && gv_heap_init(&vm->va, GV_VM_LOW, gv_pt_end(vm->pt) - GV_VM_LOW))
		rc = gv_fail(err, -ENOMEM, "out of memory");
	if (rc) {
		gv_pt_free(vm->pt);
		free(vm);
		return rc;
	}
	g->vms = vm;
	rc = map_ibs(vm, err);
	if (!rc)
		rc = gv_context_set(g, vmid, vm->pt, err);
	if (rc) {
		gv_vm_free(vm);
		return rc;
	}
	*out = vm;
	return 0;
}

struct gv_guest_vm *gv_vm_free(struct gv_guest_vm *vm)
{
	if (!vm)
		return NULL;
	for (struct gv_guest_vm **at = &vm->g->vms; *at; at = &(*at)->next) {
		if (*at == vm) {
			*at = vm->next;
			break;
		}
	}
	if (vm->pt)
		(void)gv_context_off(vm->g, vm->vmid, NULL);
	gv_pt_free(vm->pt);
	gv_heap_done(&vm->va);
	free(vm);
	return NULL;
}

int gv_guest_vm_new(struct gv_guest *g, unsigned vmid, unsigned levels, struct gv_guest_vm **vm,
                    struct gv_err *err)
{
	if (vmid < 2 || vmid > 7 || levels < 3 || levels > 4)
		return gv_fail(err, -EINVAL, "VMID %u with %u levels: 2..7 and 3 or 4 are possible",
		               vmid, levels);
	for (const struct gv_guest_vm *other = g->vms; other; other = other->next) {
		if (other->vmid == vmid)
			return gv_fail(err, -EBUSY, "VMID %u is in use", vmid);
	}
	return gv_vm_make(g, vmid, levels, vm, err);
}

struct gv_guest_vm *gv_guest_vm_free(struct gv_guest_vm *vm)
{
	return gv_vm_free(vm);
}

struct gv_guest_vm *gv_guest_default_vm(struct gv_guest *g)
{
	return g->vm;
}

const struct gv_pt *gv_guest_vm_table(const struct gv_guest_vm *vm)
{
	return vm->pt;
}

int gv_guest_vm_flush(struct gv_guest_vm *vm, struct gv_err *err)
{
	return gv_tlb_flush(vm->g, vm->vmid, err);
}

static uint64_t rights(bool system)
{
	return GV_PTE_READABLE | GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE |
	       (system ? GV_PTE_SYSTEM | GV_PTE_SNOOPED : 0);
}

int gv_vm_map_buf(struct gv_guest_vm *vm, const struct gv_guest_buf *buf, uint64_t va,
                  struct gv_err *err)
{
	uint64_t at = va;
	int rc = 0;

	if (buf->where == GV_GUEST_SYSTEM)
		rc = gv_pt_map(vm->pt, va, buf->dma.iova, buf->bytes, rights(true), 0);
	for (unsigned i = 0; i < buf->extents && !rc; i++) {
		const struct gv_extent *e = &buf->extent[i];

		rc = gv_pt_map(vm->pt, at, e->off + vm->g->fb_pa, e->bytes, rights(false), 0);
		at += e->bytes;
	}
	if (rc) {
		if (at > va)
			(void)gv_pt_unmap(vm->pt, va, at - va);
		return gv_fail(err, rc, "mapping %llu bytes failed",
		               (unsigned long long)buf->bytes);
	}
	gv_hdp_flush(vm->g);
	return gv_tlb_flush(vm->g, vm->vmid, err);
}
