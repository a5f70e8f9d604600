/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON-RPC 2.0 as gpuvisord and gpuvisor speak it, and the PF driver's
 * structs as JSON. One request (or batch) is one line, so is one reply.
 * The methods and their results are described in docs/gpuvisord.md.
 *
 * json-c is used behind this header and in cmd/ only.
 */
#ifndef GV_PF_RPC_H
#define GV_PF_RPC_H

#include <gv/base.h>

struct json_object;
struct gv_pf_caps;
struct gv_pf_plan;
struct gv_pf_status;
struct gv_pf_event;

#define GV_RPC_MAX_BYTES (1u << 20)
#define GV_RPC_MAX_DEPTH 16
#define GV_RPC_MAX_BATCH 64

/* GV_RPC_PARSE_ERROR and so on: JSON-RPC's own codes, and ours from -32000 on. */
enum {
#define EXIT_CODE(number, what)
#define RPC_CODE(name, code, errnos, what) GV_RPC_##name = code,
#define EVENT_CODE(kind, number, name, id, what)
#include <gv/pf_codes.def>
#undef EXIT_CODE
#undef RPC_CODE
#undef EVENT_CODE
};

struct gv_rpc_method {
	const char *name;
	bool slow; /* works on the GPU: not on the thread that serves sockets */
	/* @params: an object, or NULL. *@result: handed over; NULL counts as null. Returns 0 or a
	 * negative errno: -EINVAL and -ERANGE become INVALID_PARAMS, -EBUSY BUSY, -EPERM DENIED,
	 * the rest FAILED.
	 */
	int (*call)(void *ctx, struct json_object *params, struct json_object **result,
	            struct gv_err *err);
};

/**
 * Parse @bytes of one line. Strict JSON, UTF-8, at most GV_RPC_MAX_DEPTH deep.
 *
 * Returns the request, or NULL: then *@reply is the error to send (caller frees; NULL when there
 * is no memory). Release the request with gv_rpc_put().
 */
struct json_object *gv_rpc_parse(const char *text, size_t bytes, char **reply);
void gv_rpc_put(struct json_object *request);
/** Does the request, or any part of the batch, call a slow method? */
bool gv_rpc_is_slow(struct json_object *request, const struct gv_rpc_method *methods, size_t count);
/** Run it and make the reply: a line with its newline (caller frees), NULL when none is due. */
char *gv_rpc_run(struct json_object *request, const struct gv_rpc_method *methods, size_t count,
                 void *ctx);
/** An error reply to nothing in particular (id null): a line, caller frees. */
char *gv_rpc_error_line(int code, const char *text);
/** A notification: a line, caller frees. Takes @params. */
char *gv_rpc_notification(const char *method, struct json_object *params);

/** Members of @params. Absent gives the default (for u32 with @required: -EINVAL). -EINVAL: another
 *  type; the text names the member. */
int gv_rpc_get_u32(struct json_object *params, const char *key, bool required, uint32_t *val,
                   struct gv_err *err);
int gv_rpc_get_bool(struct json_object *params, const char *key, bool *val, struct gv_err *err);

/* ---- structs as JSON: new objects, NULL without memory ------------------- */
struct json_object *gv_pf_caps_json(const struct gv_pf_caps *caps);
struct json_object *gv_pf_plan_json(const struct gv_pf_plan *plan);
/** -EINVAL: not what gv_pf_caps_json() makes. */
int gv_pf_caps_from_json(struct json_object *json, struct gv_pf_caps *caps);
/** One line of a list; all of it with @all. */
struct json_object *gv_pf_vf_json(const struct gv_pf_status *status, unsigned vf, bool all);
struct json_object *gv_pf_status_json(const struct gv_pf_status *status);
struct json_object *gv_pf_event_json(const struct gv_pf_event *event);

#endif
