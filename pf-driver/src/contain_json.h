/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guard, escalation and scrub records as JSON. New objects, NULL without memory. */
#ifndef PF_CONTAIN_JSON_H
#define PF_CONTAIN_JSON_H

#include <gv/pf_guard.h>

struct json_object;

struct json_object *pf_guard_json(const struct gv_pf_guard_status *s);
struct json_object *pf_contain_json(const struct gv_pf_contain_status *s);
struct json_object *pf_scrub_json(const struct gv_pf_scrub_record *r);
/** The limits of a plan, as a profile says them. */
struct json_object *pf_guard_limits_json(const struct gv_cfg_guard guard[GV_CFG_GUARDS]);

#endif
