/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AMD's names of the messages, ours of states and actions; and what answers what. */
#include <gv/mailbox.h>

struct message {
	uint32_t code;
	uint32_t reply; /* event that answers, 0: the ACK is all */
	const char *name;
};

static const struct message requests[] = {
        {GV_MBOX_REQ_GPU_INIT_ACCESS, GV_MBOX_READY_TO_ACCESS_GPU, "REQ_GPU_INIT_ACCESS"},
        {GV_MBOX_REL_GPU_INIT_ACCESS, 0, "REL_GPU_INIT_ACCESS"},
        {GV_MBOX_REQ_GPU_FINI_ACCESS, GV_MBOX_READY_TO_ACCESS_GPU, "REQ_GPU_FINI_ACCESS"},
        {GV_MBOX_REL_GPU_FINI_ACCESS, 0, "REL_GPU_FINI_ACCESS"},
        {GV_MBOX_REQ_GPU_RESET_ACCESS, GV_MBOX_READY_TO_ACCESS_GPU, "REQ_GPU_RESET_ACCESS"},
        {GV_MBOX_REQ_GPU_INIT_DATA, GV_MBOX_GPU_INIT_DATA_READY, "REQ_GPU_INIT_DATA"},
        {GV_MBOX_PSP_VF_CMD_RELAY, 0, "PSP_VF_CMD_RELAY"},
        {GV_MBOX_LOG_VF_ERROR, 0, "LOG_VF_ERROR"},
        {GV_MBOX_READY_TO_RESET, 0, "READY_TO_RESET"},
        {GV_MBOX_RAS_POISON, GV_MBOX_RAS_POISON_READY, "RAS_POISON"},
        {GV_MBOX_RAS_ERROR_COUNT, GV_MBOX_RAS_ERROR_COUNT_READY, "RAS_ERROR_COUNT"},
        {GV_MBOX_RAS_CPER_DUMP, GV_MBOX_RAS_CPER_DUMP_READY, "RAS_CPER_DUMP"},
        {GV_MBOX_REQ_GPU_DEBUG, 0, "REQ_GPU_DEBUG"},
        {GV_MBOX_REL_GPU_DEBUG, 0, "REL_GPU_DEBUG"},
};

static const struct message events[] = {
        {GV_MBOX_CLR_MSG_BUF, 0, "CLR_MSG_BUF"},
        {GV_MBOX_READY_TO_ACCESS_GPU, 0, "READY_TO_ACCESS_GPU"},
        {GV_MBOX_FLR_NOTIFICATION, 0, "FLR_NOTIFICATION"},
        {GV_MBOX_FLR_NOTIFICATION_CMPL, 0, "FLR_NOTIFICATION_CMPL"},
        {GV_MBOX_SUCCESS, 0, "SUCCESS"},
        {GV_MBOX_FAIL, 0, "FAIL"},
        {GV_MBOX_QUERY_ALIVE, 0, "QUERY_ALIVE"},
        {GV_MBOX_GPU_INIT_DATA_READY, 0, "REQ_GPU_INIT_DATA_READY"},
        {GV_MBOX_RAS_POISON_READY, 0, "RAS_POISON_READY"},
        {GV_MBOX_PF_SOFT_FLR_NOTIFICATION, 0, "PF_SOFT_FLR_NOTIFICATION"},
        {GV_MBOX_GPU_RMA, 0, "GPU_RMA"},
        {GV_MBOX_RAS_ERROR_COUNT_READY, 0, "RAS_ERROR_COUNT_READY"},
        {GV_MBOX_GPU_DEBUG_NOTIFICATION, 0, "GPU_DEBUG_NOTIFICATION"},
        {GV_MBOX_GPU_DEBUG_COMPLETION, 0, "GPU_DEBUG_COMPLETION"},
        {GV_MBOX_RAS_CPER_DUMP_READY, 0, "RAS_CPER_DUMP_READY"},
        {GV_MBOX_TEXT_MESSAGE, 0, "TEXT_MESSAGE"},
};

static const struct message *find(const struct message *table, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

const char *gv_mbox_req_name(uint32_t code)
{
	const struct message *m = find(requests, GV_ARRAY_LEN(requests), code);

	return m ? m->name : "UNKNOWN";
}

const char *gv_mbox_event_name(uint32_t code)
{
	const struct message *m = find(events, GV_ARRAY_LEN(events), code);

	return m ? m->name : "UNKNOWN";
}

uint32_t gv_mbox_reply_of(uint32_t code)
{
	const struct message *m = find(requests, GV_ARRAY_LEN(requests), code);

	return m ? m->reply : 0;
}

static const char *pick(const char *const *names, size_t count, size_t i)
{
	return i < count && names[i] ? names[i] : "UNKNOWN";
}

const char *gv_mbox_state_name(enum gv_mbox_state state)
{
	static const char *const names[GV_MBOX_STATES] = {
	        "OFF",   "IDLE",   "UPLOAD", "QUEUED", "ENTER",  "EXCLUSIVE",
	        "LEAVE", "ACTIVE", "NOTIFY", "RESET",  "FAILED",
	};

	return pick(names, GV_ARRAY_LEN(names), (size_t)state);
}

const char *gv_mbox_reason_name(enum gv_mbox_reason reason)
{
	static const char *const names[GV_MBOX_REASONS] = {
	        "the host asked",
	        "PCI function level reset",
	        "the guest asked",
	        "the last guest never gave the VF back",
	        "exclusive access was kept too long",
	        "switching the VF in failed",
	        "switching the VF out failed",
	        "the VF hung",
	        "it did more than it may",
	        "the whole GPU is reset",
	};

	return pick(names, GV_ARRAY_LEN(names), (size_t)reason);
}

const char *gv_mbox_report_name(enum gv_mbox_report report)
{
	static const char *const names[GV_MBOX_REPORTS] = {
	        "nothing wrong",
	        "no such message",
	        "message not offered by this PF",
	        "message not allowed in this state",
	        "VF error of a category that is not 3 or 8",
	        "too many messages, ignored until the rate falls",
	        "too many requests of this kind",
	        "message of a VF that is not enabled",
	        "the PF could not provide the data",
	};

	return pick(names, GV_ARRAY_LEN(names), (size_t)report);
}

/* ---- LOG_VF_ERROR --------------------------------------------------------
 * DW1:  31    28 27        16 15        0
 *       category    sub          flags
 */
#define CATEGORY_SHIFT 28
#define SUB_SHIFT      16
#define SUB_MAX        0xfffu
#define CATEGORY_GUEST 3u /* what Linux guests send */
#define CATEGORY_HOST  8u /* what the public host driver's table says */

const char *gv_mbox_vf_error_name(unsigned sub)
{
	static const char *const names[] = {
	        "ATOMBIOS_INIT_FAIL",
	        "NO_VBIOS",
	        "GPU_POST_ERROR",
	        "ATOMBIOS_GET_CLOCK_FAIL",
	        "FENCE_INIT_FAIL",
	        "AMDGPU_INIT_FAIL",
	        "IB_INIT_FAIL",
	        "AMDGPU_LATE_INIT_FAIL",
	        "ASIC_RESUME_FAIL",
	        "GPU_RESET_FAIL",
	        "TEST",
	};

	return pick(names, GV_ARRAY_LEN(names), sub);
}

int gv_mbox_vf_error_parse(const struct gv_mbox_msg *msg, struct gv_mbox_vf_error *error)
{
	if (msg->dw[0] != GV_MBOX_LOG_VF_ERROR)
		return -EINVAL;
	error->category = msg->dw[1] >> CATEGORY_SHIFT;
	error->sub = msg->dw[1] >> SUB_SHIFT & SUB_MAX;
	error->flags = msg->dw[1] & 0xffffu;
	error->data = (uint64_t)msg->dw[3] << 32 | msg->dw[2];
	if (error->category != CATEGORY_GUEST && error->category != CATEGORY_HOST)
		return -EPROTO;
	return 0;
}

int gv_mbox_vf_error_build(unsigned sub, unsigned flags, uint64_t data, struct gv_mbox_msg *msg)
{
	if (sub > SUB_MAX || flags > 0xffffu)
		return -ERANGE;
	*msg = (struct gv_mbox_msg){{GV_MBOX_LOG_VF_ERROR,
	                             CATEGORY_GUEST << CATEGORY_SHIFT | sub << SUB_SHIFT | flags,
	                             (uint32_t)data, (uint32_t)(data >> 32)}};
	return 0;
}
