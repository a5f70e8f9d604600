/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON-RPC 2.0: requests, batches, errors. Whatever comes in is hostile. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_rpc.h>

#include "json_put.h"

/* ---- replies ---------------------------------------------------------------- */

/* Hands over a copy with a newline, and releases @o. */
static char *to_line(struct json_object *o)
{
	const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	json_object_put(o);
	return line;
}

static struct json_object *envelope(struct json_object *id)
{
	struct json_object *o = json_object_new_object();

	put(o, "jsonrpc", json_object_new_string("2.0"));
	put(o, "id", json_object_get(id));
	return o;
}

/* "vfs[1].fb_mib: 2817 asked" begins with a place in the profile. */
static struct json_object *path_of(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_[].");

	return n && text[n] == ':' ? json_object_new_string_len(text, (int)n) : NULL;
}

static struct json_object *error_reply(struct json_object *id, int code, const char *text, int rc)
{
	struct json_object *o = envelope(id), *e = json_object_new_object();
	struct json_object *data, *path = path_of(text);

	put(e, "code", json_object_new_int(code));
	put(e, "message", json_object_new_string(text));
	if (rc) {
		data = json_object_new_object();
		put(data, "errno",
		    json_object_new_string(strerrorname_np(-rc) ? strerrorname_np(-rc)
		                                                : "unknown"));
		if (path)
			put(data, "path", json_object_get(path));
		put(e, "data", data);
	}
	json_object_put(path);
	put(o, "error", e);
	return o;
}

char *gv_rpc_error_line(int code, const char *text)
{
	return to_line(error_reply(NULL, code, text, 0));
}

char *gv_rpc_notification(const char *method, struct json_object *params)
{
	struct json_object *o = json_object_new_object();

	put(o, "jsonrpc", json_object_new_string("2.0"));
	put(o, "method", json_object_new_string(method));
	put(o, "params", params);
	return to_line(o);
}

/* ---- parsing ------------------------------------------------------------------ */

static bool only_space(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

struct json_object *gv_rpc_parse(const char *text, size_t bytes, char **reply)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error e;
	size_t used;

	*reply = NULL;
	if (bytes > GV_RPC_MAX_BYTES) {
		*reply = gv_rpc_error_line(GV_RPC_INVALID_REQUEST, "request above 1 MiB");
		return NULL;
	}
	tok = json_tokener_new_ex(GV_RPC_MAX_DEPTH);
	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS |
	                                    JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)bytes);
	e = json_tokener_get_error(tok);
	used = json_tokener_get_parse_end(tok);
	if (e == json_tokener_continue) { /* a bare number ends only with the text */
		o = json_tokener_parse_ex(tok, "", 1);
		e = json_tokener_get_error(tok);
	}
	if (e != json_tokener_success || !o) {
		const char *why = e == json_tokener_success ? "null is no request"
		                                            : json_tokener_error_desc(e);

		*reply = gv_rpc_error_line(o ? GV_RPC_INVALID_REQUEST : GV_RPC_PARSE_ERROR, why);
	} else if (used < bytes && !only_space(text + used, bytes - used)) {
		*reply = gv_rpc_error_line(GV_RPC_PARSE_ERROR, "something follows the request");
		json_object_put(o);
		o = NULL;
	} else {
		json_tokener_free(tok);
		return o;
	}
	json_tokener_free(tok);
	return NULL;
}

void gv_rpc_put(struct json_object *request)
{
	json_object_put(request);
}

/* ---- running ------------------------------------------------------------------- */

static const struct gv_rpc_method *find(struct json_object *one, const struct gv_rpc_method *m,
                                        size_t count)
{
	struct json_object *name;

	if (!json_object_is_type(one, json_type_object) ||
	    !json_object_object_get_ex(one, "method", &name) ||
	    !json_object_is_type(name, json_type_string))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(m[i].name, json_object_get_string(name)))
			return &m[i];
	return NULL;
}

bool gv_rpc_is_slow(struct json_object *request, const struct gv_rpc_method *methods, size_t count)
{
	const struct gv_rpc_method *m;

	if (!json_object_is_type(request, json_type_array)) {
		m = find(request, methods, count);
		return m && m->slow;
	}
	for (size_t i = 0; i < json_object_array_length(request) && i < GV_RPC_MAX_BATCH; i++) {
		m = find(json_object_array_get_idx(request, i), methods, count);
		if (m && m->slow)
			return true;
	}
	return false;
}

/* What is wrong with one request, NULL when nothing is. */
static const char *check(struct json_object *one, struct json_object **id, bool *has_id)
{
	struct json_object *v;

	*id = NULL;
	*has_id = true;
	if (!json_object_is_type(one, json_type_object))
		return "a request is an object";
	*has_id = json_object_object_get_ex(one, "id", id);
	if (*has_id && !json_object_is_type(*id, json_type_string) &&
	    !json_object_is_type(*id, json_type_int) && !json_object_is_type(*id, json_type_null)) {
		*id = NULL;
		return "id: a string, a whole number or null";
	}
	if (!json_object_object_get_ex(one, "jsonrpc", &v) ||
	    !json_object_is_type(v, json_type_string) || strcmp(json_object_get_string(v), "2.0"))
		return "jsonrpc: must be \"2.0\"";
	if (!json_object_object_get_ex(one, "method", &v) ||
	    !json_object_is_type(v, json_type_string))
		return "method: a string is missing";
	return NULL;
}

static int code_of(int rc)
{
	if (rc == -EINVAL || rc == -ERANGE)
		return GV_RPC_INVALID_PARAMS;
	if (rc == -EPERM)
		return GV_RPC_DENIED;
	return rc == -EBUSY ? GV_RPC_BUSY : GV_RPC_FAILED;
}

static struct json_object *call(const struct gv_rpc_method *m, struct json_object *params,
                                struct json_object *id, void *ctx)
{
	struct json_object *result = NULL, *o;
	struct gv_err err = {0};
	int rc = m->call(ctx, params, &result, &err);

	if (rc)
		return error_reply(id, code_of(rc), err.text[0] ? err.text : strerror(-rc), rc);
	o = envelope(id);
	put(o, "result", result);
	return o;
}

/* The reply to one request, NULL when it was a notification. */
static struct json_object *run_one(struct json_object *one, const struct gv_rpc_method *methods,
                                   size_t count, void *ctx)
{
	struct json_object *id, *params = NULL, *reply;
	const struct gv_rpc_method *m;
	bool has_id;
	const char *wrong = check(one, &id, &has_id);

	if (wrong)
		return error_reply(id, GV_RPC_INVALID_REQUEST, wrong, 0);
	m = find(one, methods, count);
	(void)json_object_object_get_ex(one, "params", &params);
	if (!m)
		reply = error_reply(id, GV_RPC_NO_METHOD, "no such method", 0);
	else if (params && !json_object_is_type(params, json_type_object))
		reply = error_reply(id, GV_RPC_INVALID_PARAMS, "params: an object", 0);
	else
		reply = call(m, params, id, ctx);
	if (has_id)
		return reply;
	json_object_put(reply);
	return NULL;
}

char *gv_rpc_run(struct json_object *request, const struct gv_rpc_method *methods, size_t count,
                 void *ctx)
{
	struct json_object *all, *one;
	size_t n;

	if (!json_object_is_type(request, json_type_array)) {
		one = run_one(request, methods, count, ctx);
		return one ? to_line(one) : NULL;
	}
	n = json_object_array_length(request);
	if (!n || n > GV_RPC_MAX_BATCH)
		return gv_rpc_error_line(GV_RPC_INVALID_REQUEST, "a batch has 1 to 64 requests");
	all = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		one = run_one(json_object_array_get_idx(request, i), methods, count, ctx);
		if (one)
			(void)json_object_array_add(all, one);
	}
	if (json_object_array_length(all))
		return to_line(all);
	json_object_put(all);
	return NULL;
}

/* ---- parameters ------------------------------------------------------------------- */

int gv_rpc_get_u32(struct json_object *params, const char *key, bool required, uint32_t *val,
                   struct gv_err *err)
{
	struct json_object *v;
	int64_t n;

	if (!params || !json_object_object_get_ex(params, key, &v))
		return required ? gv_fail(err, -EINVAL, "%s: missing", key) : 0;
	n = json_object_get_int64(v);
	if (!json_object_is_type(v, json_type_int) || n < 0 || n > UINT32_MAX)
		return gv_fail(err, -EINVAL, "%s: a whole number from 0 on asked", key);
	*val = (uint32_t)n;
	return 0;
}

int gv_rpc_get_bool(struct json_object *params, const char *key, bool *val, struct gv_err *err)
{
	struct json_object *v;

	if (!params || !json_object_object_get_ex(params, key, &v))
		return 0;
	if (!json_object_is_type(v, json_type_boolean))
		return gv_fail(err, -EINVAL, "%s: true or false asked", key);
	*val = json_object_get_boolean(v);
	return 0;
}
