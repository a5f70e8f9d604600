/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sliding-window limits: at most N in any window, counted from the times of the last N. */
#ifndef GV_MBOX_GUARD_H
#define GV_MBOX_GUARD_H

#include <gv/mailbox.h>

/** Is there room for one more now? Ages old entries out. */
bool gv_mbox_guard_room(struct gv_mbox_guard *guard, const struct gv_mbox_limit *limit,
                        uint64_t now_ns);
/** How many are in the window that ends now. */
uint32_t gv_mbox_guard_count(const struct gv_mbox_guard *guard, const struct gv_mbox_limit *limit,
                             uint64_t now_ns);
/** One more has happened; the oldest is forgotten when the window is full. */
void gv_mbox_guard_add(struct gv_mbox_guard *guard, const struct gv_mbox_limit *limit,
                       uint64_t now_ns);

#endif
