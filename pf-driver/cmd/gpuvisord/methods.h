/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of methods share. A method returns 0 and *@result (NULL: null), or an error. */
#ifndef METHODS_H
#define METHODS_H

#include "gpuvisord.h"
#include "json_put.h"

#define METHOD(name)                                                                               \
	int do_##name(void *ctx, struct json_object *params, struct json_object **result,          \
	              struct gv_err *err)

/* methods_plan.c */
METHOD(plan);
METHOD(diff);
METHOD(apply);
METHOD(disable);
METHOD(rollback);
/* methods_pool.c */
METHOD(vf_claim);
METHOD(vf_release);
/** Who may look at VFs may not give them away: -EPERM unless root or the daemon's own user. */
int check_owner_uid(const struct call *c, struct gv_err *err);
/* methods_contain.c */
METHOD(vf_quarantine);
METHOD(vf_unquarantine);
METHOD(gpu_reset);

/* methods_trace.c */
METHOD(trace_start);
METHOD(trace_stop);
METHOD(trace_status);
METHOD(trace_read);

/** Member "vf" of @params. -ENODEV: there are @num_vfs. */
int get_vf(unsigned num_vfs, struct json_object *params, uint32_t *vf, struct gv_err *err);
/** All of a VF. GPU thread. */
struct json_object *vf_json_now(struct daemon *d, unsigned vf);
/** Copies of what the GPU thread published last. */
void snapshot(struct daemon *d, struct gv_pf_status *s, const char **busy);
void pool_snapshot(struct daemon *d, struct vf_pool *pool);

#endif
