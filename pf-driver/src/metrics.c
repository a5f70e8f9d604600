/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics: one row of a table each, so that all look alike and none is without its help line. */
#include <inttypes.h>
#include <stdio.h>

#include <gv/pf_metrics.h>

struct out {
	FILE *f;
	const struct gv_pf_status *status;
	const struct gv_pf_owned_vf *owned;
};

/* ---- labels -------------------------------------------------------------- */

static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			(void)fputc('\\', f);
		if (*text == '\n')
			(void)fputs("\\n", f);
		else
			(void)fputc(*text, f);
	}
}

static void put_label(FILE *f, const char *name, const char *value)
{
	(void)fprintf(f, "%s=\"", name);
	put_escaped(f, value ? value : "");
	(void)fputc('"', f);
}

static void put_pf_labels(const struct out *o)
{
	put_label(o->f, "pf", o->status->bus);
}

static void put_vf_labels(const struct out *o, unsigned vf)
{
	put_pf_labels(o);
	(void)fprintf(o->f, ",vf=\"%u\",", vf);
	put_label(o->f, "bdf", o->owned[vf].bdf);
	(void)fputc(',', o->f);
	put_label(o->f, "label", o->status->vf[vf].plan.label);
	(void)fputc(',', o->f);
	put_label(o->f, "domain", o->owned[vf].domain);
	(void)fputc(',', o->f);
	put_label(o->f, "domain_uuid", o->owned[vf].uuid);
}

static void put_head(const struct out *o, const char *name, const char *type, const char *help)
{
	(void)fprintf(o->f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- plain numbers ------------------------------------------------------- */

struct metric {
	const char *name, *type, *help;
};
static const char gauge[] = "gauge", counter[] = "counter";

struct gpu_metric {
	struct metric m;
	uint64_t (*get)(const struct gv_pf_status *s);
};
struct vf_metric {
	struct metric m;
	uint64_t (*get)(const struct gv_pf_vf_status *v);
};
/* Counted in parts of its unit. */
struct vf_part_metric {
	struct vf_metric row;
	double per;
};

#define GPU(name, e)                                                                               \
	static uint64_t gpu_##name(const struct gv_pf_status *s)                                   \
	{                                                                                          \
		return (e);                                                                        \
	}
#define VF(name, e)                                                                                \
	static uint64_t vf_##name(const struct gv_pf_vf_status *v)                                 \
	{                                                                                          \
		return (e);                                                                        \
	}

GPU(up, s->booted && !s->lost)
GPU(vram, s->caps.vram_mib *GV_MIB)
GPU(vfs, s->num_vfs)
GPU(interrupts, s->interrupts)
GPU(overflows, s->ring_overflows)
GPU(unknown, s->unknown_interrupts)
GPU(unimplemented, s->unimplemented)
GPU(guest_errors, s->guest_errors)

static const struct gpu_metric gpu_metrics[] = {
        {{"gpuvisor_up", gauge, "The GPU is initialised and answers"}, gpu_up},
        {{"gpuvisor_vram_bytes", gauge, "Memory of the GPU"}, gpu_vram},
        {{"gpuvisor_vfs", gauge, "Virtual functions that are enabled"}, gpu_vfs},
        {{"gpuvisor_interrupts_total", counter, "Entries of the PF's interrupt ring"},
         gpu_interrupts},
        {{"gpuvisor_interrupt_overflows_total", counter, "Times the PF's interrupt ring was full"},
         gpu_overflows},
        {{"gpuvisor_interrupts_unknown_total", counter, "Interrupts of no known source"},
         gpu_unknown},
        {{"gpuvisor_unimplemented_total", counter,
          "Things asked of the emulated GPU that it does not have"},
         gpu_unimplemented},
        {{"gpuvisor_gpu_guest_errors_total", counter,
          "Mistakes of guests that the GPU noticed, of all VFs"},
         gpu_guest_errors},
};

VF(fb, v->plan.fb_mib *GV_MIB)
VF(fb_used, v->guest_known ? v->guest.fb_usage_mib *GV_MIB : 0)
VF(weight, v->plan.weight)
VF(exclusive, v->access != GV_MBOX_ACCESS_NONE)
VF(scrubbing, v->scrubbing)
VF(resets, v->resets)
VF(faults, v->faults)
VF(errors, v->errors)
VF(messages, v->mailbox.messages)
VF(refused, v->messages_refused)
VF(guard_state, v->guard.state)
VF(contained, v->contain.hangs)
VF(clean, v->scrub.clean)
VF(scrubs, v->scrub.count)
VF(scrubbed_at, v->scrub.end_ms / 1000)

static uint64_t vf_limited(const struct gv_pf_vf_status *v)
{
	uint64_t hits = 0;

	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		hits += v->guard.kind[k].hits;
	return hits;
}

VF(grants, v->mailbox.excl_grants)
VF(timeouts, v->mailbox.excl_timeouts)
VF(active, v->world.active)
VF(busy, v->world.busy_permille)
VF(ran, v->world.ran_ns)
VF(slices, v->world.slices)
VF(overruns, v->world.overruns)
VF(hangs, v->world.hangs)

static const struct vf_metric vf_metrics[] = {
        {{"gpuvisor_vf_frame_buffer_bytes", gauge, "The VF's share of the GPU's memory"}, vf_fb},
        {{"gpuvisor_vf_frame_buffer_used_bytes", gauge, "What its guest says it uses of it"},
         vf_fb_used},
        {{"gpuvisor_vf_weight", gauge, "Weight among the VFs, of the profile"}, vf_weight},
        {{"gpuvisor_vf_exclusive", gauge, "Its guest has exclusive access, or gives it back"},
         vf_exclusive},
        {{"gpuvisor_vf_scrubbing", gauge, "Its memory is being overwritten"}, vf_scrubbing},
        {{"gpuvisor_vf_resets_total", counter, "Resets, whoever asked for them"}, vf_resets},
        {{"gpuvisor_vf_faults_total", counter, "Accesses to memory that is not the VF's"},
         vf_faults},
        {{"gpuvisor_vf_errors_total", counter, "Errors that its guest reported"}, vf_errors},
        {{"gpuvisor_vf_messages_total", counter, "Mailbox messages of its guest"}, vf_messages},
        {{"gpuvisor_vf_messages_refused_total", counter, "Mailbox messages that were refused"},
         vf_refused},
        {{"gpuvisor_vf_guard_hits_total", counter, "Times the rate guard held its guest back"},
         vf_limited},
        {{"gpuvisor_vf_guard_state", gauge, "0 normal, 1 throttled, 2 paused, 3 in quarantine"},
         vf_guard_state},
        {{"gpuvisor_vf_contained_total", counter, "Hangs that were handled by resets"},
         vf_contained},
        {{"gpuvisor_vf_clean", gauge,
          "Its memory was scrubbed, and nobody could write to it since"},
         vf_clean},
        {{"gpuvisor_vf_scrubs_total", counter, "Times its memory was scrubbed and looked at"},
         vf_scrubs},
        {{"gpuvisor_vf_scrub_time_seconds", gauge, "When that ended last, 0 never"},
         vf_scrubbed_at},
        {{"gpuvisor_vf_exclusive_grants_total", counter, "Exclusive accesses granted"}, vf_grants},
        {{"gpuvisor_vf_exclusive_timeouts_total", counter,
          "Exclusive accesses that were not given back in time"},
         vf_timeouts},
        {{"gpuvisor_vf_active", gauge, "The engines are its, of all VFs"}, vf_active},
        {{"gpuvisor_vf_slices_total", counter, "Time slices that it had"}, vf_slices},
        {{"gpuvisor_vf_slice_overruns_total", counter,
          "Slices that ended more than a tenth late while others waited"},
         vf_overruns},
        {{"gpuvisor_vf_hangs_total", counter, "Times it did not let go of the engines"}, vf_hangs},
};

static const struct vf_part_metric vf_part_metrics[] = {
        {{{"gpuvisor_vf_busy_share", gauge,
           "Part of the last second in which it had the engines, and work for them"},
          vf_busy},
         1e3},
        {{{"gpuvisor_vf_engine_seconds_total", counter, "Time that it had the engines"}, vf_ran},
         1e9},
};

static void put_gpu_metrics(const struct out *o)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(gpu_metrics); i++) {
		const struct metric *m = &gpu_metrics[i].m;

		put_head(o, m->name, m->type, m->help);
		(void)fprintf(o->f, "%s{", m->name);
		put_pf_labels(o);
		(void)fprintf(o->f, "} %" PRIu64 "\n", gpu_metrics[i].get(o->status));
	}
}

static void put_vf_metric(const struct out *o, const struct vf_metric *row)
{
	put_head(o, row->m.name, row->m.type, row->m.help);
	for (unsigned i = 0; i < o->status->num_vfs; i++) {
		(void)fprintf(o->f, "%s{", row->m.name);
		put_vf_labels(o, i);
		(void)fprintf(o->f, "} %" PRIu64 "\n", row->get(&o->status->vf[i]));
	}
}

static void put_vf_part_metric(const struct out *o, const struct vf_part_metric *part)
{
	const struct vf_metric *row = &part->row;

	put_head(o, row->m.name, row->m.type, row->m.help);
	for (unsigned i = 0; i < o->status->num_vfs; i++) {
		(void)fprintf(o->f, "%s{", row->m.name);
		put_vf_labels(o, i);
		(void)fprintf(o->f, "} %.9f\n", (double)row->get(&o->status->vf[i]) / part->per);
	}
}

/* ---- states: one line for each, 1 for the one it is in ------------------- */

static void put_state(const struct out *o, const char *name, unsigned vf, const char *state,
                      bool is)
{
	(void)fprintf(o->f, "%s{", name);
	put_vf_labels(o, vf);
	(void)fprintf(o->f, ",state=\"%s\"} %d\n", state, is);
}

static void put_states(const struct out *o)
{
	static const char session[] = "gpuvisor_vf_session", pool[] = "gpuvisor_vf_pool";

	put_head(o, session, gauge, "State of the mailbox session, 1 for the one it is in");
	for (unsigned i = 0; i < o->status->num_vfs; i++)
		for (unsigned s = 0; s < GV_MBOX_STATES; s++)
			put_state(o, session, i, gv_mbox_state_name(s),
			          s == o->status->vf[i].state);
	put_head(o, pool, gauge, "Whose the VF is, 1 for the state it is in");
	for (unsigned i = 0; i < o->status->num_vfs; i++)
		for (unsigned s = 0; s < GV_POOL_STATES; s++)
			put_state(o, pool, i, gv_pool_state_name(s), s == o->owned[i].pool);
}

/* ---- how long guests wait ------------------------------------------------ */

static void put_sum(const struct out *o, const char *name, unsigned vf, uint64_t sum_ns,
                    uint64_t count)
{
	(void)fprintf(o->f, "%s_sum{", name);
	put_vf_labels(o, vf);
	(void)fprintf(o->f, "} %.9f\n%s_count{", (double)sum_ns * 1e-9, name);
	put_vf_labels(o, vf);
	(void)fprintf(o->f, "} %" PRIu64 "\n", count);
}

static void put_bucket(const struct out *o, const char *name, unsigned vf, const char *le,
                       uint64_t count)
{
	(void)fprintf(o->f, "%s_bucket{", name);
	put_vf_labels(o, vf);
	(void)fprintf(o->f, ",le=\"%s\"} %" PRIu64 "\n", le, count);
}

static void put_latency(const struct out *o, const char *name, unsigned vf)
{
	const struct gv_pf_hist *h = &o->status->vf[vf].answer;
	uint64_t sum = 0;
	char le[32];

	for (unsigned b = 0; b < GV_PF_HIST_BUCKETS; b++) {
		sum += h->bucket[b];
		(void)snprintf(le, sizeof(le), "%g", (double)gv_pf_hist_limit_ns(b) * 1e-9);
		put_bucket(o, name, vf, le, sum);
	}
	put_bucket(o, name, vf, "+Inf", h->count);
	put_sum(o, name, vf, h->sum_ns, h->count);
}

static void put_latencies(const struct out *o)
{
	static const char name[] = "gpuvisor_vf_mailbox_seconds";

	put_head(o, name, "histogram", "From a guest's request to its answer");
	for (unsigned i = 0; i < o->status->num_vfs; i++)
		put_latency(o, name, i);
}

/* ---- what switches cost --------------------------------------------------- */

static void put_quantile(const struct out *o, const char *name, unsigned vf, const char *quantile,
                         uint64_t ns)
{
	(void)fprintf(o->f, "%s{", name);
	put_vf_labels(o, vf);
	(void)fprintf(o->f, ",quantile=\"%s\"} %.9f\n", quantile, (double)ns * 1e-9);
}

static void put_switches(const struct out *o)
{
	static const char name[] = "gpuvisor_vf_switch_seconds";

	put_head(o, name, "summary", "From taking the engines from others to giving them to it");
	for (unsigned i = 0; i < o->status->num_vfs; i++) {
		const struct gv_pf_vf_world *w = &o->status->vf[i].world;

		if (w->switches) {
			put_quantile(o, name, i, "0.5", w->switch_p50_ns);
			put_quantile(o, name, i, "0.99", w->switch_p99_ns);
		}
		put_sum(o, name, i, w->switch_sum_ns, w->switches);
	}
}

int gv_pf_metrics_text(const struct gv_pf_status *status, const struct gv_pf_owned_vf *owned,
                       char **text, size_t *bytes)
{
	struct out o = {.status = status, .owned = owned};
	char *all = NULL;
	size_t n = 0;
	bool bad;

	o.f = open_memstream(&all, &n);
	if (!o.f)
		return -ENOMEM;
	put_gpu_metrics(&o);
	for (size_t i = 0; i < GV_ARRAY_LEN(vf_metrics); i++)
		put_vf_metric(&o, &vf_metrics[i]);
	for (size_t i = 0; i < GV_ARRAY_LEN(vf_part_metrics); i++)
		put_vf_part_metric(&o, &vf_part_metrics[i]);
	put_states(&o);
	put_latencies(&o);
	put_switches(&o);
	bad = ferror(o.f) != 0;
	bad |= fclose(o.f) != 0;
	if (bad) {
		free(all);
		return -ENOMEM;
	}
	*text = all;
	*bytes = n;
	return 0;
}
