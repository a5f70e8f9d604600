/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a URI to the bus that knows its kind. */
#include <string.h>

#include <gv/bus.h>
#include <gv/record.h>
#include <gv/vfio.h>

#include "vfio.h"

static const char *after(const char *uri, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(uri, scheme, n) == 0 && uri[n] ? uri + n : NULL;
}

int gv_bus_open(const char *uri, const uint8_t *vf_token, const struct gv_log *log,
                struct gv_bus **bus, struct gv_err *err)
{
	const char *rest = after(uri, "vfio-user:");

	if (rest)
		return gv_vfu_open(rest, NULL, log, bus, err);
	rest = after(uri, "vfio:");
	if (rest)
		return gv_vfio_open(rest, vf_token, log, bus, err);
	rest = after(uri, "replay:");
	if (rest)
		return gv_replay_bus(rest, log, bus, err);
	return gv_fail(err, -EINVAL,
	               "\"%s\" is no device: \"vfio-user:SOCKET\" or \"vfio:0000:03:00.0\" is",
	               uri);
}
