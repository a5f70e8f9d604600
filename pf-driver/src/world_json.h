/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PF_WORLD_JSON_H
#define PF_WORLD_JSON_H

struct gv_pf_vf_world;
struct gv_pf_world_status;

/** "scheduler" of the status; the caller puts it. */
struct json_object *pf_world_json(const struct gv_pf_world_status *status);
/** The same of a VF. */
struct json_object *pf_world_vf_json(const struct gv_pf_vf_world *status);

#endif
