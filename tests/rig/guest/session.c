/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VF's life, waiting, and findings. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gv/packets.h>

#include "rig.h"

enum { TRIES = 20 };

/* ---- findings ---------------------------------------------------------------------- */

bool rig_finding(struct rig *r, bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fputs(good ? "ok   " : "BAD  ", stdout);
	(void)vprintf(fmt, args);
	(void)putchar('\n');
	va_end(args);
	r->findings++;
	r->bad += !good;
	return good;
}

void rig_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vprintf(fmt, args);
	(void)putchar('\n');
	va_end(args);
}

bool rig_trouble(struct rig *r, const char *what)
{
	return rig_finding(r, false, "%s: %s", what, r->err.text);
}

int rig_verdict(const struct rig *r)
{
	rig_note("findings=%u bad=%u", r->findings, r->bad);
	return r->findings && !r->bad ? 0 : 1;
}

int rig_parse_seconds(const char *text, uint64_t *seconds)
{
	char *end = NULL;
	unsigned long long n;

	errno = 0;
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	n = strtoull(text, &end, 10);
	if (errno || *end || n < 1 || n > 86400)
		return -EINVAL;
	*seconds = n;
	return 0;
}

int rig_parse_pattern(const char *text, uint64_t *pattern)
{
	char *end = NULL;
	unsigned long long n;

	errno = 0;
	if (!strchr("0123456789abcdefABCDEF", text[0]) || !text[0])
		return -EINVAL;
	n = strtoull(text, &end, 16);
	if (errno || *end)
		return -EINVAL;
	*pattern = n;
	return 0;
}

/* ---- life --------------------------------------------------------------------------- */

static int try_open(struct rig *r)
{
	const struct gv_guest_cfg cfg = {
	        .timeout_ns = 10 * GV_S, .driver_version = "gv-rig-guest", .log = r->log};
	int rc = gv_bus_open(r->uri, r->has_token ? r->token : NULL, r->log, &r->bus, &r->err);

	if (!rc)
		rc = gv_guest_open(r->bus, &cfg, &r->g, &r->err);
	if (rc)
		r->bus = gv_bus_close(r->bus);
	return rc;
}

/* The manager bounds how often a VF may ask for the GPU: refused, a guest comes back later. */
static int patiently(struct rig *r, int (*once)(struct rig *r))
{
	const struct timespec pause = {.tv_nsec = 300 * GV_MS};
	int rc = -EACCES;

	for (int i = 0; rc == -EACCES && i < TRIES; i++) {
		if (i)
			(void)nanosleep(&pause, NULL);
		rc = once(r);
	}
	return rc;
}

int rig_open(struct rig *r)
{
	return patiently(r, try_open);
}

void rig_close(struct rig *r)
{
	if (r->g)
		rig_access_done(r);
	r->g = gv_guest_close(r->g);
	r->bus = gv_bus_close(r->bus);
}

static int try_recover(struct rig *r)
{
	return gv_guest_recover(r->g, &r->err);
}

int rig_recover(struct rig *r)
{
	return patiently(r, try_recover);
}

/* ---- waiting ------------------------------------------------------------------------- */

void rig_forget_faults(struct rig *r)
{
	struct gv_guest *g = r->g;

	gv_irq_drain(g);
	g->fault = (struct gv_guest_fault){0};
	for (unsigned i = 0; i < GV_MAX_COMPUTE; i++)
		g->compute[i].problems_seen = gv_irq_problems(g);
	for (unsigned i = 0; i < GV_NUM_SDMA; i++)
		g->sdma[i].problems_seen = gv_irq_problems(g);
}

int rig_wait(struct rig *r, struct gv_guest_queue *q, uint64_t seq)
{
	uint64_t deadline = gv_now_ns() + r->wait_ns;
	int rc;

	do {
		rc = gv_guest_wait(q, seq, GV_MIN(gv_now_ns() + 50 * GV_MS, deadline), &r->err);
		/* a queue that faulted may have stopped: its fence would never come */
		if (rc == -ETIMEDOUT && q->problems_seen != gv_irq_problems(r->g))
			return gv_fail(&r->err, -EIO, "%s stopped by a fault", q->name);
	} while (rc == -ETIMEDOUT && gv_now_ns() < deadline);
	return rc;
}

bool rig_alive(struct rig *r, uint64_t within_ns)
{
	struct gv_guest_queue *queue[] = {gv_guest_sdma(r->g, 0), gv_guest_compute(r->g, 0)};

	rig_forget_faults(r);
	for (size_t i = 0; i < GV_ARRAY_LEN(queue); i++) {
		uint32_t nop = i ? GV_PM4_NOP1 : GV_SDMA_HEADER(NOP);
		uint64_t seq;

		if (gv_guest_submit(queue[i], &nop, 1, &seq, &r->err) ||
		    gv_guest_wait(queue[i], seq, gv_now_ns() + within_ns, &r->err))
			return false;
	}
	return true;
}

/* Healthy queues answer within milliseconds; where that is too short, a reset too many is harmless.
 */
bool rig_revive(struct rig *r)
{
	if (gv_now_ns() > r->end_ns)
		return rig_finding(r, false, "the time of --total is over, the rest was not tried");
	if (rig_alive(r, 100 * GV_MS))
		return true;
	r->recoveries++;
	return !rig_recover(r) || rig_trouble(r, "recovery after a fault");
}
