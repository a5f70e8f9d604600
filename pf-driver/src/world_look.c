/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has work: asked as seldom as the policies allow. */
#include "pf.h"

/* Between two looks at who has work: while others wait, and the one that runs seems to have none;
 * while others wait; while somebody has some; when nobody had for DOZE_NS, and the GPU is to tell
 * of news; and for the busy share of one that is alone. */
#define LOOK_GAP_NS    (100 * GV_US) /* it may only wait for each of its kernels */
#define LOOK_WAITED_NS (500 * GV_US)
#define LOOK_NS        GV_MS
#define LOOK_DOZE_NS   (20 * GV_MS)
#define LOOK_TOLD_NS   (250 * GV_MS) /* once the GPU has shown that it tells */
#define LOOK_ALONE_NS  (20 * GV_MS)
#define DOZE_NS        SCHED_AWAKE_NS

static bool dozes(const struct gv_pf *pf, uint64_t now_ns)
{
	return pf->world.members > 1 && now_ns - pf->world.awake_ns >= DOZE_NS;
}

static bool in_gap(const struct sched *s)
{
	return s->running >= 0 && !s->vf[s->running].busy;
}

static uint64_t look_every(const struct gv_pf *pf, uint64_t now_ns)
{
	const struct pf_world *w = &pf->world;

	if (w->num_windows) /* who waits for exclusive access: does anybody want the engines? */
		return LOOK_NS;
	if (w->members < 2)
		return LOOK_ALONE_NS;
	if (w->told)
		return 0;
	if (sched_contested(&w->sched))
		return in_gap(&w->sched) ? LOOK_GAP_NS : LOOK_WAITED_NS;
	/* Whoever could not look for a while, because a switch took long, has seen no idle GPU. */
	if (!dozes(pf, now_ns) || !w->interrupts)
		return LOOK_NS;
	return w->seen_interrupt ? LOOK_TOLD_NS : LOOK_DOZE_NS;
}

/* Does the GPU tell when somebody gets work, or has none any more? A busy one would tell all the
 * time, so it is asked only while all are idle. */
void pf_world_interrupts(struct gv_pf *pf, bool on)
{
	if (pf->world.interrupts == on)
		return;
	pf->world.interrupts = on;
	if (on)
		gv_cfg_wr32(pf->bus, (uint16_t)(pf->giov + GIOV_INTR_STATUS__OFF),
		            GV_PUT(GIOV_INTR_STATUS, GFX_VM_BUSY_TRANSITION_INTR_STATUS, 1));
	gv_cfg_wr32(pf->bus, (uint16_t)(pf->giov + GIOV_INTR_ENABLE__OFF),
	            GV_PUT(GIOV_INTR_ENABLE, GFX_VM_BUSY_TRANSITION_INTR_EN, on));
}

uint64_t pf_world_look(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_world *w = &pf->world;
	uint32_t busy;

	if (now_ns - w->look_ns < look_every(pf, now_ns))
		return w->look_ns + look_every(pf, now_ns);
	pf_world_interrupts(pf,
	                    dozes(pf, now_ns) && !w->told); /* first: what comes behind is told */
	busy = gv_rd32(pf->bus, RLC_GPU_IOV_VM_BUSY_STATUS__BYTE);
	sched_seen(&w->sched, busy, now_ns);
	w->look_ns = now_ns;
	if (w->told || busy & (uint32_t)gv_mask(0, pf->plan.num_vfs))
		w->awake_ns = now_ns; /* short work may be over by now: there may be more */
	w->told = false;
	return now_ns + look_every(pf, now_ns);
}

/* ---- what the GPU tells ---------------------------------------------------- */

#define CLOCK_NS   10u   /* a count of the GPU's clock */
#define CLOCK_BITS 48u   /* of it in an interrupt entry */
#define DRIFT      8192u /* our clocks differ by less than a part in so many */

/* The count in our time. Where the GPU's clock stands is known from the entry that we saw soonest:
 * how long it was on its way is taken for nothing. */
static uint64_t our_time(struct pf_world *w, uint64_t gpu_clock, uint64_t now_ns)
{
	uint64_t mask = (1ull << CLOCK_BITS) - 1, lag = (now_ns / CLOCK_NS - gpu_clock) & mask;
	uint64_t late;

	if (w->clock_ns)
		w->clock_lag += (now_ns - w->clock_ns) / CLOCK_NS / DRIFT;
	late = (lag - w->clock_lag) & mask;
	if (!w->clock_ns || late > mask / 2) {
		w->clock_lag = lag;
		late = 0;
	}
	w->clock_ns = now_ns;
	return now_ns - GV_MIN(late * CLOCK_NS, now_ns);
}

void pf_world_interrupt(struct gv_pf *pf, uint32_t status, uint64_t gpu_clock)
{
	struct pf_world *w = &pf->world;
	uint64_t at_ns;

	if (GV_GET(status, GIOV_INTR_STATUS, GFX_VM_BUSY_TRANSITION_INTR_STATUS))
		w->told = w->seen_interrupt = true;
	if (!GV_GET(status, GIOV_INTR_STATUS, GFX_CMD_COMPLETE_INTR_STATUS))
		return;
	at_ns = our_time(w, gpu_clock, gv_now_ns());
	w->tells_ends = true;
	if (w->cmd && at_ns >= w->cmd_ns) /* not of the one before */
		w->cmd_end_ns = at_ns;
}
