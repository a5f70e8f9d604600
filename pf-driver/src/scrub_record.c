/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the memory of each VF: when it was scrubbed, after whom, and whether anybody
 * could write to it since. */
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "pf.h"

const char *gv_pf_scrub_why_name(enum gv_pf_scrub_why why)
{
	static const char *const names[GV_PF_SCRUB_WHYS] = {
	        [GV_PF_SCRUB_NEVER] = "never",
	        [GV_PF_SCRUB_APPLY] = "apply",
	        [GV_PF_SCRUB_RESET] = "reset",
	        [GV_PF_SCRUB_FINI] = "fini",
	};

	return (unsigned)why < GV_PF_SCRUB_WHYS ? names[why] : "unknown";
}

/* On disk. A record is of the plan's slice at that place only. */
static void note(struct gv_pf *pf, unsigned vf)
{
	const struct pf_scrubbed *s = &pf->scrubbed[vf];

	pf_journal_note(pf, PF_JOURNAL_SCRUB, (int)vf, s, sizeof(*s));
}

void pf_scrub_dirty(struct gv_pf *pf, unsigned vf)
{
	struct pf_scrubbed *s = &pf->scrubbed[vf];

	memcpy(s->data_of, s->tenant, sizeof(s->data_of));
	if (!s->record.clean)
		return;
	s->record.clean = false;
	memcpy(s->record.after, s->tenant, sizeof(s->record.after));
	note(pf, vf);
}

static const char *whose(const char *tenant)
{
	return tenant[0] ? tenant : "nobody known";
}

void pf_scrub_note(struct gv_pf *pf, const struct gv_pf_plan *plan, unsigned vf,
                   enum gv_pf_scrub_why why, uint64_t begin_ns)
{
	struct pf_scrubbed *s = &pf->scrubbed[vf];
	struct gv_pf_scrub_record *r = &s->record;
	uint64_t took_ms = (gv_now_ns() - begin_ns) / GV_MS, count = r->count + 1;

	memset(r, 0, sizeof(*r));
	r->why = why;
	r->clean = true;
	r->end_ms = pf_time_ms();
	r->begin_ms = r->end_ms - took_ms;
	r->device_offset = plan->vf[vf].fb_offset_mib * GV_MIB;
	r->bytes = plan->vf[vf].fb_mib * GV_MIB;
	r->samples = pf_scrub_samples(r->bytes, &r->sample_bytes);
	r->count = count;
	memcpy(r->before, s->data_of, sizeof(r->before));
	memcpy(r->after, s->tenant, sizeof(r->after));
	s->data_of[0] = '\0';
	note(pf, vf);
	pf_event(pf, GV_PF_EVENT_SCRUB, (int)vf,
	         "scrubbed %llu MiB at 0x%llx in %llu ms (%s), %u samples of %u bytes are zero; "
	         "data of %.40s, now of %.40s",
	         (unsigned long long)(r->bytes / GV_MIB), (unsigned long long)r->device_offset,
	         (unsigned long long)took_ms, gv_pf_scrub_why_name(why), r->samples,
	         r->sample_bytes, whose(r->before), whose(r->after));
}

void pf_scrub_forget(struct gv_pf *pf, unsigned vf)
{
	struct pf_scrubbed *s = &pf->scrubbed[vf];

	s->record = (struct gv_pf_scrub_record){.count = s->record.count};
	note(pf, vf);
}

void pf_scrub_adopt(struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++) {
		struct pf_scrubbed *s = &pf->scrubbed[i];
		const struct gv_pf_plan_vf *v = &pf->plan.vf[i];
		size_t bytes;
		const void *last = pf_journal_last(pf, PF_JOURNAL_SCRUB, (int)i, &bytes);

		memset(s, 0, sizeof(*s));
		if (!last || bytes != sizeof(*s))
			continue;
		memcpy(s, last, sizeof(*s));
		s->tenant[sizeof(s->tenant) - 1] = s->data_of[sizeof(s->data_of) - 1] = '\0';
		s->record.before[sizeof(s->record.before) - 1] = '\0';
		s->record.after[sizeof(s->record.after) - 1] = '\0';
		if ((unsigned)s->record.why >= GV_PF_SCRUB_WHYS ||
		    s->record.device_offset != v->fb_offset_mib * GV_MIB ||
		    s->record.bytes != v->fb_mib * GV_MIB)
			memset(s, 0, sizeof(*s));
	}
}

void gv_pf_vf_set_tenant(struct gv_pf *pf, unsigned vf, const char *tenant)
{
	struct pf_scrubbed *s;

	if (!pf_vf_enabled(pf, vf))
		return;
	s = &pf->scrubbed[vf];
	if (!strncmp(s->tenant, tenant, sizeof(s->tenant)))
		return;
	snprintf(s->tenant, sizeof(s->tenant), "%s", tenant);
	if (s->record.clean)
		memcpy(s->record.after, s->tenant, sizeof(s->record.after));
	note(pf, vf);
}

int gv_pf_vf_check_clean(struct gv_pf *pf, unsigned vf, struct gv_err *err)
{
	const struct gv_pf_scrub_record *r;

	if (!pf_vf_enabled(pf, vf))
		return gv_fail(err, -ENODEV, "VF%u is not enabled", vf);
	r = &pf->scrubbed[vf].record;
	if (pf->vf[vf].contain.guard.state == GV_PF_GUARD_QUARANTINED)
		return gv_fail(err, -EPERM, "VF%u is in quarantine: gpuvisor vf unquarantine %u",
		               vf, vf);
	if (!r->clean)
		return gv_fail(err, -EUCLEAN,
		               "VF%u needs a scrub: %s; gpuvisor vf reset %u does it", vf,
		               r->why == GV_PF_SCRUB_NEVER
		                       ? "nobody knows what is in its memory"
		                       : "somebody could write to its memory since the last",
		               vf);
	return 0;
}
