/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints docs/errors.md from <gv/pf_codes.def>. */
#include <stdio.h>

static void print_exit_codes(void)
{
	puts("# Exit codes, error codes, events\n\n"
	     "Made of pf-driver/include/gv/pf_codes.def by gv-codes-doc: rows are added, never "
	     "changed.\n\n"
	     "## Exit codes\n\n"
	     "Of `gpuvisor`, `gpuvisord`, `gpuvisor-keeper`, `gpuvisor-gpu`, `gpuvisor-guest` and "
	     "`gpuvisor-replay`.\n\n"
	     "| code | |\n|---|---|");
#define EXIT_CODE(number, what) puts("| " #number " | " what " |");
#define RPC_CODE(name, code, errnos, what)
#define EVENT_CODE(kind, number, name, id, what)
#include <gv/pf_codes.def>
#undef EXIT_CODE
#undef RPC_CODE
}

static void print_rpc_codes(void)
{
	puts("\n## Error codes of JSON-RPC\n\n"
	     "`error.code`; `error.data.errno` has the name of the errno where one is known, and "
	     "is as stable.\n\n"
	     "| code | name | errno | |\n|---|---|---|---|");
#define EXIT_CODE(number, what)
#define RPC_CODE(name, code, errnos, what)                                                         \
	puts("| " #code " | " #name " | " errnos " | " what " |");
#include <gv/pf_codes.def>
#undef EXIT_CODE
#undef RPC_CODE
#undef EVENT_CODE
}

static void print_events(void)
{
	puts("\n## Events\n\n"
	     "`gpuvisor events` shows them by name. Under systemd each goes to the journal with "
	     "the fields\n"
	     "`MESSAGE_ID`, `PRIORITY`, `GPUVISOR_PF`, `GPUVISOR_EVENT` (the name), "
	     "`GPUVISOR_CODE` (the number),\n"
	     "`GPUVISOR_SEQ` (as `events` counts), and, where it is about a VF, `GPUVISOR_VF`; "
	     "where a domain has\n"
	     "that VF, `DOMAIN_NAME` and `DOMAIN_UUID`. All other lines have `PRIORITY` and "
	     "`GPUVISOR_PF`.\n\n"
	     "    journalctl -u gpuvisord GPUVISOR_VF=3 GPUVISOR_EVENT=vf-fault\n\n"
	     "| number | name | MESSAGE_ID | |\n|---|---|---|---|");
#define EXIT_CODE(number, what)
#define RPC_CODE(name, code, errnos, what)
#define EVENT_CODE(kind, number, name, id, what)                                                   \
	puts("| " #number " | " name " | " id " | " what " |");
#include <gv/pf_codes.def>
#undef EXIT_CODE
#undef RPC_CODE
#undef EVENT_CODE
}

int main(void)
{
	print_exit_codes();
	print_rpc_codes();
	print_events();
	return fflush(stdout) ? 1 : 0;
}
