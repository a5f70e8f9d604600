/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quarantine and the reset of the whole GPU, by the operator: on the GPU thread, for root and the
 * daemon's own user only. */
#include <json-c/json.h>

#include "methods.h"

#define VF_NS  (60 * GV_S)
#define GPU_NS (180 * GV_S)

static bool gpu_busy(struct daemon *d, unsigned vf)
{
	(void)vf;
	return gv_pf_gpu_resetting(d->pf);
}

/* And serve the others until what it made the VF do is over. */
static int act_on_vf(struct call *c, struct json_object *params,
                     int (*act)(struct gv_pf *pf, unsigned vf, struct gv_err *err), uint32_t *vf,
                     struct gv_err *err)
{
	int rc = check_owner_uid(c, err);

	if (!rc)
		rc = get_vf(c->d->pool.rules.num_vfs, params, vf, err);
	if (!rc)
		rc = act(c->d->pf, *vf, err);
	return rc ? rc : serve_while(c->d, vf_busy, *vf, VF_NS, err);
}

static int quarantine(struct gv_pf *pf, unsigned vf, struct gv_err *err)
{
	return gv_pf_vf_quarantine(pf, vf, "by the operator", err);
}

int do_vf_quarantine(void *ctx, struct json_object *params, struct json_object **result,
                     struct gv_err *err)
{
	struct call *c = ctx;
	uint32_t vf;
	int rc = act_on_vf(c, params, quarantine, &vf, err);

	if (!rc)
		*result = vf_json_now(c->d, vf);
	return rc;
}

int do_vf_unquarantine(void *ctx, struct json_object *params, struct json_object **result,
                       struct gv_err *err)
{
	struct call *c = ctx;
	uint32_t vf;
	int rc = act_on_vf(c, params, gv_pf_vf_unquarantine, &vf, err);

	if (!rc && pool_session(c->d, vf) == GV_MBOX_FAILED)
		rc = gv_fail(err, -EIO, "VF%u: the reset failed, see the log", vf);
	if (rc)
		return rc;
	pool_was_reset(c->d, vf);
	*result = vf_json_now(c->d, vf);
	return 0;
}

int do_gpu_reset(void *ctx, struct json_object *params, struct json_object **result,
                 struct gv_err *err)
{
	struct call *c = ctx;
	uint64_t begin_ns = gv_now_ns();
	struct gv_pf_status s;
	bool force = false;
	int rc = check_owner_uid(c, err);

	if (!rc)
		rc = gv_rpc_get_bool(params, "force", &force, err);
	if (!rc)
		rc = gv_pf_gpu_reset(c->d->pf, force ? GV_PF_APPLY_FORCE : 0, "the operator asked",
		                     err);
	if (!rc)
		rc = serve_while(c->d, gpu_busy, 0, GPU_NS, err);
	if (rc)
		return rc;
	gv_pf_get_status(c->d->pf, &s);
	for (unsigned i = 0; i < s.num_vfs; i++) {
		if (s.vf[i].state == GV_MBOX_FAILED)
			return gv_fail(err, -EIO, "VF%u did not come back, see the log", i);
		pool_was_reset(c->d, i);
	}
	*result = json_object_new_object();
	put_u64(*result, "took_ms", (gv_now_ns() - begin_ns) / GV_MS);
	put(*result, "vfs", json_object_new_int64(s.num_vfs));
	return 0;
}
