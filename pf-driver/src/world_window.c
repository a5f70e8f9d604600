/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line for exclusive access: who is next, and when. */
#include <string.h>

#include "pf.h"

#define MAX_PAUSE_NS (2 * GV_S) /* its guest waits longer */

int pf_window_of(const struct pf_world *w, unsigned vf)
{
	for (unsigned i = 0; i < w->num_windows; i++)
		if (w->window[i] == vf)
			return (int)i;
	return -1;
}

/* Who waits for each of its kernels seems idle now and then: one look does not show that nobody
 * wants the engines. */
static bool may_have(const struct pf_world *w, unsigned vf, uint64_t now_ns)
{
	const struct pf_world_vf *v = &w->vf[vf];

	return now_ns >= v->after_ns ||
	       (now_ns - v->asked_ns >= SCHED_AWAKE_NS && !sched_wanted(&w->sched, (int)vf));
}

bool pf_window_is_due(struct pf_world *w, uint64_t now_ns)
{
	for (unsigned i = 0; !w->window_ns && i < w->num_windows; i++) {
		uint8_t vf = w->window[i];

		if (!may_have(w, vf, now_ns))
			continue;
		memmove(w->window + 1, w->window, i);
		w->window[0] = vf;
		w->window_ns = now_ns;
	}
	return w->window_ns;
}

uint64_t pf_window_next(struct pf_world *w)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; i < GV_PF_MAX_VFS; i++)
		w->sched.vf[i].waits = pf_window_of(w, i) >= 0;
	for (unsigned i = 0; i < w->num_windows; i++)
		next_ns = GV_MIN(next_ns, w->vf[w->window[i]].after_ns);
	return next_ns;
}

void pf_world_enter(struct gv_pf *pf, unsigned vf, bool fresh)
{
	struct pf_world *w = &pf->world;

	w->vf[vf].fresh = fresh;
	if (pf_window_of(w, vf) >= 0)
		return;
	w->vf[vf].asked_ns = gv_now_ns();
	w->window[w->num_windows++] = (uint8_t)vf;
}

/* Each of the others has as long as the round stood still. */
static uint64_t pause_after(const struct pf_world *w, uint64_t now_ns)
{
	uint64_t others = w->members > 1 ? w->members - 1 : 1;

	return now_ns + GV_MIN((now_ns - w->window_ns) * others, MAX_PAUSE_NS);
}

void pf_world_leave(struct gv_pf *pf, unsigned vf)
{
	struct pf_world *w = &pf->world;
	int at = pf_window_of(w, vf);

	w->vf[vf].fresh = false;
	if (at < 0)
		return;
	if (at == 0 && w->window_ns) {
		w->awake_ns = gv_now_ns(); /* others could not show that they have work */
		w->vf[vf].after_ns = pause_after(w, w->awake_ns);
		w->window_ns = 0;
	}
	w->sched.vf[vf].waits = false;
	w->num_windows--;
	memmove(w->window + at, w->window + at + 1, w->num_windows - (unsigned)at);
}
