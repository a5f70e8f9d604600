/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gpuvisord: two threads.
 *
 *   main (sd-event)                          GPU thread
 *   sockets, clients, quick methods  --job-> owns struct gv_pf: service loop, slow methods
 *          ^                                        |
 *          +---- post: replies, events, progress ---+
 *
 * What both touch is in struct daemon behind its lock; neither waits for the other while it
 * holds it. A slow client is a full buffer in main, never a wait in the GPU thread.
 */
#ifndef GPUVISORD_H
#define GPUVISORD_H

#include <pthread.h>
#include <stdatomic.h>
#include <systemd/sd-event.h>

#include <gv/pf_driver.h>
#include <gv/pf_rpc.h>

#define MAX_EVENTS      1024u
#define MAX_CLIENTS     64u
#define MAX_CLIENT_JOBS 8u
#define MAX_ALLOWED     16u

struct options {
	const char *gpu;
	const char *socket;
	const char *profile;
	const char *vf_socket_dir; /* NULL: the PF socket's directory */
	const char *sysfs;
	uint32_t allow_uid[MAX_ALLOWED], allow_gid[MAX_ALLOWED];
	unsigned num_uids, num_gids;
};

/* From the GPU thread to a client (0: to all subscribers). */
struct post {
	struct post *next;
	uint64_t client;
	char *line;     /* NULL: only what follows */
	bool job_ended; /* one slow job less */
};

struct job {
	struct job *next;
	uint64_t client;
	struct json_object *request;
};

struct daemon {
	struct options opt;
	struct gv_log log;
	_Atomic int log_level;
	char gpu_uri[256];
	struct gv_cfg cfg; /* of --profile */
	bool has_cfg;

	/* GPU thread only */
	struct gv_pf *pf;
	uint64_t job_client; /* whose slow method is running */

	pthread_mutex_t lock; /* all below */
	struct gv_pf_status status;
	bool dirty; /* something happened since `status` was taken */
	const char *busy;
	struct gv_pf_event event[MAX_EVENTS]; /* ring by sequence number */
	uint64_t last_seq;
	struct post *posts, **posts_end;
	struct job *jobs, **jobs_end;
	bool stop;
	int gpu_result; /* why the GPU thread ended */

	int post_fd; /* eventfd: main has posts */
	int job_fd;  /* eventfd: the GPU thread has jobs or must stop */
	pthread_t gpu_thread;

	/* main only */
	sd_event *loop;
	struct server *server;
};

/* What a method gets. */
struct call {
	struct daemon *d;
	uint64_t client;
};

extern const struct gv_rpc_method methods[];
extern const size_t num_methods;

/** Boot and apply the profile on the calling thread, then start the GPU thread. */
int gpu_start(struct daemon *d, struct gv_err *err);
/** Stop it: every VF is disabled, the GPU is put back. */
void gpu_stop(struct daemon *d);
/** Queue a request for the GPU thread; it owns @request from now on. -ENOMEM. */
int gpu_job(struct daemon *d, uint64_t client, struct json_object *request);
/** Hand @line (owned) to a client, or to all subscribers. Any thread. */
void post(struct daemon *d, uint64_t client, char *line, bool job_ended);

int server_start(struct daemon *d, struct gv_err *err);
void server_stop(struct daemon *d);
/** Deliver what was posted. */
void server_deliver(struct daemon *d);
/** The client gets events from now on. Main thread. */
void server_subscribe(struct daemon *d, uint64_t client);

#endif
