/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --record: everything that is done to the GPU also goes to a file, and what clients asked for, so
 * that --gpu replay:FILE does the same again without them.
 */
#include <string.h>

#include <json-c/json.h>

#include <gv/record.h>

#include "gpuvisord.h"

#define STOP   "stop"
#define NOBODY UINT64_MAX /* a client that there is not */

int bus_record(struct daemon *d, struct gv_err *err)
{
	struct gv_bus *inner = d->bus;

	if (!d->opt.record)
		return 0;
	d->bus = NULL; /* the recorder's, also when there is none */
	gv_logf(&d->log, GV_LOG_INFO, "recording to %s; BAR0 is not mapped meanwhile",
	        d->opt.record);
	return gv_record_bus(inner, d->opt.record, 0, &d->log, &d->bus, err);
}

void record_job(struct daemon *d, const struct job *job)
{
	gv_record_note(d->bus,
	               job ? json_object_to_json_string_ext(job->request, JSON_C_TO_STRING_PLAIN)
	                   : STOP);
}

struct job *replayed_job(struct daemon *d, bool *stop)
{
	gv_auto_free char *note = gv_replay_note(d->bus), *reply = NULL;
	struct job *j = note ? calloc(1, sizeof(*j)) : NULL;

	if (!j)
		return NULL;
	*stop = !strcmp(note, STOP);
	j->client = NOBODY;
	j->request = *stop ? NULL : gv_rpc_parse(note, strlen(note), &reply);
	if (j->request)
		return j;
	free(j);
	return NULL;
}
