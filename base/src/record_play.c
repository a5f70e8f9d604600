/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The player: does to functions what drivers did, and compares.
 *
 * What the functions do by themselves takes its own time, so an answer that is not there yet is
 * waited for; what was quicker than it was then is seen by the record's later reads.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "record_play.h"

#define ALONE_NS (50 * GV_MS)  /* wait so long before the others go on */
#define LATE_NS  (10 * GV_S)   /* nobody gets any further: a difference */
#define PASS_NS  (100 * GV_MS) /* for memory that is overwritten later */
#define AHEAD    64u           /* records in which a later read is looked for */

struct play {
	struct gv_play_part part[GV_PLAY_MAX];
	unsigned count;
	const struct gv_play_rules *rules;
	struct gv_play_stats stats;
	uint64_t progress_ns, late_ns;
	struct gv_err *err;
};

enum result { GO_ON, BLOCKED, WRONG };

/* ---- comparing ------------------------------------------------------------------------- */

static enum result blocked(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e,
                           const void *came, int rc)
{
	struct gv_record got = e->rec;
	char want[200], text[200];

	got.rc = (int16_t)rc;
	gv_record_text(&e->rec, gv_play_data(p, e), play->rules, want, sizeof(want));
	gv_record_text(&got, came, play->rules, text, sizeof(text));
	(void)snprintf(p->why, sizeof(p->why), "%s expected, %s came", want, text);
	return BLOCKED;
}

/* A later read of the same, with nothing written there in between, saw this. */
static bool seen_later(const struct gv_play_part *p, const void *came, uint32_t bytes)
{
	const struct gv_play_entry *e = &p->entry[p->at];

	for (size_t i = p->at + 1; i < p->count && i <= p->at + AHEAD; i++) {
		const struct gv_play_entry *l = &p->entry[i];

		if (l->rec.type == GV_RECORD_WRITE && l->rec.region == e->rec.region &&
		    l->rec.off == e->rec.off)
			return false;
		if (l->rec.type == GV_RECORD_READ && !l->rec.rc &&
		    gv_play_same_place(&l->rec, &e->rec) &&
		    !memcmp(gv_play_data(p, l), came, bytes))
			return true;
	}
	return false;
}

/* All bits that differ may. */
static bool may_differ(const struct play *play, const struct gv_play_entry *e, const void *want,
                       const void *came)
{
	uint32_t a, b;

	if (e->rec.region != GV_REGION_MMIO || e->rec.bytes != 4 || !play->rules ||
	    !play->rules->ignored)
		return false;
	memcpy(&a, want, 4);
	memcpy(&b, came, 4);
	return !((a ^ b) & ~play->rules->ignored(play->rules->arg, (uint32_t)e->rec.off));
}

static enum result do_read(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e)
{
	gv_auto_free uint8_t *came = malloc(e->rec.bytes + 1);
	const void *want = gv_play_data(p, e);
	int rc =
	        came ? gv_bus_read(p->bus, e->rec.region, e->rec.off, came, e->rec.bytes) : -ENOMEM;

	if (rc != e->rec.rc)
		return blocked(play, p, e, rc ? NULL : came, rc);
	if (!rc && want && memcmp(want, came, e->rec.bytes)) {
		if (e->passing || seen_later(p, came, e->rec.bytes))
			play->stats.polls++;
		else if (may_differ(play, e, want, came))
			play->stats.ignored++;
		else
			return blocked(play, p, e, came, rc);
	}
	play->stats.reads++;
	play->stats.compared_bytes += e->rec.bytes;
	return GO_ON;
}

static enum result compare_rc(struct play *play, struct gv_play_part *p,
                              const struct gv_play_entry *e, int rc)
{
	if (rc == e->rec.rc)
		return GO_ON;
	(void)blocked(play, p, e, NULL, rc);
	return WRONG; /* it was done: not to be tried again */
}

static enum result do_write(struct play *play, struct gv_play_part *p,
                            const struct gv_play_entry *e)
{
	const void *data = gv_play_data(p, e);
	uint32_t val;

	play->stats.writes++;
	if (e->rec.region == GV_REGION_MMIO && e->rec.bytes == 4 && play->rules &&
	    play->rules->wrote) {
		memcpy(&val, data, sizeof(val));
		play->rules->wrote(play->rules->arg, p->index, (uint32_t)e->rec.off, val);
	}
	return compare_rc(play, p, e,
	                  gv_bus_write(p->bus, e->rec.region, e->rec.off, data, e->rec.bytes));
}

static enum result do_size(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e)
{
	uint64_t bytes = 0;
	int rc = gv_bus_region_bytes(p->bus, e->rec.region, &bytes);

	if (rc != e->rec.rc || (!rc && memcmp(&bytes, gv_play_data(p, e), sizeof(bytes))))
		return blocked(play, p, e, rc ? NULL : &bytes, rc), WRONG;
	return GO_ON;
}

/* ---- memory and interrupts --------------------------------------------------------------- */

static enum result do_alloc(struct gv_play_part *p, const struct gv_play_entry *e)
{
	struct gv_shadow *s = calloc(1, sizeof(*s));
	uint64_t bytes;
	int rc = s ? 0 : -ENOMEM;

	memcpy(&bytes, gv_play_data(p, e), sizeof(bytes));
	if (!rc)
		rc = gv_dma_alloc(p->bus, bytes, &s->device);
	if (rc) {
		free(s);
		(void)snprintf(p->why, sizeof(p->why), "DMA buffer of %llu bytes: %s",
		               (unsigned long long)bytes, strerror(-rc));
		return WRONG;
	}
	s->iova = s->device.iova;
	s->bytes = bytes;
	s->next = p->dma;
	p->dma = s;
	if (s->iova == e->rec.off)
		return GO_ON;
	(void)snprintf(p->why, sizeof(p->why),
	               "DMA buffer at 0x%llx expected, at 0x%llx it came: what the driver told the "
	               "device would be wrong",
	               (unsigned long long)e->rec.off, (unsigned long long)s->iova);
	return WRONG;
}

static enum result do_free(struct gv_play_part *p, const struct gv_play_entry *e)
{
	for (struct gv_shadow **at = &p->dma; *at; at = &(*at)->next) {
		struct gv_shadow *s = *at;

		if (s->iova != e->rec.off)
			continue;
		*at = s->next;
		gv_dma_free(p->bus, &s->device);
		free(s);
		break;
	}
	return GO_ON;
}

static enum result no_memory(struct gv_play_part *p, const struct gv_play_entry *e)
{
	(void)snprintf(p->why, sizeof(p->why), "0x%llx, %u bytes: no DMA buffer is there",
	               (unsigned long long)e->rec.off, e->rec.bytes);
	return WRONG;
}

static enum result do_out(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e)
{
	struct gv_shadow *s = gv_shadow_find(p->dma, e->rec.off, e->rec.bytes);

	if (!s || !e->rec.bytes)
		return no_memory(p, e);
	memcpy((uint8_t *)s->device.cpu + (e->rec.off - s->iova), gv_play_data(p, e), e->rec.bytes);
	play->stats.dma_bytes += e->rec.bytes;
	return GO_ON;
}

static enum result do_in(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e)
{
	struct gv_shadow *s = gv_shadow_find(p->dma, e->rec.off, e->rec.bytes);
	gv_auto_free uint8_t *both = malloc(2 * (size_t)e->rec.bytes + 1);
	uint8_t *want = both, *came = both + e->rec.bytes;

	if (!s || !e->rec.bytes || !both)
		return no_memory(p, e);
	memcpy(want, gv_play_data(p, e), e->rec.bytes);
	memcpy(came, (uint8_t *)s->device.cpu + (e->rec.off - s->iova), e->rec.bytes);
	if (play->rules && play->rules->mask)
		play->rules->mask(play->rules->arg, p->index, e->rec.off, want, came, e->rec.bytes);
	if (memcmp(want, came, e->rec.bytes)) {
		if (!e->passing || !p->blocked_ns || gv_real_ns() - p->blocked_ns < PASS_NS)
			return blocked(play, p, e, came, 0);
		play->stats.polls++;
	}
	play->stats.compared_bytes += e->rec.bytes;
	return GO_ON;
}

static enum result do_irq_enable(struct play *play, struct gv_play_part *p,
                                 const struct gv_play_entry *e)
{
	int fd = -1, rc = gv_bus_irq_enable(p->bus, (unsigned)e->rec.off, &fd);

	if (!rc && e->rec.off < GV_RECORD_VECTORS)
		p->vector[e->rec.off] = fd;
	return compare_rc(play, p, e, rc);
}

static enum result do_irq(struct play *play, struct gv_play_part *p, const struct gv_play_entry *e)
{
	uint64_t v = e->rec.off, ticks = 0;

	if (v >= GV_RECORD_VECTORS || p->vector[v] < 0) {
		(void)snprintf(p->why, sizeof(p->why), "interrupt %llu was not enabled",
		               (unsigned long long)v);
		return WRONG;
	}
	if (read(p->vector[v], &ticks, sizeof(ticks)) == sizeof(ticks))
		p->ticks[v] += ticks;
	if (!p->ticks[v]) {
		(void)snprintf(p->why, sizeof(p->why), "interrupt %llu expected, none came",
		               (unsigned long long)v);
		return BLOCKED;
	}
	p->ticks[v]--;
	play->stats.interrupts++;
	return GO_ON;
}

/* ---- life of a function -------------------------------------------------------------------- */

static enum result do_open(struct gv_play_part *p)
{
	struct gv_err err = {0};

	if (p->bus || !p->what->open(p->what->arg, &p->bus, &err))
		return GO_ON;
	(void)snprintf(p->why, sizeof(p->why), "%s", err.text);
	return BLOCKED; /* a VF comes to be when the PF makes it */
}

static void close_part(struct gv_play_part *p)
{
	gv_shadow_free_all(&p->dma, p->bus);
	for (unsigned i = 0; i < GV_RECORD_VECTORS; i++)
		p->vector[i] = -1;
	p->bus = gv_bus_close(p->bus);
}

static enum result step(struct play *play, struct gv_play_part *p)
{
	const struct gv_play_entry *e = &p->entry[p->at];
	uint64_t val;

	if (e->rec.type != GV_RECORD_OPEN && !p->bus) {
		(void)snprintf(p->why, sizeof(p->why), "the function is not open");
		return WRONG;
	}
	switch (e->rec.type) {
	case GV_RECORD_OPEN:
		return do_open(p);
	case GV_RECORD_READ:
		return do_read(play, p, e);
	case GV_RECORD_WRITE:
		return do_write(play, p, e);
	case GV_RECORD_DOORBELL:
		memcpy(&val, gv_play_data(p, e), sizeof(val));
		gv_doorbell64(p->bus, (uint32_t)e->rec.off, val);
		play->stats.doorbells++;
		return GO_ON;
	case GV_RECORD_BYTES:
		return do_size(play, p, e);
	case GV_RECORD_IRQ_ENABLE:
		return do_irq_enable(play, p, e);
	case GV_RECORD_IRQ:
		return do_irq(play, p, e);
	case GV_RECORD_DMA_ALLOC:
		return do_alloc(p, e);
	case GV_RECORD_DMA_FREE:
		return do_free(p, e);
	case GV_RECORD_DMA_OUT:
		return do_out(play, p, e);
	case GV_RECORD_DMA_IN:
		return do_in(play, p, e);
	case GV_RECORD_RESET:
		return compare_rc(play, p, e, gv_bus_reset(p->bus));
	case GV_RECORD_VFS:
		return compare_rc(play, p, e,
		                  gv_bus_enable_vfs(p->bus, (unsigned)e->rec.off, NULL));
	case GV_RECORD_CLOSE:
		close_part(p);
		return GO_ON;
	default:
		return GO_ON;
	}
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* Whose record is the oldest; @waiting: among those that do not get any further, else among the
 * others. NULL: nobody's. */
static struct gv_play_part *oldest(struct play *play, bool waiting, uint64_t now_ns)
{
	struct gv_play_part *best = NULL;

	for (unsigned i = 0; i < play->count; i++) {
		struct gv_play_part *p = &play->part[i];
		bool waits = p->blocked_ns && now_ns - p->blocked_ns > ALONE_NS;

		if (p->at == p->count || waits != waiting)
			continue;
		if (!best || p->entry[p->at].rec.time_ns < best->entry[best->at].rec.time_ns)
			best = p;
	}
	return best;
}

static int say_difference(struct play *play, const struct gv_play_part *p)
{
	const struct gv_play_entry *e = &p->entry[p->at];

	return gv_fail(play->err, -EILSEQ, "%s: first difference at record %llu, %.6f s: %s",
	               p->what->path, (unsigned long long)e->number,
	               (double)(e->rec.time_ns - p->entry[0].rec.time_ns) / 1e9, p->why);
}

/* One try of one function. 1: go on; 0: that was all; negative: a difference. */
static int turn(struct play *play, struct gv_play_part *p, uint64_t now_ns)
{
	enum result result = step(play, p);
	int lost = result == GO_ON && p->bus ? gv_bus_status(p->bus) : 0;

	if (lost) {
		(void)snprintf(p->why, sizeof(p->why), "behind it the device is lost: %s",
		               strerror(-lost));
		result = WRONG;
	}
	if (result == WRONG)
		return say_difference(play, p);
	if (result == BLOCKED) {
		p->blocked_ns = p->blocked_ns ? p->blocked_ns : now_ns;
		return 1;
	}
	p->at++;
	p->blocked_ns = 0;
	play->stats.records++;
	play->progress_ns = now_ns;
	return 1;
}

static int round_of(struct play *play, unsigned *spins)
{
	uint64_t now_ns = gv_real_ns(), before = play->stats.records;
	struct gv_play_part *p = oldest(play, false, now_ns), *first = oldest(play, true, now_ns);
	int rc = 1;

	if (!p && !first)
		return 0;
	if (p)
		rc = turn(play, p, now_ns);
	/* Those who wait try again, now that something has happened. */
	for (unsigned i = 0; rc > 0 && first && i < play->count; i++) {
		struct gv_play_part *w = &play->part[i];

		if (w != p && w->blocked_ns && w->at < w->count)
			rc = turn(play, w, now_ns);
	}
	if (rc <= 0)
		return rc;
	if (play->stats.records != before) {
		*spins = 0;
		return 1;
	}
	if (now_ns - play->progress_ns > play->late_ns)
		return say_difference(play, first ? first : p);
	gv_poll_pause(spins);
	return 1;
}

static int prepare(struct play *play, const struct gv_play_function *functions)
{
	for (unsigned i = 0; i < play->count; i++) {
		struct gv_play_part *p = &play->part[i];
		int rc;

		p->what = &functions[i];
		p->index = i;
		for (unsigned v = 0; v < GV_RECORD_VECTORS; v++)
			p->vector[v] = -1;
		rc = gv_play_load(p, play->err);
		if (rc)
			return rc;
	}
	return 0;
}

static int finish(struct play *play, int rc)
{
	for (unsigned i = play->count; i-- > 0;) {
		struct gv_play_part *p = &play->part[i];

		close_part(p);
		if (!rc && p->torn.code)
			rc = gv_fail(play->err, p->torn.code, "%s: as recorded up to %s",
			             p->what->path, p->torn.text);
		free(p->entry);
		free(p->arena);
	}
	return rc;
}

int gv_record_play(const struct gv_play_function *functions, unsigned count,
                   const struct gv_play_rules *rules, struct gv_play_stats *stats,
                   struct gv_err *err)
{
	struct play *play = calloc(1, sizeof(*play));
	unsigned spins = 0;
	int rc;

	if (!play || !count || count > GV_PLAY_MAX) {
		free(play);
		return gv_fail(err, -EINVAL, "%u records at once: 1 to %u can be played", count,
		               GV_PLAY_MAX);
	}
	play->count = count;
	play->rules = rules;
	play->err = err;
	play->late_ns = rules && rules->late_ns ? rules->late_ns : LATE_NS;
	rc = prepare(play, functions);
	play->progress_ns = gv_real_ns();
	if (!rc)
		rc = 1;
	while (rc > 0)
		rc = round_of(play, &spins);
	rc = finish(play, rc);
	if (stats)
		*stats = play->stats;
	free(play);
	return rc;
}
