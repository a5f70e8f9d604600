/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F7: VFs come, are reset, and go; what a queue's life costs the guest. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define VFS      8
#define SLICE_MB 256

static void add(struct bench *b, const char *what, double ns, const char *conditions)
{
	struct bench_row row = {.figure = "F7", .what = what, .unit = "ns", .ours = ns};

	(void)snprintf(row.conditions, sizeof(row.conditions), "%s", conditions);
	bench_add(b, &row);
}

/* ---- the PF's side, in process ------------------------------------------------- */

struct host {
	struct gv_pf *pf;
	struct gv_pf_plan plan;
	struct gv_err *err;
};

static int enable(void *arg)
{
	struct host *h = arg;

	return gv_pf_apply(h->pf, &h->plan, 0, h->err);
}

static int disable(void *arg)
{
	struct host *h = arg;

	return gv_pf_disable(h->pf, GV_PF_APPLY_FORCE, h->err);
}

static int reset(void *arg)
{
	struct host *h = arg;

	return gv_pf_vf_reset_wait(h->pf, 1, 0, 10 * GV_S, h->err);
}

static int measure_host(struct bench *b, struct host *h)
{
	struct gv_cfg cfg = {.num_vfs = VFS};
	struct bench_probe apply = {.run = enable, .before = disable, .arg = h, .samples = 3};
	struct bench_probe flr = {.run = reset, .arg = h, .samples = 3};
	int rc = gv_pf_boot(h->pf, h->err);

	for (unsigned i = 0; i < VFS; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = SLICE_MB, .quantum_ms = 6, .weight = 1};
	if (!rc)
		rc = gv_pf_plan(gv_pf_get_caps(h->pf), &cfg, &h->plan, h->err);
	if (!rc)
		rc = bench_measure(&apply, 1);
	if (!rc)
		rc = bench_measure(&flr, 1);
	if (rc)
		return rc;
	add(b, "enable 8 VFs of 256 MiB", apply.ns,
	    "PF driver in process: slices, second-level tables, scrub, exchange pages, SR-IOV, "
	    "read-back");
	add(b, "reset of a VF, its 256 MiB scrubbed", flr.ns,
	    "PF driver in process, no guest to be told, frame buffer not in use");
	return 0;
}

static int host_side(struct bench *b, struct gv_err *err)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 4096, .max_vfs = VFS};
	struct host h = {.err = err};
	struct gv_bus *bus = NULL;
	struct gv_dev *dev = NULL;
	int rc = gv_dev_new(&cfg, NULL, &dev, err);

	if (!rc)
		rc = gv_dev_bus(dev, GV_DEV_PF, &bus, err);
	if (!rc)
		rc = gv_pf_new(bus, NULL, &h.pf, err);
	if (!rc)
		rc = measure_host(b, &h);
	h.pf = gv_pf_close(h.pf);
	bus = gv_bus_close(bus);
	dev = gv_dev_free(dev);
	return rc;
}

/* ---- the guest's side, over vfio-user -------------------------------------------- */

struct guest {
	struct gv_guest *guest;
	struct gv_err *err;
};

static int kiq(void *arg)
{
	struct guest *g = arg;

	return gv_guest_kiq_test(g->guest, g->err);
}

static int recover(void *arg)
{
	struct guest *g = arg;

	return gv_guest_recover(g->guest, g->err);
}

static int guest_side(struct bench *b, struct gv_err *err)
{
	struct bench_stack *stack;
	struct guest g = {.err = err};
	struct bench_probe ring = {.run = kiq, .arg = &g, .samples = 200};
	struct bench_probe back = {.run = recover, .arg = &g, .samples = 1};
	int rc = bench_stack_get(b, -1, &stack, err);

	if (rc)
		return rc;
	g.guest = stack->guest;
	rc = bench_measure(&ring, 1);
	if (!rc)
		rc = bench_measure(&back, 1);
	if (rc)
		return rc;
	add(b, "KIQ ring test: packet, doorbell, memory", ring.ns,
	    "VF0 over vfio-user, all CPUs, p50");
	add(b, "guest asks for a reset until all queues are back", back.ns,
	    "VF0 of 2 GiB over vfio-user: handshake, reset, scrub, bring-up, KIQ and ring tests");
	return 0;
}

int bench_lifecycle(struct bench *b, struct gv_err *err)
{
	int rc = host_side(b, err);

	if (!rc)
		rc = guest_side(b, err);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}
