/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A build without libmicrohttpd. */
#include "gpuvisord.h"

int metrics_start(struct daemon *d, struct gv_err *err)
{
	if (!d->opt.metrics)
		return 0;
	return gv_fail(err, -ENOTSUP,
	               "--metrics: this build has none (libmicrohttpd-dev was not there)");
}

void metrics_stop(struct daemon *d)
{
	(void)d;
}
