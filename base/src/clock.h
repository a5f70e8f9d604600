/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seam under gv_now_ns(): who records or replays a driver must see, or say, what time it was
 * for it. One thread at a time has a clock of its own; all others have the machine's.
 */
#ifndef GV_CLOCK_H
#define GV_CLOCK_H

#include <gv/base.h>

struct gv_clock;

/** A clock whose @now is called instead, with @real_ns: what time it is; and whose @chance is, with
 *  a number of chance. Not yet anybody's. -ENOSPC: more than a few at once. */
int gv_clock_new(uint64_t (*now)(void *arg, uint64_t real_ns),
                 uint64_t (*chance)(void *arg, uint64_t real), void *arg, struct gv_clock **clock);
/** The calling thread has this clock now, and nobody else. */
void gv_clock_use(struct gv_clock *clock);
/** Nobody has it: before its owner does something with its lock held. */
void gv_clock_rest(struct gv_clock *clock);
/** No @now is called after this. Not while its thread is in gv_now_ns(). Takes NULL. */
void gv_clock_free(struct gv_clock *clock);

/** CLOCK_MONOTONIC itself. */
uint64_t gv_real_ns(void);

#endif
