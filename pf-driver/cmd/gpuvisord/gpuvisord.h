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

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <systemd/sd-event.h>

#include <gv/hypervisor_glue.h>
#include <gv/binding.h>
#include <gv/libvirt.h>
#include <gv/pf_driver.h>
#include <gv/pf_host.h>
#include <gv/pf_pool.h>
#include <gv/pf_rpc.h>
#include <gv/sandbox.h>

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
	const char *libvirt;   /* URI, "none"; NULL: the default where the PF is a vfio: PF */
	const char *claim_dir; /* files of claims */
	const char *state_dir; /* what lasts over a reboot; NULL: nothing does */
	const char *on_stop;   /* "keep", "disable"; NULL: keep where there is a store */
	enum gv_sandbox_mode sandbox;
	bool prepare;        /* hand the PF over, and nothing else */
	const char *metrics; /* as it was given; NULL: none */
	struct sockaddr_in metrics_at;
	bool trace;         /* from the start on */
	const char *record; /* file of bus accesses; NULL: none */
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
	uid_t uid;
	struct json_object *request;
};

/* From libvirt's threads to the GPU thread. */
struct virt_message {
	struct virt_message *next;
	enum { VIRT_EVENT, VIRT_GONE } kind;
	struct gv_virt_event event; /* VIRT_EVENT */
	unsigned vf;                /* VIRT_GONE: the domain of claim number `claims` is gone */
	uint32_t claims;
};

/* The VFs as somebody's property. */
struct vf_pool {
	struct gv_pool rules;
	uint32_t made; /* gv_pf_vfs_made() that this is about */
	bool on_pci;   /* else VFs have no address: libvirt cannot know them */
	struct gv_glue_bdf pf;
	bool has_bdf[GV_POOL_MAX_VFS];
	struct gv_glue_bdf bdf[GV_POOL_MAX_VFS];
	bool begun[GV_POOL_MAX_VFS]; /* our reset is under way */
};

struct daemon {
	struct options opt;
	struct gv_log log;
	_Atomic int log_level;
	bool journal; /* standard error is journald's */
	char gpu_uri[256];
	bool hand_over;    /* leave the GPU as it is: another daemon goes on */
	struct gv_cfg cfg; /* in force; before that, to be put into force at the start */
	bool has_cfg;

	/* GPU thread only */
	struct gv_pf *pf;
	struct vf_pool pool;
	uint64_t job_client;       /* whose slow method is running */
	bool had_earlier;          /* something was applied, or disabled, since the start: */
	struct gv_pf_plan earlier; /* in force before it; without VFs: none */
	struct gv_cfg earlier_cfg; /* what that was made from */

	pthread_mutex_t lock; /* all below */
	struct gv_pf_status status;
	struct vf_pool pool_seen;
	struct virt_message *virt_messages, **virt_messages_end;
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
	struct MHD_Daemon *metrics;

	/* while nothing runs beside main, else constant */
	struct gv_bus *bus;
	struct gv_pf_token *token; /* NULL: VFs need none */
	struct virt *virt;
};

/* What a method gets. */
struct call {
	struct daemon *d;
	uint64_t client;
	uid_t uid;
};

extern const struct gv_rpc_method methods[];
extern const size_t num_methods;

/** Boot and apply the profile on the calling thread, then start the GPU thread. */
int gpu_start(struct daemon *d, struct gv_err *err);
/** Stop it: every VF is disabled, the GPU is put back; or it is left as it is (hand_over). */
void gpu_stop(struct daemon *d);
/** Queue a request for the GPU thread; it owns @request from now on. -ENOMEM. */
int gpu_job(struct daemon *d, const struct call *call, struct json_object *request);
/** Hand a message to the GPU thread. Any thread. */
void gpu_virt_message(struct daemon *d, const struct virt_message *message);
/** A reset of @vf is under way. */
bool vf_busy(struct daemon *d, unsigned vf);
/** Serve, on the GPU thread, as long as @vf is @busy. -ETIMEDOUT; or the GPU is lost. */
int serve_while(struct daemon *d, bool (*busy)(struct daemon *d, unsigned vf), unsigned vf,
                uint64_t timeout_ns, struct gv_err *err);
/** Throw away what nobody is left to take. */
void gpu_forget_messages(struct daemon *d);
/** Hand @line (owned) to a client, or to all subscribers. Any thread. */
void post(struct daemon *d, uint64_t client, char *line, bool job_ended);

/* ---- the way to the PF (vfio.c) */
/** Open the PF; a PF on Linux VFIO gets a fresh VF token, and vfio-pci is told to allow VFs. A
 *  keeper of the PF's descriptor would hand it over here. */
int bus_open(struct daemon *d, struct gv_err *err);
void bus_close(struct daemon *d);
/** Nothing without --record; else d->bus is a recorder around what it was. (record.c) */
int bus_record(struct daemon *d, struct gv_err *err);
/** Note what is about to be done; NULL: to stop. GPU thread, as the next one. (record.c) */
void record_job(struct daemon *d, const struct job *job);
/** What was done here when it was recorded; NULL: nothing, or @*stop. */
struct job *replayed_job(struct daemon *d, bool *stop);
/** As root: VFs are allowed, and the first of opt.allow_gid may use the PF. */
int pf_hand_over(struct daemon *d, struct gv_err *err);
/** PCI address of a vfio: PF, else NULL. */
const char *pf_address(const struct daemon *d);

/* ---- descriptors that outlive us (store.c) */
struct gv_vfio_fds;
/** Are VFs to stay when we are told to end? */
bool store_is_there(const struct daemon *d);
/** Descriptors of this PF were kept; d->token, too. */
bool store_take(struct daemon *d, struct gv_vfio_fds *fds, struct gv_err *err);
void store_put(struct daemon *d);
/** Nobody keeps them any more. */
void store_drop(void);

/* ---- the profile in force over reboots (keep.c) */
/** Before the start: d->cfg is what was applied last, unless --profile has changed since. */
int keep_load(struct daemon *d, struct gv_err *err);
/** @cfg is in force; without VFs: none is. */
void keep_store(struct daemon *d, const struct gv_cfg *cfg);

/* ---- VF pool (pool.c): GPU thread */
/** Look whether VFs were made or taken away, and start anew with those there are. */
void pool_refresh(struct daemon *d);
/** What the GPU's manager knows of each VF: whether it is clean, and in quarantine; and tell it
 *  whose each is. */
void pool_look(struct daemon *d);
/** Keep what the pool knows of each VF in the journal; find it again (pool_keep.c). */
void pool_note(struct daemon *d);
void pool_recall(struct daemon *d, unsigned vf);
/** What the cleaning of VFs needs next. True: call again at once. */
bool pool_step(struct daemon *d);
/** Serve until this VF is clean. -EIO: it is not; -ETIMEDOUT. */
int pool_clean_wait(struct daemon *d, unsigned vf, uint64_t timeout_ns, struct gv_err *err);
/** A reset with scrub was done otherwise. */
void pool_was_reset(struct daemon *d, unsigned vf);
void pool_take_message(struct daemon *d, const struct virt_message *message);
/** -EBUSY: a domain runs with a VF, so VFs cannot be taken away. */
int pool_may_change(struct daemon *d, struct gv_err *err);
enum gv_mbox_state pool_session(struct daemon *d, unsigned vf);
/** Write the file of the claim as the rules have it. */
int pool_keep_claim(struct daemon *d, unsigned vf, struct gv_err *err);
/** Add what the pool knows of a VF to its JSON. Any thread, on a copy. */
void pool_json(const struct vf_pool *pool, unsigned vf, enum gv_mbox_state session,
               struct json_object *o);

/* ---- libvirt (virt.c) */
/** Watch domains, unless --libvirt none or the PF is no vfio: PF. */
int virt_start(struct daemon *d, struct gv_err *err);
/** False: libvirt hangs, and with it a thread that uses @d: leave @d alone. */
bool virt_stop(struct daemon *d);
/** Ask whether the domain of this claim still has the VF; VIRT_GONE comes when not. */
void virt_check_claim(struct daemon *d, unsigned vf, const struct gv_glue_bdf *bdf,
                      const char *owner, uint32_t claims);

/* ---- the log (log.c): any thread */
/** Is standard error the journal? Lines have fields then. */
void log_start(struct daemon *d);
void log_line(struct daemon *d, enum gv_log_level level, const char *line);
/** GPU thread. */
void log_event(struct daemon *d, const struct gv_pf_event *event);

/* ---- metrics (metrics.c) */
/** Serve Prometheus text at opt.metrics_at, on a thread of its own. -ENOTSUP: not in this build; or
 *  what listening gave. */
int metrics_start(struct daemon *d, struct gv_err *err);
void metrics_stop(struct daemon *d);

int server_start(struct daemon *d, struct gv_err *err);
void server_stop(struct daemon *d);
/** Deliver what was posted. */
void server_deliver(struct daemon *d);
/** The client gets events from now on. Main thread. */
void server_subscribe(struct daemon *d, uint64_t client);

#endif
