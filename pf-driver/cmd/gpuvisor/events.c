/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor events: what has happened, and with --follow what happens. */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "gpuvisor.h"

/* What was not printed before: an event may come in the list and as a notification. */
static void print_new(const struct cli *cli, struct json_object *e, uint64_t *last)
{
	if (num(e, "seq") <= *last)
		return;
	*last = num(e, "seq");
	if (cli->json)
		puts(json_object_to_json_string_ext(e, JSON_C_TO_STRING_PLAIN));
	else
		print_event(e);
}

/* Who asks for what came after N wants to know when there was more than the daemon has kept. */
static void tell_gap(const struct cli *cli, struct json_object *list)
{
	uint64_t first = num(json_object_array_get_idx(list, 0), "seq");
	uint64_t wanted = cli->since + UINT64_C(1);

	if (json_object_array_length(list) && first > wanted)
		fprintf(stderr, "gpuvisor: events %" PRIu64 " to %" PRIu64 " are no longer kept\n",
		        wanted, first - 1);
}

static int follow(const struct cli *cli, struct client *c, uint64_t *last, struct gv_err *err)
{
	struct json_object *note;
	int rc = 0;

	client_wait_for_ever(c);
	while (!rc) {
		rc = client_next(c, &note, err);
		if (rc)
			break;
		if (!strcmp(shown_text(note, "method"), "event"))
			print_new(cli, get(note, "params"), last);
		if (fflush(stdout))
			rc = gv_fail(err, -errno, "writing: %s", strerror(errno));
		json_object_put(note);
	}
	return rc;
}

int run_events(struct cli *cli, char **args, struct gv_err *err)
{
	struct json_object *params, *list = NULL;
	uint64_t last = cli->since;
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	(void)args;
	if (rc)
		return rc;
	params = json_object_new_object();
	put(params, "since", json_object_new_int64(cli->since));
	put_bool(params, "follow", cli->follow);
	rc = client_call(&c, "events", params, NULL, &list, err);
	if (!rc)
		tell_gap(cli, list);
	for (size_t i = 0; !rc && i < json_object_array_length(list); i++)
		print_new(cli, json_object_array_get_idx(list, i), &last);
	(void)fflush(stdout);
	if (!rc && cli->follow)
		rc = follow(cli, &c, &last, err);
	json_object_put(list);
	client_close(&c);
	return rc;
}
