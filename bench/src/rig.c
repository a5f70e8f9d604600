/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "rig.h"

int bench_rig_start(struct bench_rig *r, const struct bench *b, struct gv_err *err)
{
	char profile[512], uri[160];
	int rc;

	memset(r, 0, sizeof(*r));
	(void)snprintf(profile, sizeof(profile), "%s", GV_PROFILE_DIR "/uneven-2.json");
	rc = gv_procs_start(&r->procs, b->bin_dir, profile, err);
	if (rc)
		return rc;
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/vf0.sock", r->procs.dir);
	rc = gv_bus_open(uri, NULL, NULL, &r->bus, err);
	if (rc == 0)
		rc = gv_guest_open(r->bus, NULL, &r->guest, err);
	if (rc)
		bench_rig_stop(r);
	return rc;
}

void bench_rig_stop(struct bench_rig *r)
{
	r->guest = gv_guest_close(r->guest);
	r->bus = gv_bus_close(r->bus);
	gv_procs_stop(&r->procs);
}

int bench_rig_wait(struct gv_guest_queue *q, uint64_t seq, struct gv_err *err)
{
	return gv_guest_wait(q, seq, gv_now_ns() + 20 * GV_S, err);
}
