/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VF that is busy: for ever, with work that is checked, with interrupts. */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

#define UNIT_BYTES (1 * GV_MIB)
#define UNIT_ITEMS 1024u

/* ---- spin --------------------------------------------------------------------------------- */

/* s_branch to itself; s_endpgm */
static const uint32_t endless[RIG_CODE_DW] = {0xbf82ffff, 0xbf810000};

static int spin(struct rig *r, struct gv_guest_program *program, uint64_t seconds)
{
	struct gv_guest_queue *q = gv_guest_compute(r->g, 0);
	uint64_t seq = 0, end = gv_now_ns() + seconds * GV_S;
	int rc = rig_launch(r, program, NULL, 0, 64, &seq);

	if (!rc)
		rc = gv_guest_wait(q, seq, gv_now_ns() + 200 * GV_MS, &r->err);
	if (rc != -ETIMEDOUT)
		return rc;
	rig_note("spinning");
	while (rc == -ETIMEDOUT && gv_now_ns() < end)
		rc = gv_guest_wait(q, seq, GV_MIN(end, gv_now_ns() + GV_S), &r->err);
	return rc;
}

int rig_spin(struct rig *r, const char *arg)
{
	struct gv_guest_program *program = NULL;
	uint64_t seconds = 0;
	int rc = rig_parse_seconds(arg, &seconds);

	if (rc)
		return rig_finding(r, false, "spin takes seconds, not '%s'", arg) ? 0 : 1;
	rc = gv_guest_program_raw(r->g, endless, sizeof(endless), &program, &r->err);
	if (!rc)
		rc = spin(r, program, seconds);
	if (rc == -ETIMEDOUT)
		(void)rig_finding(r, true, "spun for %llu s", (unsigned long long)seconds);
	else
		(void)rig_finding(r, false, "stopped spinning: %s",
		                  rc ? r->err.text : "the shader ended");
	program = gv_guest_program_free(program);
	return rig_verdict(r);
}

/* ---- work ----------------------------------------------------------------------------------- */

struct work {
	struct rig *r;
	struct gv_guest_buf *from, *to, *in, *out;
	uint32_t *seen;
	uint64_t units, errors, slowest_ns;
};

static int work_open(struct work *w)
{
	struct rig *r = w->r;
	int rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_VRAM, UNIT_BYTES, &w->from, &r->err);

	if (!rc)
		rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, UNIT_BYTES, &w->to, &r->err);
	if (!rc)
		rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_VRAM, UNIT_ITEMS * 4, &w->in, &r->err);
	if (!rc)
		rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, UNIT_ITEMS * 4, &w->out,
		                      &r->err);
	return rc;
}

static void work_close(struct work *w)
{
	w->from = gv_guest_buf_free(w->from);
	w->to = gv_guest_buf_free(w->to);
	w->in = gv_guest_buf_free(w->in);
	w->out = gv_guest_buf_free(w->out);
}

/* Fill in video memory, copy to ours, compare. */
static int copy_unit(struct work *w, uint32_t pattern)
{
	struct rig *r = w->r;
	struct gv_guest_queue *q = gv_guest_sdma(r->g, 0);
	const uint32_t *seen = gv_guest_buf_cpu(w->to);
	uint64_t seq = 0;
	int rc = gv_guest_sdma_fill(q, r->g->vm, gv_guest_buf_va(w->from), pattern, UNIT_BYTES,
	                            &seq, &r->err);

	if (!rc)
		rc = gv_guest_sdma_copy(q, r->g->vm, gv_guest_buf_va(w->to),
		                        gv_guest_buf_va(w->from), UNIT_BYTES, &seq, &r->err);
	if (!rc)
		rc = gv_guest_wait(q, seq, gv_now_ns() + 6 * r->wait_ns, &r->err);
	for (unsigned i = 0; i < UNIT_BYTES / 4 && !rc; i++)
		if (seen[i] != pattern)
			rc = gv_fail(&r->err, -EIO, "copy: dword %u is 0x%x, not 0x%x", i, seen[i],
			             pattern);
	return rc;
}

/* A kernel moves 1024 numbers out of video memory, in groups of 64, all to one row: the last
 * group's row stays. Each row is the same, so any order is right. */
static int compute_unit(struct work *w, uint32_t pattern)
{
	struct rig *r = w->r;
	struct gv_guest_queue *q = gv_guest_compute(r->g, 0);
	const uint64_t arg[] = {gv_guest_buf_va(w->in), gv_guest_buf_va(w->out)};
	uint32_t row[64], *seen = gv_guest_buf_cpu(w->out);
	uint64_t seq = 0;
	int rc;

	for (uint32_t i = 0; i < 64; i++)
		row[i] = pattern * (i + 1);
	memset(seen, 0, sizeof(row));
	rc = gv_guest_buf_upload(w->in, 0, row, sizeof(row), &r->err);
	if (!rc)
		rc = rig_copier(r);
	if (!rc)
		rc = rig_launch(r, r->copier, arg, sizeof(arg), UNIT_ITEMS, &seq);
	if (!rc)
		rc = gv_guest_wait(q, seq, gv_now_ns() + 6 * r->wait_ns, &r->err);
	if (!rc && memcmp(seen, row, sizeof(row)) != 0)
		rc = gv_fail(&r->err, -EIO, "compute: a wrong row, dword 0 is 0x%x, not 0x%x",
		             seen[0], row[0]);
	return rc;
}

static void one_unit(struct work *w)
{
	uint64_t start = gv_now_ns();
	uint32_t pattern = (uint32_t)w->units * 2654435761u + 1;
	int rc = copy_unit(w, pattern);

	if (!rc)
		rc = compute_unit(w, pattern);
	w->slowest_ns = GV_MAX(w->slowest_ns, gv_now_ns() - start);
	if (!rc) {
		w->units++;
		return;
	}
	rig_note("error after %llu units: %s", (unsigned long long)w->units, w->r->err.text);
	w->errors++;
}

int rig_work(struct rig *r, const char *arg)
{
	enum { TOO_MANY = 10 };
	struct work w = {.r = r};
	uint64_t seconds = 0, start = gv_now_ns();
	int rc = rig_parse_seconds(arg, &seconds);

	if (rc)
		return rig_finding(r, false, "work takes seconds, not '%s'", arg) ? 0 : 1;
	if (work_open(&w)) {
		work_close(&w);
		return rig_trouble(r, "memory to work on") ? 0 : 1;
	}
	while (gv_now_ns() - start < seconds * GV_S && w.errors < TOO_MANY) {
		one_unit(&w);
		/* a victim of somebody's reset comes back and goes on, but the error stays */
		if (w.errors && !rig_alive(r, GV_S) && rig_recover(r)) {
			(void)rig_trouble(r, "recovery");
			break;
		}
	}
	rig_note("units=%llu seconds=%.2f errors=%llu slowest_ms=%.1f", (unsigned long long)w.units,
	         (double)(gv_now_ns() - start) / (double)GV_S, (unsigned long long)w.errors,
	         (double)w.slowest_ns / (double)GV_MS);
	work_close(&w);
	return w.units && !w.errors && !r->bad ? 0 : 1;
}

/* ---- irq ------------------------------------------------------------------------------------ */

/* The counts of one line of /proc/interrupts: "24:  17  0  PCI-MSIX-... vfio-msix[0](BDF)". */
static int64_t sum_counts(const char *line)
{
	const char *at = strchr(line, ':');
	int64_t sum = 0;
	char *end;

	for (at = at ? at + 1 : ""; *at; at = end) {
		int64_t n = strtoll(at, &end, 10);

		if (end == at)
			break;
		sum += n;
	}
	return sum;
}

/* What the guest's kernel counted for this function's MSI-X vectors; -1: it has no such line. */
static int64_t kernel_count(const struct rig *r)
{
	const char *bdf = strncmp(r->uri, "vfio:", 5) ? NULL : r->uri + 5;
	FILE *f = bdf ? fopen("/proc/interrupts", "re") : NULL;
	char line[1024];
	int64_t sum = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "vfio-msix") && strstr(line, bdf))
			sum = GV_MAX(sum, 0) + sum_counts(line);
	if (f)
		(void)fclose(f);
	return sum;
}

/* The ring is empty and says so: the next entry must raise the vector. */
static void arm(struct rig *r)
{
	struct gv_guest *g = r->g;

	gv_irq_drain(g);
	(void)gv_irq_wait(g->ih_fd, gv_now_ns());
	(void)pthread_mutex_lock(&g->ih_lock);
	g->ih_told = g->ih.rptr;
	gv_doorbell64(g->bus, GV_DOORBELL_IH * 4, g->ih.rptr);
	(void)pthread_mutex_unlock(&g->ih_lock);
}

/* Nothing is looked at until the eventfd says that there is something. */
static int fence_by_interrupt(struct rig *r, struct gv_guest_queue *q, uint32_t nop)
{
	uint64_t seq = 0, irqs = atomic_load(&q->irqs);
	int rc;

	arm(r);
	rc = gv_guest_submit(q, &nop, 1, &seq, &r->err);
	if (rc)
		return rc;
	rc = gv_irq_wait(r->g->ih_fd, gv_now_ns() + r->wait_ns);
	if (rc)
		return gv_fail(&r->err, rc, "no interrupt came by the eventfd");
	gv_irq_drain(r->g);
	if (atomic_load(&q->irqs) == irqs)
		return gv_fail(&r->err, -EIO, "an interrupt came, but not the fence's");
	return gv_guest_wait(q, seq, gv_now_ns() + r->wait_ns, &r->err);
}

int rig_irq(struct rig *r, const char *arg)
{
	enum { ROUNDS = 20 };
	struct gv_guest_queue *queue[] = {gv_guest_sdma(r->g, 0), gv_guest_sdma(r->g, 1),
	                                  gv_guest_compute(r->g, 0), gv_guest_compute(r->g, 1)};
	struct gv_guest_info was, is;
	int64_t kernel = kernel_count(r);

	(void)arg;
	gv_guest_get_info(r->g, &was);
	for (size_t i = 0; i < GV_ARRAY_LEN(queue); i++) {
		unsigned n = 0;

		while (n < ROUNDS &&
		       !fence_by_interrupt(r, queue[i], i < 2 ? GV_SDMA_HEADER(NOP) : GV_PM4_NOP1))
			n++;
		(void)rig_finding(r, n == ROUNDS, "%s: %u of %u fences by eventfd%s%s",
		                  gv_guest_queue_name(queue[i]), n, ROUNDS, n < ROUNDS ? ": " : "",
		                  n < ROUNDS ? r->err.text : "");
	}
	gv_guest_get_info(r->g, &is);
	(void)rig_finding(r, is.interrupts - was.interrupts >= GV_ARRAY_LEN(queue) * ROUNDS,
	                  "interrupts=%llu", (unsigned long long)(is.interrupts - was.interrupts));
	if (kernel >= 0)
		(void)rig_finding(r, kernel_count(r) > kernel,
		                  "the kernel counted %lld interrupts of vfio-msix",
		                  (long long)(kernel_count(r) - kernel));
	return rig_verdict(r);
}
