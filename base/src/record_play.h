/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to the player: one function's record in memory. */
#ifndef GV_RECORD_PLAY_H
#define GV_RECORD_PLAY_H

#include "record.h"

struct gv_play_entry {
	struct gv_record rec;
	uint64_t number;
	size_t data;  /* in the arena */
	bool passing; /* READ: a poll goes on; DMA_IN: is overwritten later */
};

struct gv_play_part {
	const struct gv_play_function *what;
	unsigned index;
	struct gv_play_entry *entry;
	size_t count, room, at;
	uint8_t *arena;
	size_t arena_bytes, arena_room;
	struct gv_err torn; /* code 0: whole */
	struct gv_bus *bus;
	struct gv_shadow *dma;         /* device: the memory; driver, synced: not used */
	int vector[GV_RECORD_VECTORS]; /* borrowed eventfds, -1 off */
	uint64_t ticks[GV_RECORD_VECTORS];
	uint64_t blocked_ns; /* since then it does not get any further, 0: it does */
	char why[600];
};

/** Read the record of @p->what and look ahead in it. A torn end is noted in @p->torn. */
int gv_play_load(struct gv_play_part *p, struct gv_err *err);

static inline const void *gv_play_data(const struct gv_play_part *p, const struct gv_play_entry *e)
{
	return gv_record_has_data(&e->rec) ? p->arena + e->data : NULL;
}

static inline bool gv_play_same_place(const struct gv_record *a, const struct gv_record *b)
{
	return a->region == b->region && a->off == b->off && a->bytes == b->bytes;
}

#endif
