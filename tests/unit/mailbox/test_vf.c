/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's end against a hand-driven mailbox, and against the real PF end. */
#include <string.h>

#include <gv/mailbox.h>
#include <ut.h>

#define MS GV_MS

/* A mailbox with the coupling rules of the hardware: clearing VALID drops the other's ACK. */
struct wire {
	uint64_t now;
	struct gv_mbox_msg vf_words, pf_words;
	bool vf_valid, pf_valid; /* TRN_VALID of each side */
	bool vf_ack, pf_ack;     /* RCV_ACK of each side */
	bool stuck;              /* TRN_ACK of the VF never falls */
};

static void vf_acts(struct wire *w, const struct gv_mbox_vf_out *out)
{
	if (out->acts & GV_MBOX_VF_CLEAR_VALID) {
		w->vf_valid = false;
		w->pf_ack = w->stuck;
	}
	if (out->acts & GV_MBOX_VF_WRITE)
		w->vf_words = out->send;
	if (out->acts & GV_MBOX_VF_SET_VALID)
		w->vf_valid = true;
	if ((out->acts & GV_MBOX_VF_ACK) && w->pf_valid)
		w->vf_ack = true;
}

static struct gv_mbox_vf_out step(struct gv_mbox_vf *vf, struct wire *w)
{
	struct gv_mbox_vf_in in = {w->now, w->pf_ack, w->pf_valid, w->pf_words};
	struct gv_mbox_vf_out out;

	gv_mbox_vf_step(vf, &in, &out);
	vf_acts(w, &out);
	w->now += out.wait_ns;
	return out;
}

/* Steps until something finished; the other side does nothing. */
static struct gv_mbox_vf_out run(struct gv_mbox_vf *vf, struct wire *w)
{
	struct gv_mbox_vf_out out = {0};

	for (int i = 0; i < 20000 && !(out.acts & GV_MBOX_VF_FINISHED); i++)
		out = step(vf, w);
	CU_ASSERT(out.acts & GV_MBOX_VF_FINISHED);
	return out;
}

static struct gv_mbox_msg code(uint32_t c)
{
	return (struct gv_mbox_msg){{c}};
}

static int start(struct gv_mbox_vf *vf, uint32_t c)
{
	struct gv_mbox_msg m = code(c);

	return gv_mbox_vf_start(vf, &m);
}

/* The PF side of one message: takes it, answers @reply. */
static bool pf_takes(struct wire *w, uint32_t want, uint32_t reply, bool valid)
{
	if (!w->vf_valid || w->pf_ack || w->vf_words.dw[0] != want)
		return false;
	w->pf_words = code(0);
	w->pf_valid = false;
	w->pf_ack = true;
	if (reply) {
		w->pf_words = code(reply);
		w->pf_valid = valid;
	}
	return true;
}

static void a_request_is_sent_acked_answered_and_acked(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1};
	struct gv_mbox_vf_out out;

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_INIT_ACCESS), 0);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_INIT_ACCESS), -EBUSY);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_CLEAR_VALID);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_WRITE | GV_MBOX_VF_SET_VALID);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, 0);
	CU_ASSERT(pf_takes(&w, 1, GV_MBOX_READY_TO_ACCESS_GPU, true));
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_CLEAR_VALID);
	CU_ASSERT_FALSE(w.pf_ack);
	out = step(&vf, &w);
	CU_ASSERT_EQUAL(out.acts, GV_MBOX_VF_ACK | GV_MBOX_VF_FINISHED);
	CU_ASSERT_EQUAL(out.result, 0);
	CU_ASSERT_EQUAL(out.reply.dw[0], 1);
	CU_ASSERT_FALSE(vf.runtime);
}

static void every_wait_has_an_end(void)
{
	static const struct {
		uint32_t code;
		uint64_t least_ms, most_ms;
		int result;
	} waits[] = {
	        {GV_MBOX_REQ_GPU_INIT_DATA, 7500, 7600, -ETIMEDOUT},
	        {GV_MBOX_REQ_GPU_INIT_ACCESS, 6500, 6600, -ETIMEDOUT},
	        {GV_MBOX_REL_GPU_INIT_ACCESS, 5000, 5100, -ETIMEDOUT},
	        {GV_MBOX_REQ_GPU_RESET_ACCESS, 11 * 6500, 11 * 6600, -ETIMEDOUT},
	        {GV_MBOX_READY_TO_RESET, 10500, 10600, -ETIMEDOUT},
	        {GV_MBOX_LOG_VF_ERROR, 500, 510, -ETIMEDOUT},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(waits); i++) {
		struct gv_mbox_vf vf;
		struct wire w = {.now = 1};

		gv_mbox_vf_init(&vf, NULL);
		CU_ASSERT_EQUAL(start(&vf, waits[i].code), 0);
		CU_ASSERT_EQUAL(run(&vf, &w).result, waits[i].result);
		CU_ASSERT(w.now >= waits[i].least_ms * MS);
		CU_ASSERT(w.now <= (waits[i].most_ms + 200) * MS);
		CU_ASSERT_FALSE(w.vf_valid);
	}
}

/* The PF resets a VF that its last guest gave back, which clears the mailbox of the next. */
static void a_first_word_that_a_reset_swallows_is_said_again(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1};

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_INIT_DATA), 0);
	while (!w.vf_valid && w.now < 1000 * MS)
		(void)step(&vf, &w);
	w.vf_valid = false; /* the reset */
	w.vf_words = code(0);
	while (!w.vf_valid && w.now < 1000 * MS) {
		w.now += MS;
		(void)step(&vf, &w);
	}
	CU_ASSERT(pf_takes(&w, GV_MBOX_REQ_GPU_INIT_DATA, GV_MBOX_GPU_INIT_DATA_READY, true));
	CU_ASSERT_EQUAL(run(&vf, &w).result, 0);
	CU_ASSERT(w.now < 1000 * MS);
}

static void an_ack_that_never_falls_does_not_hang_the_guest(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1, .pf_ack = true, .stuck = true};

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_INIT_ACCESS), 0);
	CU_ASSERT_EQUAL(run(&vf, &w).result, -ETIMEDOUT);
	CU_ASSERT(w.now < 1000 * MS);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_INIT_ACCESS), 0);
}

static void fail_ends_a_request_early(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1};

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(start(&vf, GV_MBOX_REQ_GPU_FINI_ACCESS), 0);
	(void)step(&vf, &w);
	(void)step(&vf, &w);
	CU_ASSERT(pf_takes(&w, 3, GV_MBOX_FAIL, true));
	CU_ASSERT_EQUAL(run(&vf, &w).result, -EACCES);
	CU_ASSERT(w.now < 200 * MS); /* not 6000 */
}

static void only_requests_can_be_sent(void)
{
	struct gv_mbox_vf vf;

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(start(&vf, 0), -EINVAL);
	CU_ASSERT_EQUAL(start(&vf, 8), -EINVAL);
	CU_ASSERT_EQUAL(start(&vf, 0xffffffff), -EINVAL);
	CU_ASSERT_EQUAL(vf.state, GV_MBOX_VF_READY);
}

static void flr_notification_is_told_once_and_only_at_run_time(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1, .pf_valid = true, .pf_words = {{GV_MBOX_FLR_NOTIFICATION}}};
	struct gv_mbox_vf_out out;

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, 0);
	w.pf_valid = false;
	(void)step(&vf, &w);
	w.pf_valid = true;
	vf.runtime = true;
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_FLR);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, 0);
	CU_ASSERT_EQUAL(gv_mbox_vf_flr(&vf), 0);
	(void)step(&vf, &w);
	(void)step(&vf, &w);
	CU_ASSERT(pf_takes(&w, GV_MBOX_READY_TO_RESET, 0, false));
	(void)step(&vf, &w);
	(void)step(&vf, &w);
	w.pf_words = code(GV_MBOX_FLR_NOTIFICATION_CMPL); /* without VALID */
	out = run(&vf, &w);
	CU_ASSERT_EQUAL(out.result, 0);
	CU_ASSERT_EQUAL(out.acts & GV_MBOX_VF_ACK, 0);
	CU_ASSERT_FALSE(vf.in_flr);
}

static void query_alive_is_acked_and_texts_are_passed_on(void)
{
	struct gv_mbox_vf vf;
	struct wire w = {.now = 1, .pf_valid = true, .pf_words = {{GV_MBOX_QUERY_ALIVE}}};
	struct gv_mbox_vf_out out;

	gv_mbox_vf_init(&vf, NULL);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_ACK);
	w.pf_words = code(GV_MBOX_TEXT_MESSAGE);
	out = step(&vf, &w);
	CU_ASSERT_EQUAL(out.acts, GV_MBOX_VF_EVENT);
	CU_ASSERT_EQUAL(out.event.dw[0], 255);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, 0);
	w.pf_words = code(77);
	CU_ASSERT_EQUAL(step(&vf, &w).acts, GV_MBOX_VF_EVENT);
	CU_ASSERT_EQUAL(vf.bad_events, 1);
}

/* ---- against the real PF end: whole lives -------------------------------------- */
struct pair {
	struct wire w;
	struct gv_mbox_vf vf;
	struct gv_mbox_pf pf;
	struct gv_mbox_acts acts;
};

static void pf_does(struct pair *p)
{
	struct gv_mbox_acts acts = p->acts;

	for (unsigned i = 0; i < acts.count; i++) {
		const struct gv_mbox_act *a = &acts.act[i];

		if (a->code == GV_MBOX_ACT_ACK) {
			p->w.pf_words = code(0);
			p->w.pf_valid = p->w.vf_ack = false;
			p->w.pf_ack = true;
		} else if (a->code == GV_MBOX_ACT_CLEAR) {
			p->w.pf_words = code(0);
			p->w.pf_valid = p->w.vf_ack = false;
		} else if (a->code == GV_MBOX_ACT_SEND) {
			p->w.vf_ack = false;
			p->w.pf_words = a->msg;
			p->w.pf_valid = a->valid;
		}
		if (!a->ticket)
			continue;
		CU_ASSERT_EQUAL(gv_mbox_pf_done(&p->pf, 0, a->ticket, 0, p->w.now, &p->acts), 0);
		pf_does(p);
	}
}

static int exchange(struct pair *p, uint32_t c)
{
	struct gv_mbox_vf_out out = {0};

	int rc = c == GV_MBOX_READY_TO_RESET ? gv_mbox_vf_flr(&p->vf) : start(&p->vf, c);

	CU_ASSERT_EQUAL(rc, 0);
	for (int i = 0; i < 20000 && !(out.acts & GV_MBOX_VF_FINISHED); i++) {
		out = step(&p->vf, &p->w);
		if (p->w.vf_valid && !p->w.pf_ack) {
			gv_mbox_pf_message(&p->pf, 0, &p->w.vf_words, p->w.now, &p->acts);
			pf_does(p);
		}
		if (p->w.vf_ack) {
			gv_mbox_pf_acked(&p->pf, 0, p->w.now, &p->acts);
			pf_does(p);
		}
	}
	CU_ASSERT(out.acts & GV_MBOX_VF_FINISHED);
	return out.result;
}

static void begin(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->w.now = GV_S;
	gv_mbox_vf_init(&p->vf, NULL);
	CU_ASSERT_EQUAL_FATAL(gv_mbox_pf_init(&p->pf, 1, NULL), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_enable(&p->pf, 0, p->w.now, &p->acts), 0);
}

static void both_ends_live_a_whole_life_together(void)
{
	static const uint32_t life[] = {6, 1, 2, 3, 4, 6, 1, 2, 200, 5, 2, 201, 1, 2, 3, 4};
	struct pair p;

	begin(&p);
	for (size_t i = 0; i < GV_ARRAY_LEN(life); i++) {
		CU_ASSERT_EQUAL(exchange(&p, life[i]), 0);
	}
	CU_ASSERT_EQUAL(p.pf.vf[0].state, GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(p.pf.vf[0].stats.refused, 0);
	CU_ASSERT_EQUAL(p.pf.vf[0].stats.excl_grants, 6);
	CU_ASSERT_EQUAL(p.vf.missed_acks, 0);
}

static void the_host_resets_a_running_guest(void)
{
	struct pair p;
	struct gv_mbox_vf_out out;

	begin(&p);
	CU_ASSERT_EQUAL(exchange(&p, 6), 0);
	CU_ASSERT_EQUAL(exchange(&p, 1), 0);
	CU_ASSERT_EQUAL(exchange(&p, 2), 0);
	CU_ASSERT(p.vf.runtime);
	gv_mbox_pf_reset(&p.pf, 0, GV_MBOX_WHY_HOST, p.w.now, &p.acts);
	pf_does(&p);
	out = step(&p.vf, &p.w);
	CU_ASSERT_EQUAL(out.acts, GV_MBOX_VF_FLR);
	CU_ASSERT_EQUAL(exchange(&p, GV_MBOX_READY_TO_RESET), 0);
	CU_ASSERT_EQUAL(p.pf.vf[0].state, GV_MBOX_IDLE);
	CU_ASSERT_EQUAL(exchange(&p, 1), 0);
	CU_ASSERT_EQUAL(exchange(&p, 2), 0);
	CU_ASSERT_EQUAL(p.pf.vf[0].state, GV_MBOX_ACTIVE);
}

static void a_refused_request_is_known_at_once(void)
{
	struct pair p;
	uint64_t before;

	begin(&p);
	before = p.w.now;
	CU_ASSERT_EQUAL(exchange(&p, 3), -EACCES); /* FINI of what never started */
	CU_ASSERT(p.w.now - before < 200 * MS);
}

UT_MAIN("mailbox VF end", UT(a_request_is_sent_acked_answered_and_acked), UT(every_wait_has_an_end),
        UT(a_first_word_that_a_reset_swallows_is_said_again),
        UT(an_ack_that_never_falls_does_not_hang_the_guest), UT(fail_ends_a_request_early),
        UT(only_requests_can_be_sent), UT(flr_notification_is_told_once_and_only_at_run_time),
        UT(query_alive_is_acked_and_texts_are_passed_on), UT(both_ends_live_a_whole_life_together),
        UT(the_host_resets_a_running_guest), UT(a_refused_request_is_known_at_once))
