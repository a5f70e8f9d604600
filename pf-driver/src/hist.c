/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/pf_driver.h>

/* 1-3-10 steps: a mailbox answer takes between microseconds and the length of a reset. */
static const uint64_t limit_ns[GV_PF_HIST_BUCKETS] = {
        10 * GV_US, 30 * GV_US, 100 * GV_US, 300 * GV_US, GV_MS, 3 * GV_MS,
        10 * GV_MS, 30 * GV_MS, 100 * GV_MS, 300 * GV_MS, GV_S,  3 * GV_S,
};

uint64_t gv_pf_hist_limit_ns(unsigned bucket)
{
	return bucket < GV_PF_HIST_BUCKETS ? limit_ns[bucket] : UINT64_MAX;
}

void gv_pf_hist_add(struct gv_pf_hist *h, uint64_t ns)
{
	unsigned b = 0;

	while (b < GV_PF_HIST_BUCKETS && ns > limit_ns[b])
		b++;
	if (b < GV_PF_HIST_BUCKETS)
		h->bucket[b]++;
	h->count++;
	h->sum_ns += ns;
}
