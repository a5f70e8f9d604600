/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the GPU was found, as names and as JSON. */
#include <gv/pf_boot.h>

#include "json_put.h"

const char *gv_pf_boot_path_name(enum gv_pf_boot_path path)
{
	static const char *const names[] = {[GV_PF_BOOT_NOT] = "not",
	                                    [GV_PF_BOOT_COLD] = "cold",
	                                    [GV_PF_BOOT_OTHER] = "other",
	                                    [GV_PF_BOOT_FORCED] = "forced",
	                                    [GV_PF_BOOT_TAKEN_OVER] = "taken-over"};

	return (unsigned)path < GV_ARRAY_LEN(names) ? names[path] : "unknown";
}

const char *gv_pf_boot_apply_name(enum gv_pf_boot_apply apply)
{
	static const char *const names[] = {[GV_PF_BOOT_APPLY_NONE] = "none",
	                                    [GV_PF_BOOT_ROLLED_BACK] = "rolled-back",
	                                    [GV_PF_BOOT_FINISHED] = "finished",
	                                    [GV_PF_BOOT_RESET_FINISHED] = "reset-finished"};

	return (unsigned)apply < GV_ARRAY_LEN(names) ? names[apply] : "unknown";
}

static struct json_object *steps(const struct gv_pf_boot_status *s)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < s->num_steps; i++) {
		struct json_object *o = json_object_new_object();

		put_text(o, "step", s->step[i].name);
		put_u64(o, "us", s->step[i].us);
		(void)json_object_array_add(list, o);
	}
	return list;
}

struct json_object *gv_pf_boot_json(const struct gv_pf_boot_status *s)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "path", gv_pf_boot_path_name(s->path));
	put_text(o, "why", s->why);
	put_u64(o, "generation", s->generation);
	put_u64(o, "total_us", s->total_us);
	put(o, "steps", steps(s));
	if (s->journal[0]) {
		put_text(o, "journal", s->journal);
		put_text(o, "journal_found", s->found);
		put_u64(o, "journal_bytes", s->journal_bytes);
	}
	if (s->path != GV_PF_BOOT_TAKEN_OVER)
		return o;
	put_u64(o, "vfs_adopted", s->vfs_adopted);
	put_u64(o, "sessions_read", s->sessions_read);
	put_u64(o, "sessions_rebuilt", s->sessions_rebuilt);
	put_u64(o, "jobs_redone", s->jobs_redone);
	put_text(o, "apply", gv_pf_boot_apply_name(s->apply));
	return o;
}
