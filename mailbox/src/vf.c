/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VF end: one request at a time, and an ear for events; drawn in <gv/mailbox.h>. */
#include <string.h>

#include <gv/mailbox.h>

const struct gv_mbox_vf_limits gv_mbox_vf_limits_ai = {500, 6000, 10000, 11, 1};
const struct gv_mbox_vf_limits gv_mbox_vf_limits_nv = {500, 6000, 5000, 2, 2};

/* How often a guest looks, by state. */
#define WAIT_CLEAR_NS (1 * GV_MS)
#define WAIT_ACK_NS   (5 * GV_MS)
#define WAIT_REPLY_NS (10 * GV_MS)
#define WAIT_EVENT_NS (100 * GV_MS)

/* The first word of a guest may be lost: the PF was still cleaning up after the tenant before, and
 * the reset of the VF clears its mailbox. It is then said again, which does no harm. */
#define INIT_DATA_SENDS 3u
#define REL_SENDS       10u /* as long as a reply is waited for, and no longer than a PF may be away */

void gv_mbox_vf_init(struct gv_mbox_vf *vf, const struct gv_mbox_vf_limits *limits)
{
	memset(vf, 0, sizeof(*vf));
	vf->limits = limits ? *limits : gv_mbox_vf_limits_ai;
}

static uint32_t tries_of(const struct gv_mbox_vf *vf, uint32_t code)
{
	switch (code) {
	case GV_MBOX_REQ_GPU_RESET_ACCESS:
		return GV_MAX(vf->limits.reset_tries, 1u);
	case GV_MBOX_REQ_GPU_INIT_ACCESS:
	case GV_MBOX_REQ_GPU_FINI_ACCESS:
		return GV_MAX(vf->limits.access_tries, 1u);
	default:
		return 1;
	}
}

int gv_mbox_vf_start(struct gv_mbox_vf *vf, const struct gv_mbox_msg *msg)
{
	if (vf->state != GV_MBOX_VF_READY)
		return -EBUSY;
	if (!strcmp(gv_mbox_req_name(msg->dw[0]), "UNKNOWN"))
		return -EINVAL;
	vf->msg = *msg;
	vf->want = gv_mbox_reply_of(msg->dw[0]);
	if (msg->dw[0] == GV_MBOX_READY_TO_RESET)
		vf->want = GV_MBOX_FLR_NOTIFICATION_CMPL;
	vf->tries_left = tries_of(vf, msg->dw[0]);
	vf->resends_left = msg->dw[0] == GV_MBOX_REQ_GPU_INIT_DATA ? INIT_DATA_SENDS - 1 : 0;
	/* Nothing but the ACK says that a release was heard, and its PF may be being restarted. */
	if (msg->dw[0] == GV_MBOX_REL_GPU_INIT_ACCESS || msg->dw[0] == GV_MBOX_REL_GPU_FINI_ACCESS)
		vf->resends_left = REL_SENDS - 1;
	vf->deadline_ns = 0;
	vf->state = GV_MBOX_VF_CLEARING;
	return 0;
}

int gv_mbox_vf_flr(struct gv_mbox_vf *vf)
{
	int rc = gv_mbox_vf_start(vf, &(struct gv_mbox_msg){{GV_MBOX_READY_TO_RESET}});

	if (!rc)
		vf->in_flr = true;
	return rc;
}

/* Whoever may have lost exclusive access must behave as if it had: registers through the KIQ. */
static void note_access(struct gv_mbox_vf *vf, int result)
{
	switch (vf->msg.dw[0]) {
	case GV_MBOX_REQ_GPU_INIT_ACCESS:
	case GV_MBOX_REQ_GPU_FINI_ACCESS:
	case GV_MBOX_REQ_GPU_RESET_ACCESS:
		if (!result)
			vf->runtime = false;
		break;
	case GV_MBOX_REL_GPU_INIT_ACCESS:
	case GV_MBOX_REL_GPU_FINI_ACCESS:
		vf->runtime = true;
		break;
	case GV_MBOX_READY_TO_RESET:
		vf->in_flr = false;
		break;
	default:
		break; /* the others do not change who has the GPU */
	}
}

static void finish(struct gv_mbox_vf *vf, int result, struct gv_mbox_vf_out *out)
{
	note_access(vf, result);
	vf->state = GV_MBOX_VF_READY;
	vf->last_event = 0;
	out->acts |= GV_MBOX_VF_FINISHED;
	out->result = result;
	out->wait_ns = WAIT_EVENT_NS;
}

static uint32_t reply_ms(const struct gv_mbox_vf *vf)
{
	return vf->want == GV_MBOX_FLR_NOTIFICATION_CMPL ? vf->limits.flr_ms : vf->limits.reply_ms;
}

static void step_clearing(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                          struct gv_mbox_vf_out *out)
{
	bool first = !vf->deadline_ns;

	if (first)
		vf->deadline_ns = in->now_ns + vf->limits.ack_ms * GV_MS;
	/* The first look was before we cleared VALID: TRN_ACK may fall only after it. */
	if (first || in->trn_ack) {
		out->acts |= GV_MBOX_VF_CLEAR_VALID;
		out->wait_ns = first ? 0 : WAIT_CLEAR_NS;
		if (!first && in->now_ns >= vf->deadline_ns)
			finish(vf, -ETIMEDOUT, out);
		return;
	}
	out->acts |= GV_MBOX_VF_WRITE | GV_MBOX_VF_SET_VALID;
	out->send = vf->msg;
	out->wait_ns = 0;
	vf->deadline_ns = in->now_ns + vf->limits.ack_ms * GV_MS;
	vf->state = GV_MBOX_VF_SENDING;
}

static void send_again(struct gv_mbox_vf *vf, struct gv_mbox_vf_out *out)
{
	vf->repeats++;
	vf->deadline_ns = 0;
	vf->state = GV_MBOX_VF_CLEARING;
	out->wait_ns = 0;
}

static void step_sending(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                         struct gv_mbox_vf_out *out)
{
	bool late = !in->trn_ack && in->now_ns >= vf->deadline_ns;

	if (!in->trn_ack && !late) {
		out->wait_ns = WAIT_ACK_NS;
		return;
	}
	out->acts |= GV_MBOX_VF_CLEAR_VALID;
	vf->missed_acks += late;
	if (late && vf->resends_left) {
		vf->resends_left--;
		send_again(vf, out);
		return;
	}
	if (!vf->want) {
		finish(vf, late ? -ETIMEDOUT : 0, out);
		return;
	}
	/* Even without ACK the answer may come: go on, as guests do. */
	vf->state = GV_MBOX_VF_WAITING;
	vf->deadline_ns = in->now_ns + reply_ms(vf) * GV_MS;
	out->wait_ns = 0;
}

static void try_again(struct gv_mbox_vf *vf, struct gv_mbox_vf_out *out)
{
	if (!--vf->tries_left) {
		finish(vf, -ETIMEDOUT, out);
		return;
	}
	send_again(vf, out);
}

/* RCV_DW0 alone decides: some answers (CMPL) come without VALID. */
static void step_waiting(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                         struct gv_mbox_vf_out *out)
{
	if (in->rcv.dw[0] == vf->want) {
		out->reply = in->rcv;
		out->acts |= in->rcv_valid ? GV_MBOX_VF_ACK : 0;
		finish(vf, 0, out);
	} else if (in->rcv_valid && in->rcv.dw[0] == GV_MBOX_FAIL) {
		out->acts |= GV_MBOX_VF_ACK;
		finish(vf, -EACCES, out);
	} else if (in->now_ns >= vf->deadline_ns) {
		try_again(vf, out);
	} else {
		out->wait_ns = WAIT_REPLY_NS;
	}
}

/* Nothing asked: an event may stand in the words for long, it is told once. */
static void step_ready(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                       struct gv_mbox_vf_out *out)
{
	uint32_t code = in->rcv_valid ? in->rcv.dw[0] : 0;

	out->wait_ns = WAIT_EVENT_NS;
	if (code != GV_MBOX_FLR_NOTIFICATION)
		vf->flr_seen = false;
	if (!code || (code == vf->last_event && code != GV_MBOX_QUERY_ALIVE)) {
		vf->last_event = code;
		return;
	}
	vf->last_event = code;
	if (code == GV_MBOX_QUERY_ALIVE) {
		out->acts |= GV_MBOX_VF_ACK;
	} else if (code == GV_MBOX_FLR_NOTIFICATION) {
		/* not ACKed: READY_TO_RESET is the answer. In exclusive access it means nothing. */
		if (vf->runtime && !vf->in_flr && !vf->flr_seen)
			out->acts |= GV_MBOX_VF_FLR;
		vf->flr_seen = true;
	} else {
		vf->bad_events += !strcmp(gv_mbox_event_name(code), "UNKNOWN");
		out->acts |= GV_MBOX_VF_EVENT;
		out->event = in->rcv;
	}
}

void gv_mbox_vf_step(struct gv_mbox_vf *vf, const struct gv_mbox_vf_in *in,
                     struct gv_mbox_vf_out *out)
{
	memset(out, 0, sizeof(*out));
	switch (vf->state) {
	case GV_MBOX_VF_READY:
		step_ready(vf, in, out);
		break;
	case GV_MBOX_VF_CLEARING:
		step_clearing(vf, in, out);
		break;
	case GV_MBOX_VF_SENDING:
		step_sending(vf, in, out);
		break;
	case GV_MBOX_VF_WAITING:
		step_waiting(vf, in, out);
		break;
	}
}
