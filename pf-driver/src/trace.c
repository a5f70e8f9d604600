/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring of what was done when. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pf.h"

_Static_assert(sizeof(struct gv_pf_trace_record) == 64, "the ring is 1 MiB");

static const char *const names[] = {
        [GV_PF_TRACE_SLICE] = "slice",         [GV_PF_TRACE_SWITCH] = "switch",
        [GV_PF_TRACE_EXCLUSIVE] = "exclusive", [GV_PF_TRACE_MSG_IN] = "message-in",
        [GV_PF_TRACE_MSG_OUT] = "message-out", [GV_PF_TRACE_FAULT] = "fault",
        [GV_PF_TRACE_RESET] = "reset",         [GV_PF_TRACE_FLR] = "flr",
        [GV_PF_TRACE_SCRUB] = "scrub",         [GV_PF_TRACE_GUARD] = "guard",
        [GV_PF_TRACE_APPLY] = "apply",         [GV_PF_TRACE_BOOT] = "boot",
};
_Static_assert(GV_ARRAY_LEN(names) == GV_PF_TRACE_KINDS, "a name for each");

const char *gv_pf_trace_kind_name(enum gv_pf_trace_kind kind)
{
	return (unsigned)kind < GV_ARRAY_LEN(names) ? names[kind] : "unknown";
}

int gv_pf_trace_kind_of(const char *name, enum gv_pf_trace_kind *kind)
{
	for (unsigned i = 0; i < GV_ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i])) {
			*kind = (enum gv_pf_trace_kind)i;
			return 0;
		}
	return -EINVAL;
}

void pf_trace_init(struct pf_trace *t)
{
	(void)pthread_mutex_init(&t->lock, NULL);
}

void pf_trace_done(struct pf_trace *t)
{
	free(t->ring);
	(void)pthread_mutex_destroy(&t->lock);
}

/* ---- writing ------------------------------------------------------------------ */

static bool is_on(const struct pf_trace *t)
{
	return __atomic_load_n(&t->on, __ATOMIC_RELAXED);
}

static void add(struct pf_trace *t, const struct gv_pf_trace_record *r)
{
	(void)pthread_mutex_lock(&t->lock);
	if (t->on) /* it may just have been stopped */
		t->ring[t->next++ % GV_PF_TRACE_ROOM] = *r;
	(void)pthread_mutex_unlock(&t->lock);
}

void pf_trace_flow(struct gv_pf *pf, enum gv_pf_trace_kind kind, int vf, uint64_t flow,
                   uint64_t begin_ns, uint64_t end_ns, const char *text)
{
	struct gv_pf_trace_record r = {.begin_ns = begin_ns,
	                               .end_ns = GV_MAX(begin_ns, end_ns),
	                               .flow = flow,
	                               .kind = (uint8_t)kind,
	                               .vf = (int8_t)vf};

	if (!is_on(&pf->trace))
		return;
	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	add(&pf->trace, &r);
}

void pf_trace(struct gv_pf *pf, enum gv_pf_trace_kind kind, int vf, uint64_t begin_ns,
              uint64_t end_ns, const char *fmt, ...)
{
	char text[GV_PF_TRACE_TEXT];
	va_list ap;

	if (!is_on(&pf->trace))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pf_trace_flow(pf, kind, vf, 0, begin_ns, end_ns, text);
}

/* ---- from outside --------------------------------------------------------------- */

int gv_pf_trace_start(struct gv_pf *pf, struct gv_err *err)
{
	struct pf_trace *t = &pf->trace;
	int rc = 0;

	(void)pthread_mutex_lock(&t->lock);
	if (t->on)
		rc = -EBUSY;
	else if (!t->ring && !(t->ring = calloc(GV_PF_TRACE_ROOM, sizeof(*t->ring))))
		rc = -ENOMEM;
	if (!rc) {
		t->next = 0;
		t->started_ns = gv_now_ns();
		t->stopped_ns = 0;
		__atomic_store_n(&t->on, true, __ATOMIC_RELAXED);
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (rc == -EBUSY)
		return gv_fail(err, rc, "a trace is being taken: trace stop ends it");
	return rc ? gv_fail(err, rc, "no memory for %u records", GV_PF_TRACE_ROOM) : 0;
}

void gv_pf_trace_stop(struct gv_pf *pf)
{
	struct pf_trace *t = &pf->trace;

	(void)pthread_mutex_lock(&t->lock);
	if (t->on) {
		__atomic_store_n(&t->on, false, __ATOMIC_RELAXED);
		t->stopped_ns = gv_now_ns();
	}
	(void)pthread_mutex_unlock(&t->lock);
}

static uint64_t oldest(const struct pf_trace *t)
{
	return t->next > GV_PF_TRACE_ROOM ? t->next - GV_PF_TRACE_ROOM : 0;
}

void gv_pf_trace_get_status(struct gv_pf *pf, struct gv_pf_trace_status *status)
{
	struct pf_trace *t = &pf->trace;

	(void)pthread_mutex_lock(&t->lock);
	*status = (struct gv_pf_trace_status){.on = t->on,
	                                      .started_ns = t->started_ns,
	                                      .stopped_ns = t->stopped_ns,
	                                      .oldest = oldest(t),
	                                      .next = t->next};
	(void)pthread_mutex_unlock(&t->lock);
}

size_t gv_pf_trace_read(struct gv_pf *pf, uint64_t *next, struct gv_pf_trace_record *records,
                        size_t room, uint64_t *lost)
{
	struct pf_trace *t = &pf->trace;
	size_t n = 0;

	(void)pthread_mutex_lock(&t->lock);
	if (*next < oldest(t)) {
		*lost += oldest(t) - *next;
		*next = oldest(t);
	}
	for (; n < room && *next < t->next; n++)
		records[n] = t->ring[(*next)++ % GV_PF_TRACE_ROOM];
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}
