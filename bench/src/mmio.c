/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F1: one trapped register read, over the socket and in process. */
#include <stdio.h>
#include <string.h>

#include <gv/device_model.h>
#include <gv/hw_spec.h>

#include "bench.h"
#include "procs.h"

#define SAMPLES 20000

/* A vfio-user REGION_READ of 4 bytes: header 16 + 16, answered with header 16 + 16 + 4. */
#define READ_REQUEST_BYTES 32
#define READ_REPLY_BYTES   36

static void read_register(void *bus)
{
	(void)gv_rd32(bus, SCRATCH_REG0__BYTE);
}

static void read_registers_1000(void *bus)
{
	for (int i = 0; i < 1000; i++)
		(void)gv_rd32(bus, SCRATCH_REG0__BYTE);
}

static int over_socket(struct bench *b, const char *where, double limit, struct gv_err *err)
{
	struct bench_row row = {.figure = "F1",
	                        .what = "trapped MMIO read, vfio-user, p50",
	                        .unit = "ns",
	                        .limit = limit,
	                        .smaller_is_better = true};
	struct gv_procs procs;
	struct gv_bus *bus = NULL;
	char uri[160];
	int rc = gv_procs_start(&procs, b->bin_dir, NULL, err);

	if (rc)
		return rc;
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/pf.sock", procs.dir);
	rc = gv_bus_open(uri, NULL, NULL, &bus, err);
	if (rc == 0) {
		row.ours = bench_latency(read_register, bus, SAMPLES);
		(void)snprintf(row.conditions, sizeof(row.conditions),
		               "%s; limit: raw unix-socket ping-pong of the same %d + %d bytes",
		               where, READ_REQUEST_BYTES, READ_REPLY_BYTES);
		bench_add(b, &row);
	}
	bus = gv_bus_close(bus);
	gv_procs_stop(&procs);
	return rc;
}

static int in_process(struct bench *b, double limit, struct gv_err *err)
{
	struct bench_row row = {.figure = "F1",
	                        .what = "MMIO read, in process",
	                        .unit = "ns",
	                        .limit = limit,
	                        .smaller_is_better = true,
	                        .conditions = "one core, mean of 1000; limit: as above"};
	struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1};
	struct gv_dev *dev = NULL;
	struct gv_bus *bus = NULL;
	int rc = gv_dev_new(&cfg, NULL, &dev, err);

	if (rc == 0)
		rc = gv_dev_bus(dev, GV_DEV_PF, &bus, err);
	if (rc == 0) {
		row.ours = bench_best(read_registers_1000, bus) / 1000;
		bench_add(b, &row);
	}
	bus = gv_bus_close(bus);
	dev = gv_dev_free(dev);
	return rc;
}

int bench_mmio(struct bench *b, struct gv_err *err)
{
	struct bench_raw_sock *raw = NULL;
	double limit;
	int rc;

	bench_pin(0);
	rc = bench_raw_sock_new(READ_REQUEST_BYTES, READ_REPLY_BYTES, &raw);
	if (rc)
		return gv_fail(err, rc, "raw socket: %s", strerror(-rc));
	limit = bench_latency(bench_raw_sock_round_trip, raw, SAMPLES);
	raw = bench_raw_sock_free(raw);
	rc = over_socket(b, "both ends on one core, blocking", limit, err);
	if (rc == 0)
		rc = in_process(b, limit, err);
	bench_pin(-1);
	return rc;
}
