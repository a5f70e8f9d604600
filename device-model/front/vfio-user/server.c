/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's life and its counters. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server_priv.h"

static void init_slot(struct gv_vfus *srv, unsigned func)
{
	struct vfus_slot *s = &srv->slot[func];

	s->srv = srv;
	s->func = func;
	if (func == GV_DEV_PF)
		(void)snprintf(s->name, sizeof(s->name), "PF");
	else
		(void)snprintf(s->name, sizeof(s->name), "VF%u", func - 1);
	s->log = srv->log;
	s->log.who = s->name;
	s->listen_fd = s->next_fd = s->fd = -1;
	for (unsigned i = 0; i < VFUS_MAX_VECTORS; i++)
		s->eventfd[i] = -1;
	(void)pthread_cond_init(&s->wake, NULL);
	(void)pthread_mutex_init(&s->tx_lock, NULL);
	(void)pthread_rwlock_init(&s->dma_lock, NULL);
	(void)pthread_mutex_init(&s->wait_lock, NULL);
	(void)pthread_cond_init(&s->wait_cond, NULL);
	(void)pthread_mutex_init(&s->irq_lock, NULL);
}

int gv_vfus_new(const struct gv_vfus_cfg *cfg, struct gv_vfus **out)
{
	struct gv_vfus *srv = calloc(1, sizeof(*srv));
	int rc = srv ? vfus_guard_install() : -ENOMEM;

	if (!rc)
		rc = vfus_irq_watchdog_install();
	if (rc) {
		free(srv);
		return rc;
	}
	if (cfg)
		srv->cfg = *cfg;
	if (srv->cfg.log)
		srv->log = *srv->cfg.log;
	srv->dir_fd = srv->lock_fd = srv->stats_fd = srv->wake_fd = srv->epoll_fd = -1;
	(void)pthread_mutex_init(&srv->lock, NULL);
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++)
		init_slot(srv, f);
	*out = srv;
	return 0;
}

static void vfs_changed(void *arg, unsigned num_vfs)
{
	struct gv_vfus *srv = arg;

	if (srv->started)
		vfus_listen_update(srv, num_vfs);
}

struct gv_dev_host gv_vfus_host(struct gv_vfus *srv)
{
	return (struct gv_dev_host){.arg = srv,
	                            .dma_ptr = vfus_dma_ptr,
	                            .dma_read = vfus_dma_read,
	                            .dma_write = vfus_dma_write,
	                            .irq = vfus_irq_fire,
	                            .vfs_changed = vfs_changed,
	                            .prompt = true};
}

int gv_vfus_start(struct gv_vfus *srv, struct gv_dev *dev, const char *dir, struct gv_err *err)
{
	int rc;

	srv->dev = dev;
	srv->started = true;
	rc = vfus_listen_start(srv, dir, err);
	if (rc)
		gv_vfus_stop(srv);
	return rc;
}

int gv_vfus_attach_fd(struct gv_vfus *srv, unsigned func, int fd)
{
	gv_auto_fd int mine = fd;
	int rc;

	if (func > gv_dev_num_vfs(srv->dev))
		return -ENODEV;
	(void)pthread_mutex_lock(&srv->lock);
	rc = vfus_slot_offer(&srv->slot[func], fd);
	(void)pthread_mutex_unlock(&srv->lock);
	if (!rc)
		mine = -1;
	return rc;
}

void gv_vfus_stop(struct gv_vfus *srv)
{
	(void)pthread_mutex_lock(&srv->lock);
	srv->quit = true;
	(void)pthread_mutex_unlock(&srv->lock);
	vfus_listen_stop(srv);
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++) {
		struct vfus_slot *s = &srv->slot[f];

		if (s->thread_started)
			(void)pthread_join(s->thread, NULL);
		s->thread_started = false;
		vfus_stream_done(s);
	}
	gv_closep(&srv->dir_fd);
	gv_closep(&srv->lock_fd); /* gives up the directory */
}

struct gv_vfus *gv_vfus_free(struct gv_vfus *srv)
{
	if (!srv)
		return NULL;
	for (unsigned f = 0; f < GV_DEV_MAX_FUNCS; f++) {
		struct vfus_slot *s = &srv->slot[f];

		(void)pthread_cond_destroy(&s->wake);
		(void)pthread_mutex_destroy(&s->tx_lock);
		(void)pthread_rwlock_destroy(&s->dma_lock);
		(void)pthread_mutex_destroy(&s->wait_lock);
		(void)pthread_cond_destroy(&s->wait_cond);
		(void)pthread_mutex_destroy(&s->irq_lock);
	}
	(void)pthread_mutex_destroy(&srv->lock);
	free(srv);
	return NULL;
}

/* ---- counters -------------------------------------------------------------- */

void gv_vfus_get_stats(struct gv_vfus *srv, unsigned func, struct gv_vfus_stats *stats)
{
	struct vfus_slot *s = &srv->slot[func];

	*stats = (struct gv_vfus_stats){.clients = atomic_load(&s->clients),
	                                .refused = atomic_load(&s->refused),
	                                .requests = atomic_load(&s->requests),
	                                .bad_messages = atomic_load(&s->bad_messages),
	                                .dma_messages = atomic_load(&s->dma_messages),
	                                .zero_pages = vfus_guard_zero_pages()};
}

static void print_func(FILE *out, struct gv_vfus *srv, unsigned func)
{
	struct gv_dev_stats d;
	struct gv_vfus_stats v;

	gv_dev_get_stats(srv->dev, func, &d);
	gv_vfus_get_stats(srv, func, &v);
	fprintf(out,
	        "{\"func\":\"%s\",\"unimplemented\":%" PRIu64 ",\"guest_errors\":%" PRIu64
	        ",\"vm_faults\":%" PRIu64 ",\"doorbells\":%" PRIu64 ",\"packets\":%" PRIu64
	        ",\"dispatches\":%" PRIu64 ",\"wave_instructions\":%" PRIu64
	        ",\"interrupts\":%" PRIu64 ",",
	        srv->slot[func].name, d.unimplemented, d.guest_errors, d.vm_faults, d.doorbells,
	        d.packets, d.dispatches, d.wave_instructions, d.interrupts);
	fprintf(out,
	        "\"clients\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"requests\":%" PRIu64
	        ",\"bad_messages\":%" PRIu64 ",\"dma_messages\":%" PRIu64 "}",
	        v.clients, v.refused, v.requests, v.bad_messages, v.dma_messages);
}

char *gv_vfus_stats_json(struct gv_vfus *srv)
{
	unsigned num_vfs = gv_dev_num_vfs(srv->dev), max_vfs = gv_dev_max_vfs(srv->dev);
	char *line = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&line, &n);

	if (!out)
		return NULL;
	fprintf(out, "{\"num_vfs\":%u,\"max_vfs\":%u,\"zero_pages\":%" PRIu64 ",\"functions\":[",
	        num_vfs, max_vfs, vfus_guard_zero_pages());
	for (unsigned f = 0; f <= max_vfs; f++) { /* VFs that are off keep their last counts */
		if (f)
			fputc(',', out);
		print_func(out, srv, f);
	}
	fputs("]}\n", out);
	if (fclose(out) != 0) {
		free(line);
		return NULL;
	}
	return line;
}
