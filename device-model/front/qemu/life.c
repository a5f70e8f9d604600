/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resets, VF Enable and the end of the GPU wait for engines, and engines may wait for the BQL. So
 * this thread does them, which never takes the BQL for long and never while it waits.
 *
 * Requests are states, not a queue: a guest that asks a thousand times costs no memory.
 */
#include "front.h"

/* A reset is bounded by the engines' slices, milliseconds. Longer than this is a mistake of ours,
 * and an access is better answered than left hanging. */
#define GVQ_SETTLE_S 5

static void ask(struct gvq_front *front, const struct gvq_wanted *what)
{
	struct gvq_wanted *w = &front->wanted;

	(void)pthread_mutex_lock(&front->job_lock);
	w->resets |= what->resets;
	if (what->resets & (1u << GV_DEV_PF)) /* takes the VFs with it, also those yet to come */
		w->vfs = w->drop_vfs_first = false;
	if (what->vfs) {
		w->drop_vfs_first |= what->num_vfs == 0;
		w->vfs = true;
		w->num_vfs = what->num_vfs;
	}
	w->soft_flr |= what->soft_flr;
	(void)atomic_fetch_add(&front->asked, 1);
	(void)pthread_cond_broadcast(&front->job_cond);
	(void)pthread_mutex_unlock(&front->job_lock);
}

void gvq_ask_reset(struct gvq_front *front, unsigned func)
{
	ask(front, &(struct gvq_wanted){.resets = 1u << func});
}

void gvq_ask_vfs(struct gvq_front *front, unsigned num_vfs)
{
	ask(front, &(struct gvq_wanted){.vfs = true, .num_vfs = num_vfs});
}

void gvq_ask_soft_flr(struct gvq_front *front)
{
	ask(front, &(struct gvq_wanted){.soft_flr = true});
}

/* ---- doing it --------------------------------------------------------------- */

static void write_config(struct gvq_front *front, unsigned at, uint32_t val, size_t n)
{
	(void)gv_dev_write(front->dev, GV_DEV_PF, GV_REGION_CONFIG, at, &val, n);
}

/* As software would: NumVFs may only change while VF Enable is off. */
static void set_vfs(struct gvq_front *front, unsigned num_vfs)
{
	write_config(front, GV_CFG_SRIOV + PCI_SRIOV_CTRL, 0, 2);
	write_config(front, GV_CFG_SRIOV + PCI_SRIOV_NUM_VF, num_vfs, 2);
	if (num_vfs)
		write_config(front, GV_CFG_SRIOV + PCI_SRIOV_CTRL,
		             PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI, 2);
}

static void carry_out(struct gvq_front *front, const struct gvq_wanted *w)
{
	if (w->resets & (1u << GV_DEV_PF))
		(void)gv_dev_reset(front->dev, GV_DEV_PF);
	if (w->soft_flr)
		write_config(front, GV_CFG_GPUIOV + GIOV_RESET_CONTROL__OFF,
		             GV_PUT(GIOV_RESET_CONTROL, SOFT_PF_FLR, 1), 4);
	if (w->vfs && w->drop_vfs_first)
		set_vfs(front, 0);
	if (w->vfs && gv_dev_num_vfs(front->dev) != w->num_vfs)
		set_vfs(front, w->num_vfs);
	for (unsigned func = GV_DEV_VF(0); func < GV_DEV_MAX_FUNCS; func++)
		if (w->resets & (1u << func))
			(void)gv_dev_reset(front->dev, func); /* -ENODEV: it came and went */
}

/* Nobody but engines, and whoever began before, knows the front any more. */
static void end(struct gvq_front *front)
{
	synchronize_rcu(); /* vCPUs that are still inside one of our BARs */
	front->dev = gv_dev_free(front->dev);
	bql_lock(); /* or the main loop might be in it */
	qemu_bh_delete(front->bh);
	bql_unlock();
	gvq_windows_done(front);
	(void)pthread_mutex_destroy(&front->job_lock);
	(void)pthread_mutex_destroy(&front->map_lock);
	(void)pthread_cond_destroy(&front->job_cond);
	free(front);
}

static void *run(void *arg)
{
	struct gvq_front *front = arg;
	struct gvq_wanted now;
	uint64_t upto;

	(void)pthread_mutex_lock(&front->job_lock);
	while (!front->quit) {
		upto = atomic_load(&front->asked);
		if (upto == atomic_load(&front->done)) {
			(void)pthread_cond_wait(&front->job_cond, &front->job_lock);
			continue;
		}
		now = front->wanted;
		front->wanted = (struct gvq_wanted){0};
		(void)pthread_mutex_unlock(&front->job_lock);
		carry_out(front, &now);
		(void)pthread_mutex_lock(&front->job_lock);
		atomic_store(&front->done, upto);
		(void)pthread_cond_broadcast(&front->job_cond);
	}
	(void)pthread_mutex_unlock(&front->job_lock);
	end(front);
	return NULL;
}

void gvq_settle(struct gvq_front *front)
{
	uint64_t upto = atomic_load(&front->asked);
	struct timespec until;
	int rc = 0;

	if (atomic_load(&front->done) >= upto)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GVQ_SETTLE_S;
	(void)pthread_mutex_lock(&front->job_lock);
	while (atomic_load(&front->done) < upto && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&front->job_cond, &front->job_lock, &until);
	(void)pthread_mutex_unlock(&front->job_lock);
	if (rc == ETIMEDOUT)
		gv_logf(&front->log, GV_LOG_ERR, "a reset takes longer than %d s", GVQ_SETTLE_S);
}

/* ---- the thread -------------------------------------------------------------- */

bool gvq_life_start(struct gvq_front *front, Error **errp)
{
	pthread_condattr_t mono;
	pthread_t thread;
	sigset_t all, old;
	int rc;

	(void)pthread_mutex_init(&front->job_lock, NULL);
	(void)pthread_condattr_init(&mono);
	(void)pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&front->job_cond, &mono);
	(void)pthread_condattr_destroy(&mono);
	(void)sigfillset(&all); /* signals are QEMU's main thread's */
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&thread, NULL, run, front);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		error_setg_errno(errp, rc, "gpuvisor-gpu: no thread");
		return false;
	}
	(void)pthread_detach(thread);
	return true;
}

void gvq_life_quit(struct gvq_front *front)
{
	(void)pthread_mutex_lock(&front->job_lock);
	front->quit = true;
	(void)pthread_cond_broadcast(&front->job_cond);
	(void)pthread_mutex_unlock(&front->job_lock);
}
