/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F1: trapped register accesses, over the socket and in process. */
#include <stdio.h>
#include <string.h>

#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/vfio.h>

#include "bench.h"
#include "procs.h"

#define SAMPLES 5000
#define BATCHES 100
#define CALLS   1000

/* A vfio-user REGION_READ of 4 bytes: header 16 + 16, answered with header 16 + 16 + 4. */
#define READ_REQUEST_BYTES 32
#define READ_REPLY_BYTES   36

static int read_register(void *bus)
{
	(void)gv_rd32(bus, SCRATCH_REG0__BYTE);
	return gv_bus_status(bus);
}

static int read_registers(void *bus)
{
	for (int i = 0; i < CALLS; i++)
		(void)gv_rd32(bus, SCRATCH_REG0__BYTE);
	return gv_bus_status(bus);
}

static int post_writes(void *bus)
{
	for (uint32_t i = 0; i < BENCH_POSTS; i++)
		gv_wr32(bus, SCRATCH_REG0__BYTE, i);
	return read_register(bus);
}

static void add(struct bench *b, const char *what, const char *unit, double ours, double limit,
                double peer, const char *conditions)
{
	struct bench_row row = {.figure = "F1",
	                        .what = what,
	                        .unit = unit,
	                        .ours = ours,
	                        .limit = limit,
	                        .peer = peer};

	(void)snprintf(row.conditions, sizeof(row.conditions), "%s", conditions);
	bench_add(b, &row);
}

/* Our own client, both ends on one CPU. */
static int with_our_client(struct bench *b, const char *path, struct bench_raw_sock *raw,
                           struct gv_err *err)
{
	struct gv_bus *bus = NULL;
	int rc = gv_vfu_open(path, NULL, NULL, &bus, err);
	struct bench_probe p[] = {
	        {.run = bench_raw_sock_call, .arg = raw, .samples = SAMPLES},
	        {.run = read_register, .arg = bus, .samples = SAMPLES},
	        {.run = bench_raw_sock_posts, .arg = raw, .samples = BATCHES, .rate = true},
	        {.run = post_writes, .arg = bus, .samples = BATCHES, .rate = true},
	};

	if (rc)
		return rc;
	rc = bench_measure(p, GV_ARRAY_LEN(p));
	bus = gv_bus_close(bus);
	if (rc)
		return gv_fail(err, rc, "measuring: %s", strerror(-rc));
	add(b, "trapped MMIO read, vfio-user, p50", "ns", p[1].ns, p[0].ns, 0,
	    "both ends on one CPU, blocking; limit: raw unix-socket ping-pong of the same 32 + 36 "
	    "bytes");
	add(b, "trapped MMIO write, vfio-user, posted", "1/s", BENCH_POSTS * 1e9 / p[3].ns,
	    BENCH_POSTS * 1e9 / p[2].ns, 0,
	    "both ends on one CPU; 256 writes, then a read; limit: the same bytes on a raw socket");
	return 0;
}

/* The bare protocol: the same client for us and for the peer. */
static int with_bare_client(struct bench *b, const char *path, struct bench_raw_sock *raw,
                            struct gv_err *err)
{
	struct bench_wire *ours = NULL, *peer = NULL;
	int rc = bench_wire_open(path, GV_REGION_MMIO, SCRATCH_REG0__BYTE, &ours, err);
	char conditions[160];

	if (!rc && b->peer_socket)
		rc = bench_wire_open(b->peer_socket, GV_REGION_VRAM, 0, &peer, err);
	struct bench_probe p[] = {
	        {.run = bench_raw_sock_call, .arg = raw, .samples = SAMPLES},
	        {.run = bench_wire_read, .arg = ours, .samples = SAMPLES},
	        {.run = bench_raw_sock_burst, .arg = raw, .samples = BATCHES, .rate = true},
	        {.run = bench_wire_burst, .arg = ours, .samples = BATCHES, .rate = true},
	        {.run = bench_wire_read, .arg = peer, .samples = SAMPLES},
	        {.run = bench_wire_burst, .arg = peer, .samples = BATCHES, .rate = true},
	};

	if (!rc && (rc = bench_measure(p, peer ? 6 : 4)) != 0)
		(void)gv_fail(err, rc, "measuring: %s", strerror(-rc));
	(void)snprintf(conditions, sizeof(conditions), "one CPU, blocking; limit: raw socket%s%s",
	               peer ? "; peer: BAR0 of its " : "",
	               !peer                       ? ""
	               : bench_wire_same_cpu(peer) ? "server, same CPU"
	                                           : "server, NOT bound to our CPU");
	ours = bench_wire_close(ours);
	peer = bench_wire_close(peer);
	if (rc)
		return rc;
	add(b, "trapped MMIO read, bare protocol client, p50", "ns", p[1].ns, p[0].ns, p[4].ns,
	    conditions);
	add(b, "trapped MMIO reads, 32 in flight", "1/s", BENCH_BURST * 1e9 / p[3].ns,
	    BENCH_BURST * 1e9 / p[2].ns, p[5].ns > 0 ? BENCH_BURST * 1e9 / p[5].ns : 0, conditions);
	return 0;
}

static int on_one_cpu(struct bench *b, struct gv_err *err)
{
	struct bench_raw_sock *raw = NULL;
	struct gv_procs procs = {0};
	char path[160];
	int rc;

	bench_pin(0);
	rc = bench_raw_sock_new(READ_REQUEST_BYTES, READ_REPLY_BYTES, 0, false, &raw);
	if (rc)
		return gv_fail(err, rc, "raw socket: %s", strerror(-rc));
	rc = gv_procs_start(&procs, b->bin_dir, NULL, err);
	(void)snprintf(path, sizeof(path), "%s/gpu/pf.sock", procs.dir);
	if (!rc)
		rc = with_our_client(b, path, raw, err);
	if (!rc)
		rc = with_bare_client(b, path, raw, err);
	gv_procs_stop(&procs);
	bench_raw_sock_free(raw);
	return rc;
}

/* No one sleeps: what the transport costs when each end has a CPU for itself. */
static int on_two_cpus(struct bench *b, struct gv_err *err)
{
	const struct gv_vfu_opts opts = {.spin_us = 1000};
	struct bench_raw_sock *raw = NULL;
	struct gv_procs procs = {0};
	struct gv_bus *bus = NULL;
	char path[160];
	int rc;

	bench_pin(1);
	rc = gv_procs_start_gpu(&procs, b->bin_dir, "--spin-us", "1000", err);
	bench_pin(0);
	(void)snprintf(path, sizeof(path), "%s/gpu/pf.sock", procs.dir);
	if (!rc)
		rc = gv_vfu_open(path, &opts, NULL, &bus, err);
	if (!rc && (rc = bench_raw_sock_new(READ_REQUEST_BYTES, READ_REPLY_BYTES, 1, true, &raw)))
		(void)gv_fail(err, rc, "raw socket: %s", strerror(-rc));
	struct bench_probe limit = {.run = bench_raw_sock_call, .arg = raw, .samples = SAMPLES};
	struct bench_probe ours = {.run = read_register, .arg = bus, .samples = SAMPLES};

	/* one after the other: both answering sides would spin on the same CPU */
	if (!rc && (rc = bench_measure(&limit, 1)) != 0)
		(void)gv_fail(err, rc, "measuring: %s", strerror(-rc));
	raw = bench_raw_sock_free(raw);
	if (!rc && (rc = bench_measure(&ours, 1)) != 0)
		(void)gv_fail(err, rc, "measuring: %s", strerror(-rc));
	bus = gv_bus_close(bus);
	gv_procs_stop(&procs);
	if (!rc)
		add(b, "trapped MMIO read, vfio-user, both ends spin, p50", "ns", ours.ns, limit.ns,
		    0, "two CPUs, --spin-us; limit: raw unix-socket ping-pong, both ends spin");
	return rc;
}

static int in_process(struct bench *b, struct gv_err *err)
{
	struct gv_dev_cfg cfg = {.vram_mib = 256, .max_vfs = 1};
	struct gv_dev *dev = NULL;
	struct gv_bus *bus = NULL;
	int rc = gv_dev_new(&cfg, NULL, &dev, err);

	if (rc == 0)
		rc = gv_dev_bus(dev, GV_DEV_PF, &bus, err);
	if (rc == 0) {
		struct bench_probe p = {.run = read_registers, .arg = bus, .samples = BATCHES};

		rc = bench_measure(&p, 1);
		if (rc)
			(void)gv_fail(err, rc, "measuring: %s", strerror(-rc));
		else
			add(b, "MMIO read, in process", "ns", p.ns / CALLS, 0, 0,
			    "one CPU, mean of 1000 calls through the bus, p50 of those");
	}
	bus = gv_bus_close(bus);
	dev = gv_dev_free(dev);
	return rc;
}

int bench_mmio(struct bench *b, struct gv_err *err)
{
	int rc = on_one_cpu(b, err);

	if (rc == 0 && bench_cpus() > 1)
		rc = on_two_cpus(b, err);
	bench_pin(0);
	if (rc == 0)
		rc = in_process(b, err);
	bench_pin(-1);
	return rc;
}
