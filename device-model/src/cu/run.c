/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run: workgroup after workgroup, its waves in turn, in bounded steps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <gv/base.h>

#include "ramp.h"

#define TURN                                                                                       \
	8192u /* instructions of one wave before another has its turn, in however many steps       \
	       */

static uint32_t items(const uint32_t n[3])
{
	const uint32_t over = GV9_GROUP_ITEMS + 1; /* no more than this counts */
	uint64_t all = (uint64_t)GV_MIN(n[0], over) * GV_MIN(n[1], over) * GV_MIN(n[2], over);

	return (uint32_t)GV_MIN(all, (uint64_t)over);
}

uint32_t gv_cu_waves_per_group(const struct gv_cu_dispatch *d)
{
	return (items(d->num_thread) + CU_LANES - 1) / CU_LANES;
}

uint32_t gv_cu_max_runs(const struct gv_cu_dispatch *d)
{
	uint32_t waves = gv_cu_waves_per_group(d);

	if (!CU_RSRC2_SCRATCH_EN(d->rsrc2) || !CU_TMPRING_WAVESIZE(d->tmpring_size) || !waves)
		return UINT32_MAX;
	return CU_TMPRING_WAVES(d->tmpring_size) / waves;
}

static uint32_t lds_size(const struct gv_cu_dispatch *d)
{
	uint32_t bytes = GV_MAX(CU_RSRC2_LDS_SIZE(d->rsrc2) * GV9_LDS_GRANULE, d->lds_bytes);

	return GV_MIN(bytes, (uint32_t)GV9_LDS_BYTES);
}

static int check(const struct gv_cu_dispatch *d)
{
	uint32_t waves = gv_cu_waves_per_group(d), n = items(d->num_thread);
	uint32_t vgprs = (CU_RSRC1_VGPRS(d->rsrc1) + 1) * 4;

	if (n == 0 || n > GV9_GROUP_ITEMS || !d->mem.translate)
		return -EINVAL;
	if ((waves + 3) / 4 * vgprs > 256) /* four SIMDs share the waves of a workgroup */
		return -EINVAL;
	for (unsigned k = 0; k < 3; k++)
		if (d->partial[k] > d->num_thread[k])
			return -EINVAL;
	if (gv_cu_max_runs(d) != UINT32_MAX &&
	    d->scratch_slot + (uint64_t)waves > CU_TMPRING_WAVES(d->tmpring_size))
		return -ENOSPC;
	return 0;
}

static void *zeroed(size_t bytes)
{
	size_t round = (bytes + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, round);

	if (p)
		memset(p, 0, round);
	return p;
}

static int add_wave(struct gv_cu_run *run)
{
	struct cu_wave *w = zeroed(sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->v = zeroed((size_t)run->room_vgprs * sizeof(*w->v));
	if (!w->v) {
		free(w);
		return -ENOMEM;
	}
	w->run = run;
	w->aux = (struct cu_aux){.in = w->lane_mask[0], .out = w->lane_mask[1]};
	w->index = run->max_waves;
	run->wave[run->max_waves++] = w;
	return 0;
}

static void free_waves(struct gv_cu_run *run)
{
	for (unsigned n = 0; n < run->max_waves; n++) {
		free(run->wave[n]->v);
		free(run->wave[n]);
	}
	run->max_waves = 0;
}

/* Registers and waves for a workgroup of run->d. */
static int fit_waves(struct gv_cu_run *run)
{
	uint32_t waves = gv_cu_waves_per_group(&run->d);
	int rc = 0;

	run->num_vgprs = (CU_RSRC1_VGPRS(run->d.rsrc1) + 1) * 4;
	if (run->num_vgprs > run->room_vgprs) {
		free_waves(run);
		run->room_vgprs = run->num_vgprs;
	}
	while (run->max_waves < waves && !rc)
		rc = add_wave(run);
	return rc;
}

static int fit_lds(struct gv_cu_run *run)
{
	run->lds_bytes = lds_size(&run->d);
	if (run->lds_bytes <= run->lds_room)
		return 0;
	free(run->lds);
	run->lds = zeroed(run->lds_bytes);
	run->lds_room = run->lds ? run->lds_bytes : 0;
	return run->lds ? 0 : -ENOMEM;
}

int gv_cu_begin(struct gv_cu_run **out, const struct gv_cu_dispatch *d)
{
	struct gv_cu_run *run = zeroed(sizeof(*run));
	int rc;

	if (!run)
		return -ENOMEM;
	rc = gv_cu_again(run, d);
	if (rc) {
		(void)gv_cu_free(run);
		return rc;
	}
	*out = run;
	return 0;
}

static uint32_t first_mode(uint32_t rsrc1)
{
	return CU_RSRC1_FLOAT_MODE(rsrc1) | (CU_RSRC1_DX10_CLAMP(rsrc1) ? CU_MODE_DX10_CLAMP : 0) |
	       (CU_RSRC1_IEEE(rsrc1) ? CU_MODE_IEEE : 0);
}

static uint32_t user_sgprs(const struct gv_cu_dispatch *d)
{
	return GV_MIN(CU_RSRC2_USER_SGPR(d->rsrc2), (uint32_t)GV_ARRAY_LEN(d->user_data));
}

int gv_cu_again(struct gv_cu_run *run, const struct gv_cu_dispatch *d)
{
	static const uint64_t always = 0; /* the generation of memory that never changes */
	const struct cu_isa *isa = cu_isa_find(d->isa);
	int rc = isa ? check(d) : -ENOTSUP;

	if (rc)
		return rc;
	if (run->isa != isa || run->d.shared_base != d->shared_base ||
	    run->d.private_base != d->private_base)
		cu_code_forget(run); /* handlers and constants of another */
	run->isa = isa;
	run->d = *d;
	if (!d->mem.generation)
		run->d.mem.generation = &always;
	memset(run->first_s, 0, sizeof(run->first_s));
	memcpy(run->first_s, d->user_data, user_sgprs(d) * sizeof(d->user_data[0]));
	run->n = (struct gv_cu_counters){0};
	run->fault = (struct gv_cu_fault){0};
	run->mode = first_mode(d->rsrc1);
	run->fp_slow = cu_mode_fp(run->mode);
	run->next_local = 0;
	run->in_group = false;
	run->num_waves = 0; /* fit_waves() may free those of the last group */
	cu_code_keep(run);
	rc = fit_lds(run);
	return rc ? rc : fit_waves(run);
}

struct gv_cu_run *gv_cu_free(struct gv_cu_run *run)
{
	if (!run)
		return NULL;
	free_waves(run);
	cu_code_free(run);
	free(run->lds);
	free(run);
	return NULL;
}

/* ---- a workgroup starts */
static bool take_group(struct gv_cu_run *run)
{
	const struct gv_cu_dispatch *d = &run->d;
	uint64_t *next = d->shared ? &d->shared->next_group : &run->next_local, size[3];
	uint64_t n, row, slice;

	for (unsigned k = 0; k < 3; k++) {
		if (d->dim[k] <= d->start[k])
			return false;
		size[k] = d->dim[k] - d->start[k];
	}
	if (d->shared && __atomic_load_n(&d->shared->stop, __ATOMIC_RELAXED))
		return false;
	n = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
	row = n < size[0] ? 0 : n / size[0]; /* most grids have but one */
	slice = row < size[1] ? 0 : row / size[1];
	if (slice >= size[2])
		return false;
	run->group[0] = d->start[0] + (uint32_t)(n - row * size[0]);
	run->group[1] = d->start[1] + (uint32_t)(row - slice * size[1]);
	run->group[2] = d->start[2] + (uint32_t)slice;
	return true;
}

/* Item numbers of a wave whose first is @n, in three dimensions. */
static void start_ids(struct cu_wave *w, const uint32_t size[3], uint32_t n, uint32_t ids)
{
	uint32_t x = n % size[0], y = n / size[0] % size[1], z = n / size[0] / size[1];

	for (uint32_t l = 0; l < CU_LANES; l++) {
		w->v[0][l] = x;
		if (ids >= 1)
			w->v[1][l] = y;
		if (ids >= 2)
			w->v[2][l] = z;
		if (++x < size[0])
			continue;
		x = 0;
		if (++y == size[1]) {
			y = 0;
			z++;
		}
	}
}

static void start_vgprs(struct cu_wave *w, const uint32_t size[3], uint32_t total)
{
	uint32_t ids = CU_RSRC2_TIDIG(w->run->d.rsrc2), first = w->index * CU_LANES;
	uint32_t in_wave = GV_MIN(total - first, CU_LANES), x = first;

	cu_ramp_start(w);
	if (first >= size[0])
		x = first % size[0];
	if (x + CU_LANES > size[0]) {
		start_ids(w, size, first, ids);
	} else { /* all in one row */
		cu_ramp_put(w, 0, x, 1);
		if (ids >= 1)
			cu_ramp_put(w, 1, first / size[0] % size[1], 0);
		if (ids >= 2)
			cu_ramp_put(w, 2, first / size[0] / size[1], 0);
	}
	cu_wr64(&w->s[CU_EXEC], in_wave == CU_LANES ? ~0ull : (1ull << in_wave) - 1);
}

/* 64 bytes at a time: what compilers make of a memset() of this size takes longer to begin than to
 * do. */
static inline void clear(void *p, size_t bytes)
{
	static const uint8_t none[64];

	for (size_t at = 0; at < bytes; at += sizeof(none)) {
		memcpy((uint8_t *)p + at, none, sizeof(none));
		__asm__("" : : : "memory"); /* or it is a memset() again */
	}
}

/* What all waves of the workgroup begin with. Returns how many SGPRs that are. */
static uint32_t start_group_sgprs(struct gv_cu_run *run)
{
	uint32_t n = user_sgprs(&run->d);

	for (unsigned k = 0; k < 3; k++)
		if (CU_RSRC2_TGID_EN(run->d.rsrc2, k))
			run->first_s[n++] = run->group[k];
	return n;
}

/* @n: those that all waves have. */
static void start_sgprs(struct cu_wave *w, uint32_t n)
{
	const struct gv_cu_run *run = w->run;
	const struct gv_cu_dispatch *d = &run->d;

	memcpy(w->s, run->first_s, sizeof(run->first_s));
	clear(w->s + CU_FIRST_S, (CU_NUM_S - CU_FIRST_S) * 4);
	if (CU_RSRC2_TG_SIZE_EN(d->rsrc2))
		w->s[n++] = (w->index == 0 ? 1u << 31 : 0) | w->index << 6 | run->num_waves;
	if (CU_RSRC2_SCRATCH_EN(d->rsrc2)) /* WAVESIZE counts 256 dwords */
		w->s[n] = (d->scratch_slot + w->index) * CU_TMPRING_WAVESIZE(d->tmpring_size) *
		          GV9_SCRATCH_GRANULE;
	cu_wr64(&w->s[CU_FLAT_SCRATCH], d->scratch_base);
	w->s[CU_M0] = run->lds_bytes;
}

/* All begin where the first does. */
static void start_code(struct cu_wave *w)
{
	const struct cu_wave *first = w->run->wave[0];

	w->attention = 0;
	if (w == first) {
		cu_goto(w, w->run->d.pgm_va);
		return;
	}
	w->attention = first->attention;
	w->chunk = first->chunk;
	w->ip = first->ip;
	w->pc = first->pc;
}

static void start_wave(struct cu_wave *w, const uint32_t size[3], uint32_t total, uint32_t sgprs)
{
	start_sgprs(w, sgprs);
	start_vgprs(w, size, total);
	start_code(w);
	w->cur = NULL;
	w->scc = w->trapsts = 0;
	w->priv = w->halt = false;
	w->executed = 0;
	w->state = CU_RUNNING;
	w->mode = w->run->mode;
	w->fp_slow = w->run->fp_slow;
}

uint32_t cu_group_size(const struct gv_cu_run *run, const uint32_t group[3], uint32_t size[3])
{
	for (unsigned k = 0; k < 3; k++) {
		bool last = group[k] + 1 == run->d.dim[k];

		size[k] = last && run->d.partial[k] ? run->d.partial[k] : run->d.num_thread[k];
	}
	return items(size);
}

static bool start_group(struct gv_cu_run *run)
{
	uint32_t size[3], total, sgprs;

	if (!take_group(run))
		return false;
	sgprs = start_group_sgprs(run);
	total = cu_group_size(run, run->group, size);
	run->num_waves = (total + CU_LANES - 1) / CU_LANES;
	for (unsigned n = 0; n < run->num_waves; n++)
		start_wave(run->wave[n], size, total, sgprs);
	run->n.waves += run->num_waves;
	run->current = run->turn = 0;
	run->in_group = true;
	run->n.groups++;
	return true;
}

/* ---- its waves run */
static bool is_stuck(const struct cu_wave *w)
{
	return w->state == CU_WAITING || w->state == CU_HALTED;
}

static void move_waves(struct gv_cu_run *run, enum cu_state from, enum cu_state to)
{
	for (unsigned n = 0; n < run->num_waves; n++)
		if (run->wave[n]->state == from)
			run->wave[n]->state = to;
}

/* Of the waves in turn the one behind @at. */
static uint32_t behind(const struct gv_cu_run *run, uint32_t at)
{
	return at + 1 < run->num_waves ? at + 1 : 0;
}

/* The next wave that can go on; when all wait at the barrier, it opens. NULL: all have ended or,
 * with *@stuck, cannot go on now. */
static struct cu_wave *next_wave(struct gv_cu_run *run, bool *stuck)
{
	bool waiting = false;

	*stuck = false;
	for (unsigned n = 0, at = run->current; n < run->num_waves; n++, at = behind(run, at)) {
		struct cu_wave *w = run->wave[at];

		if (w->state == CU_RUNNING) {
			run->current = w->index;
			return w;
		}
		waiting |= w->state == CU_AT_BARRIER;
		*stuck |= is_stuck(w);
	}
	if (!waiting || *stuck)
		return NULL;
	move_waves(run, CU_AT_BARRIER, CU_RUNNING);
	return next_wave(run, stuck);
}

/* A turn of a wave, or a part of one. Returns the instructions it took. */
static uint64_t run_wave(struct cu_wave *w, uint64_t budget)
{
	struct gv_cu_run *run = w->run;
	uint64_t limit = run->d.wave_limit;
	uint64_t n = cu_exec_wave(w, GV_MIN(budget, TURN - run->turn));

	run->turn += (uint32_t)n;
	if (run->turn >= TURN || w->state != CU_RUNNING) {
		run->turn = 0;
		run->current = behind(run, w->index);
	}
	w->executed += n;
	if (limit && w->executed > limit && w->state != CU_ENDED)
		cu_fault(w, NULL, GV_CU_WATCHDOG, 0);
	return n;
}

enum gv_cu_status gv_cu_step(struct gv_cu_run *run, uint64_t max_instructions)
{
	uint64_t left = max_instructions;

	cu_mem_check_generation(run);
	move_waves(run, CU_WAITING, CU_RUNNING);
	while (run->fault.reason == GV_CU_NO_FAULT) {
		struct cu_wave *w;
		bool stuck;
		uint64_t n;

		if (left == 0)
			return GV_CU_YIELD;
		if (run->d.shared && __atomic_load_n(&run->d.shared->stop, __ATOMIC_RELAXED))
			return GV_CU_DONE;
		if (!run->in_group && !start_group(run))
			return GV_CU_DONE;
		w = next_wave(run, &stuck);
		if (w) {
			n = run_wave(w, left);
			left -= GV_MIN(left, n);
			continue;
		}
		if (stuck)
			return GV_CU_RETRY;
		run->in_group = false;
	}
	return GV_CU_FAULT;
}

/* ---- traps, halts, retries */
uint64_t cu_wave_pc(const struct cu_wave *w)
{
	return w->ip ? cu_pc(w, w->ip) : w->pc;
}

static void suspend(struct cu_wave *w, enum cu_state state)
{
	w->state = state;
	w->attention |= CU_STOP;
}

/* Without ip it was on its way to the code at pc, and goes there again. */
void cu_wait_for_memory(struct cu_wave *w)
{
	if (w->ip)
		w->ip = w->cur;
	else
		w->attention |= CU_ENTER;
	suspend(w, CU_WAITING);
}

/* TTMP1:0 = trap number << 48 | PC of the s_trap; the handler moves it on ("Vega" ISA, s_trap) */
void cu_trap(struct cu_wave *w, const struct cu_inst *i, unsigned id)
{
	uint64_t pc = cu_pc(w, i);

	if (!w->run->d.tba || w->priv) {
		cu_fault(w, i, GV_CU_TRAP, 0);
		return;
	}
	cu_wr64(&w->s[CU_TTMP], (pc & CU_PC_MASK) | (uint64_t)(id & 0xff) << 48);
	w->priv = true;
	cu_goto(w, w->run->d.tba);
}

void cu_return_from_trap(struct cu_wave *w, const struct cu_inst *i, uint64_t pc)
{
	if (!w->priv) {
		cu_fault(w, i, GV_CU_BAD_INSTRUCTION, 0);
		return;
	}
	w->priv = false;
	cu_goto(w, pc & CU_PC_MASK);
	cu_set_halt(w, w->halt);
}

void cu_set_halt(struct cu_wave *w, bool halt)
{
	w->halt = halt;
	if (halt && !w->priv)
		suspend(w, CU_HALTED);
}

/* ---- how waves end */
void cu_end_wave(struct cu_wave *w)
{
	suspend(w, CU_ENDED);
}

void cu_fault(struct cu_wave *w, const struct cu_inst *i, enum gv_cu_reason why, uint64_t va)
{
	struct gv_cu_run *run = w->run;
	struct gv_cu_fault *f = &run->fault;

	cu_end_wave(w);
	if (f->reason != GV_CU_NO_FAULT)
		return;
	if (!i)
		i = w->cur;
	f->reason = why;
	f->va = va;
	f->pc = i && w->chunk ? cu_pc(w, w->cur) : w->pc;
	f->name = i && i->op ? i->op->name : "?";
	if (i)
		memcpy(f->word, i->word, sizeof(f->word));
	memcpy(f->group, run->group, sizeof(f->group));
	f->wave = w->index;
	f->lane = GV_CU_NO_LANE;
	if (run->d.shared)
		__atomic_store_n(&run->d.shared->stop, 1, __ATOMIC_RELAXED);
}

const struct gv_cu_fault *gv_cu_fault(const struct gv_cu_run *run)
{
	return &run->fault;
}

const struct gv_cu_counters *gv_cu_counters(const struct gv_cu_run *run)
{
	return &run->n;
}

/* "write at va 0x..., lane 3"; empty when it was no access. */
static void access_text(const struct gv_cu_fault *f, char *buf, unsigned bytes)
{
	const char *what = f->access == (GV_CU_R | GV_CU_W) ? "atomic"
	                   : f->access & GV_CU_X            ? "fetch"
	                   : f->access & GV_CU_W            ? "write"
	                                                    : "read";
	unsigned n;

	buf[0] = 0;
	if (!f->access)
		return;
	n = (unsigned)snprintf(buf, bytes, ", %s at va 0x%" PRIx64, what, f->va);
	if (f->lane != GV_CU_NO_LANE && n < bytes)
		(void)snprintf(buf + n, bytes - n, " by lane %u", f->lane);
}

const char *gv_cu_fault_text(const struct gv_cu_fault *f, char *buf, unsigned bytes)
{
	static const char *const why[] = {
	        [GV_CU_NO_FAULT] = "no fault",
	        [GV_CU_MEMORY_FAULT] = "memory fault",
	        [GV_CU_FETCH_FAULT] = "instruction fetch fault",
	        [GV_CU_BAD_INSTRUCTION] = "bad instruction",
	        [GV_CU_UNIMPLEMENTED] = "not implemented",
	        [GV_CU_UNALIGNED_ATOMIC] = "unaligned atomic",
	        [GV_CU_TRAP] = "s_trap",
	        [GV_CU_NO_MEMORY] = "out of host memory",
	        [GV_CU_WATCHDOG] = "too many instructions",
	};
	char access[64], text[GV_GFX9_TEXT];
	struct gv_gfx9_inst in;

	access_text(f, access, sizeof(access));
	(void)gv_gfx9_decode(f->word, 2, &in);
	(void)snprintf(buf, bytes, "pc 0x%" PRIx64 ": %s: %s%s, group %u,%u,%u wave %u", f->pc,
	               gv_gfx9_print(&in, text, sizeof(text)), why[f->reason], access, f->group[0],
	               f->group[1], f->group[2], f->wave);
	return buf;
}
