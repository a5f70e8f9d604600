/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#include "ut.h"

static unsigned calls;

static int do_echo(void *ctx, struct json_object *params, struct json_object **result,
                   struct gv_err *err)
{
	uint32_t n = 0;
	int rc = gv_rpc_get_u32(params, "n", true, &n, err);

	(void)ctx;
	calls++;
	if (!rc)
		*result = json_object_new_int64(n);
	return rc;
}

static int do_fail(void *ctx, struct json_object *params, struct json_object **result,
                   struct gv_err *err)
{
	(void)ctx;
	(void)params;
	(void)result;
	return gv_fail(err, -ENOSPC, "vfs[1].fb_mib: 2817 asked, 2816 MiB left");
}

static const struct gv_rpc_method table[] = {{"echo", false, do_echo}, {"fail", true, do_fail}};

/* The reply to @text, as a string the caller frees; NULL when there is none. */
static char *ask(const char *text, size_t n)
{
	char *reply = NULL;
	struct json_object *o = gv_rpc_parse(text, n, &reply);

	if (!o)
		return reply;
	reply = gv_rpc_run(o, table, GV_ARRAY_LEN(table), NULL);
	gv_rpc_put(o);
	return reply;
}

static void expect(const char *text, const char *part)
{
	char *reply = ask(text, strlen(text));

	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply, part));
	if (!strstr(reply, part))
		printf("%s -> %s", text, reply);
	CU_ASSERT_EQUAL(reply[strlen(reply) - 1], '\n');
	CU_ASSERT_PTR_EQUAL(strchr(reply, '\n'), reply + strlen(reply) - 1);
	free(reply);
}

static void a_request_gets_its_result_and_its_id(void)
{
	expect("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"n\":5}}",
	       "\"id\":7,\"result\":5");
	expect("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\",\"params\":{\"n\":5}} \n",
	       "\"id\":\"x\"");
}

static void errors_carry_code_errno_and_place(void)
{
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fail\"}", "-32000");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fail\"}", "\"errno\":\"ENOSPC\"");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fail\"}", "\"path\":\"vfs[1].fb_mib\"");
}

static void what_is_no_request_is_refused_with_the_code_of_the_standard(void)
{
	expect("", "-32700");
	expect("{", "-32700");
	expect("{\"a\":1}x", "-32700");
	expect("null", "-32700");
	expect("\"\xff\xfe\"", "-32700");
	expect("5", "-32600");
	expect("{}", "-32600");
	expect("[]", "-32600");
	expect("[1]", "-32600");
	expect("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}", "-32600");
	expect("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}", "-32600");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", "-32600");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nothing\"}", "-32601");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}", "-32602");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}", "-32602");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"n\":-1}}",
	       "-32602");
	expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"n\":\"5\"}}",
	       "-32602");
}

static void depth_and_size_are_limited(void)
{
	enum { BYTES = GV_RPC_MAX_BYTES + 1 };
	char *text = malloc(BYTES), *reply;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, '[', BYTES);
	reply = ask(text, 100000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply, "-32700"));
	free(reply);
	reply = ask(text, BYTES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
	CU_ASSERT_PTR_NOT_NULL(strstr(reply, "-32600"));
	free(reply);
	free(text);
}

static void a_batch_is_answered_as_a_batch(void)
{
	expect("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"n\":1}},"
	       "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"n\":2}},"
	       "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\",\"params\":{\"n\":3}}]",
	       "\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":3}]");
}

static void a_notification_is_done_and_not_answered(void)
{
	static const char one[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"n\":1}}";

	calls = 0;
	CU_ASSERT_PTR_NULL(ask(one, strlen(one)));
	CU_ASSERT_EQUAL(calls, 1);
}

static void slow_methods_are_found_inside_batches(void)
{
	static const char *const text[] = {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}",
	                                   "[{\"method\":\"echo\"},{\"method\":\"fail\"}]",
	                                   "[1,null,\"fail\"]"};
	static const bool slow[] = {false, true, false};

	for (size_t i = 0; i < GV_ARRAY_LEN(text); i++) {
		char *reply = NULL;
		struct json_object *o = gv_rpc_parse(text[i], strlen(text[i]), &reply);

		CU_ASSERT_PTR_NOT_NULL_FATAL(o);
		CU_ASSERT_EQUAL(gv_rpc_is_slow(o, table, GV_ARRAY_LEN(table)), slow[i]);
		gv_rpc_put(o);
	}
}

/* Every prefix and every single-byte change of a good request: an answer or none, never a crash. */
static void damaged_requests_never_hurt(void)
{
	static const char good[] =
	        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"n\":1e3}}]";
	char text[sizeof(good)];

	for (size_t n = 0; n < sizeof(good); n++)
		free(ask(good, n));
	for (size_t i = 0; i + 1 < sizeof(good); i++)
		for (unsigned c = 0; c < 256; c += 3) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)c;
			free(ask(text, sizeof(good) - 1));
		}
	CU_PASS("still here");
}

static void caps_survive_the_way_through_json(void)
{
	struct gv_pf_caps a = gv_pf_caps_default(8192, 4), b = {0};
	struct json_object *o = gv_pf_caps_json(&a);

	CU_ASSERT_EQUAL(gv_pf_caps_from_json(o, &b), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
	json_object_object_del(o, "max_vfs");
	CU_ASSERT_EQUAL(gv_pf_caps_from_json(o, &b), -EINVAL);
	CU_ASSERT_EQUAL(gv_pf_caps_from_json(NULL, &b), -EINVAL);
	json_object_put(o);
}

static void the_firmware_of_a_guest_is_told_by_name(void)
{
	struct gv_pf_status *s = calloc(1, sizeof(*s));
	struct json_object *o;
	const char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	s->vf[1].guest_known = true;
	s->vf[1].guest.ucode_count = 2;
	s->vf[1].guest.ucode[0] = (struct gv_mbox_ucode){10, 0x1d4};
	s->vf[1].guest.ucode[1] = (struct gv_mbox_ucode){200, 7};
	o = gv_pf_vf_json(s, 1, true);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"firmware\":{\"MEC\":468,\"UNKNOWN\":7}"));
	json_object_put(o);
	free(s);
}

UT_MAIN("pf-driver/rpc", UT(a_request_gets_its_result_and_its_id),
        UT(errors_carry_code_errno_and_place),
        UT(what_is_no_request_is_refused_with_the_code_of_the_standard),
        UT(depth_and_size_are_limited), UT(a_batch_is_answered_as_a_batch),
        UT(a_notification_is_done_and_not_answered), UT(slow_methods_are_found_inside_batches),
        UT(damaged_requests_never_hurt), UT(caps_survive_the_way_through_json),
        UT(the_firmware_of_a_guest_is_told_by_name))
