/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Life of a PF manager, its service loop, events and status. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adopt.h"
#include "pf.h"

#define POLL_MS  250u
#define RESET_MS 10000u
#define BUSY_NS  (500 * GV_US) /* between two looks at work that is under way */

/* ---- events ------------------------------------------------------------------ */

uint64_t pf_time_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / GV_MS;
}

void pf_event(struct gv_pf *pf, enum gv_pf_event_kind kind, int vf, const char *fmt, ...)
{
	struct gv_pf_event e = {
	        .seq = ++pf->event_seq, .time_ms = pf_time_ms(), .kind = kind, .vf = vf};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	if (pf->cfg.event_logs)
		; /* below */
	else if (vf >= 0)
		PF_LOG(pf, kind == GV_PF_EVENT_GPU ? GV_LOG_ERR : GV_LOG_INFO, "VF%d: %s", vf,
		       e.text);
	else
		PF_LOG(pf, kind == GV_PF_EVENT_GPU ? GV_LOG_ERR : GV_LOG_INFO, "%s", e.text);
	if (pf->cfg.event)
		pf->cfg.event(pf->cfg.arg, &e);
}

void gv_pf_note(struct gv_pf *pf, enum gv_pf_event_kind kind, int vf, const char *text)
{
	pf_event(pf, kind, vf, "%s", text);
}

/* ---- life --------------------------------------------------------------------- */

int gv_pf_new(struct gv_bus *bus, const struct gv_pf_cfg *cfg, struct gv_pf **out,
              struct gv_err *err)
{
	struct gv_pf *pf = calloc(1, sizeof(*pf));

	if (!pf)
		return gv_fail(err, -ENOMEM, "no memory for a PF manager");
	if (cfg)
		pf->cfg = *cfg;
	pf->cfg.poll_ms = pf->cfg.poll_ms ? pf->cfg.poll_ms : POLL_MS;
	pf->cfg.reset_ms = pf->cfg.reset_ms ? pf->cfg.reset_ms : RESET_MS;
	pf->bus = bus;
	pf->ih.eventfd = -1;
	pf_trace_init(&pf->trace);
	snprintf(pf->who, sizeof(pf->who), "%s PF", bus->name);
	if (pf->cfg.log)
		pf->log = *pf->cfg.log;
	pf->log.who = pf->who;
	*out = pf;
	return 0;
}

struct gv_pf *gv_pf_close(struct gv_pf *pf)
{
	if (!pf)
		return NULL;
	gv_pf_shutdown(pf);
	pf->journal = pf_journal_close(pf->journal);
	pf_trace_done(&pf->trace);
	free(pf);
	return NULL;
}

/* ---- sessions ------------------------------------------------------------------ */

void pf_sessions_start(struct gv_pf *pf)
{
	struct gv_mbox_acts acts;

	memset(pf->vf, 0, sizeof(pf->vf));
	(void)gv_mbox_pf_init(&pf->mbox, pf->plan.num_vfs, &pf->cfg.mailbox);
	pf_guard_changed(pf);
	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		pf->vf[i].l2_fault_count = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, i));
		pf->vf[i].noted_pending = UINT32_MAX; /* not known: written anew */
		pf->vf[i].seen_state = GV_MBOX_IDLE;
		pf->vf[i].since_ms = pf_time_ms();
		pf_mailbox_clear(pf, i);
		(void)gv_mbox_pf_enable(&pf->mbox, i, gv_now_ns(), &acts);
		pf_contain_new(pf, i);
	}
	pf_sessions_note(pf);
	pf->poll_ns = 0;
}

void pf_sessions_stop(struct gv_pf *pf)
{
	struct gv_mbox_acts acts;

	pf_jobs_forget(pf);
	for (unsigned i = 0; i < pf->plan.num_vfs; i++)
		(void)gv_mbox_pf_disable(&pf->mbox, i, gv_now_ns(), &acts);
}

/* What a state was is known when it ends. A reset begins when the guest is told. */
static void trace_state(struct gv_pf *pf, unsigned vf, enum gv_mbox_state now)
{
	struct pf_vf *v = &pf->vf[vf];
	uint64_t now_ns = gv_now_ns();

	if (v->seen_state == GV_MBOX_EXCLUSIVE)
		pf_trace(pf, GV_PF_TRACE_EXCLUSIVE, (int)vf, v->since_ns, now_ns, "%s", "");
	if (v->seen_state == GV_MBOX_RESET)
		pf_trace(pf, GV_PF_TRACE_RESET, (int)vf, v->since_ns, now_ns, "%s",
		         gv_mbox_reason_name(pf->mbox.vf[vf].reason));
	if (v->seen_state != GV_MBOX_NOTIFY || now != GV_MBOX_RESET)
		v->since_ns = now_ns;
}

void pf_states_look(struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++) {
		enum gv_mbox_state now = pf->mbox.vf[i].state, was = pf->vf[i].seen_state;

		if (now == was)
			continue;
		trace_state(pf, i, now);
		pf->vf[i].seen_state = now;
		pf->vf[i].since_ms = pf_time_ms();
		pf_event(pf, GV_PF_EVENT_VF_STATE, (int)i, "%s, was %s", gv_mbox_state_name(now),
		         gv_mbox_state_name(was));
	}
}

/* ---- service -------------------------------------------------------------------- */

static void poll_slowly(struct gv_pf *pf, uint64_t now_ns)
{
	if (now_ns < pf->poll_ns)
		return;
	pf->poll_ns = now_ns + pf->cfg.poll_ms * GV_MS;
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		pf_mailbox_look(pf, i, false);
	pf_faults_look(pf);
	pf_guard_look(pf, now_ns);
}

static void tick(struct gv_pf *pf, uint64_t now_ns)
{
	struct gv_mbox_acts acts;

	if (!pf->has_plan || now_ns < gv_mbox_pf_deadline(&pf->mbox))
		return;
	if (!gv_mbox_pf_tick(&pf->mbox, now_ns, &acts))
		pf_actions_run(pf, &acts);
}

int gv_pf_service(struct gv_pf *pf, uint64_t *next_ns)
{
	uint64_t now_ns = gv_now_ns(), world_ns;
	int rc = gv_bus_status(pf->bus);

	*next_ns = UINT64_MAX;
	if (rc || !pf->booted)
		return rc;
	(void)gv_pf_handle_irq(pf);
	poll_slowly(pf, now_ns);
	tick(pf, now_ns);
	world_ns = pf_world_step(pf, now_ns);
	pf_jobs_step(pf, now_ns);
	*next_ns = GV_MIN(pf->poll_ns, pf_contain_step(pf, now_ns));
	*next_ns = GV_MIN(*next_ns, world_ns);
	if (pf->has_plan)
		*next_ns = GV_MIN(*next_ns, gv_mbox_pf_deadline(&pf->mbox));
	if (pf_jobs_busy(pf))
		*next_ns = GV_MIN(*next_ns, now_ns + BUSY_NS);
	return gv_bus_status(pf->bus);
}

int gv_pf_vf_notify(struct gv_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                    struct gv_err *err)
{
	struct gv_mbox_acts acts;
	int rc;

	if (!pf_vf_enabled(pf, vf))
		return gv_fail(err, -ENODEV, "VF%u is not enabled", vf);
	rc = gv_mbox_pf_tell(&pf->mbox, vf, msg, gv_now_ns(), &acts);
	if (rc)
		return gv_fail(err, rc, "VF%u (%s): %s cannot be sent now", vf,
		               gv_mbox_state_name(pf->mbox.vf[vf].state),
		               gv_mbox_event_name(msg->dw[0]));
	pf_actions_run(pf, &acts);
	return 0;
}

bool gv_pf_vf_resetting(const struct gv_pf *pf, unsigned vf)
{
	const struct gv_mbox_session *s = &pf->mbox.vf[vf];

	if (!pf_vf_enabled(pf, vf))
		return false;
	return s->state == GV_MBOX_NOTIFY || s->state == GV_MBOX_RESET || s->reset_asked;
}

int gv_pf_vf_reset(struct gv_pf *pf, unsigned vf, unsigned flags, struct gv_err *err)
{
	struct gv_mbox_acts acts;
	int rc;

	if (!pf_vf_enabled(pf, vf))
		return gv_fail(err, -ENODEV, "VF%u is not enabled", vf);
	if (gv_pf_vf_resetting(pf, vf))
		return gv_fail(err, -EBUSY, "VF%u is being reset already", vf);
	pf->vf[vf].no_scrub_next = flags & GV_PF_RESET_NO_SCRUB;
	pf->vf[vf].gone_next = flags & GV_PF_RESET_GONE;
	rc = gv_mbox_pf_reset(&pf->mbox, vf,
	                      flags & GV_PF_RESET_GONE ? GV_MBOX_WHY_PCI_FLR : GV_MBOX_WHY_HOST,
	                      gv_now_ns(), &acts);
	if (rc)
		return gv_fail(err, rc, "VF%u: %s", vf, strerror(-rc));
	pf_actions_run(pf, &acts);
	return 0;
}

int gv_pf_vf_reset_wait(struct gv_pf *pf, unsigned vf, unsigned flags, uint64_t timeout_ns,
                        struct gv_err *err)
{
	uint64_t deadline = gv_now_ns() + timeout_ns, next;
	unsigned spins = 0;
	int rc = gv_pf_vf_reset(pf, vf, flags, err);

	while (!rc && gv_pf_vf_resetting(pf, vf)) {
		rc = gv_pf_service(pf, &next);
		if (!rc && gv_now_ns() >= deadline)
			return gv_fail(err, -ETIMEDOUT, "VF%u is still %s", vf,
			               gv_mbox_state_name(pf->mbox.vf[vf].state));
		if (!rc)
			gv_poll_pause(&spins);
		else
			(void)gv_fail(err, rc, "the GPU is lost: %s", strerror(-rc));
	}
	if (!rc && pf->mbox.vf[vf].state == GV_MBOX_FAILED)
		return gv_fail(err, -EIO, "VF%u: the reset failed, see the log", vf);
	return rc;
}

/* ---- status ----------------------------------------------------------------------- */

static void vf_status(const struct gv_pf *pf, unsigned vf, unsigned gates,
                      struct gv_pf_vf_status *status)
{
	const struct pf_vf *v = &pf->vf[vf];

	*status = (struct gv_pf_vf_status){
	        .plan = pf->plan.vf[vf],
	        .state = pf->mbox.vf[vf].state,
	        .access = pf->mbox.vf[vf].access,
	        .fb_gate = gates & PF_GATE_FB,
	        .doorbell_gate = gates & PF_GATE_DOORBELL,
	        .regwr_gate = gates & PF_GATE_REGWR,
	        .scrubbing = v->job.phase == PF_JOB_SCRUB,
	        .mailbox = pf->mbox.vf[vf].stats,
	        .resets = v->resets,
	        .faults = v->fault.count,
	        .errors = v->errors,
	        .messages_refused = v->messages_refused,
	        .since_ms = v->since_ms,
	        .answer = v->answer,
	        .fault = v->fault,
	        .guest_known = v->guest_known,
	        .guest = v->guest,
	};
	pf_world_get_vf_status(pf, vf, &status->world);
	memcpy(status->last_error, v->last_error, sizeof(status->last_error));
	status->scrub = pf->scrubbed[vf].record;
	pf_contain_get_status(pf, vf, &status->guard, &status->contain);
}

int gv_pf_get_vf_status(struct gv_pf *pf, unsigned vf, struct gv_pf_vf_status *status)
{
	if (!pf_vf_enabled(pf, vf))
		return -ENODEV;
	vf_status(pf, vf, pf_gates(pf, vf), status);
	return 0;
}

void gv_pf_get_status(struct gv_pf *pf, struct gv_pf_status *status)
{
	struct pf_gate_words words;

	memset(status, 0, sizeof(*status));
	memcpy(status->bus, pf->bus->name, sizeof(status->bus));
	status->booted = pf->booted;
	status->lost = gv_bus_status(pf->bus) != 0;
	status->caps = pf->caps;
	status->has_plan = pf->has_plan;
	status->plan = pf->plan;
	status->num_vfs = pf->has_plan ? pf->plan.num_vfs : 0;
	status->boot = pf->boot;
	status->boot.journal_bytes = pf->journal ? pf_journal_bytes(pf->journal) : 0;
	status->interrupts = pf->interrupts;
	status->ring_overflows = pf->ring_overflows;
	status->unknown_interrupts = pf->unknown_interrupts;
	if (pf->has_plan)
		pf_world_get_status(pf, &status->world);
	if (!pf->booted || status->lost)
		return;
	status->unimplemented = gv_rd32(pf->bus, GVX_UNIMPLEMENTED__BYTE);
	status->guest_errors = gv_rd32(pf->bus, GVX_GUEST_ERRORS__BYTE);
	pf_gates_read(pf, &words);
	for (unsigned i = 0; i < status->num_vfs; i++)
		vf_status(pf, i, pf_gates_of(&words, i), &status->vf[i]);
}
