/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the vfio-user server.
 *
 * A slot is one function of the device with its socket and, at most, one client. Locks, in the
 * order in which they may be taken:
 *   srv->lock        listeners and which function has a client (never held while serving)
 *   slot->dma_lock   the DMA table; read-held by engine threads for a look-up or a copy
 *   slot->wait_lock  engine threads waiting for an answer to a DMA message
 *   slot->tx_lock    who sends on the socket
 *   slot->irq_lock   eventfds
 * No lock is held while the device core is called.
 */
#ifndef GV_VFUS_PRIV_H
#define GV_VFUS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <gv/vfio_user.h>

#include "vfio_user_server.h"

#define VFUS_RX_BYTES    (2 * GV_VFU_MAX_MSG)
#define VFUS_TX_BYTES    (2 * GV_VFU_MAX_MSG)
#define VFUS_FD_SETS     8
#define VFUS_MAX_VECTORS 64 /* of MSI-X; the model has fewer */

/* Pieces of its files that one client may make us map. Linux gives a process 65530 mappings in all,
 * and one becomes two when its file shrinks: 17 clients leave room for everything else. */
#define VFUS_MAX_WINDOWS 1024u

/* Descriptors that came with a part of the stream; they belong to the message that covers the
 * last byte of that part (unix sockets never merge two sets into one receive). */
struct vfus_fds {
	int fd[GV_VFU_MAX_FDS];
	unsigned n;
	bool overflow; /* there were more than fit */
	size_t end;    /* where in rx the part ended */
};

struct vfus_msg {
	struct gv_vfu_hdr hdr;
	const uint8_t *payload;
	size_t bytes;
	struct vfus_fds fds; /* what a handler takes it replaces by -1 */
};

/* What a handler answers, besides its return value. */
struct vfus_answer {
	uint8_t *data; /* room for GV_VFU_MAX_MSG - header */
	size_t bytes;
	int fd; /* -1: none; closed once sent */
};

/* A piece of a client's file in our address space; see window.c. */
struct vfus_window {
	struct vfus_window *next, *next_guarded;
	dev_t dev;
	ino_t ino;
	int prot;
	uint64_t off; /* in the file */
	size_t bytes;
	uint8_t *cpu;
	size_t users;         /* mappings that lie in it */
	_Atomic bool damaged; /* the file shrank: there are zeros in it */
};

/* One mapping that a client made. */
struct vfus_map {
	uint64_t iova, bytes;
	struct vfus_window *window; /* NULL: reached by messages */
	uint8_t *cpu;               /* in the window */
	uint32_t flags;
};

/* An engine thread that waits for the answer to its DMA message. */
struct vfus_wait {
	struct vfus_wait *next;
	uint16_t id, cmd;
	uint64_t iova;
	size_t bytes;
	void *buf; /* DMA_READ: where the answer goes */
	bool done;
	int rc;
};

struct vfus_slot {
	struct gv_vfus *srv;
	unsigned func;
	char name[8];
	struct gv_log log; /* "PF", "VF3" */

	/* Under srv->lock. */
	int listen_fd;
	int next_fd; /* a client to serve next, or -1 */
	int fd;      /* the client being served, or -1 */
	bool thread_started;
	pthread_t thread;
	pthread_cond_t wake;

	/* Of the slot's thread alone. */
	uint8_t *rx, *tx;
	size_t rx_head, rx_have, tx_have;
	struct vfus_fds sets[VFUS_FD_SETS];
	unsigned num_sets;
	bool negotiated, leave;
	struct vfus_window *windows;
	size_t num_windows;

	pthread_mutex_t tx_lock;

	pthread_rwlock_t dma_lock;
	struct vfus_map **map; /* sorted by iova */
	size_t num_maps, room_maps, message_maps;

	pthread_mutex_t wait_lock;
	pthread_cond_t wait_cond;
	struct vfus_wait *waits;
	bool dma_open;                 /* a client is there that may be asked */
	uint64_t held_window, held_ns; /* how long it held up engines since then */
	uint16_t next_id;
	uint64_t max_xfer;

	pthread_mutex_t irq_lock;
	int eventfd[VFUS_MAX_VECTORS];
	_Atomic uint64_t irq_since; /* when a write to an eventfd began, 0: none */
	_Atomic pid_t irq_tid;

	_Atomic uint64_t clients, refused, requests, bad_messages, dma_messages;
};

struct gv_vfus {
	struct gv_vfus_cfg cfg;
	struct gv_log log;
	struct gv_dev *dev;
	pthread_mutex_t lock;
	bool started, quit;
	int dir_fd, lock_fd; /* run directory; -1: none */
	int stats_fd, wake_fd, epoll_fd;
	pthread_t accepter;
	bool accepter_started;
	struct vfus_slot slot[GV_DEV_MAX_FUNCS];
};

/* ---- listen.c: sockets in the run directory, who is served ---------------- */
int vfus_listen_start(struct gv_vfus *srv, const char *dir, struct gv_err *err);
void vfus_listen_stop(struct gv_vfus *srv);
/** Make listeners match the VFs that exist; clients of vanished VFs are parted from. */
void vfus_listen_update(struct gv_vfus *srv, unsigned num_vfs);

/* ---- rundir.c ------------------------------------------------------------- */
int vfus_dir_open(const char *dir, int *dir_fd, int *lock_fd, struct gv_err *err);
void vfus_dir_remove(int dir_fd, const char *name);

/* ---- serve.c: a slot's thread ---------------------------------------------- */
/** Give the slot a client. Under srv->lock. -EBUSY, -EAGAIN (no thread). */
int vfus_slot_offer(struct vfus_slot *s, int fd);

/* ---- stream.c: bytes to messages and back ---------------------------------- */
int vfus_stream_init(struct vfus_slot *s);
void vfus_stream_done(struct vfus_slot *s);
void vfus_stream_restart(struct vfus_slot *s);
/** Receive what is queued (blocks unless @flags has MSG_DONTWAIT). 0, -EAGAIN, -ENOBUFS (no room
 *  now), -ENODEV when the client is gone. */
int vfus_stream_fill(struct vfus_slot *s, int flags);
/** The next whole message; it stays valid until the next vfus_stream_fill() after the following
 *  vfus_stream_next(). 0, -EAGAIN (not complete), -EPROTO (no way to go on). */
int vfus_stream_next(struct vfus_slot *s, struct vfus_msg *m);
void vfus_msg_close_fds(struct vfus_msg *m);
/** Queue an answer; what is queued leaves at vfus_stream_flush() at the latest. */
uint8_t *vfus_stream_room(struct vfus_slot *s);
int vfus_stream_answer(struct vfus_slot *s, const struct vfus_msg *m, int rc,
                       const struct vfus_answer *a);
int vfus_stream_flush(struct vfus_slot *s);
/** Look for answers to DMA messages behind the message being handled, and take them. */
void vfus_stream_take_replies(struct vfus_slot *s);
/** Send one message of our own, from any thread. */
int vfus_stream_send(struct vfus_slot *s, struct gv_vfu_hdr hdr, const void *req, size_t n,
                     const void *data, size_t data_n);

/* ---- handle.c: what each command does -------------------------------------- */
void vfus_handle(struct vfus_slot *s, struct vfus_msg *m);
/** Run @run(@arg), which may wait for engines, while answers to DMA messages keep being taken. */
void vfus_run_aside(struct vfus_slot *s, void (*run)(struct vfus_slot *s, void *arg), void *arg);

/* ---- dma.c ------------------------------------------------------------------ */
int vfus_dma_map(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a);
int vfus_dma_unmap(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a);
void vfus_dma_open(struct vfus_slot *s, uint64_t max_xfer);
/** No more messages; whoever waits returns at once. */
void vfus_dma_shut(struct vfus_slot *s);
void vfus_dma_drop_all(struct vfus_slot *s);
void *vfus_dma_ptr(void *arg, unsigned func, uint64_t iova, uint64_t *bytes, bool write);
int vfus_dma_read(void *arg, unsigned func, uint64_t iova, void *buf, size_t n);
int vfus_dma_write(void *arg, unsigned func, uint64_t iova, const void *buf, size_t n);

/* ---- dma_msg.c: memory without a descriptor ---------------------------------- */
int vfus_ask(struct vfus_slot *s, uint16_t cmd, uint64_t iova, void *buf, size_t n);
/** An answer to vfus_ask() came. False: nobody asked. */
bool vfus_answered(struct vfus_slot *s, const struct vfus_msg *m);
/** Whoever waits for memory in the range returns -EFAULT now. */
void vfus_ask_abort(struct vfus_slot *s, uint64_t iova, uint64_t bytes);

/* ---- window.c: client files in our address space ------------------------------ */
/** Somewhere to reach @req's range of the file at; goes with the last vfus_window_put().
 *  -EINVAL: no memory file, or too short; -ENOSPC, -ENOMEM. */
int vfus_window_get(struct vfus_slot *s, const struct gv_vfu_dma_map *req, int fd,
                    struct vfus_window **window);
/** Takes NULL. */
void vfus_window_put(struct vfus_slot *s, struct vfus_window *window);

/* ---- guard.c: client memory that may go away --------------------------------- */
int vfus_guard_install(void);
void vfus_guard_add(struct vfus_window *window);
void vfus_guard_remove(struct vfus_window *window);
uint64_t vfus_guard_zero_pages(void);

/* ---- irq.c --------------------------------------------------------------------- */
int vfus_irq_info(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a);
int vfus_irq_set(struct vfus_slot *s, struct vfus_msg *m, struct vfus_answer *a);
void vfus_irq_fire(void *arg, unsigned func, unsigned vector);
void vfus_irq_drop_all(struct vfus_slot *s);
/** Free engine threads that a client holds up with a full, blocking eventfd. */
void vfus_irq_watchdog(struct vfus_slot *s);
int vfus_irq_watchdog_install(void);

#endif
