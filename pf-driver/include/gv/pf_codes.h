/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is stable about events, for those who look at logs. docs/errors.md lists it. */
#ifndef GV_PF_CODES_H
#define GV_PF_CODES_H

#include <gv/pf_driver.h>

struct gv_pf_event_code {
	unsigned number;
	const char *name;       /* gv_pf_event_name() */
	const char *message_id; /* of journald: 32 hex digits */
	const char *what;
};
/** NULL for what is no kind. */
const struct gv_pf_event_code *gv_pf_event_code(enum gv_pf_event_kind kind);

#endif
