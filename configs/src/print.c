/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* struct gv_cfg to JSON. What is automatic is left out, so that it stays automatic. */
#include <json-c/json.h>
#include <string.h>

#include "check.h"

static void put_object(struct json_object **o)
{
	json_object_put(*o);
}

/* Takes @value over in any case. */
static int add(struct json_object *to, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add(to, key, value))
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int add_text(struct json_object *to, const char *key, const char *text)
{
	return text[0] ? add(to, key, json_object_new_string(text)) : 0;
}

static int add_vf(struct json_object *vfs, const struct gv_cfg_vf *vf)
{
	struct json_object *o = json_object_new_object();
	int rc = 0;

	if (!o || json_object_array_add(vfs, o)) {
		json_object_put(o);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < GV_CFG_NUMBERS && !rc; i++) {
		uint32_t v;

		memcpy(&v, (const char *)vf + gv_cfg_numbers[i].offset, sizeof(v));
		if (v)
			rc = add(o, gv_cfg_numbers[i].key, json_object_new_int64(v));
	}
	return rc ? rc : add_text(o, "label", vf->label);
}

static int add_scheduler(struct json_object *root, const struct gv_cfg *cfg)
{
	const char *policy = gv_cfg_sched_name(cfg->policy);
	struct json_object *o;
	int rc;

	o = json_object_new_object();
	rc = add(root, "scheduler", o);
	if (!rc && policy)
		rc = add_text(o, "policy", policy);
	if (!rc && cfg->preempt_timeout_ms)
		rc = add(o, gv_cfg_preempt.key, json_object_new_int64(cfg->preempt_timeout_ms));
	return rc;
}

int gv_cfg_to_json(const struct gv_cfg *cfg, char **json)
{
	GV_CLEANUP(put_object) struct json_object *root = json_object_new_object();
	struct json_object *vfs = json_object_new_array();
	const char *text;
	char *copy;
	int rc = root ? add(root, "num_vfs", json_object_new_int64(cfg->num_vfs)) : -ENOMEM;

	if (!rc)
		rc = add_text(root, "name", cfg->name);
	if (!rc)
		rc = add_text(root, "gpu", cfg->gpu);
	if (!rc)
		rc = add_scheduler(root, cfg);
	if (!rc)
		rc = gv_cfg_add_guard(root, cfg);
	if (rc) {
		json_object_put(vfs);
		return rc;
	}
	rc = add(root, "vfs", vfs); /* root owns it now */
	for (uint32_t i = 0; i < GV_MIN(cfg->num_vfs, (uint32_t)GV_CFG_MAX_VFS) && !rc; i++)
		rc = add_vf(vfs, &cfg->vfs[i]);
	if (rc)
		return rc;
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
	                                                    JSON_C_TO_STRING_SPACED |
	                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = text ? strdup(text) : NULL;
	if (!copy)
		return -ENOMEM;
	*json = copy;
	return 0;
}
