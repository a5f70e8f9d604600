/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where lines go: standard error; the journal, with fields, where that is what it is. */
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <gv/pf_codes.h>

#include "gpuvisord.h"

#define FIELDS 12

/* systemd.exec(5): $JOURNAL_STREAM names the journal's end; ours may have been redirected since. */
static bool to_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

static int priority(enum gv_log_level level)
{
	static const int of[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

	return of[level];
}

void log_start(struct daemon *d)
{
	d->journal = to_journal();
}

void log_line(struct daemon *d, enum gv_log_level level, const char *line)
{
	if (!d->journal || sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority(level),
	                                   "GPUVISOR_PF=%s", d->gpu_uri, NULL) < 0)
		gv_log_stderr(NULL, level, line);
}

/* ---- events ----------------------------------------------------------------------- */

struct fields {
	char text[FIELDS][320];
	struct iovec io[FIELDS];
	int count;
};

static void add(struct fields *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct fields *f, const char *fmt, ...)
{
	char *to = f->text[f->count];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, sizeof(f->text[0]), fmt, ap);
	va_end(ap);
	f->io[f->count++] = (struct iovec){
	        .iov_base = to,
	        .iov_len = (size_t)GV_MIN(GV_MAX(n, 0), (int)sizeof(f->text[0]) - 1)};
}

static bool send_event(struct daemon *d, enum gv_log_level level, const struct gv_pf_event *e,
                       const char *line)
{
	const struct gv_pf_event_code *code = gv_pf_event_code(e->kind);
	const struct gv_pool_vf *vf =
	        e->vf >= 0 && e->vf < (int)GV_POOL_MAX_VFS ? &d->pool.rules.vf[e->vf] : NULL;
	struct fields f = {.count = 0};

	add(&f, "MESSAGE=%s", line);
	add(&f, "PRIORITY=%d", priority(level));
	add(&f, "GPUVISOR_PF=%s", d->gpu_uri);
	add(&f, "GPUVISOR_EVENT=%s", gv_pf_event_name(e->kind));
	add(&f, "GPUVISOR_SEQ=%llu", (unsigned long long)e->seq);
	if (code) {
		add(&f, "GPUVISOR_CODE=%u", code->number);
		add(&f, "MESSAGE_ID=%s", code->message_id);
	}
	if (e->vf >= 0)
		add(&f, "GPUVISOR_VF=%d", e->vf);
	if (vf && vf->domain[0])
		add(&f, "DOMAIN_NAME=%s", vf->domain);
	if (vf && vf->uuid[0])
		add(&f, "DOMAIN_UUID=%s", vf->uuid);
	return sd_journal_sendv(f.io, f.count) >= 0;
}

/* As the PF driver writes it where nobody else does. */
void log_event(struct daemon *d, const struct gv_pf_event *e)
{
	enum gv_log_level level = e->kind == GV_PF_EVENT_GPU ? GV_LOG_ERR : GV_LOG_INFO;
	char line[512], vf[16] = "";

	if ((int)level > atomic_load(&d->log_level))
		return;
	if (e->vf >= 0)
		(void)snprintf(vf, sizeof(vf), "VF%d: ", e->vf);
	(void)snprintf(line, sizeof(line), "%s PF: %s%s", d->bus ? d->bus->name : d->gpu_uri, vf,
	               e->text);
	if (!d->journal || !send_event(d, level, e, line))
		gv_log_stderr(NULL, level, line);
}
