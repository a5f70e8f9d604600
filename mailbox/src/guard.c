/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guard.h"

/* The others are the profile's: configs/src/guard.c. */
const struct gv_mbox_limit gv_mbox_guard_defaults[GV_MBOX_GUARDS] = {
        [GV_MBOX_GUARD_RAS] = {15, 60000},
};

uint32_t gv_mbox_guard_count(const struct gv_mbox_guard *g, const struct gv_mbox_limit *limit,
                             uint64_t now_ns)
{
	uint32_t count = g->count;

	while (count) {
		uint32_t oldest = (g->next + GV_MBOX_GUARD_MAX - count) % GV_MBOX_GUARD_MAX;

		if (now_ns - g->at_ns[oldest] < limit->window_ms * GV_MS)
			break;
		count--;
	}
	return count;
}

bool gv_mbox_guard_room(struct gv_mbox_guard *g, const struct gv_mbox_limit *limit, uint64_t now_ns)
{
	if (!limit->limit)
		return true;
	g->count = gv_mbox_guard_count(g, limit, now_ns);
	return g->count < limit->limit;
}

void gv_mbox_guard_add(struct gv_mbox_guard *g, const struct gv_mbox_limit *limit, uint64_t now_ns)
{
	if (!limit->limit)
		return;
	g->count = gv_mbox_guard_count(g, limit, now_ns);
	g->at_ns[g->next] = now_ns;
	g->next = (g->next + 1) % GV_MBOX_GUARD_MAX;
	g->count = GV_MIN(g->count + 1, (uint32_t)GV_MBOX_GUARD_MAX);
}
