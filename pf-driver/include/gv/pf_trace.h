/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the PF manager did and when, for a timeline: a ring of small records
 * in memory, off until somebody asks for it, and then the newest
 * GV_PF_TRACE_ROOM of them. docs/trace.md shows how to look at one.
 *
 *   gv_pf_trace_start() ... gv_pf_trace_read() ... gv_pf_trace_stop()
 *
 * Unlike the rest of the PF driver, these calls may come from any thread.
 */
#ifndef GV_PF_TRACE_H
#define GV_PF_TRACE_H

#include <stdio.h>

#include <gv/base.h>

struct gv_pf;

#define GV_PF_TRACE_ROOM 16384u
#define GV_PF_TRACE_TEXT 38u

enum gv_pf_trace_kind {
	GV_PF_TRACE_SLICE,     /* a VF ran, from RUN to IDLE */
	GV_PF_TRACE_SWITCH,    /* from one VF to the next; the VF is the next one */
	GV_PF_TRACE_EXCLUSIVE, /* a guest had exclusive access */
	GV_PF_TRACE_MSG_IN,    /* a mailbox message of a guest, from seeing it to having acted */
	GV_PF_TRACE_MSG_OUT,   /* one to a guest */
	GV_PF_TRACE_FAULT,     /* at one moment */
	GV_PF_TRACE_RESET,     /* a VF, or the GPU, was reset: all of it */
	GV_PF_TRACE_FLR,       /* the part of that that the hardware does */
	GV_PF_TRACE_SCRUB,
	GV_PF_TRACE_GUARD, /* a limit was exceeded, at one moment */
	GV_PF_TRACE_APPLY, /* a step of putting a plan into force */
	GV_PF_TRACE_BOOT,  /* a step of bringing the GPU up */
	GV_PF_TRACE_KINDS,
};
/** "slice", "switch", "exclusive", "message-in", ...; "unknown" for what is none. */
const char *gv_pf_trace_kind_name(enum gv_pf_trace_kind kind);
/** The other way round. -EINVAL: no such name. */
int gv_pf_trace_kind_of(const char *name, enum gv_pf_trace_kind *kind);

struct gv_pf_trace_record {
	uint64_t begin_ns, end_ns; /* gv_now_ns() time; the same: one moment */
	uint64_t flow;             /* of one VF: a request and its answer have the same; 0: none */
	uint8_t kind;              /* enum gv_pf_trace_kind */
	int8_t vf;                 /* -1: the GPU */
	char text[GV_PF_TRACE_TEXT];
};

struct gv_pf_trace_status {
	bool on;
	uint64_t started_ns, stopped_ns; /* gv_now_ns() time; 0: never, or not yet */
	uint64_t oldest, next;           /* numbers of the records that are kept: [oldest, next) */
};

/** Forget earlier records and begin; numbers start at 0. -EBUSY: it is on; -ENOMEM. */
int gv_pf_trace_start(struct gv_pf *pf, struct gv_err *err);
/** End. The records stay until the next start. */
void gv_pf_trace_stop(struct gv_pf *pf);
void gv_pf_trace_get_status(struct gv_pf *pf, struct gv_pf_trace_status *status);
/** Copy records from number *@next on, at most @room, and move *@next behind the last one.
 *  *@lost grows by those that were overwritten before. Returns how many were copied. */
size_t gv_pf_trace_read(struct gv_pf *pf, uint64_t *next, struct gv_pf_trace_record *records,
                        size_t room, uint64_t *lost);

/* ---- timeline ------------------------------------------------------------ */

/* What the records do not say. Texts are borrowed. */
struct gv_pf_timeline {
	const char *gpu;     /* "vfio:0000:03:00.0" */
	uint64_t started_ns; /* becomes 0 */
	uint64_t lost;       /* records that nobody got */
	unsigned num_vfs;
	struct {
		const char *label, *domain; /* NULL: none */
	} vf[16];
};

/**
 * Write @count records, which are sorted for it, as a timeline that ui.perfetto.dev and
 * chrome://tracing show ("Trace Event Format", JSON object form): one process, the GPU; per VF a
 * track of its slices, one of its life (exclusive access, resets, scrubs; faults as instants) and
 * one of its mailbox, with an arrow from request to answer; the VFs' shares as a counter where
 * there are slices. Times are microseconds since @head->started_ns. Borrows everything. -EIO.
 */
int gv_pf_timeline_write(FILE *file, const struct gv_pf_timeline *head,
                         struct gv_pf_trace_record *records, size_t count);

#endif
