/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The watch: libvirt's event loop only copies what it is told into a queue; the
 * watch's own thread asks back, keeps the cache and calls the callback. It also
 * makes the connection, and makes it again when it is lost.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libvirt/libvirt-qemu.h>

#include "virt_watch.h"

#define QUEUE         512u /* more at once than this: all is read again */
#define BACKOFF_MS    100u
#define BACKOFF_TO_MS 5000u
#define ALIVE_MS      2000u /* how often we look, should the close callback not come */
#define STOP_MS       5000u

struct gv_virt_watch {
	char *uri;
	const struct gv_log *log;
	void *arg;
	void (*event)(void *arg, const struct gv_virt_event *event);
	pthread_t thread;
	struct gv_virt_cache cache; /* the thread's */

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t cond;
	bool stop, lost, ended;
	unsigned users; /* owner, thread, each registration with libvirt */
	struct gv_virt_record queue[QUEUE];
	unsigned head, count;
};

static void release(void *arg)
{
	struct gv_virt_watch *w = arg;
	bool last;

	(void)pthread_mutex_lock(&w->lock);
	last = !--w->users;
	(void)pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->lock);
	free(w->uri);
	free(w);
}

static void acquire(struct gv_virt_watch *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->users++;
	(void)pthread_mutex_unlock(&w->lock);
}

/* ---- on libvirt's event loop ---------------------------------------------- */
static void lose(struct gv_virt_watch *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->lost = true;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
}

static void push(struct gv_virt_watch *w, virDomainPtr domain, enum gv_virt_record_kind kind,
                 const char *text)
{
	const char *name = virDomainGetName(domain);
	struct gv_virt_record r = {.kind = kind};

	(void)snprintf(r.domain, sizeof(r.domain), "%s", name ? name : "");
	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	if (virDomainGetUUIDString(domain, r.uuid) < 0)
		return;
	(void)pthread_mutex_lock(&w->lock);
	if (w->count < QUEUE)
		w->queue[(w->head + w->count++) % QUEUE] = r;
	else
		w->lost = true;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
}

static const char *stop_reason(int detail)
{
	static const char *const names[] = {
	        [VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN] = "shutdown",
	        [VIR_DOMAIN_EVENT_STOPPED_DESTROYED] = "destroyed",
	        [VIR_DOMAIN_EVENT_STOPPED_CRASHED] = "crashed",
	        [VIR_DOMAIN_EVENT_STOPPED_MIGRATED] = "migrated",
	        [VIR_DOMAIN_EVENT_STOPPED_SAVED] = "saved",
	        [VIR_DOMAIN_EVENT_STOPPED_FAILED] = "failed",
	        [VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT] = "from-snapshot",
	};

	return detail >= 0 && (size_t)detail < GV_ARRAY_LEN(names) ? names[detail] : "unknown";
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *arg)
{
	(void)conn;
	if (event == VIR_DOMAIN_EVENT_STARTED)
		push(arg, domain, GV_VIRT_REC_STARTED, "");
	else if (event == VIR_DOMAIN_EVENT_STOPPED)
		push(arg, domain, GV_VIRT_REC_STOPPED, stop_reason(detail));
	else if (event == VIR_DOMAIN_EVENT_UNDEFINED)
		push(arg, domain, GV_VIRT_REC_UNDEFINED, "");
	return 0;
}

static void on_device(virConnectPtr conn, virDomainPtr domain, const char *alias, void *arg)
{
	(void)conn;
	(void)alias;
	push(arg, domain, GV_VIRT_REC_CHANGED, "");
}

static void on_removal_failed(virConnectPtr conn, virDomainPtr domain, const char *alias, void *arg)
{
	(void)conn;
	push(arg, domain, GV_VIRT_REC_REMOVAL_FAILED, alias);
}

static void on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *uri,
                        void *arg)
{
	(void)conn;
	if (type == VIR_DOMAIN_METADATA_ELEMENT && uri && !strcmp(uri, GV_VIRT_META_NS))
		push(arg, domain, GV_VIRT_REC_CHANGED, "");
}

/* QEMU's own event, because libvirt tells nothing of devices that it does not know. @details is
 * JSON; the id is looked for as text and compared with those we have. */
static void on_deleted(virConnectPtr conn, virDomainPtr domain, const char *event,
                       long long seconds, unsigned micros, const char *details, void *arg)
{
	const char *id = details ? strstr(details, "\"gv-vfio-") : NULL;
	char text[GV_VIRT_ALIAS];

	(void)conn;
	(void)event;
	(void)seconds;
	(void)micros;
	if (!id)
		return;
	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(id + 1, "\""), id + 1);
	push(arg, domain, GV_VIRT_REC_DELETED, text);
}

static void on_close(virConnectPtr conn, int reason, void *arg)
{
	(void)conn;
	(void)reason;
	lose(arg);
}

/* ---- connection ----------------------------------------------------------- */
#define CALLBACKS 6

struct session {
	struct gv_virt *virt;
	int ids[CALLBACKS];
	unsigned count;
	int monitor; /* -1: none */
	bool close;
};

static int listen_to(struct gv_virt_watch *w, struct session *s, int event,
                     virConnectDomainEventGenericCallback callback, struct gv_err *err)
{
	int id;

	acquire(w);
	id = virConnectDomainEventRegisterAny(s->virt->conn, NULL, event, callback, w, release);
	if (id < 0) {
		release(w);
		return gv_virt_fail(err, "libvirt: events");
	}
	s->ids[s->count++] = id;
	return 0;
}

/* Not every driver has these, and nothing is lost: no devices by monitor there; and we look. */
static void listen_to_more(struct gv_virt_watch *w, struct session *s)
{
	acquire(w);
	s->monitor = virConnectDomainQemuMonitorEventRegister(s->virt->conn, NULL, "DEVICE_DELETED",
	                                                      on_deleted, w, release, 0);
	if (s->monitor < 0)
		release(w);
	/* Without a release: drivers that know no close callback take it and never call it. The
	 * call holds a lock that taking it back waits for, so it cannot come later. */
	s->close = !virConnectRegisterCloseCallback(s->virt->conn, on_close, w, NULL);
}

static int listen_to_all(struct gv_virt_watch *w, struct session *s, struct gv_err *err)
{
	int rc = listen_to(w, s, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
	                   VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), err);

	if (!rc)
		rc = listen_to(w, s, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
		               VIR_DOMAIN_EVENT_CALLBACK(on_device), err);
	if (!rc)
		rc = listen_to(w, s, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
		               VIR_DOMAIN_EVENT_CALLBACK(on_device), err);
	if (!rc)
		rc = listen_to(w, s, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
		               VIR_DOMAIN_EVENT_CALLBACK(on_removal_failed), err);
	if (!rc)
		rc = listen_to(w, s, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
		               VIR_DOMAIN_EVENT_CALLBACK(on_metadata), err);
	if (!rc)
		listen_to_more(w, s);
	return rc;
}

static void disconnect(struct gv_virt_watch *w, struct session *s)
{
	if (!s->virt)
		return;
	for (unsigned i = 0; i < s->count; i++)
		(void)virConnectDomainEventDeregisterAny(s->virt->conn, s->ids[i]);
	if (s->monitor >= 0)
		(void)virConnectDomainQemuMonitorEventDeregister(s->virt->conn, s->monitor);
	if (s->close)
		(void)virConnectUnregisterCloseCallback(s->virt->conn, on_close);
	w->cache.virt = NULL;
	gv_virt_cache_clear(&w->cache);
	s->virt = gv_virt_close(s->virt);
}

static void forget_queue(struct gv_virt_watch *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->head = w->count = 0;
	w->lost = false;
	(void)pthread_mutex_unlock(&w->lock);
}

static int connect_to(struct gv_virt_watch *w, struct session *s, struct gv_err *err)
{
	int rc;

	*s = (struct session){.monitor = -1};
	forget_queue(w);
	rc = gv_virt_open_patient(w->uri, w->log, &s->virt, err);
	if (rc)
		return rc;
	/* first listen, then look: what happens in between is told twice, never not at all */
	rc = listen_to_all(w, s, err);
	if (rc)
		disconnect(w, s);
	w->cache.virt = s->virt;
	return rc;
}

/* ---- the thread ----------------------------------------------------------- */
static void tell(void *arg, const struct gv_virt_event *event)
{
	struct gv_virt_watch *w = arg;
	bool stop;

	(void)pthread_mutex_lock(&w->lock);
	stop = w->stop;
	(void)pthread_mutex_unlock(&w->lock);
	if (!stop)
		w->event(w->arg, event);
}

/* Until there is something to do, at most @ms. Lock held. */
static void wait_ms(struct gv_virt_watch *w, unsigned ms)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&w->cond, &w->lock, &t);
}

enum next { NEXT_RECORD, NEXT_NOTHING, NEXT_END };

static enum next get_next(struct gv_virt_watch *w, struct gv_virt_record *r)
{
	enum next next = NEXT_NOTHING;

	(void)pthread_mutex_lock(&w->lock);
	if (!w->stop && !w->lost && !w->count)
		wait_ms(w, ALIVE_MS);
	if (w->stop || w->lost) {
		next = NEXT_END;
	} else if (w->count) {
		*r = w->queue[w->head];
		w->head = (w->head + 1) % QUEUE;
		w->count--;
		next = NEXT_RECORD;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return next;
}

static int serve(struct gv_virt_watch *w, struct gv_err *err)
{
	struct gv_virt_record r;
	int rc = gv_virt_cache_sync(&w->cache, err);

	while (!rc) {
		enum next next = get_next(w, &r);

		if (next == NEXT_END)
			return gv_fail(err, -ECONNRESET, "libvirt: connection lost");
		if (next == NEXT_RECORD)
			rc = gv_virt_cache_handle(&w->cache, &r, err);
		else if (virConnectIsAlive(w->cache.virt->conn) == 0)
			rc = gv_fail(err, -ECONNRESET, "libvirt: does not answer");
	}
	return rc;
}

static bool stopping(struct gv_virt_watch *w, unsigned wait)
{
	uint64_t end = gv_now_ns() + wait * GV_MS;
	bool stop;

	(void)pthread_mutex_lock(&w->lock);
	for (uint64_t now = gv_now_ns(); !w->stop && now < end; now = gv_now_ns())
		wait_ms(w, (unsigned)((end - now) / GV_MS) + 1);
	stop = w->stop;
	(void)pthread_mutex_unlock(&w->lock);
	return stop;
}

static void session(struct gv_virt_watch *w, struct session *s)
{
	struct gv_virt_event event = {.kind = GV_VIRT_CONNECTED};
	struct gv_err err = {0};

	tell(w, &event);
	(void)serve(w, &err);
	if (!stopping(w, 0))
		gv_logf(w->log, GV_LOG_WARN, "%s: connecting again", err.text);
	disconnect(w, s);
	event.kind = GV_VIRT_DISCONNECTED;
	(void)snprintf(event.text, sizeof(event.text), "%.60s", err.text);
	tell(w, &event);
}

static void *run(void *arg)
{
	struct gv_virt_watch *w = arg;
	unsigned backoff = BACKOFF_MS;
	struct gv_err err = {0};
	struct session s;

	while (!stopping(w, 0)) {
		if (!connect_to(w, &s, &err)) {
			backoff = BACKOFF_MS;
			session(w, &s);
		} else if (!stopping(w, 0)) { /* who stops does not wait: the log may be gone */
			gv_logf(w->log, backoff == BACKOFF_MS ? GV_LOG_WARN : GV_LOG_DEBUG,
			        "%s: trying again", err.text);
		}
		if (stopping(w, backoff))
			break;
		backoff = GV_MIN(backoff * 2, BACKOFF_TO_MS);
	}
	gv_virt_loop_put();
	(void)pthread_mutex_lock(&w->lock);
	w->ended = true;
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
	release(w);
	return NULL;
}

/* ---- the calls ------------------------------------------------------------ */
static struct gv_virt_watch *new_watch(const char *uri)
{
	struct gv_virt_watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	if (!w)
		return NULL;
	w->uri = strdup(uri);
	if (!w->uri || pthread_condattr_init(&monotonic)) {
		free(w->uri);
		free(w);
		return NULL;
	}
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)pthread_mutex_init(&w->lock, NULL);
	w->users = 2;
	w->cache.arg = w;
	w->cache.tell = tell;
	return w;
}

int gv_virt_watch_start(const char *uri, const struct gv_log *log, void *arg,
                        void (*event)(void *arg, const struct gv_virt_event *event),
                        struct gv_virt_watch **watch, struct gv_err *err)
{
	struct gv_virt_watch *w;
	int rc = gv_virt_loop_get(err);

	if (rc)
		return rc;
	w = new_watch(uri ? uri : GV_VIRT_URI);
	if (w) {
		w->log = log;
		w->arg = arg;
		w->event = event;
		rc = pthread_create(&w->thread, NULL, run, w);
	}
	if (!w || rc) {
		if (w)
			release(w);
		if (w)
			release(w);
		gv_virt_loop_put();
		return gv_fail(err, rc ? -rc : -ENOMEM, "libvirt: watch: %s",
		               strerror(rc ? rc : ENOMEM));
	}
	*watch = w;
	return 0;
}

/* A thread that hangs in libvirt keeps what it needs and ends by itself, silently. */
struct gv_virt_watch *gv_virt_watch_stop(struct gv_virt_watch *watch)
{
	uint64_t end = gv_now_ns() + STOP_MS * GV_MS;
	bool ended;

	if (!watch)
		return NULL;
	(void)pthread_mutex_lock(&watch->lock);
	watch->stop = true;
	(void)pthread_cond_broadcast(&watch->cond);
	for (uint64_t now = gv_now_ns(); !watch->ended && now < end; now = gv_now_ns())
		wait_ms(watch, (unsigned)((end - now) / GV_MS) + 1);
	ended = watch->ended;
	(void)pthread_mutex_unlock(&watch->lock);
	if (ended) {
		(void)pthread_join(watch->thread, NULL);
	} else {
		gv_logf(watch->log, GV_LOG_WARN, "libvirt: the watch hangs, left alone");
		(void)pthread_detach(watch->thread);
	}
	release(watch);
	return NULL;
}
