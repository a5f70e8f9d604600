/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <gv/device_model.h>
#include <gv/pf_driver.h>

#include "local_gpu.h"

struct gv_local_gpu {
	struct gv_dev *dev;
	struct gv_bus *pf_bus, *vf_bus[GV_LOCAL_GPU_VFS];
	struct gv_pf *pf;
	struct gv_guest *guest[GV_LOCAL_GPU_VFS];
	pthread_t server;
	bool serving;
	_Atomic bool quit;
};

/* What gpuvisord does, without its socket. */
static void *serve(void *arg)
{
	struct gv_local_gpu *l = arg;
	struct pollfd p = {.fd = gv_pf_irq_fd(l->pf), .events = POLLIN};

	while (!atomic_load(&l->quit)) {
		uint64_t next = 0;

		if (gv_pf_service(l->pf, &next))
			break;
		if (next > gv_now_ns())
			(void)poll(&p, 1, (int)GV_MIN((next - gv_now_ns()) / GV_MS + 1, 10ull));
	}
	return NULL;
}

static int start_pf(struct gv_local_gpu *l, unsigned vfs, struct gv_err *err)
{
	struct gv_cfg cfg = {.num_vfs = vfs};
	struct gv_pf_plan plan;
	int rc = gv_pf_new(l->pf_bus, NULL, &l->pf, err);

	for (unsigned i = 0; i < vfs; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = 1024 / vfs, .quantum_ms = 6, .weight = 1};
	if (!rc)
		rc = gv_pf_boot(l->pf, err);
	if (!rc)
		rc = gv_pf_plan(gv_pf_get_caps(l->pf), &cfg, &plan, err);
	if (!rc)
		rc = gv_pf_apply(l->pf, &plan, 0, err);
	if (!rc && pthread_create(&l->server, NULL, serve, l))
		rc = gv_fail(err, -EAGAIN, "no thread to serve the PF");
	l->serving = !rc;
	return rc;
}

static int start_guest(struct gv_local_gpu *l, unsigned vf, struct gv_err *err)
{
	int rc = gv_dev_bus(l->dev, GV_DEV_VF(vf), &l->vf_bus[vf], err);

	return rc ? rc : gv_guest_open(l->vf_bus[vf], NULL, &l->guest[vf], err);
}

int gv_local_gpu_new_with(unsigned vfs, unsigned threads, struct gv_local_gpu **local,
                          struct gv_err *err)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 2048, .max_vfs = vfs, .engine_threads = threads};
	struct gv_local_gpu *l = calloc(1, sizeof(*l));
	int rc = l ? gv_dev_new(&cfg, NULL, &l->dev, err)
	           : gv_fail(err, -ENOMEM, "no memory for a GPU");

	if (!rc)
		rc = gv_dev_bus(l->dev, GV_DEV_PF, &l->pf_bus, err);
	if (!rc)
		rc = start_pf(l, vfs, err);
	for (unsigned i = 0; i < vfs && !rc; i++)
		rc = start_guest(l, i, err);
	if (rc)
		l = gv_local_gpu_free(l);
	else
		*local = l;
	return rc;
}

int gv_local_gpu_new(struct gv_local_gpu **local, struct gv_err *err)
{
	return gv_local_gpu_new_with(1, 0, local, err);
}

struct gv_local_gpu *gv_local_gpu_free(struct gv_local_gpu *l)
{
	if (!l)
		return NULL;
	for (unsigned i = 0; i < GV_LOCAL_GPU_VFS; i++) {
		l->guest[i] = gv_guest_close(l->guest[i]);
		l->vf_bus[i] = gv_bus_close(l->vf_bus[i]);
	}
	atomic_store(&l->quit, true);
	if (l->serving)
		(void)pthread_join(l->server, NULL);
	l->pf = gv_pf_close(l->pf);
	l->pf_bus = gv_bus_close(l->pf_bus);
	l->dev = gv_dev_free(l->dev);
	free(l);
	return NULL;
}

struct gv_guest *gv_local_gpu_guest(struct gv_local_gpu *l)
{
	return l->guest[0];
}

struct gv_bus *gv_local_gpu_bus(struct gv_local_gpu *l)
{
	return l->vf_bus[0];
}

struct gv_guest *gv_local_gpu_guest_of(struct gv_local_gpu *l, unsigned vf)
{
	return l->guest[vf];
}

int gv_local_gpu_reopen(struct gv_local_gpu *l, unsigned vf, const struct gv_guest_cfg *cfg,
                        struct gv_err *err)
{
	l->guest[vf] = gv_guest_close(l->guest[vf]);
	return gv_guest_open(l->vf_bus[vf], cfg, &l->guest[vf], err);
}

struct gv_bus *gv_local_gpu_pf_bus(struct gv_local_gpu *l)
{
	return l->pf_bus;
}

void gv_local_gpu_stats(struct gv_local_gpu *l, unsigned vf, struct gv_dev_stats *stats)
{
	gv_dev_get_stats(l->dev, GV_DEV_VF(vf), stats);
}
