/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt: the watcher's events go to the GPU thread; questions of the GPU thread are answered
 * by a worker, because libvirt may take its time.
 *
 *   watcher --event--> GPU thread --check--> worker --gone--> GPU thread
 *        \--connected--> worker: this start's token into the definitions
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gpuvisord.h"

#define DEFAULT_URI "qemu:///system"
#define STOP_S      10

struct task {
	struct task *next;
	bool refresh; /* the token; else look after a claim: */
	unsigned vf;
	uint32_t claims;
	struct gv_glue_bdf bdf;
	struct gv_pool_vf claim;
};

struct virt {
	struct daemon *d;
	const char *uri;
	struct gv_virt_watch *watch;
	pthread_t worker;
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct task *tasks, **tasks_end;
	bool stop;
};

static void ask(struct virt *v, const struct task *task)
{
	struct task *t = malloc(sizeof(*t));

	if (!t)
		return; /* a claim stays that nobody needs: an admin can release it */
	*t = *task;
	t->next = NULL;
	(void)pthread_mutex_lock(&v->lock);
	*v->tasks_end = t;
	v->tasks_end = &t->next;
	(void)pthread_cond_signal(&v->some);
	(void)pthread_mutex_unlock(&v->lock);
}

void virt_check_claim(struct daemon *d, unsigned vf, const struct gv_glue_bdf *bdf,
                      const char *owner, uint32_t claims)
{
	struct task t = {.vf = vf, .claims = claims, .bdf = *bdf};

	snprintf(t.claim.owner, sizeof(t.claim.owner), "%s", owner);
	if (d->virt)
		ask(d->virt, &t);
}

/* ---- events: on the watcher's thread -------------------------------------------------- */

static void on_event(void *arg, const struct gv_virt_event *event)
{
	struct virt *v = arg;
	struct virt_message m = {.kind = VIRT_EVENT, .event = *event};

	if (event->kind == GV_VIRT_CONNECTED) {
		gv_logf(&v->d->log, GV_LOG_INFO, "libvirt: connected to %s", v->uri);
		ask(v, &(struct task){.refresh = true});
	}
	if (event->kind == GV_VIRT_DISCONNECTED)
		gv_logf(&v->d->log, GV_LOG_WARN,
		        "libvirt: %s does not answer; domains run on, trying again", v->uri);
	gpu_virt_message(v->d, &m);
}

/* ---- the worker -------------------------------------------------------------------------- */

static int refresh_token(struct virt *v, struct gv_virt *virt, struct gv_err *err)
{
	char text[GV_PF_TOKEN_TEXT];
	struct gv_glue_bdf pf;
	unsigned changed = 0;
	int rc;

	if (!v->d->token || gv_glue_bdf_parse(pf_address(v->d), &pf))
		return 0;
	gv_pf_token_text(v->d->token, text);
	rc = gv_virt_refresh_token(virt, v->d->opt.sysfs, &pf, text, NULL, &changed, err);
	explicit_bzero(text, sizeof(text));
	if (!rc && changed)
		gv_logf(&v->d->log, GV_LOG_INFO, "libvirt: %u definitions have the new VF token",
		        changed);
	return rc;
}

static bool same(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

static int check_claim(struct virt *v, struct gv_virt *virt, const struct task *t,
                       struct gv_err *err)
{
	const struct virt_message gone = {.kind = VIRT_GONE, .vf = t->vf, .claims = t->claims};
	gv_auto_free struct gv_virt_vf *list = NULL;
	size_t count = 0;
	int rc = gv_virt_list(virt, &list, &count, err);

	for (size_t i = 0; !rc && i < count; i++)
		if (same(&list[i].bdf, &t->bdf) &&
		    gv_pool_owned_by(&t->claim, list[i].domain, list[i].uuid))
			return 0;
	if (!rc)
		gpu_virt_message(v->d, &gone);
	return rc;
}

static void run(struct virt *v, const struct task *t)
{
	struct gv_virt *virt = NULL;
	struct gv_err err = {0};
	int rc = gv_virt_open(v->uri, &v->d->log, &virt, &err);

	if (!rc)
		rc = t->refresh ? refresh_token(v, virt, &err) : check_claim(v, virt, t, &err);
	if (rc)
		gv_logf(&v->d->log, GV_LOG_WARN, "libvirt: %s: %s; continuing",
		        t->refresh ? "new VF token" : t->claim.owner, err.text);
	(void)gv_virt_close(virt);
}

static struct task *next_task(struct virt *v)
{
	struct task *t = NULL;

	(void)pthread_mutex_lock(&v->lock);
	while (!v->tasks && !v->stop)
		(void)pthread_cond_wait(&v->some, &v->lock);
	if (!v->stop) {
		t = v->tasks;
		v->tasks = t->next;
		if (!v->tasks)
			v->tasks_end = &v->tasks;
	}
	(void)pthread_mutex_unlock(&v->lock);
	return t;
}

static void *work(void *arg)
{
	struct task *t;

	while ((t = next_task(arg)) != NULL) {
		run(arg, t);
		free(t);
	}
	return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void forget(struct virt *v)
{
	for (struct task *t = v->tasks, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	(void)pthread_cond_destroy(&v->some);
	(void)pthread_mutex_destroy(&v->lock);
	free(v);
}

static int start(struct daemon *d, const char *uri, struct gv_err *err)
{
	struct virt *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return gv_fail(err, -ENOMEM, "no memory for libvirt's watcher");
	v->d = d;
	v->uri = uri;
	v->tasks_end = &v->tasks;
	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_cond_init(&v->some, NULL);
	rc = -pthread_create(&v->worker, NULL, work, v);
	if (rc) {
		forget(v);
		return gv_fail(err, rc, "starting libvirt's worker: %s", strerror(-rc));
	}
	/* Known before the first event asks for it. */
	d->virt = v;
	rc = gv_virt_watch_start(uri, &d->log, v, on_event, &v->watch, err);
	if (rc)
		(void)virt_stop(d);
	return rc;
}

int virt_start(struct daemon *d, struct gv_err *err)
{
	const char *uri = d->opt.libvirt;
	int rc;

	if (uri ? !strcmp(uri, "none") : !pf_address(d))
		return 0;
	rc = start(d, uri ? uri : DEFAULT_URI, err);
	if (rc == -ENOTSUP && !uri) {
		gv_logf(&d->log, GV_LOG_WARN, "domains are not watched: %s; continuing", err->text);
		return 0;
	}
	return rc;
}

bool virt_stop(struct daemon *d)
{
	struct virt *v = d->virt;
	struct timespec end;

	if (!v)
		return true;
	v->watch = gv_virt_watch_stop(v->watch);
	(void)pthread_mutex_lock(&v->lock);
	v->stop = true;
	(void)pthread_cond_signal(&v->some);
	(void)pthread_mutex_unlock(&v->lock);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += STOP_S;
	if (pthread_clockjoin_np(v->worker, NULL, CLOCK_MONOTONIC, &end)) {
		gv_logf(&d->log, GV_LOG_WARN, "libvirt does not answer; going without waiting");
		return false;
	}
	d->virt = NULL;
	forget(v);
	return true;
}
