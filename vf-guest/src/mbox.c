/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VF's mailbox registers, driven by the rules of <gv/mailbox.h>. */
#include <time.h>

#include "guest.h"

#define MBOX(name) BIF_BX_PF0_MAILBOX_##name##__BYTE

static struct gv_mbox_vf_in look(struct gv_guest *g)
{
	/* the low byte belongs to what we send, the high byte to what we receive */
	uint32_t trn = gv_rd8(g->bus, MBOX(CONTROL));
	uint32_t rcv = (uint32_t)gv_rd8(g->bus, MBOX(CONTROL) + 1) << 8;

	return (struct gv_mbox_vf_in){
	        .now_ns = gv_now_ns(),
	        .trn_ack = GV_GET(trn, BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK),
	        .rcv_valid = GV_GET(rcv, BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_VALID),
	        .rcv.dw = {gv_rd32(g->bus, MBOX(MSGBUF_RCV_DW0)),
	                   gv_rd32(g->bus, MBOX(MSGBUF_RCV_DW1)),
	                   gv_rd32(g->bus, MBOX(MSGBUF_RCV_DW2)),
	                   gv_rd32(g->bus, MBOX(MSGBUF_RCV_DW3))},
	};
}

static void act(struct gv_guest *g, const struct gv_mbox_vf_out *out)
{
	uint8_t ack = (uint8_t)(GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, RCV_MSG_ACK, 1) >> 8);

	if (out->acts & GV_MBOX_VF_CLEAR_VALID)
		gv_wr8(g->bus, MBOX(CONTROL), 0);
	if (out->acts & GV_MBOX_VF_WRITE) {
		gv_wr32(g->bus, MBOX(MSGBUF_TRN_DW0), out->send.dw[0]);
		gv_wr32(g->bus, MBOX(MSGBUF_TRN_DW1), out->send.dw[1]);
		gv_wr32(g->bus, MBOX(MSGBUF_TRN_DW2), out->send.dw[2]);
		gv_wr32(g->bus, MBOX(MSGBUF_TRN_DW3), out->send.dw[3]);
	}
	if (out->acts & GV_MBOX_VF_SET_VALID)
		gv_wr8(g->bus, MBOX(CONTROL),
		       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
	if (out->acts & GV_MBOX_VF_ACK)
		gv_wr8(g->bus, MBOX(CONTROL) + 1, ack);
	if (out->acts & GV_MBOX_VF_FLR) {
		gv_logf(g->log, GV_LOG_WARN, "the PF announces a reset");
		atomic_store(&g->flr_pending, true);
	}
	if (out->acts & GV_MBOX_VF_EVENT)
		gv_logf(g->log, GV_LOG_INFO, "PF says %s", gv_mbox_event_name(out->event.dw[0]));
}

static void nap(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / GV_S), .tv_nsec = (long)(ns % GV_S)};

	(void)nanosleep(&t, NULL);
}

/* Step until what was started has ended; the rules bound it. */
static int run(struct gv_guest *g, struct gv_mbox_msg *reply)
{
	uint64_t start = gv_now_ns();

	for (;;) {
		struct gv_mbox_vf_in in = look(g);
		struct gv_mbox_vf_out out = {0};

		if (gv_bus_status(g->bus))
			return gv_bus_status(g->bus);
		gv_mbox_vf_step(&g->mbox, &in, &out);
		act(g, &out);
		if (out.acts & GV_MBOX_VF_FINISHED) {
			if (!out.result && reply)
				*reply = out.reply;
			return out.result;
		}
		/* quick answers are common: look often at first, then as the rules say */
		if (in.now_ns - start < 5 * GV_MS)
			nap(GV_MIN(out.wait_ns, 50 * GV_US));
		else
			nap(GV_MIN(out.wait_ns, GV_MS));
	}
}

int gv_mbox_request(struct gv_guest *g, uint32_t code, struct gv_mbox_msg *reply,
                    struct gv_err *err)
{
	struct gv_mbox_msg msg = {.dw = {code, 0, 0, 0}};
	int rc;

	(void)pthread_mutex_lock(&g->mbox_lock);
	rc = gv_mbox_vf_start(&g->mbox, &msg);
	if (!rc)
		rc = run(g, reply);
	(void)pthread_mutex_unlock(&g->mbox_lock);
	if (rc == -ETIMEDOUT)
		return gv_fail(err, rc, "the PF did not answer %s: is gpuvisord running?",
		               gv_mbox_req_name(code));
	if (rc == -EACCES)
		return gv_fail(err, rc, "the PF refused %s", gv_mbox_req_name(code));
	if (rc)
		return gv_fail(err, rc, "%s: mailbox error %d", gv_mbox_req_name(code), rc);
	gv_logf(g->log, GV_LOG_DEBUG, "%s done", gv_mbox_req_name(code));
	return 0;
}

int gv_mbox_ready_to_reset(struct gv_guest *g, struct gv_err *err)
{
	int rc;

	(void)pthread_mutex_lock(&g->mbox_lock);
	rc = gv_mbox_vf_flr(&g->mbox);
	if (!rc)
		rc = run(g, NULL);
	(void)pthread_mutex_unlock(&g->mbox_lock);
	return rc ? gv_fail(err, rc, "no FLR_NOTIFICATION_CMPL from the PF") : 0;
}

void gv_mbox_look(struct gv_guest *g)
{
	if (pthread_mutex_trylock(&g->mbox_lock))
		return;
	if (g->mbox.state == GV_MBOX_VF_READY) {
		struct gv_mbox_vf_in in = look(g);
		struct gv_mbox_vf_out out = {0};

		gv_mbox_vf_step(&g->mbox, &in, &out);
		act(g, &out);
	}
	(void)pthread_mutex_unlock(&g->mbox_lock);
}
