/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to the vfio-user client bus: its state and its message layer. */
#ifndef GV_VFIO_USER_CLIENT_H
#define GV_VFIO_USER_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include <gv/bus.h>
#include <gv/vfio.h>
#include <gv/vfio_user.h>

#include "iova.h"

#define VFU_SMALL 256 /* a message up to this size leaves in one send() from one buffer */

struct vfu_dma {
	struct vfu_dma *next;
	uint8_t *cpu;
	uint64_t iova, bytes;
};

struct vfu_mapping {
	struct vfu_mapping *next;
	void *cpu;
	size_t bytes;
};

struct vfu {
	struct gv_bus bus; /* first: ops get a pointer to it */
	const struct gv_log *log;
	struct gv_vfu_opts opts;
	struct gv_vfu_caps caps;
	int fd;
	_Atomic int status;     /* 0, or why the device is lost */
	_Atomic unsigned looks; /* at the status */
	pthread_mutex_t lock;   /* the socket, rx, next_id, dma list */
	uint16_t next_id;
	uint8_t *rx;    /* GV_VFU_MAX_MSG bytes */
	size_t rx_have; /* bytes in rx */
	size_t rx_done; /* of which the front ones were used */
	uint64_t region_bytes[GV_VFU_NUM_REGION];
	uint8_t *doorbells; /* mapped page, or NULL: trapped */
	uint64_t doorbells_bytes;
	unsigned num_vectors;
	int *eventfd; /* per vector, -1 = off */
	struct vfu_dma *dma;
	struct vfu_mapping *mappings;
	struct gv_iova iova;
};

/* One request and its reply. */
struct vfu_call {
	uint16_t cmd;
	struct iovec part[2]; /* request struct, then data; either may be empty */
	int send_fd;          /* -1: none */
	bool want_fd;
	/* Out: what came back, inside rx: valid until the lock is dropped. */
	const uint8_t *reply;
	size_t reply_bytes;
	int reply_fd; /* caller closes; -1: none */
};

#define VFU_CALL(c, req_ptr, req_bytes)                                                            \
	{                                                                                          \
		.cmd = (c), .part = {{(req_ptr), (req_bytes)}}, .send_fd = -1, .reply_fd = -1      \
	}

/** Mark the device lost (the first reason stays) and shut the socket. Returns @rc. */
int vfu_lose(struct vfu *v, int rc);
/** Send and wait for the reply (bounded). Under v->lock. The server's refusal is its negative
 *  errno and leaves the connection alive; anything else loses it. */
int vfu_call(struct vfu *v, struct vfu_call *call);
/** vfu_call() that takes the lock and wants exactly @n bytes of reply, copied to @out. */
int vfu_call_fixed(struct vfu *v, struct vfu_call *call, void *out, size_t n);
/** Send without a reply. Takes the lock. */
void vfu_post(struct vfu *v, uint16_t cmd, const void *req, size_t n);

/** Memory (vfio_user_client_mem.c): DMA and mapped regions. */
int vfu_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma);
void vfu_dma_free(struct gv_bus *bus, struct gv_dma *dma);
void *vfu_dma_find(struct vfu *v, uint64_t iova, uint64_t n); /* under the lock */
int vfu_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes, void **cpu);
void vfu_mem_done(struct vfu *v);

#endif
