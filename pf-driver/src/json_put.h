/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of JSON objects, here and in the programs. What is unknown is absent: an empty text is no
 * member. */
#ifndef PF_JSON_PUT_H
#define PF_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

static inline void put(struct json_object *o, const char *key, struct json_object *val)
{
	(void)json_object_object_add(o, key, val);
}

static inline void put_u64(struct json_object *o, const char *key, uint64_t val)
{
	put(o, key, json_object_new_uint64(val));
}

static inline void put_text(struct json_object *o, const char *key, const char *val)
{
	if (val[0])
		put(o, key, json_object_new_string(val));
}

static inline void put_bool(struct json_object *o, const char *key, bool val)
{
	put(o, key, json_object_new_boolean(val));
}

#endif
