/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interrupts: the client's eventfds, one per MSI-X vector. The function's own MSI-X table is left
 * alone: a client with eventfds keeps its table to itself, and the core fires what nobody masked.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <linux/pci_regs.h>

#include "server_priv.h"

#define HELD_UP_NS (500 * GV_MS)

static bool find_msix(struct vfus_slot *s, uint8_t *at)
{
	struct gv_dev *dev = s->srv->dev;
	uint8_t next = 0, cap[2];

	if (gv_dev_read(dev, s->func, GV_REGION_CONFIG, PCI_CAPABILITY_LIST, &next, 1))
		return false;
	for (int i = 0; next && i < 48; i++) {
		if (gv_dev_read(dev, s->func, GV_REGION_CONFIG, next & ~3u, cap, sizeof(cap)))
			return false;
		if (cap[0] == PCI_CAP_ID_MSIX) {
			*at = next & 0xfc;
			return true;
		}
		next = cap[1];
	}
	return false;
}

static unsigned irq_count(struct vfus_slot *s, unsigned index)
{
	uint16_t control;
	uint8_t at;

	if (index != GV_VFU_IRQ_MSIX || !find_msix(s, &at) ||
	    gv_dev_read(s->srv->dev, s->func, GV_REGION_CONFIG, at + PCI_MSIX_FLAGS, &control,
	                sizeof(control)))
		return 0;
	return GV_MIN((control & PCI_MSIX_FLAGS_QSIZE) + 1u, (unsigned)VFUS_MAX_VECTORS);
}

/* ---- messages --------------------------------------------------------------- */

int vfus_irq_info(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	struct gv_vfu_irq_info info;

	memcpy(&info, m->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= GV_VFU_NUM_IRQ)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = irq_count(s, info.index);
	info.flags = info.count ? GV_VFU_IRQ_EVENTFD | GV_VFU_IRQ_NORESIZE : 0;
	memcpy(a->data, &info, sizeof(info));
	a->bytes = sizeof(info);
	return 0;
}

/* Only an eventfd: a pipe or a socket could hold up the engine that raises the interrupt. */
static int check_eventfd(int fd)
{
	char path[64], target[64];
	ssize_t n;
	int flags;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	if (strcmp(target, "anon_inode:[eventfd]") != 0)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int check_set(const struct gv_vfu_irq_set *req, const struct vfus_msg *m, unsigned vectors)
{
	uint32_t data = req->flags & (GV_VFU_SET_NONE | GV_VFU_SET_BOOL | GV_VFU_SET_EVENTFD);
	size_t extra = m->bytes - sizeof(*req);

	if (req->argsz < sizeof(*req) || req->index >= GV_VFU_NUM_IRQ)
		return -EINVAL;
	if ((req->flags & ~data) != GV_VFU_SET_TRIGGER) /* MSI-X has no VFIO mask and unmask */
		return -EINVAL;
	if (req->start > vectors || req->count > vectors - req->start)
		return -EINVAL;
	if (extra != (data == GV_VFU_SET_BOOL ? req->count : 0))
		return -EINVAL;
	if (data == GV_VFU_SET_EVENTFD)
		/* All vectors of the message get one, or all lose theirs. */
		return req->count && (m->fds.n == 0 || m->fds.n == req->count) ? 0 : -EINVAL;
	if (m->fds.n || (data != GV_VFU_SET_NONE && data != GV_VFU_SET_BOOL))
		return -EINVAL;
	return req->count || (data == GV_VFU_SET_NONE && req->start == 0) ? 0 : -EINVAL;
}

static void set_eventfd(struct vfus_slot *s, unsigned vector, int fd)
{
	int old;

	(void)pthread_mutex_lock(&s->irq_lock);
	old = s->eventfd[vector];
	s->eventfd[vector] = fd;
	(void)pthread_mutex_unlock(&s->irq_lock);
	gv_closep(&old);
}

static int set_eventfds(struct vfus_slot *s, struct vfus_msg *m, const struct gv_vfu_irq_set *req)
{
	for (unsigned i = 0; i < m->fds.n; i++) {
		int rc = check_eventfd(m->fds.fd[i]);

		if (rc)
			return rc;
	}
	for (unsigned i = 0; i < req->count; i++)
		set_eventfd(s, req->start + i, m->fds.n ? gv_take_fd(&m->fds.fd[i]) : -1);
	return 0;
}

int vfus_irq_set(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a)
{
	const uint8_t *bools = m->payload + sizeof(struct gv_vfu_irq_set);
	struct gv_vfu_irq_set req;
	int rc;

	(void)a;
	memcpy(&req, m->payload, sizeof(req));
	rc = check_set(&req, m, req.index == GV_VFU_IRQ_MSIX ? irq_count(s, req.index) : 0);
	if (rc)
		return rc;
	if (req.flags & GV_VFU_SET_EVENTFD)
		return set_eventfds(s, m, &req);
	for (unsigned i = 0; i < req.count; i++) /* the client tests its own wiring */
		if ((req.flags & GV_VFU_SET_NONE) || bools[i])
			vfus_irq_fire(s->srv, s->func, req.start + i);
	if (!req.count && req.index == GV_VFU_IRQ_MSIX)
		vfus_irq_drop_all(s);
	return 0;
}

void vfus_irq_drop_all(struct vfus_slot *s)
{
	for (unsigned i = 0; i < VFUS_MAX_VECTORS; i++)
		set_eventfd(s, i, -1);
}

/* ---- raising, from engine threads -------------------------------------------- */

/* An eventfd that had to be interrupted would hold up an engine again the next time, and engines
 * are shared with other functions. Under irq_lock. */
static void forfeit(struct vfus_slot *s, unsigned vector, int why)
{
	gv_logf(&s->log, GV_LOG_WARN, "vector %u: %s, its eventfd is given up", vector,
	        strerror(why));
	gv_closep(&s->eventfd[vector]);
}

void vfus_irq_fire(void *arg, unsigned func, unsigned vector)
{
	struct vfus_slot *s = &((struct gv_vfus *)arg)->slot[func];
	const uint64_t one = 1;

	if (vector >= VFUS_MAX_VECTORS)
		return;
	(void)pthread_mutex_lock(&s->irq_lock);
	if (s->eventfd[vector] >= 0) {
		atomic_store(&s->irq_tid, (pid_t)syscall(SYS_gettid));
		atomic_store(&s->irq_since, gv_now_ns());
		/* Full means that the client has yet to see the last one: nothing is lost. */
		if (write(s->eventfd[vector], &one, sizeof(one)) < 0 && errno != EAGAIN)
			forfeit(s, vector, errno);
		atomic_store(&s->irq_since, 0);
	}
	(void)pthread_mutex_unlock(&s->irq_lock);
}

/* We make eventfds non-blocking, but that flag is shared with the client, which may take it back
 * and fill the counter. Interrupting the write frees the thread. */
void vfus_irq_watchdog(struct vfus_slot *s)
{
	uint64_t since = atomic_load(&s->irq_since);

	if (since && gv_now_ns() - since > HELD_UP_NS) {
		gv_logf(&s->log, GV_LOG_WARN, "client blocks its eventfd: interrupting the write");
		(void)syscall(SYS_tgkill, getpid(), atomic_load(&s->irq_tid), SIGURG);
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

int vfus_irq_watchdog_install(void)
{
	struct sigaction sa = {.sa_handler = on_signal}; /* no SA_RESTART: that is the point */

	(void)sigemptyset(&sa.sa_mask);
	return sigaction(SIGURG, &sa, NULL) ? -errno : 0;
}
