/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run in memory. Host byte order (the GPU's), no padding:
 *
 *	struct saved_run
 *	num_waves times	struct saved_wave, num_vgprs rows of 64 dwords
 *	lds_bytes of LDS
 *
 * A run between two workgroups has no waves and saves no LDS. What can be computed again is not
 * in here: decoded code, translations, lane masks. Whatever changes the layout changes VERSION:
 * what an older model saved is refused.
 */
#include <errno.h>

#include "ramp.h"

#define MAGIC   0x57534347u /* "GCSW" */
#define VERSION 1u
#define ROW     (CU_LANES * 4u)

enum { FLAG_PRIV = 1, FLAG_HALT = 2 };

struct saved_run {
	uint32_t magic, version;
	uint64_t bytes; /* of everything */
	uint32_t in_group, num_waves, num_vgprs, lds_bytes;
	uint32_t current, group[3];
	uint64_t next_local;
	struct gv_cu_counters count;
};

struct saved_wave {
	uint64_t pc, executed;
	uint32_t state, flags, scc, mode, trapsts, zero;
	uint32_t s[CU_NUM_S];
};

_Static_assert(sizeof(struct saved_run) == 56 + 8 * 8, "changed: count VERSION up");
_Static_assert(sizeof(struct saved_wave) == 40 + 512, "changed: count VERSION up");
_Static_assert(CU_RUNNING == 0 && CU_AT_BARRIER == 1 && CU_WAITING == 2 && CU_HALTED == 3 &&
                       CU_ENDED == 4,
               "changed: count VERSION up");

static size_t wave_bytes(const struct gv_cu_run *run)
{
	return sizeof(struct saved_wave) + (size_t)run->num_vgprs * ROW;
}

static size_t size_with(const struct gv_cu_run *run, uint32_t num_waves)
{
	if (num_waves == 0)
		return sizeof(struct saved_run);
	return sizeof(struct saved_run) + num_waves * wave_bytes(run) + run->lds_bytes;
}

size_t gv_cu_save_size(const struct gv_cu_run *run)
{
	return size_with(run, run->in_group ? run->num_waves : 0);
}

/* ---- save */
static void save_wave(struct cu_wave *w, uint8_t *to)
{
	struct saved_wave sw = {
	        .pc = cu_wave_pc(w),
	        .executed = w->executed,
	        .state = w->state,
	        .flags = (w->priv ? FLAG_PRIV : 0u) | (w->halt ? FLAG_HALT : 0u),
	        .scc = w->scc,
	        .mode = w->mode,
	        .trapsts = w->trapsts,
	};

	cu_ramp_settle(w, ~0ull);
	memcpy(sw.s, w->s, sizeof(sw.s));
	memcpy(to, &sw, sizeof(sw));
	memcpy(to + sizeof(sw), w->v, (size_t)w->run->num_vgprs * ROW);
}

int gv_cu_save(const struct gv_cu_run *run, void *buf, size_t bytes)
{
	struct saved_run sr = {
	        .magic = MAGIC,
	        .version = VERSION,
	        .bytes = gv_cu_save_size(run),
	        .in_group = run->in_group,
	        .num_waves = run->in_group ? run->num_waves : 0,
	        .num_vgprs = run->num_vgprs,
	        .lds_bytes = run->lds_bytes,
	        .current = run->in_group ? run->current : 0,
	        .next_local = run->next_local,
	        .count = run->n,
	};
	uint8_t *to = buf;

	if (run->fault.reason != GV_CU_NO_FAULT)
		return -EINVAL;
	if (bytes < sr.bytes)
		return -ENOSPC;
	memcpy(sr.group, run->group, sizeof(sr.group));
	memcpy(to, &sr, sizeof(sr));
	to += sizeof(sr);
	for (unsigned n = 0; n < sr.num_waves; n++, to += wave_bytes(run))
		save_wave(run->wave[n], to);
	if (sr.num_waves && run->lds_bytes)
		memcpy(to, run->lds, run->lds_bytes);
	return 0;
}

/* ---- restore: first all checks, then all changes */
static bool group_is_valid(const struct gv_cu_run *run, const struct saved_run *sr)
{
	uint32_t size[3], waves;

	for (unsigned k = 0; k < 3; k++)
		if (sr->group[k] < run->d.start[k] || sr->group[k] >= run->d.dim[k])
			return false;
	waves = (cu_group_size(run, sr->group, size) + CU_LANES - 1) / CU_LANES;
	return sr->num_waves == waves && waves <= run->max_waves && sr->current < waves;
}

static bool run_is_valid(const struct gv_cu_run *run, const struct saved_run *sr, size_t bytes)
{
	if (sr->magic != MAGIC || sr->version != VERSION || sr->in_group > 1)
		return false;
	if (sr->num_vgprs != run->num_vgprs || sr->lds_bytes != run->lds_bytes)
		return false;
	if (!sr->in_group)
		return sr->num_waves == 0 && sr->current == 0 && sr->bytes == sizeof(*sr) &&
		       bytes >= sr->bytes;
	return group_is_valid(run, sr) && sr->bytes == size_with(run, sr->num_waves) &&
	       bytes >= sr->bytes;
}

/* Nobody is in a trap handler that is not there. */
static bool wave_is_valid(const struct gv_cu_run *run, const struct saved_wave *sw)
{
	uint32_t flags = FLAG_HALT | (run->d.tba ? FLAG_PRIV : 0u);

	return sw->state <= CU_ENDED && !(sw->flags & ~flags) && sw->scc <= 1 && sw->pc % 4 == 0 &&
	       sw->zero == 0;
}

static void restore_wave(struct cu_wave *w, const struct saved_wave *sw, const uint8_t *vgprs)
{
	memset(w->s, 0, sizeof(w->s));
	memcpy(w->s, sw->s, sizeof(sw->s));
	memcpy(w->v, vgprs, (size_t)w->run->num_vgprs * ROW);
	w->pc = sw->pc;
	w->ip = w->cur = NULL;
	w->chunk = NULL;
	w->executed = sw->executed;
	w->state = (enum cu_state)sw->state;
	w->priv = sw->flags & FLAG_PRIV;
	w->halt = sw->flags & FLAG_HALT;
	w->attention = CU_ENTER; /* and what MODE asks for */
	w->scc = sw->scc;
	w->trapsts = sw->trapsts;
	w->mode = sw->mode;
	w->ramps = w->ramped = 0;
	cu_mode_changed(w);
}

int gv_cu_restore(struct gv_cu_run *run, const void *buf, size_t bytes)
{
	struct saved_wave sw[GV_CU_MAX_WAVES];
	const uint8_t *from = buf;
	struct saved_run sr;

	if (bytes < sizeof(sr))
		return -EINVAL;
	memcpy(&sr, from, sizeof(sr));
	if (!run_is_valid(run, &sr, bytes))
		return -EINVAL;
	from += sizeof(sr);
	for (unsigned n = 0; n < sr.num_waves; n++) {
		memcpy(&sw[n], from + n * wave_bytes(run), sizeof(sw[n]));
		if (!wave_is_valid(run, &sw[n]))
			return -EINVAL;
	}
	for (unsigned n = 0; n < sr.num_waves; n++, from += wave_bytes(run))
		restore_wave(run->wave[n], &sw[n], from + sizeof(sw[n]));
	if (sr.num_waves && run->lds_bytes)
		memcpy(run->lds, from, run->lds_bytes);
	memcpy(run->group, sr.group, sizeof(run->group));
	run->in_group = sr.in_group;
	run->num_waves = sr.num_waves;
	run->current = sr.current;
	run->next_local = sr.next_local;
	run->n = sr.count;
	return 0;
}
