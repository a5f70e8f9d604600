/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F7: VFs come, are reset, and go; what a queue's life costs the guest. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define VFS         8
#define SLICE_MB    256
#define SLICE_BYTES (SLICE_MB * GV_MIB)

/* @limit_ns 0: there is none. */
static void add(struct bench *b, const char *what, double ns, double limit_ns,
                const char *conditions)
{
	struct bench_row row = {
	        .figure = "F7", .what = what, .unit = "ns", .ours = ns, .limit = limit_ns};

	(void)snprintf(row.conditions, sizeof(row.conditions), "%s", conditions);
	bench_add(b, &row);
}

/* ---- the PF's side, in process ------------------------------------------------- */

struct host {
	struct gv_pf *pf;
	struct gv_pf_plan plan;
	uint8_t *shared; /* as much as a slice, of the kind that VRAM is made of */
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

/* The whole slice, by something that is not zero. */
static int touch(void *arg)
{
	struct host *h = arg;

	memset(h->shared, 0x5a, SLICE_BYTES);
	return gv_pf_vram_write(h->pf, h->plan.vf[1].fb_offset_mib * GV_MIB, h->shared,
	                        SLICE_BYTES);
}

static int clear(void *arg)
{
	struct host *h = arg;

	memset(h->shared, 0, SLICE_BYTES);
	return 0;
}

static int measure_resets(struct bench *b, struct host *h)
{
	struct bench_probe flr = {.run = reset, .arg = h, .samples = 3};
	struct bench_probe used[] = {{.run = reset, .before = touch, .arg = h, .samples = 3},
	                             {.run = clear, .before = touch, .arg = h, .samples = 3}};
	int rc = bench_measure(&flr, 1);

	if (!rc)
		rc = bench_measure(used, GV_ARRAY_LEN(used));
	if (rc)
		return rc;
	add(b, "reset of a VF, its 256 MiB scrubbed", flr.ns, 0,
	    "PF driver in process, no guest to be told, frame buffer not in use");
	add(b, "reset of a VF, all of its 256 MiB was written", used[0].ns, used[1].ns,
	    "the same; limit: memset of as much shared memory, every page there");
	return 0;
}

static int measure_host(struct bench *b, struct host *h)
{
	struct gv_cfg cfg = {.num_vfs = VFS};
	struct bench_probe apply = {.run = enable, .before = disable, .arg = h, .samples = 3};
	int rc = gv_pf_boot(h->pf, h->err);

	for (unsigned i = 0; i < VFS; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = SLICE_MB, .quantum_ms = 6, .weight = 1};
	if (!rc)
		rc = gv_pf_plan(gv_pf_get_caps(h->pf), &cfg, &h->plan, h->err);
	if (!rc)
		rc = bench_measure(&apply, 1);
	if (rc)
		return rc;
	add(b, "enable 8 VFs of 256 MiB", apply.ns, 0,
	    "PF driver in process: slices, second-level tables, scrub, exchange pages, SR-IOV, "
	    "read-back");
	return measure_resets(b, h);
}

static int map_shared(uint8_t **p)
{
	gv_auto_fd int fd = memfd_create("bench-slice", MFD_CLOEXEC);
	void *at = fd < 0 || ftruncate(fd, SLICE_BYTES)
	                   ? MAP_FAILED
	                   : mmap(NULL, SLICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*p = at;
	return 0;
}

static int host_side(struct bench *b, struct gv_err *err)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 4096, .max_vfs = VFS};
	struct host h = {.err = err};
	struct gv_bus *bus = NULL;
	struct gv_dev *dev = NULL;
	int rc = map_shared(&h.shared);

	if (!rc)
		rc = gv_dev_new(&cfg, NULL, &dev, err);
	if (!rc)
		rc = gv_dev_bus(dev, GV_DEV_PF, &bus, err);
	if (!rc)
		rc = gv_pf_new(bus, NULL, &h.pf, err);
	if (!rc)
		rc = measure_host(b, &h);
	h.pf = gv_pf_close(h.pf);
	bus = gv_bus_close(bus);
	dev = gv_dev_free(dev);
	if (h.shared)
		(void)munmap(h.shared, SLICE_BYTES);
	return rc;
}

/* ---- the PF's side, as it is run: gpuvisord, asked on its socket ------------------- */

struct daemon {
	struct gv_procs procs;
	int fd;
	FILE *answers; /* of fd */
	char apply[512];
	struct gv_err *err;
};

/* One line each way; what is told meanwhile has no id. */
static int ask(struct daemon *d, const char *request)
{
	gv_auto_free char *line = NULL;
	size_t room = 0;

	if (send(d->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return gv_fail(d->err, -EIO, "gpuvisord does not listen");
	while (getline(&line, &room, d->answers) > 0)
		if (strstr(line, "\"id\""))
			return strstr(line, "\"error\"")
			               ? gv_fail(d->err, -EIO, "gpuvisord: %.200s", line)
			               : 0;
	return gv_fail(d->err, -EIO, "gpuvisord does not answer");
}

static int ask_enable(void *arg)
{
	struct daemon *d = arg;

	return ask(d, d->apply);
}

static int ask_disable(void *arg)
{
	return ask(arg, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"disable\"}\n");
}

static int ask_reset(void *arg)
{
	return ask(arg, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vf.reset\",\"params\":{"
	                "\"vf\":1}}\n");
}

static int connect_daemon(struct daemon *d)
{
	char path[sizeof(d->procs.dir) + 16];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/gpuvisor.sock", d->procs.dir);
	rc = bench_dial(path, &d->fd);
	if (!rc) {
		d->answers = fdopen(d->fd, "r");
		rc = d->answers ? 0 : -errno;
	}
	return rc ? gv_fail(d->err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static void hang_up(struct daemon *d)
{
	if (d->answers)
		(void)fclose(d->answers);
	else
		gv_closep(&d->fd);
}

static void write_request(struct daemon *d)
{
	size_t n = (size_t)snprintf(d->apply, sizeof(d->apply),
	                            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"apply\",\"params\":"
	                            "{\"profile\":{\"num_vfs\":%d,\"vfs\":[",
	                            VFS);

	for (unsigned i = 0; i < VFS; i++)
		n += (size_t)snprintf(d->apply + n, sizeof(d->apply) - n, "%s{\"fb_mib\":%d}",
		                      i ? "," : "", SLICE_MB);
	(void)snprintf(d->apply + n, sizeof(d->apply) - n, "]}}}\n");
}

static int daemon_side(struct bench *b, struct gv_err *err)
{
	struct daemon d = {.fd = -1, .err = err};
	struct bench_probe apply = {
	        .run = ask_enable, .before = ask_disable, .arg = &d, .samples = 3};
	struct bench_probe flr = {.run = ask_reset, .arg = &d, .samples = 3};
	int rc = gv_procs_start(&d.procs, b->bin_dir, GV_PROFILE_DIR "/uneven-2.json", err);

	write_request(&d);
	if (!rc)
		rc = connect_daemon(&d);
	if (!rc)
		rc = bench_measure(&apply, 1);
	if (!rc)
		rc = bench_measure(&flr, 1);
	hang_up(&d);
	gv_procs_stop(&d.procs);
	if (rc)
		return rc;
	add(b, "enable 8 VFs of 256 MiB, over vfio-user", apply.ns, 0,
	    "apply asked of gpuvisord on its socket, gpuvisor-gpu a process of its own");
	add(b, "reset of a VF of 256 MiB, over vfio-user", flr.ns, 0,
	    "the same; no guest to be told, frame buffer not in use");
	return 0;
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
	add(b, "KIQ ring test: packet, doorbell, memory", ring.ns, 0,
	    "VF0 over vfio-user, all CPUs, p50");
	add(b, "guest asks for a reset until all queues are back", back.ns, 0,
	    "VF0 of 2 GiB over vfio-user: handshake, reset, scrub, bring-up, KIQ and ring tests");
	return 0;
}

int bench_lifecycle(struct bench *b, struct gv_err *err)
{
	int rc = host_side(b, err);

	if (!rc)
		rc = daemon_side(b, err);
	if (!rc)
		rc = guest_side(b, err);
	return rc && !err->code ? gv_fail(err, rc, "measuring: %s", strerror(-rc)) : rc;
}
