/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/pf_codes.h>

static const struct gv_pf_event_code events[] = {
#define EXIT_CODE(number, what)
#define RPC_CODE(name, code, errnos, what)
#define EVENT_CODE(kind, number, name, id, what) [GV_PF_EVENT_##kind] = {number, name, id, what},
#include <gv/pf_codes.def>
#undef EXIT_CODE
#undef RPC_CODE
#undef EVENT_CODE
};
_Static_assert(GV_ARRAY_LEN(events) == GV_PF_EVENT_KINDS, "a new kind needs a row at the end");

const struct gv_pf_event_code *gv_pf_event_code(enum gv_pf_event_kind kind)
{
	return (unsigned)kind < GV_ARRAY_LEN(events) && events[kind].name ? &events[kind] : NULL;
}

const char *gv_pf_event_name(enum gv_pf_event_kind kind)
{
	const struct gv_pf_event_code *e = gv_pf_event_code(kind);

	return e ? e->name : "unknown";
}
