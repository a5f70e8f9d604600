/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gpuvisor-keeper: what systemd's fd store is to gpuvisord, where there is no systemd. It speaks
 * the same protocol (sd_notify(3), sd_listen_fds(3)), so that gpuvisord does not know the
 * difference.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

#include <gv/base.h>

#define MAX_KEPT  16u
#define NAME_ROOM 64u
#define FIRST_FD  3 /* SD_LISTEN_FDS_START */

struct kept {
	int fd;
	char name[NAME_ROOM]; /* of FDNAME=, "stored" without */
};

/* The socket that the child talks to, and what it has given us. */
struct store {
	int sock;
	char address[32]; /* for NOTIFY_SOCKET */
	struct kept kept[MAX_KEPT];
	unsigned count;
	bool ready; /* READY=1 came since this was cleared */
};

int store_open(struct store *s, struct gv_err *err);
void store_close(struct store *s);
/** Read all that has come; what is not from @child is thrown away. */
void store_read(struct store *s, pid_t child);
/** In the child, before exec: descriptors at 3 and up, and the environment that says so. */
int store_hand_over(const struct store *s);

#endif
