/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DISPATCH packets. Until the interpreter is in, a dispatch stops its queue and is counted. */
#include "cp.h"

static int refuse(struct gv_queue *q)
{
	gv_unimplemented(q->fn, "DISPATCH: no shader engine yet");
	return gv_queue_fail(q, GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1), 0, "dispatch not possible");
}

int gv_pm4_dispatch_direct(struct gv_queue *q, const struct gv_pkt *p)
{
	(void)p;
	return refuse(q);
}

int gv_pm4_dispatch_indirect(struct gv_queue *q, const struct gv_pkt *p)
{
	(void)p;
	return refuse(q);
}

int gv_dispatch_wait(struct gv_queue *q)
{
	(void)q;
	return 0;
}

void gv_dispatch_kill(struct gv_queue *q)
{
	(void)q;
}
