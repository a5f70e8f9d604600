/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client memory without a descriptor: engine threads ask for it by DMA_READ and DMA_WRITE and
 * wait here; the slot's thread hands them the answers. Never called inside a register access:
 * the client may be waiting for our reply to that before it answers anything else.
 */
#include <string.h>
#include <time.h>

#include "server_priv.h"

#define ANSWER_NS (2 * GV_S)

/* Engines that wait are shared with other functions. A client may hold them up for HELD_NS in
 * WINDOW_NS, answers within PROMPT_NS not counted; after that its memory is not asked for until
 * the window is over, and every access to it fails at once. */
#define PROMPT_NS (2 * GV_MS)
#define HELD_NS   (3 * GV_S)
#define WINDOW_NS (30 * GV_S)

static struct timespec deadline(uint64_t from)
{
	uint64_t at = from + ANSWER_NS;

	return (struct timespec){.tv_sec = (time_t)(at / GV_S), .tv_nsec = (long)(at % GV_S)};
}

static void forget(struct vfus_slot *s, const struct vfus_wait *w)
{
	for (struct vfus_wait **at = &s->waits; *at; at = &(*at)->next)
		if (*at == w) {
			*at = w->next;
			return;
		}
}

/* Under wait_lock, as the next two. */
static void charge(struct vfus_slot *s, uint64_t took_ns)
{
	if (took_ns <= PROMPT_NS)
		return;
	s->held_ns += took_ns - PROMPT_NS;
	if (s->held_ns > HELD_NS && s->held_ns - (took_ns - PROMPT_NS) <= HELD_NS)
		gv_logf(&s->log, GV_LOG_WARN,
		        "client answers DMA messages too slowly: its memory fails for a while; "
		        "memory with a descriptor (QEMU: memory-backend-memfd, share=on) needs "
		        "none");
}

static bool may_ask(struct vfus_slot *s)
{
	uint64_t now = gv_now_ns();

	if (now - s->held_window > WINDOW_NS) {
		s->held_window = now;
		s->held_ns = 0;
	}
	return s->held_ns <= HELD_NS;
}

static int wait_answer(struct vfus_slot *s, struct vfus_wait *w)
{
	uint64_t from = gv_now_ns();
	struct timespec until = deadline(from);
	int late = 0;

	(void)pthread_mutex_lock(&s->wait_lock);
	while (!w->done && !late)
		late = pthread_cond_clockwait(&s->wait_cond, &s->wait_lock, CLOCK_MONOTONIC,
		                              &until);
	if (!w->done) {
		forget(s, w); /* an answer that still comes finds nobody */
		w->rc = -ETIMEDOUT;
	}
	charge(s, gv_now_ns() - from);
	(void)pthread_mutex_unlock(&s->wait_lock);
	return w->rc;
}

int vfus_ask(struct vfus_slot *s, uint16_t cmd, uint64_t iova, void *buf, size_t n)
{
	struct gv_vfu_dma_io io = {iova, n};
	struct vfus_wait w = {.cmd = cmd, .iova = iova, .bytes = n, .buf = buf};
	struct gv_vfu_hdr hdr = {.cmd = cmd};
	int rc;

	(void)pthread_mutex_lock(&s->wait_lock);
	if (!s->dma_open || !may_ask(s)) {
		rc = s->dma_open ? -ETIMEDOUT : -ENODEV;
		(void)pthread_mutex_unlock(&s->wait_lock);
		return rc;
	}
	w.id = hdr.id = s->next_id++;
	w.next = s->waits;
	s->waits = &w;
	(void)pthread_mutex_unlock(&s->wait_lock);
	atomic_fetch_add(&s->dma_messages, 1);
	rc = vfus_stream_send(s, hdr, &io, sizeof(io), cmd == GV_VFU_DMA_WRITE ? buf : NULL,
	                      cmd == GV_VFU_DMA_WRITE ? n : 0);
	if (rc)
		vfus_ask_abort(s, iova, n);
	return wait_answer(s, &w);
}

/* What the answer is worth: the caller's data is only touched by a right one. */
static int judge(const struct vfus_msg *m, struct vfus_wait *w)
{
	struct gv_vfu_dma_io io;

	if (m->hdr.flags & GV_VFU_ERROR)
		return m->hdr.error && m->hdr.error < 4096 ? -(int)m->hdr.error : -EIO;
	if (m->bytes < sizeof(io))
		return -EPROTO;
	memcpy(&io, m->payload, sizeof(io));
	if (io.iova != w->iova || io.count != w->bytes)
		return -EPROTO;
	if (w->cmd == GV_VFU_DMA_WRITE)
		return 0;
	if (m->bytes != sizeof(io) + w->bytes)
		return -EPROTO;
	memcpy(w->buf, m->payload + sizeof(io), w->bytes);
	return 0;
}

bool vfus_answered(struct vfus_slot *s, const struct vfus_msg *m)
{
	struct vfus_wait *w;

	(void)pthread_mutex_lock(&s->wait_lock);
	for (w = s->waits; w; w = w->next)
		if (w->id == m->hdr.id && w->cmd == m->hdr.cmd)
			break;
	if (w) {
		w->rc = judge(m, w);
		w->done = true;
		forget(s, w);
		(void)pthread_cond_broadcast(&s->wait_cond);
	}
	(void)pthread_mutex_unlock(&s->wait_lock);
	return w != NULL;
}

void vfus_ask_abort(struct vfus_slot *s, uint64_t iova, uint64_t bytes)
{
	(void)pthread_mutex_lock(&s->wait_lock);
	for (struct vfus_wait **at = &s->waits; *at;) {
		struct vfus_wait *w = *at;

		if (w->iova - iova < bytes || iova - w->iova < w->bytes) {
			*at = w->next;
			w->rc = -EFAULT;
			w->done = true;
		} else {
			at = &w->next;
		}
	}
	(void)pthread_cond_broadcast(&s->wait_cond);
	(void)pthread_mutex_unlock(&s->wait_lock);
}
