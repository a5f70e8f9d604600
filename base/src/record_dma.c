/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/mman.h>

#include "record.h"

#define PIECE 4096u

static uint8_t *pages(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int gv_shadow_new(uint64_t iova, uint64_t bytes, struct gv_shadow **shadow)
{
	struct gv_shadow *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->iova = iova;
	s->bytes = bytes;
	s->driver = pages(bytes);
	s->synced = pages(bytes);
	if (!s->driver || !s->synced) {
		gv_shadow_free(s);
		return -ENOMEM;
	}
	*shadow = s;
	return 0;
}

void gv_shadow_free(struct gv_shadow *s)
{
	if (s->driver)
		(void)munmap(s->driver, s->bytes);
	if (s->synced)
		(void)munmap(s->synced, s->bytes);
	free(s);
}

struct gv_shadow *gv_shadow_find(struct gv_shadow *list, uint64_t iova, uint64_t bytes)
{
	for (struct gv_shadow *s = list; s; s = s->next)
		if (iova >= s->iova && iova - s->iova <= s->bytes &&
		    bytes <= s->bytes - (iova - s->iova))
			return s;
	return NULL;
}

void gv_shadow_remove(struct gv_shadow **list, const struct gv_shadow *shadow)
{
	for (; *list; list = &(*list)->next)
		if (*list == shadow) {
			*list = shadow->next;
			return;
		}
}

void gv_shadow_free_all(struct gv_shadow **list, struct gv_bus *bus)
{
	while (*list) {
		struct gv_shadow *s = *list;

		*list = s->next;
		if (bus)
			gv_dma_free(bus, &s->device);
		gv_shadow_free(s);
	}
}

/* One piece, from the first byte that differs to the last. It is copied once: the device may go on
 * writing. */
static void diff_piece(struct gv_shadow *s, const uint8_t *now, uint64_t at, uint32_t bytes,
                       void (*each)(void *arg, struct gv_shadow *shadow, uint64_t off,
                                    const uint8_t *data, uint32_t bytes),
                       void *arg)
{
	uint8_t copy[PIECE], *synced = s->synced + at;
	uint32_t first = 0, end = bytes;

	memcpy(copy, now + at, bytes);
	while (first < end && copy[first] == synced[first])
		first++;
	while (end > first && copy[end - 1] == synced[end - 1])
		end--;
	if (first == end)
		return;
	memcpy(synced + first, copy + first, end - first);
	each(arg, s, at + first, copy + first, end - first);
}

void gv_shadow_diff(struct gv_shadow *s, const uint8_t *now,
                    void (*each)(void *arg, struct gv_shadow *shadow, uint64_t off,
                                 const uint8_t *data, uint32_t bytes),
                    void *arg)
{
	for (uint64_t at = 0; at < s->bytes; at += PIECE) {
		uint32_t bytes = (uint32_t)GV_MIN((uint64_t)PIECE, s->bytes - at);

		if (memcmp(now + at, s->synced + at, bytes))
			diff_piece(s, now, at, bytes, each, arg);
	}
}
