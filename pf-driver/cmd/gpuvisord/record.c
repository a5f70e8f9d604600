/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --record: everything that is done to the GPU also goes to a file. */
#include <gv/record.h>

#include "gpuvisord.h"

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
