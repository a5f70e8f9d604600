/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The GPU thread: owns the PF, serves it, runs slow methods one after the other. */
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include <gv/pf_trace.h>
#include <gv/record.h>

#include "gpuvisord.h"
#include "json_put.h"

#define MAX_SLEEP_NS    GV_S
#define USUAL_STATE_DIR "/var/lib/gpuvisor"

static void kick(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* already readable */
}

void post(struct daemon *d, uint64_t client, char *line, bool job_ended)
{
	struct post *p = calloc(1, sizeof(*p));

	if (!p) {
		free(line);
		return;
	}
	*p = (struct post){.client = client, .line = line, .job_ended = job_ended};
	(void)pthread_mutex_lock(&d->lock);
	*d->posts_end = p;
	d->posts_end = &p->next;
	(void)pthread_mutex_unlock(&d->lock);
	kick(d->post_fd);
}

static void on_event(void *arg, const struct gv_pf_event *event)
{
	struct daemon *d = arg;

	log_event(d, event);
	(void)pthread_mutex_lock(&d->lock);
	d->event[event->seq % MAX_EVENTS] = *event;
	d->last_seq = event->seq;
	d->dirty = true;
	(void)pthread_mutex_unlock(&d->lock);
	post(d, 0, gv_rpc_notification("event", gv_pf_event_json(event)), false);
}

static void on_progress(void *arg, const char *what, int vf, uint32_t done_mib, uint32_t total_mib)
{
	struct daemon *d = arg;
	struct json_object *o;

	if (!d->job_client)
		return;
	o = json_object_new_object();
	put(o, "what", json_object_new_string(what));
	if (vf >= 0)
		put(o, "vf", json_object_new_int(vf));
	put_u64(o, "done_mib", done_mib);
	put_u64(o, "total_mib", total_mib);
	post(d, d->job_client, gv_rpc_notification("progress", o), false);
}

static void publish(struct daemon *d)
{
	struct gv_pf_status now;

	pool_note(d); /* before anybody hears of it */
	gv_pf_get_status(d->pf, &now);
	(void)pthread_mutex_lock(&d->lock);
	d->status = now;
	d->pool_seen = d->pool;
	d->dirty = false;
	(void)pthread_mutex_unlock(&d->lock);
}

/* ---- jobs ------------------------------------------------------------------- */

int gpu_job(struct daemon *d, const struct call *call, struct json_object *request)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	*j = (struct job){.client = call->client, .uid = call->uid, .request = request};
	(void)pthread_mutex_lock(&d->lock);
	*d->jobs_end = j;
	d->jobs_end = &j->next;
	(void)pthread_mutex_unlock(&d->lock);
	kick(d->job_fd);
	return 0;
}

void gpu_virt_message(struct daemon *d, const struct virt_message *message)
{
	struct virt_message *m = malloc(sizeof(*m));

	if (!m) {
		gv_logf(&d->log, GV_LOG_ERR, "no memory for libvirt's event");
		return;
	}
	*m = *message;
	m->next = NULL;
	(void)pthread_mutex_lock(&d->lock);
	*d->virt_messages_end = m;
	d->virt_messages_end = &m->next;
	(void)pthread_mutex_unlock(&d->lock);
	kick(d->job_fd);
}

/* All that have come, in their order; @take NULL: throw them away. */
static void virt_messages(struct daemon *d,
                          void (*take)(struct daemon *d, const struct virt_message *m))
{
	struct virt_message *m, *next;

	(void)pthread_mutex_lock(&d->lock);
	m = d->virt_messages;
	d->virt_messages = NULL;
	d->virt_messages_end = &d->virt_messages;
	(void)pthread_mutex_unlock(&d->lock);
	for (; m; m = next) {
		next = m->next;
		if (take)
			take(d, m);
		free(m);
	}
}

static struct job *next_job(struct daemon *d, bool *stop)
{
	struct job *j;

	(void)pthread_mutex_lock(&d->lock);
	j = d->jobs;
	if (j) {
		d->jobs = j->next;
		if (!d->jobs)
			d->jobs_end = &d->jobs;
	}
	*stop = d->stop;
	(void)pthread_mutex_unlock(&d->lock);
	return j;
}

static void set_busy(struct daemon *d, const char *what)
{
	(void)pthread_mutex_lock(&d->lock);
	d->busy = what;
	(void)pthread_mutex_unlock(&d->lock);
}

static void run_job(struct daemon *d, struct job *j)
{
	struct call call = {d, j->client, j->uid};
	char *line;

	record_job(d, j);
	set_busy(d, "working on a request");
	d->job_client = j->client;
	line = gv_rpc_run(j->request, methods, num_methods, &call);
	d->job_client = 0;
	pool_refresh(d);
	pool_look(d);
	publish(d);
	set_busy(d, NULL);
	post(d, j->client, line, true);
	gv_rpc_put(j->request);
	free(j);
}

/* ---- the loop ------------------------------------------------------------------ */

static void sleep_until(struct daemon *d, uint64_t next_ns)
{
	struct pollfd fds[2] = {{.fd = gv_pf_irq_fd(d->pf), .events = POLLIN},
	                        {.fd = d->job_fd, .events = POLLIN}};
	uint64_t now = gv_now_ns(), ns = next_ns > now ? next_ns - now : 0, ticks;
	struct timespec ts;

	ns = GV_MIN(ns, MAX_SLEEP_NS);
	ts = (struct timespec){.tv_sec = (time_t)(ns / GV_S), .tv_nsec = (long)(ns % GV_S)};
	if (ppoll(fds, 2, &ts, NULL) > 0 && (fds[1].revents & POLLIN) &&
	    read(d->job_fd, &ticks, sizeof(ticks)) < 0)
		ticks = 0;
}

static void *serve(void *arg)
{
	struct daemon *d = arg;
	uint64_t next_ns, publish_ns = 0;
	bool stop = false, due;
	int rc = 0;

	gv_thread_be_prompt(GV_NICE_PROMPT); /* a VF's slice lasts until it has run */
	gv_record_note(d->bus, "");          /* this thread's time is recorded from now on */
	while (!rc && !stop) {
		struct job *j = next_job(d, &stop);

		if (!j && !stop)
			j = replayed_job(d, &stop);
		if (stop)
			record_job(d, NULL);
		if (j && !stop)
			run_job(d, j);
		else if (j)
			gv_rpc_put(j->request), free(j);
		virt_messages(d, pool_take_message);
		due = pool_step(d);
		rc = gv_pf_service(d->pf, &next_ns);
		if (d->dirty || gv_now_ns() >= publish_ns) {
			publish(d);
			publish_ns = gv_now_ns() + 250 * GV_MS;
		}
		if (!j && !stop && !rc && !due)
			sleep_until(d, next_ns);
	}
	if (rc)
		gv_logf(&d->log, GV_LOG_ERR, "the GPU does not answer any more: %s", strerror(-rc));
	(void)pthread_mutex_lock(&d->lock);
	d->gpu_result = rc ? rc : !d->stop; /* 1: a record said so */
	(void)pthread_mutex_unlock(&d->lock);
	kick(d->post_fd);
	return NULL;
}

bool vf_busy(struct daemon *d, unsigned vf)
{
	return gv_pf_vf_resetting(d->pf, vf);
}

int serve_while(struct daemon *d, bool (*busy)(struct daemon *d, unsigned vf), unsigned vf,
                uint64_t timeout_ns, struct gv_err *err)
{
	uint64_t end = gv_now_ns() + timeout_ns, next;
	unsigned spins = 0;

	while (busy(d, vf)) {
		int rc = gv_pf_service(d->pf, &next);

		if (rc)
			return gv_fail(err, rc, "the GPU is lost: %s", strerror(-rc));
		if (gv_now_ns() >= end)
			return gv_fail(err, -ETIMEDOUT, "it is still being reset");
		gv_poll_pause(&spins);
	}
	return 0;
}

/* ---- start and stop -------------------------------------------------------------- */

static int apply_profile(struct daemon *d, struct gv_err *err)
{
	struct gv_pf_plan plan;
	int rc = gv_pf_plan(gv_pf_get_caps(d->pf), &d->cfg, &plan, err);

	if (rc) {
		(void)gv_fail_prefix(err, "%s", d->opt.profile);
		return rc;
	}
	return gv_pf_apply(d->pf, &plan, 0, err);
}

/* Where the journal is: --state-dir, what systemd says (StateDirectory=), or the usual place when
 * it is there. */
static const char *state_dir(const struct daemon *d)
{
	const char *systemd = getenv("STATE_DIRECTORY");

	if (d->opt.state_dir)
		return d->opt.state_dir;
	if (systemd && *systemd && !strchr(systemd, ':'))
		return systemd;
	return access(USUAL_STATE_DIR, W_OK) ? NULL : USUAL_STATE_DIR;
}

/* Taken over with VFs: what is in force stays, whatever the profile says by now. */
static int put_into_force(struct daemon *d, struct gv_err *err)
{
	const struct gv_pf_plan *plan = gv_pf_get_plan(d->pf);

	if (plan)
		gv_logf(&d->log, GV_LOG_INFO,
		        "%s%s%u VFs are in force and stay: a profile that "
		        "has changed since counts with the next apply",
		        plan->name, plan->name[0] ? ": " : "", plan->num_vfs);
	return plan || !d->has_cfg ? 0 : apply_profile(d, err);
}

static struct gv_pf *let_go(struct daemon *d)
{
	if (d->hand_over)
		gv_pf_leave(d->pf);
	d->pf = gv_pf_close(d->pf);
	if (!d->hand_over)
		store_drop();
	return d->pf;
}

static bool is_set(const char *name, const char *value)
{
	const char *is = getenv(name);

	return is && !strcmp(is, value);
}

int gpu_start(struct daemon *d, struct gv_err *err)
{
	const struct gv_pf_cfg cfg = {.log = &d->log,
	                              .arg = d,
	                              .event = on_event,
	                              .event_logs = true,
	                              .progress = on_progress,
	                              .state_dir = state_dir(d),
	                              .full_reset = is_set("GPUVISOR_RESET", "1"),
	                              .trace_registers = is_set("GPUVISOR_DEBUG", "4")};
	int rc = bus_open(d, err);

	if (!rc)
		rc = bus_record(d, err);
	if (!rc)
		rc = gv_pf_new(d->bus, &cfg, &d->pf, err);
	if (!rc && d->opt.trace)
		rc = gv_pf_trace_start(d->pf, err);
	if (!rc)
		rc = gv_pf_boot(d->pf, err);
	/* VFs that were here before us stay, should we fail from here on. */
	d->hand_over = d->pf && (rc || gv_pf_get_plan(d->pf));
	if (!rc)
		rc = put_into_force(d, err);
	if (!rc) {
		pool_refresh(d);
		pool_look(d);
		publish(d);
		rc = pthread_create(&d->gpu_thread, NULL, serve, d);
		if (rc)
			rc = gv_fail(err, -rc, "starting the GPU thread: %s", strerror(rc));
	}
	if (rc)
		d->pf = let_go(d);
	return rc;
}

void gpu_stop(struct daemon *d)
{
	if (!d->pf)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->stop = true;
	(void)pthread_mutex_unlock(&d->lock);
	kick(d->job_fd);
	(void)pthread_join(d->gpu_thread, NULL);
	d->pf = let_go(d);
	for (struct job *j = d->jobs, *next; j; j = next) {
		next = j->next;
		gv_rpc_put(j->request);
		free(j);
	}
	d->jobs = NULL;
	d->jobs_end = &d->jobs;
}

void gpu_forget_messages(struct daemon *d)
{
	virt_messages(d, NULL);
}
