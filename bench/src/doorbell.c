/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * F2: a store to a mapped doorbell until the device has acted on it. The doorbell is that of the
 * interrupt ring's read pointer, because its effect can be read back: IH_RB_RPTR.
 */
#include <stdio.h>
#include <string.h>

#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>

#include "bench.h"

#define SAMPLES 2000

struct ring {
	struct gv_bus *bus;
	uint64_t *doorbell;
	uint32_t val;
};

static int ring_mapped(void *arg)
{
	struct ring *r = arg;
	uint64_t deadline = 0;

	r->val = (r->val + 32) & 0xffff;
	__atomic_store_n(r->doorbell, r->val, __ATOMIC_RELEASE);
	for (unsigned i = 0; gv_rd32(r->bus, IH_RB_RPTR__BYTE) != r->val; i++) {
		if (i % 1024 != 1023)
			continue;
		if (!deadline)
			deadline = gv_now_ns() + GV_S;
		else if (gv_now_ns() > deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

static int ring_trapped(void *arg)
{
	struct ring *r = arg;

	r->val = (r->val + 32) & 0xffff;
	gv_doorbell64(r->bus, GV_DOORBELL_IH * 4, r->val);
	return gv_rd32(r->bus, IH_RB_RPTR__BYTE) == r->val ? 0 : -EIO;
}

static int measure(struct bench *b, struct gv_bus *bus, struct gv_err *err)
{
	struct ring r = {.bus = bus};
	struct bench_raw_pair *raw = NULL;
	struct bench_row row = {.figure = "F2", .unit = "ns"};
	struct bench_probe p[] = {{.run = bench_raw_pair_call, .samples = SAMPLES},
	                          {.run = ring_mapped, .arg = &r, .samples = SAMPLES},
	                          {.run = ring_trapped, .arg = &r, .samples = SAMPLES}};
	void *at;
	int rc = gv_bus_map(bus, GV_REGION_DOORBELL, GV_DOORBELL_IH * 4, sizeof(uint64_t), &at);

	if (!rc)
		rc = bench_raw_pair_new(true, 1, &raw);
	if (rc)
		return gv_fail(err, rc, "setting up: %s", strerror(-rc));
	r.doorbell = at;
	gv_wr32(bus, IH_DOORBELL_RPTR__BYTE,
	        GV_PUT(IH_DOORBELL_RPTR, OFFSET, GV_DOORBELL_IH) |
	                GV_PUT(IH_DOORBELL_RPTR, ENABLE, 1));
	p[0].arg = raw;
	rc = bench_measure(p, 1);
	raw = bench_raw_pair_free(raw); /* its thread would keep the poller from its CPU */
	if (!rc)
		rc = bench_measure(p + 1, 2);
	if (rc)
		return gv_fail(err, rc, "measuring: %s", strerror(-rc));
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "in process, page mapped, poller awake on another CPU; limit: two threads "
	               "answering each other through memory");
	row.what = "store to a mapped doorbell until the device acted, p50";
	row.ours = p[1].ns;
	row.limit = p[0].ns;
	bench_add(b, &row);
	(void)snprintf(row.conditions, sizeof(row.conditions),
	               "in process, on the caller's thread");
	row.what = "trapped doorbell until the device acted, p50";
	row.ours = p[2].ns;
	row.limit = 0;
	bench_add(b, &row);
	return 0;
}

int bench_doorbell(struct bench *b, struct gv_err *err)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1};
	struct gv_dev *dev = NULL;
	struct gv_bus *bus = NULL;
	int rc;

	if (bench_cpus() < 2)
		return 0; /* nothing to measure: the poller and we would take turns */
	bench_pin(1);
	rc = gv_dev_new(&cfg, NULL, &dev, err); /* its threads stay on that CPU */
	bench_pin(0);
	if (rc == 0)
		rc = gv_dev_bus(dev, GV_DEV_PF, &bus, err);
	if (rc == 0)
		rc = measure(b, bus, err);
	bus = gv_bus_close(bus);
	dev = gv_dev_free(dev);
	bench_pin(-1);
	return rc;
}
