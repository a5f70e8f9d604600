/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a line on gpuvisord's control socket: one line back that is JSON, or none. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_rpc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int take(void *ctx, struct json_object *params, struct json_object **result,
                struct gv_err *err)
{
	uint32_t vf = 0;
	bool force = false;
	int rc = gv_rpc_get_u32(params, "vf", true, &vf, err);

	(void)ctx;
	if (!rc)
		rc = gv_rpc_get_bool(params, "force", &force, err);
	if (!rc && vf > 15)
		rc = gv_fail(err, -ENODEV, "vfs[%u]: none", vf);
	if (!rc)
		*result = force ? json_object_get(params) : json_object_new_int64(vf);
	return rc;
}

static int look(void *ctx, struct json_object *params, struct json_object **result,
                struct gv_err *err)
{
	(void)ctx;
	(void)params;
	(void)err;
	*result = NULL;
	return 0;
}

static const struct gv_rpc_method methods[] = {{"vf.take", true, take}, {"look", false, look}};

static void check_line(const char *line)
{
	size_t n = strlen(line);
	struct json_object *o;

	require(n > 1 && strchr(line, '\n') == line + n - 1);
	o = json_tokener_parse(line);
	require(json_object_is_type(o, json_type_object) ||
	        json_object_is_type(o, json_type_array));
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gv_auto_free char *reply = NULL;
	struct json_object *request = gv_rpc_parse((const char *)data, size, &reply);

	if (!request) {
		require(reply != NULL);
		check_line(reply);
		return 0;
	}
	(void)gv_rpc_is_slow(request, methods, GV_ARRAY_LEN(methods));
	reply = gv_rpc_run(request, methods, GV_ARRAY_LEN(methods), NULL);
	if (reply)
		check_line(reply);
	gv_rpc_put(request);
	return 0;
}
