/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a profile's values may be: one table, used by the parser and by gv_cfg_check(). */
#ifndef GV_CFG_CHECK_H
#define GV_CFG_CHECK_H

#include <gv/configs.h>

/* A whole number in struct gv_cfg_vf. */
struct gv_cfg_number {
	const char *key;
	const char *possible; /* ends the sentence "... asked, " */
	size_t offset;        /* of a uint32_t in struct gv_cfg_vf */
	uint32_t unit, min, max;
	uint32_t otherwise; /* when the key is not there */
};

#define GV_CFG_NUMBERS 6
extern const struct gv_cfg_number gv_cfg_numbers[GV_CFG_NUMBERS];
/* preempt_timeout_ms of a VF, and of the scheduler */
extern const struct gv_cfg_number gv_cfg_preempt;
#define GV_CFG_SCHED_POSSIBLE "\"none\", \"fair\", \"fixed\" or \"best-effort\" is possible"

/** May @n have the value @v? 0, or -ERANGE and what is possible, without the path. */
int gv_cfg_check_number(const struct gv_cfg_number *n, int64_t v, struct gv_err *err);
struct json_object;
/** A whole number; -EINVAL: something else, the text ends with @possible. (parse.c) */
int gv_cfg_take_number(struct json_object *o, const char *possible, int64_t *v, struct gv_err *err);
/** Text of at most @room - 1 bytes. (parse.c) */
int gv_cfg_take_string(struct json_object *o, const char *possible, char *to, size_t room,
                       struct gv_err *err);
/* ---- "guard" (guard.c): errors name the whole place, "guard.faults.limit" */
int gv_cfg_take_guard(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err);
/** Add it to the profile's JSON, if anything was said. -ENOMEM. */
int gv_cfg_add_guard(struct json_object *root, const struct gv_cfg *cfg);
int gv_cfg_check_guard(const struct gv_cfg *cfg, struct gv_err *err);

/** Letters, digits, . _ - and at most 63 of them. */
int gv_cfg_check_name(const char *name, struct gv_err *err);

#endif
