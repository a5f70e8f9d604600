/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring behind <gv/pf_trace.h>, and how the driver's files write to it. */
#ifndef GV_PF_TRACE_PRIV_H
#define GV_PF_TRACE_PRIV_H

#include <pthread.h>

#include <gv/pf_trace.h>

struct pf_trace {
	bool on;              /* atomic: looked at without the lock, so that off costs nothing */
	pthread_mutex_t lock; /* all below */
	struct gv_pf_trace_record *ring; /* NULL until the first start */
	uint64_t next;                   /* number of the next record */
	uint64_t started_ns, stopped_ns;
};

void pf_trace_init(struct pf_trace *t);
void pf_trace_done(struct pf_trace *t);

/** Record something that began and ended (the same time: one moment). @vf -1: the GPU. Texts are
 *  cut at GV_PF_TRACE_TEXT - 1. Any thread, never blocks long; nothing while tracing is off. */
void pf_trace(struct gv_pf *pf, enum gv_pf_trace_kind kind, int vf, uint64_t begin_ns,
              uint64_t end_ns, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/** The same for a request or its answer, which have the same @flow (0: none). */
void pf_trace_flow(struct gv_pf *pf, enum gv_pf_trace_kind kind, int vf, uint64_t flow,
                   uint64_t begin_ns, uint64_t end_ns, const char *text);

#endif
