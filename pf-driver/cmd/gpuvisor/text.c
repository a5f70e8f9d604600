/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON as an admin reads it: aligned tables, a picture of VRAM, one line per event. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "gpuvisor.h"

#define BAR_CHARS 60u
#define MAX_WIDTH 64

struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	(void)json_object_object_get_ex(o, key, &v);
	return v;
}

uint64_t num(struct json_object *o, const char *key)
{
	return json_object_get_uint64(get(o, key));
}

char *tame(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) /* U+0080 to U+009F */
			p[0] = p[1] = '?';
	}
	return text;
}

/* Domains are named by others. */
static const char *tame_string(struct json_object *v)
{
	gv_auto_free char *copy = NULL;

	if (!json_object_is_type(v, json_type_string))
		return json_object_get_string(v);
	copy = strdup(json_object_get_string(v));
	if (!copy || !json_object_set_string(v, tame(copy)))
		return "?";
	return json_object_get_string(v);
}

static const char *cell_text(struct json_object *v)
{
	if (!v)
		return "-";
	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v) ? "yes" : "no";
	return tame_string(v);
}

const char *shown_text(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return v ? tame_string(v) : "-";
}

void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
	                                               JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* ---- tables ------------------------------------------------------------------ */

/* A column: heading, key ("a.b" looks into an object). Numbers are set to the right. */
struct column {
	const char *heading, *key;
};

static struct json_object *lookup(struct json_object *o, const char *key)
{
	char first[32];
	const char *dot = strchr(key, '.');

	if (!dot)
		return get(o, key);
	snprintf(first, sizeof(first), "%.*s", (int)(dot - key), key);
	return lookup(get(o, first), dot + 1);
}

static int width_of(struct json_object *rows, const struct column *c)
{
	size_t width = strlen(c->heading);

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *v = lookup(json_object_array_get_idx(rows, i), c->key);

		width = GV_MAX(width, strlen(cell_text(v)));
	}
	return (int)GV_MIN(width, MAX_WIDTH);
}

static void print_cell(struct json_object *v, const char *cell, int width, bool last)
{
	if (v && json_object_is_type(v, json_type_int))
		printf("%*s%s", width, cell, last ? "" : "  ");
	else if (last)
		printf("%s", cell);
	else
		printf("%-*s  ", width, cell);
}

static void print_table(struct json_object *rows, const struct column *columns, size_t count)
{
	for (size_t c = 0; c < count; c++)
		print_cell(lookup(json_object_array_get_idx(rows, 0), columns[c].key),
		           columns[c].heading, width_of(rows, &columns[c]), c + 1 == count);
	putchar('\n');
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		for (size_t c = 0; c < count; c++) {
			struct json_object *v =
			        lookup(json_object_array_get_idx(rows, i), columns[c].key);

			print_cell(v, cell_text(v), width_of(rows, &columns[c]), c + 1 == count);
		}
		putchar('\n');
	}
}

void print_vf_table(struct json_object *vfs)
{
	static const struct column columns[] = {
	        {"VF", "index"},
	        {"LABEL", "label"},
	        {"STATE", "state"},
	        {"POOL", "pool"},
	        {"GUARD", "guard.state"},
	        {"OWNER", "owner"},
	        {"MIB", "fb_mib"},
	        {"AT", "fb_offset_mib"},
	        {"SLICES", "scheduler.slices"},
	        {"RESETS", "resets"},
	        {"FAULTS", "faults"},
	        {"ERRORS", "errors"},
	        {"REFUSED", "messages_refused"},
	        {"GUEST DRIVER", "guest.driver_version"},
	};

	if (!vfs || !json_object_array_length(vfs))
		puts("no VF is enabled");
	else
		print_table(vfs, columns, GV_ARRAY_LEN(columns));
}

void print_vm_table(struct json_object *rows)
{
	static const struct column columns[] = {
	        {"DOMAIN", "domain"}, {"RUNS", "running"},    {"ADDRESS", "bdf"},
	        {"VF", "vf"},         {"PF", "pf"},           {"LIVE", "live"},
	        {"CONFIG", "config"}, {"MANAGED", "managed"}, {"HOW", "how"},
	};

	if (!json_object_array_length(rows))
		puts("no domain has a PCI function");
	else
		print_table(rows, columns, GV_ARRAY_LEN(columns));
}

/* ---- the picture ------------------------------------------------------------------ */

static void paint(char *bar, uint64_t total, uint64_t at, uint64_t mib, char c)
{
	uint64_t first = at * BAR_CHARS / total, end = (at + mib) * BAR_CHARS / total;

	if (mib && end == first)
		end = first + 1; /* visible, if only just */
	for (uint64_t i = first; i < end && i < BAR_CHARS; i++)
		bar[i] = c;
}

/* |PP0000000000001111111......|  P the PF, 0..f the VFs, . nobody's */
static void print_bar(struct json_object *plan)
{
	uint64_t total = num(plan, "vram_mib");
	struct json_object *vfs = get(plan, "vfs");
	char bar[BAR_CHARS + 1];

	if (!total)
		return;
	memset(bar, '.', BAR_CHARS);
	bar[BAR_CHARS] = '\0';
	for (size_t i = 0; i < json_object_array_length(vfs); i++) {
		struct json_object *v = json_object_array_get_idx(vfs, i);

		paint(bar, total, num(v, "fb_offset_mib"), num(v, "fb_mib"),
		      "0123456789abcdef"[i % 16]);
	}
	paint(bar, total, 0, num(plan, "pf_mib"), 'P'); /* last: it is small and must be seen */
	printf("VRAM |%s| %" PRIu64 " MiB\n", bar, total);
	printf("      P the PF's %" PRIu64 " MiB, 0.. the VFs, . free %" PRIu64 " MiB\n",
	       num(plan, "pf_mib"), num(plan, "free_mib"));
}

void print_plan(struct json_object *plan)
{
	static const struct column columns[] = {
	        {"VF", "index"},
	        {"LABEL", "label"},
	        {"MIB", "fb_mib"},
	        {"AT", "fb_offset_mib"},
	        {"DOORBELLS", "doorbells"},
	        {"QUANTUM MS", "quantum_ms"},
	        {"WEIGHT", "weight"},
	        {"PRIORITY", "priority"},
	        {"TABLE ENTRIES", "table_entries"},
	};

	print_bar(plan);
	print_table(get(plan, "vfs"), columns, GV_ARRAY_LEN(columns));
}

void print_rollback(struct json_object *plan)
{
	if (get(plan, "vfs"))
		print_plan(plan);
	else
		puts("no VF");
}

static void print_blockers(struct json_object *blockers)
{
	static const struct column columns[] = {{"IN THE WAY: VF", "vf"},
	                                        {"SESSION", "session"},
	                                        {"DOMAIN", "domain"},
	                                        {"CAN BE FORCED", "can_be_forced"}};

	if (blockers && json_object_array_length(blockers))
		print_table(blockers, columns, GV_ARRAY_LEN(columns));
}

void print_diff(struct json_object *diff)
{
	static const struct column columns[] = {
	        {"WHAT", "path"}, {"NOW", "now"}, {"WANTED", "want"}};
	struct json_object *steps = get(diff, "steps"), *changes = get(diff, "changes");

	if (!changes || !json_object_array_length(changes)) {
		puts("in force, nothing to change");
		return;
	}
	print_table(changes, columns, GV_ARRAY_LEN(columns));
	if (!steps)
		puts("no VF is touched");
	for (size_t i = 0; steps && i < json_object_array_length(steps); i++)
		printf("%s%s", i ? ", " : "all VFs are taken away, then: ",
		       json_object_get_string(json_object_array_get_idx(steps, i)));
	if (steps)
		putchar('\n');
	print_blockers(get(diff, "blockers"));
}

/* engines: fair, VF1 has them, 1234 switches, 0 hangs */
static void print_scheduler(struct json_object *s)
{
	const char *policy = shown_text(s, "policy"), *asked = shown_text(s, "asked");

	printf("     engines: %s", strcmp(policy, "none") != 0 ? policy : "side by side");
	if (strcmp(policy, asked) != 0)
		printf(" (%s was asked)", asked);
	if (get(s, "active_vf"))
		printf(", VF%" PRIu64 " has them", num(s, "active_vf"));
	printf(", %" PRIu64 " switches, %" PRIu64 " hangs\n", num(s, "switches"), num(s, "hangs"));
}

/* start: taken-over in 5123 us (identity 12, ... adopt 800), why; 2 VFs, 2 sessions ... */
static void print_start(struct json_object *b)
{
	struct json_object *steps = get(b, "steps");

	printf("     start: %s in %" PRIu64 " us (", shown_text(b, "path"), num(b, "total_us"));
	for (size_t i = 0; steps && i < json_object_array_length(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);

		printf("%s%s %" PRIu64, i ? ", " : "", shown_text(step, "step"), num(step, "us"));
	}
	printf(")\n            %s", shown_text(b, "why"));
	if (get(b, "vfs_adopted"))
		printf("; %" PRIu64 " VFs: %" PRIu64 " sessions from the journal, %" PRIu64
		       " from the hardware, %" PRIu64 " steps begun again; apply: %s",
		       num(b, "vfs_adopted"), num(b, "sessions_read"), num(b, "sessions_rebuilt"),
		       num(b, "jobs_redone"), shown_text(b, "apply"));
	if (get(b, "journal"))
		printf("\n     journal: %s, was %s, %" PRIu64 " bytes", shown_text(b, "journal"),
		       shown_text(b, "journal_found"), num(b, "journal_bytes"));
	putchar('\n');
}

void print_status(struct json_object *s)
{
	struct json_object *caps = get(s, "caps"), *plan = get(s, "plan");

	printf("GPU  %s: %s", shown_text(s, "gpu"),
	       json_object_get_boolean(get(s, "lost"))     ? "LOST"
	       : json_object_get_boolean(get(s, "booted")) ? "up"
	                                                   : "down");
	if (caps)
		printf(", %" PRIu64 " MiB, up to %" PRIu64 " VFs", num(caps, "vram_mib"),
		       num(caps, "max_vfs"));
	if (get(s, "busy"))
		printf(", %s", shown_text(s, "busy"));
	printf("\n     %" PRIu64 " interrupts, %" PRIu64 " guest errors, %" PRIu64
	       " accesses to what is not modelled\n",
	       num(s, "interrupts"), num(s, "guest_errors"), num(s, "unimplemented"));
	if (get(s, "boot"))
		print_start(get(s, "boot"));
	if (!plan) {
		puts("     no VF is enabled: gpuvisor apply FILE");
		return;
	}
	print_scheduler(get(s, "scheduler"));
	print_bar(plan);
	print_vf_table(get(s, "vfs"));
}

/* ---- one VF --------------------------------------------------------------------------- */

static void print_members(struct json_object *o, int indent)
{
	json_object_object_foreach(o, key, v)
	{
		if (json_object_is_type(v, json_type_object)) {
			printf("%*s%s\n", indent, "", key);
			print_members(v, indent + 2);
		} else {
			printf("%*s%-*s %s\n", indent, "", 24 - indent, key,
			       json_object_get_string(v));
		}
	}
}

void print_vf(struct json_object *vf)
{
	print_members(vf, 0);
}

/* ---- events and progress ------------------------------------------------------------------ */

void print_event(struct json_object *e)
{
	time_t seconds = (time_t)(num(e, "time_ms") / 1000);
	struct tm tm;
	char when[32] = "?";

	if (localtime_r(&seconds, &tm))
		(void)strftime(when, sizeof(when), "%F %T", &tm);
	printf("%s.%03" PRIu64 "  #%-4" PRIu64 "  %-10s  ", when, num(e, "time_ms") % 1000,
	       num(e, "seq"), shown_text(e, "kind"));
	if (get(e, "vf"))
		printf("VF%" PRIu64 ": ", num(e, "vf"));
	puts(shown_text(e, "text"));
	(void)fflush(stdout);
}

static bool progress_shown;

void print_progress(struct json_object *p)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s VF%" PRIu64 ": %" PRIu64 " of %" PRIu64 " MiB  ",
	        shown_text(p, "what"), num(p, "vf"), num(p, "done_mib"), num(p, "total_mib"));
	progress_shown = true;
}

void end_progress(void)
{
	if (progress_shown)
		fprintf(stderr, "\r%*s\r", 60, "");
	progress_shown = false;
}
