/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <sched.h>
#include <time.h>

#include <gv/bus.h>

void gv_poll_pause(unsigned *spins)
{
	struct timespec nap = {.tv_nsec = 0};

	if ((*spins)++ < 64) {
		(void)sched_yield();
		return;
	}
	nap.tv_nsec = (long)(*spins < 256 ? 50 * GV_US : GV_MS);
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
}

int gv_wait32(struct gv_bus *bus, uint32_t byte, uint32_t mask, uint32_t want, uint64_t timeout_ns,
              uint32_t *last)
{
	uint64_t deadline = gv_now_ns() + timeout_ns;
	unsigned spins = 0;
	bool late = false;

	for (;;) {
		uint32_t val = gv_rd32(bus, byte);
		int lost = gv_bus_status(bus);

		if (last)
			*last = val;
		if (lost)
			return lost;
		if ((val & mask) == want)
			return 0;
		if (late)
			return -ETIMEDOUT;
		/* One read always follows the deadline: a thread that slept
		 * through it must not call a finished device late. */
		late = gv_now_ns() >= deadline;
		gv_poll_pause(&spins);
	}
}

int gv_irq_wait(int eventfd, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = eventfd, .events = POLLIN};
	uint64_t now = gv_now_ns(), left = deadline_ns > now ? deadline_ns - now : 0, count;
	struct timespec ts = {.tv_sec = (time_t)(left / GV_S), .tv_nsec = (long)(left % GV_S)};
	int n = ppoll(&p, 1, &ts, NULL);

	if (n < 0)
		return -errno;
	if (n == 0 || read(eventfd, &count, sizeof(count)) != sizeof(count))
		return -ETIMEDOUT;
	return 0;
}
