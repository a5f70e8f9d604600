/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gv/base.h>

#define SLICE_NS (100 * GV_US) /* the shortest that Linux grants */

/* struct sched_attr of linux/sched/types.h, which cannot be included beside sched.h */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

_Static_assert(sizeof(struct attr) == 48, "SCHED_ATTR_SIZE_VER0");

void gv_thread_be_prompt(int nice)
{
	struct attr a = {.size = sizeof(a)};

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) || a.policy != 0)
		return; /* a real-time thread needs none of this */
	a.runtime = SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &a, 0);
	if (!nice || nice >= a.nice)
		return;
	a.nice = nice;
	(void)syscall(SYS_sched_setattr, 0, &a, 0);
}
