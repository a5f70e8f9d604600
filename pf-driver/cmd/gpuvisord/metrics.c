/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GET /metrics. libmicrohttpd's own thread answers from a copy of what the GPU thread published
 * last: a scraper, slow or many, costs the GPU thread nothing.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include <gv/pf_metrics.h>

#include "gpuvisord.h"

#define CONNECTIONS 16u
#define TIMEOUT_S   10u

struct snapshot {
	struct gv_pf_status status;
	struct vf_pool pool;
	char bdf[GV_PF_MAX_VFS][GV_GLUE_BDF_TEXT];
	struct gv_pf_owned_vf owned[GV_PF_MAX_VFS];
};

static struct snapshot *take_snapshot(struct daemon *d)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	(void)pthread_mutex_lock(&d->lock);
	s->status = d->status;
	s->pool = d->pool_seen;
	(void)pthread_mutex_unlock(&d->lock);
	for (unsigned i = 0; i < s->status.num_vfs; i++) {
		const struct gv_pool_vf *v = &s->pool.rules.vf[i];

		s->owned[i] = (struct gv_pf_owned_vf){
		        .pool = gv_pool_state(&s->pool.rules, i, s->status.vf[i].state),
		        .domain = v->domain,
		        .uuid = v->uuid,
		};
		if (s->pool.has_bdf[i])
			s->owned[i].bdf = gv_glue_bdf_format(&s->pool.bdf[i], s->bdf[i]);
	}
	return s;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned code, char *text, size_t bytes,
                           enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(bytes, text, mode);
	enum MHD_Result ok;

	if (!r) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
	                              code == MHD_HTTP_OK
	                                      ? "text/plain; version=0.0.4; charset=utf-8"
	                                      : "text/plain; charset=utf-8");
	ok = MHD_queue_response(c, code, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result say_error(struct MHD_Connection *c, unsigned code, const char *text)
{
	return say(c, code, (char *)(uintptr_t)text, strlen(text), MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_bytes, void **state)
{
	gv_auto_free struct snapshot *s = NULL;
	size_t bytes;
	char *text;

	(void)version;
	(void)body;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 || *body_bytes)
		return say_error(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	if (strcmp(url, "/metrics") != 0)
		return say_error(c, MHD_HTTP_NOT_FOUND, "only /metrics is here\n");
	s = take_snapshot(arg);
	if (!s || gv_pf_metrics_text(&s->status, s->owned, &text, &bytes))
		return say_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory\n");
	return say(c, MHD_HTTP_OK, text, bytes, MHD_RESPMEM_MUST_FREE);
}

int metrics_start(struct daemon *d, struct gv_err *err)
{
	const union MHD_DaemonInfo *info;
	const struct sockaddr_in *at = &d->opt.metrics_at;

	if (!d->opt.metrics)
		return 0;
	errno = 0;
	d->metrics = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL,
	                              answer, d, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)at,
	                              MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
	                              MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	if (!d->metrics)
		return gv_fail(err, errno ? -errno : -EIO, "--metrics %s: cannot listen there: %s",
		               d->opt.metrics, strerror(errno ? errno : EIO));
	info = MHD_get_daemon_info(d->metrics, MHD_DAEMON_INFO_BIND_PORT);
	gv_logf(&d->log, GV_LOG_INFO, "metrics are at port %u, /metrics",
	        info && info->port ? info->port : ntohs(at->sin_port));
	return 0;
}

void metrics_stop(struct daemon *d)
{
	if (d->metrics)
		MHD_stop_daemon(d->metrics);
	d->metrics = NULL;
}
