/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of the PF end: each checks, starts an empty list of actions, and hands on. */
#include <string.h>

#include "guard.h"
#include "pf.h"

#define EXCLUSIVE_MS_ONE  3000u
#define EXCLUSIVE_MS_MANY 1500u
#define NOTIFY_MS         10u
#define GPU_NOTIFY_MS     500u
#define ALIVE_MS          1000u
/* What one VF can add to the list in one tick. */
#define TICK_ACTS 6u

static int check_guards(const struct gv_mbox_limit guard[GV_MBOX_GUARDS])
{
	for (unsigned i = 0; i < GV_MBOX_GUARDS; i++)
		if (guard[i].limit > GV_MBOX_GUARD_MAX)
			return -ERANGE;
	return 0;
}

static int set_guards(struct gv_mbox_pf_cfg *cfg)
{
	static const struct gv_mbox_limit none[GV_MBOX_GUARDS];

	if (cfg->guard_off)
		memset(cfg->guard, 0, sizeof(cfg->guard));
	else if (!memcmp(cfg->guard, none, sizeof(none)))
		memcpy(cfg->guard, gv_mbox_guard_defaults, sizeof(cfg->guard));
	return check_guards(cfg->guard);
}

int gv_mbox_pf_set_guards(struct gv_mbox_pf *pf, const struct gv_mbox_limit guard[GV_MBOX_GUARDS])
{
	int rc = check_guards(guard);

	if (!rc)
		memcpy(pf->cfg.guard, guard, sizeof(pf->cfg.guard));
	return rc;
}

uint32_t gv_mbox_pf_guard_count(const struct gv_mbox_pf *pf, unsigned vf,
                                enum gv_mbox_guard_kind kind, uint64_t now_ns)
{
	return gv_mbox_guard_count(&pf->vf[vf].guard[kind], &pf->cfg.guard[kind], now_ns);
}

int gv_mbox_pf_init(struct gv_mbox_pf *pf, unsigned num_vfs, const struct gv_mbox_pf_cfg *cfg)
{
	static const struct gv_mbox_pf_cfg defaults;
	struct gv_mbox_pf_cfg c = cfg ? *cfg : defaults;

	if (num_vfs > GV_MBOX_MAX_VFS || set_guards(&c))
		return -ERANGE;
	c.notify_ms = c.notify_ms ? c.notify_ms : NOTIFY_MS;
	c.gpu_notify_ms = c.gpu_notify_ms ? c.gpu_notify_ms : GPU_NOTIFY_MS;
	c.alive_ms = c.alive_ms ? c.alive_ms : ALIVE_MS;
	memset(pf, 0, sizeof(*pf));
	pf->cfg = c;
	pf->num_vfs = num_vfs;
	pf->holder = -1;
	return 0;
}

uint32_t gv_mbox_pf_exclusive_ms(const struct gv_mbox_pf *pf)
{
	unsigned enabled = 0;

	if (pf->cfg.exclusive_ms)
		return pf->cfg.exclusive_ms;
	for (unsigned i = 0; i < pf->num_vfs; i++)
		enabled += pf->vf[i].state != GV_MBOX_OFF;
	return enabled > 1 ? EXCLUSIVE_MS_MANY : EXCLUSIVE_MS_ONE;
}

static int start(struct turn *t, struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                 struct gv_mbox_acts *acts)
{
	acts->count = 0;
	if (vf >= pf->num_vfs)
		return -EINVAL;
	*t = (struct turn){pf, vf, &pf->vf[vf], now_ns, acts};
	return 0;
}

int gv_mbox_pf_enable(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                      struct gv_mbox_acts *acts)
{
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc)
		return rc;
	gv_mbox_give_up(&t);
	memset(t.s, 0, sizeof(*t.s));
	t.s->state = GV_MBOX_IDLE;
	gv_mbox_grant(&t);
	return 0;
}

int gv_mbox_pf_disable(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns,
                       struct gv_mbox_acts *acts)
{
	struct turn t;
	struct gv_mbox_stats stats;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc)
		return rc;
	gv_mbox_give_up(&t);
	stats = t.s->stats; /* still of interest; gone with the next enable */
	memset(t.s, 0, sizeof(*t.s));
	t.s->stats = stats;
	gv_mbox_grant(&t);
	return 0;
}

/* Too many: the guest sees no ACK. Said once, until the rate has fallen. */
static bool over_rate(struct turn *t, const struct gv_mbox_msg *msg)
{
	struct gv_mbox_guard *g = &t->s->guard[GV_MBOX_GUARD_MSG];
	const struct gv_mbox_limit *limit = &t->pf->cfg.guard[GV_MBOX_GUARD_MSG];

	if (gv_mbox_guard_room(g, limit, t->now_ns)) {
		g->overflow = false;
		gv_mbox_guard_add(g, limit, t->now_ns);
		return false;
	}
	t->s->stats.rate_dropped++;
	if (!g->overflow)
		gv_mbox_report(t, GV_MBOX_BAD_RATE, msg);
	g->overflow = true;
	gv_mbox_emit(t, GV_MBOX_ACT_GUARD)->guard = GV_MBOX_GUARD_MSG;
	return true;
}

static void alive(struct turn *t)
{
	if (t->s->alive_ns)
		gv_mbox_emit(t, GV_MBOX_ACT_ALIVE);
	t->s->alive_ns = 0;
}

int gv_mbox_pf_message(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                       uint64_t now_ns, struct gv_mbox_acts *acts)
{
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc)
		return rc;
	t.s->stats.messages++;
	if (t.s->state == GV_MBOX_OFF) {
		if (!t.s->off_told) /* once: who is not served may not keep the PF busy */
			gv_mbox_report(&t, GV_MBOX_BAD_OFF, msg);
		t.s->off_told = true;
		return 0;
	}
	if (over_rate(&t, msg))
		return 0;
	gv_mbox_emit(&t, GV_MBOX_ACT_ACK); /* first: it clears what was in TRN */
	t.s->stats.acks++;
	t.s->sent = 0;
	t.s->sent_valid = false;
	alive(&t);
	gv_mbox_apply_rule(&t, msg);
	return 0;
}

int gv_mbox_pf_acked(struct gv_mbox_pf *pf, unsigned vf, uint64_t now_ns, struct gv_mbox_acts *acts)
{
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc || !t.s->sent_valid)
		return rc; /* nothing is out: a CMPL without VALID must stay to be polled */
	gv_mbox_emit(&t, GV_MBOX_ACT_CLEAR);
	t.s->sent = 0;
	t.s->sent_valid = false;
	alive(&t);
	return 0;
}

static void ras_ended(struct turn *t, int result)
{
	struct gv_mbox_msg request = {{t->s->ras_code}};

	t->s->ras_ticket = 0;
	if (t->s->state != GV_MBOX_ACTIVE)
		return; /* the words are needed for something else by now */
	if (!result) {
		gv_mbox_emit_send(t, (struct gv_mbox_msg){{gv_mbox_reply_of(t->s->ras_code)}},
		                  true);
		return;
	}
	gv_mbox_emit_send(t, (struct gv_mbox_msg){{GV_MBOX_FAIL}}, true);
	gv_mbox_report(t, GV_MBOX_BAD_UPLOAD, &request);
}

int gv_mbox_pf_done(struct gv_mbox_pf *pf, unsigned vf, uint32_t ticket, int result,
                    uint64_t now_ns, struct gv_mbox_acts *acts)
{
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc)
		return rc;
	if (ticket && ticket == t.s->ticket)
		gv_mbox_action_ended(&t, result);
	else if (ticket && ticket == t.s->ras_ticket)
		ras_ended(&t, result);
	else
		t.s->stats.stale_done++;
	return 0;
}

static void remember_reset(struct gv_mbox_session *s, enum gv_mbox_reason reason, bool quiet)
{
	if (s->reset_asked && s->asked_quiet)
		return;
	s->reset_asked = true;
	s->asked_quiet = quiet;
	s->asked_reason = reason;
}

static bool may_reset(enum gv_mbox_reason reason)
{
	return reason == GV_MBOX_WHY_HOST || reason == GV_MBOX_WHY_HANG ||
	       reason == GV_MBOX_WHY_GUARD || reason == GV_MBOX_WHY_GPU_RESET ||
	       reason == GV_MBOX_WHY_PCI_FLR;
}

int gv_mbox_pf_reset(struct gv_mbox_pf *pf, unsigned vf, enum gv_mbox_reason reason,
                     uint64_t now_ns, struct gv_mbox_acts *acts)
{
	bool quiet = reason == GV_MBOX_WHY_PCI_FLR;
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc)
		return rc;
	if (!may_reset(reason))
		return -EINVAL;
	if (t.s->state == GV_MBOX_OFF)
		return -ENODEV;
	if (quiet)
		t.s->pending = (struct gv_mbox_msg){{0}}; /* whoever asked is gone */
	if (t.s->state == GV_MBOX_RESET)
		return 0; /* one is enough */
	if (busy(t.s->state))
		remember_reset(t.s, reason, quiet);
	else if (quiet)
		gv_mbox_begin_reset(&t, reason, true);
	else if (t.s->state != GV_MBOX_NOTIFY)
		gv_mbox_announce_reset(&t, reason);
	return 0;
}

static bool may_be_told(uint32_t code)
{
	return code == GV_MBOX_QUERY_ALIVE || code == GV_MBOX_GPU_RMA ||
	       code == GV_MBOX_TEXT_MESSAGE;
}

int gv_mbox_pf_tell(struct gv_mbox_pf *pf, unsigned vf, const struct gv_mbox_msg *msg,
                    uint64_t now_ns, struct gv_mbox_acts *acts)
{
	struct turn t;
	int rc = start(&t, pf, vf, now_ns, acts);

	if (rc || !may_be_told(msg->dw[0]))
		return -EINVAL;
	/* Guests do not ACK texts: one may replace another, but never an answer or a question. */
	if (t.s->state != GV_MBOX_ACTIVE || t.s->alive_ns ||
	    (t.s->sent_valid && !may_be_told(t.s->sent)))
		return -EBUSY;
	gv_mbox_emit_send(&t, *msg, true);
	if (msg->dw[0] == GV_MBOX_QUERY_ALIVE)
		t.s->alive_ns = now_ns + pf->cfg.alive_ms * GV_MS;
	return 0;
}

static void tick_vf(struct turn *t)
{
	struct gv_mbox_session *s = t->s;

	if (s->alive_ns && t->now_ns >= s->alive_ns) {
		s->alive_ns = 0;
		s->sent_valid = false;
		gv_mbox_emit(t, GV_MBOX_ACT_CLEAR);
		gv_mbox_emit(t, GV_MBOX_ACT_NOT_ALIVE);
	}
	if (!s->deadline_ns || t->now_ns < s->deadline_ns)
		return;
	if (s->state == GV_MBOX_NOTIFY) {
		gv_mbox_begin_reset(t, s->reason, false); /* it had its chance */
	} else if (s->state == GV_MBOX_EXCLUSIVE) {
		s->stats.excl_timeouts++;
		gv_mbox_guard_add(&s->guard[GV_MBOX_GUARD_EXCL_TIMEOUT],
		                  &t->pf->cfg.guard[GV_MBOX_GUARD_EXCL_TIMEOUT], t->now_ns);
		gv_mbox_announce_reset(t, GV_MBOX_WHY_EXCL_TIMEOUT);
	}
}

int gv_mbox_pf_tick(struct gv_mbox_pf *pf, uint64_t now_ns, struct gv_mbox_acts *acts)
{
	struct turn t;

	acts->count = 0;
	for (unsigned i = 0; i < pf->num_vfs; i++) {
		/* the rest comes with the next tick: its deadline stays in the past */
		if (acts->count > GV_MBOX_MAX_ACTS - TICK_ACTS)
			break;
		t = (struct turn){pf, i, &pf->vf[i], now_ns, acts};
		tick_vf(&t);
	}
	return 0;
}

uint64_t gv_mbox_pf_deadline(const struct gv_mbox_pf *pf)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < pf->num_vfs; i++) {
		if (pf->vf[i].deadline_ns)
			next = GV_MIN(next, pf->vf[i].deadline_ns);
		if (pf->vf[i].alive_ns)
			next = GV_MIN(next, pf->vf[i].alive_ns);
	}
	return next;
}
