/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "iova.h"

#define BIG_PAGE (2 * GV_MIB)

static int make_room(struct gv_iova *space)
{
	size_t room = space->room ? 2 * space->room : 16;
	struct gv_iova_range *used;

	if (space->count < space->room)
		return 0;
	used = realloc(space->used, room * sizeof(*used));
	if (!used)
		return -ENOMEM;
	space->used = used;
	space->room = room;
	return 0;
}

int gv_iova_get(struct gv_iova *space, uint64_t bytes, uint64_t *iova)
{
	uint64_t align = bytes >= BIG_PAGE ? BIG_PAGE : 4096, at = GV_IOVA_FIRST;
	size_t i;

	if (make_room(space))
		return -ENOMEM;
	for (i = 0; i < space->count; i++) {
		const struct gv_iova_range *r = &space->used[i];

		if (r->first > at && r->first - at >= bytes)
			break;
		at = (r->first + r->bytes + align - 1) & ~(align - 1);
	}
	if (at > GV_IOVA_LAST || bytes > GV_IOVA_LAST - at)
		return -ENOSPC;
	memmove(&space->used[i + 1], &space->used[i], (space->count - i) * sizeof(*space->used));
	space->used[i] = (struct gv_iova_range){at, bytes};
	space->count++;
	*iova = at;
	return 0;
}

void gv_iova_put(struct gv_iova *space, uint64_t iova)
{
	for (size_t i = 0; i < space->count; i++) {
		if (space->used[i].first != iova)
			continue;
		space->count--;
		memmove(&space->used[i], &space->used[i + 1],
		        (space->count - i) * sizeof(*space->used));
		return;
	}
}

void gv_iova_done(struct gv_iova *space)
{
	free(space->used);
	memset(space, 0, sizeof(*space));
}
