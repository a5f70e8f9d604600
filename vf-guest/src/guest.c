/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a VF's driver: one list of steps, up in this order and down backwards. */
#include <stdio.h>

#include "guest.h"

/* ---- the small steps; the large ones have files of their own ---------------------- */

static int detect_vf(struct gv_guest *g, struct gv_err *err)
{
	uint32_t id = gv_rd32(g->bus, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER__BYTE);

	if (id == UINT32_MAX)
		return gv_fail(err, -ENODEV, "registers read as all ones: the device is lost");
	if (!GV_GET(id, RCC_PF_0_0_RCC_IOV_FUNC_IDENTIFIER, FUNC_IDENTIFIER))
		return gv_fail(err, -ENODEV, "%s is not a VF (RCC_IOV_FUNC_IDENTIFIER is 0x%x)",
		               g->bus->name, id);
	return 0;
}

static int request_data(struct gv_guest *g, struct gv_err *err)
{
	return gv_mbox_request(g, GV_MBOX_REQ_GPU_INIT_DATA, NULL, err);
}

static int request_access(struct gv_guest *g, struct gv_err *err)
{
	struct gv_mbox_msg reply = {0};
	int rc = gv_mbox_request(g, GV_MBOX_REQ_GPU_INIT_ACCESS, &reply, err);

	if (rc)
		return rc;
	g->key = reply.dw[2];
	g->access = GV_MBOX_ACCESS_INIT;
	g->runtime = false;
	g->mbox.runtime = false;
	return 0;
}

/* The last thing: the VF is the PF's again. */
static void give_back(struct gv_guest *g)
{
	uint32_t rel = g->access == GV_MBOX_ACCESS_FINI ? GV_MBOX_REL_GPU_FINI_ACCESS
	                                                : GV_MBOX_REL_GPU_INIT_ACCESS;

	if (g->access != GV_MBOX_ACCESS_NONE && gv_mbox_request(g, rel, NULL, NULL))
		gv_logf(g->log, GV_LOG_WARN, "%s was not acknowledged", gv_mbox_req_name(rel));
	g->access = GV_MBOX_ACCESS_NONE;
}

static int release_access(struct gv_guest *g, struct gv_err *err)
{
	int rc = gv_irq_mailbox_up(g, err);

	if (!rc)
		rc = gv_mbox_request(g, GV_MBOX_REL_GPU_INIT_ACCESS, NULL, err);
	if (rc)
		return rc;
	g->access = GV_MBOX_ACCESS_NONE;
	g->runtime = true;
	g->mbox.runtime = true;
	return 0;
}

/* Teardown needs exclusive access again. */
static void take_back(struct gv_guest *g)
{
	if (gv_mbox_request(g, GV_MBOX_REQ_GPU_FINI_ACCESS, NULL, NULL)) {
		gv_logf(g->log, GV_LOG_WARN, "the PF gave no access for teardown, going on");
		return;
	}
	g->access = GV_MBOX_ACCESS_FINI;
	g->runtime = false;
	g->mbox.runtime = false;
}

static int writeback_up(struct gv_guest *g, struct gv_err *err)
{
	int rc = g->wb.dma.cpu ? 0 : gv_gmem_alloc(g, GV_GPU_PAGE, &g->wb);

	return rc ? gv_fail(err, rc, "no DMA memory for the write-back page") : 0;
}

static void writeback_down(struct gv_guest *g)
{
	gv_gmem_free(g, &g->wb);
}

struct step {
	const char *name;
	int (*up)(struct gv_guest *g, struct gv_err *err);
	void (*down)(struct gv_guest *g); /* may be NULL */
};

/* AMD's order. */
static const struct step steps[] = {
        {"detect VF", detect_vf, NULL},
        {"REQ_GPU_INIT_DATA", request_data, NULL},
        {"VBIOS and pf2vf", gv_exchange_read, NULL},
        {"REQ_GPU_INIT_ACCESS", request_access, give_back},
        {"frame buffer", gv_vram_up, gv_vram_down},
        {"GART", gv_gart_up, gv_gart_down},
        {"VMID contexts", gv_contexts_up, gv_contexts_down},
        {"shader apertures", gv_sh_mem_up, NULL},
        {"interrupt ring", gv_irq_up, gv_irq_down},
        {"write-back page", writeback_up, writeback_down},
        {"KIQ", gv_kiq_up, gv_kiq_down},
        {"KIQ ring test", gv_kiq_test, NULL},
        {"SET_RESOURCES", gv_resources_up, NULL},
        {"compute queues", gv_compute_up, gv_compute_down},
        {"SDMA queues", gv_sdma_up, gv_sdma_down},
        {"vf2pf", gv_exchange_write, NULL},
        {"REL_GPU_INIT_ACCESS", release_access, take_back},
};

/* From step @first on; stops at the first that fails. */
static int steps_up(struct gv_guest *g, unsigned first, struct gv_err *err)
{
	for (unsigned i = first; i < GV_ARRAY_LEN(steps); i++) {
		uint64_t start = gv_now_ns();
		int rc;

		/* a step that fails half way is taken down too: each can */
		g->steps_done = i + 1;
		rc = steps[i].up(g, err);
		if (rc)
			return gv_fail_prefix(err, "step '%s'", steps[i].name);
		gv_logf(g->log, GV_LOG_DEBUG, "%s: done in %llu us", steps[i].name,
		        (unsigned long long)((gv_now_ns() - start) / GV_US));
	}
	return 0;
}

static void steps_down(struct gv_guest *g)
{
	bool complete = g->steps_done == GV_ARRAY_LEN(steps) && g->runtime;

	for (unsigned i = g->steps_done; i-- > 0;) {
		/* only what was released must be taken back */
		if (steps[i].down && (steps[i].down != take_back || complete))
			steps[i].down(g);
	}
	g->steps_done = 0;
}

/* ---- open and close ---------------------------------------------------------------- */

static void queue_init(struct gv_guest *g, struct gv_guest_queue *q, enum gv_queue_type type,
                       const char *name, unsigned wb_index)
{
	q->g = g;
	q->type = type;
	q->wb_index = wb_index;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	(void)pthread_mutex_init(&q->lock, NULL);
}

static int check_cfg(struct gv_guest_cfg *cfg, struct gv_err *err)
{
	cfg->page_table_levels = cfg->page_table_levels ? cfg->page_table_levels : 3;
	cfg->compute_queues = cfg->compute_queues ? cfg->compute_queues : 2;
	cfg->timeout_ns = cfg->timeout_ns ? cfg->timeout_ns : 10 * GV_S;
	if (cfg->page_table_levels < 3 || cfg->page_table_levels > 4)
		return gv_fail(err, -EINVAL, "%u page-table levels: 3 or 4 are possible",
		               cfg->page_table_levels);
	if (cfg->compute_queues > GV_MAX_COMPUTE)
		return gv_fail(err, -EINVAL, "%u compute queues: 1..%u are possible",
		               cfg->compute_queues, GV_MAX_COMPUTE);
	return 0;
}

static struct gv_guest *guest_new(struct gv_bus *bus, const struct gv_guest_cfg *cfg)
{
	struct gv_guest *g = calloc(1, sizeof(*g));
	unsigned wb = 0;

	if (!g)
		return NULL;
	g->bus = bus;
	g->cfg = *cfg;
	g->log = cfg->log;
	g->ih_fd = -1;
	(void)snprintf(g->driver_version, sizeof(g->driver_version), "%s",
	               cfg->driver_version ? cfg->driver_version : "gpuvisor-guest");
	(void)pthread_mutex_init(&g->mbox_lock, NULL);
	(void)pthread_mutex_init(&g->ih_lock, NULL);
	gv_mbox_vf_init(&g->mbox, NULL);
	queue_init(g, &g->kiq, GV_QUEUE_KIQ, "kiq_2.1.0", wb++);
	for (unsigned i = 0; i < GV_MAX_COMPUTE; i++)
		queue_init(g, &g->compute[i], GV_QUEUE_COMPUTE, "comp", wb++);
	for (unsigned i = 0; i < GV_NUM_SDMA; i++)
		queue_init(g, &g->sdma[i], GV_QUEUE_SDMA, "sdma", wb++);
	return g;
}

static struct gv_guest *guest_free(struct gv_guest *g)
{
	(void)pthread_mutex_destroy(&g->mbox_lock);
	(void)pthread_mutex_destroy(&g->ih_lock);
	(void)pthread_mutex_destroy(&g->kiq.lock);
	for (unsigned i = 0; i < GV_MAX_COMPUTE; i++)
		(void)pthread_mutex_destroy(&g->compute[i].lock);
	for (unsigned i = 0; i < GV_NUM_SDMA; i++)
		(void)pthread_mutex_destroy(&g->sdma[i].lock);
	free(g);
	return NULL;
}

int gv_guest_open(struct gv_bus *bus, const struct gv_guest_cfg *cfg, struct gv_guest **out,
                  struct gv_err *err)
{
	struct gv_guest_cfg checked = cfg ? *cfg : (struct gv_guest_cfg){0};
	struct gv_err local = {0};
	struct gv_guest *g;
	int rc = check_cfg(&checked, err);

	if (rc)
		return rc;
	g = guest_new(bus, &checked);
	if (!g)
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = steps_up(g, 0, &local);
	if (rc) {
		steps_down(g);
		guest_free(g);
		if (err)
			*err = local;
		return rc;
	}
	gv_logf(g->log, GV_LOG_INFO, "up: %llu MiB, %u compute and %u SDMA queues",
	        (unsigned long long)(g->fb_bytes / GV_MIB), g->cfg.compute_queues, GV_NUM_SDMA);
	*out = g;
	return 0;
}

struct gv_guest *gv_guest_close(struct gv_guest *g)
{
	if (!g)
		return NULL;
	steps_down(g);
	return guest_free(g);
}

/* ---- reset ---------------------------------------------------------------------------- */

/* Queues and tables are gone on the device; forget them, keep what lives in our memory. */
static void forget(struct gv_guest *g)
{
	g->kiq.up = false;
	g->kiq.mqd_off = 0;
	for (unsigned i = 0; i < GV_MAX_COMPUTE; i++) {
		g->compute[i].up = false;
		g->compute[i].mqd_off = 0;
	}
	for (unsigned i = 0; i < GV_NUM_SDMA; i++) {
		g->sdma[i].up = false;
		g->sdma[i].mqd_off = 0;
	}
	for (struct gv_guest_vm *vm = g->vms; vm; vm = vm->next)
		vm->pt = gv_pt_free(vm->pt);
	for (struct gv_guest_buf *buf = g->bufs; buf; buf = buf->next) {
		free(buf->extent);
		buf->extent = NULL;
		buf->extents = 0;
	}
	g->ih_up = false;
	g->fault = (struct gv_guest_fault){0};
	gv_vram_down(g);
}

static unsigned step_of(int (*up)(struct gv_guest *, struct gv_err *))
{
	unsigned i = 0;

	while (steps[i].up != up)
		i++;
	return i;
}

/* Get exclusive access with a clean VF behind it. */
static int get_access(struct gv_guest *g, struct gv_err *err)
{
	struct gv_mbox_msg reply = {0};
	int rc;

	g->runtime = false;
	if (atomic_load(&g->flr_pending)) {
		rc = gv_mbox_ready_to_reset(g, err);
		if (rc)
			gv_logf(g->log, GV_LOG_WARN, "%s, asking for access all the same",
			        err ? err->text : "no end of the reset seen");
		g->mbox.runtime = false;
		rc = gv_mbox_request(g, GV_MBOX_REQ_GPU_INIT_ACCESS, &reply, err);
	} else {
		g->mbox.runtime = false;
		rc = gv_mbox_request(g, GV_MBOX_REQ_GPU_RESET_ACCESS, &reply, err);
	}
	if (rc)
		return rc;
	g->key = reply.dw[2];
	g->access = GV_MBOX_ACCESS_INIT; /* ended by REL_GPU_INIT_ACCESS in both cases */
	atomic_store(&g->flr_pending, false);
	atomic_store(&g->mbox_event, false);
	return 0;
}

int gv_guest_recover(struct gv_guest *g, struct gv_err *err)
{
	struct gv_err local = {0};
	int rc;

	forget(g);
	rc = get_access(g, &local);
	if (!rc)
		rc = gv_exchange_read(g, &local);
	if (!rc)
		rc = steps_up(g, step_of(gv_vram_up), &local);
	if (!rc)
		rc = gv_programs_reload(g, &local);
	if (rc) {
		(void)gv_fail_prefix(&local, "recovery");
		if (err)
			*err = local;
		return rc;
	}
	g->resets++;
	gv_logf(g->log, GV_LOG_INFO, "recovered (reset %u)", g->resets);
	return 0;
}

/* ---- what is ----------------------------------------------------------------------------- */

void gv_guest_get_info(struct gv_guest *g, struct gv_guest_info *info)
{
	*info = (struct gv_guest_info){
	        .fb_bytes = g->fb_bytes,
	        .visible_bytes = g->visible_bytes,
	        .aperture_mapped = g->aperture != NULL,
	        .free_bytes = g->vram.free_bytes,
	        .vf_index = g->pf2vf.vf_index,
	        .pf2vf_version = g->pf2vf.version,
	        .feature_flags = g->pf2vf.feature_flags,
	        .reg_access_flags = g->pf2vf.reg_access_flags,
	        .uuid = g->pf2vf.uuid,
	        .gpu_capacity = g->pf2vf.gpu_capacity,
	        .page_table_levels = g->cfg.page_table_levels,
	        .compute_queues = g->cfg.compute_queues,
	        .sdma_queues = GV_NUM_SDMA,
	        .bad_pages = g->bad_pages,
	        .resets = g->resets,
	        .interrupts = atomic_load(&g->interrupts),
	        .ih_overflows = g->ih.overflows,
	        .vm_faults = atomic_load(&g->vm_faults),
	        .cp_errors = atomic_load(&g->cp_errors),
	        .kiq_accesses = atomic_load(&g->kiq_accesses),
	        .tlb_flushes = atomic_load(&g->tlb_flushes),
	};
	(void)snprintf(info->bus, sizeof(info->bus), "%s", g->bus->name);
	(void)snprintf(info->vbios, sizeof(info->vbios), "%s", g->vbios.part_number);
	(void)snprintf(info->vbios_date, sizeof(info->vbios_date), "%s", g->vbios.build_date);
}
