/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record in memory, and what can only be seen by looking ahead. */
#include <string.h>

#include "record_play.h"

static int grow(void **buf, size_t *room, size_t need, size_t item)
{
	size_t more = GV_MAX(*room * 2, GV_MAX(need, (size_t)1024));
	void *bigger;

	if (need <= *room)
		return 0;
	bigger = realloc(*buf, more * item);
	if (!bigger)
		return -ENOMEM;
	*buf = bigger;
	*room = more;
	return 0;
}

static int keep(struct gv_play_part *p, const struct gv_record *r, const void *data,
                uint64_t number)
{
	size_t n = gv_record_has_data(r) ? r->bytes : 0;

	if (grow((void **)&p->entry, &p->room, p->count + 1, sizeof(*p->entry)) ||
	    grow((void **)&p->arena, &p->arena_room, p->arena_bytes + n + 1, 1))
		return -ENOMEM;
	p->entry[p->count++] =
	        (struct gv_play_entry){.rec = *r, .number = number, .data = p->arena_bytes};
	if (n)
		memcpy(p->arena + p->arena_bytes, data, n);
	p->arena_bytes += n;
	return 0;
}

/* What only a driver needs is left out. */
static int read_all(struct gv_play_part *p, struct gv_err *err)
{
	struct gv_record_file *f = NULL;
	struct gv_record r;
	const void *data;
	uint64_t number;
	int rc = gv_record_open(p->what->path, &f, err);

	if (rc)
		return rc;
	while (!(rc = gv_record_next(f, &r, &data, &number, &p->torn))) {
		if (r.type == GV_RECORD_TIME || r.type == GV_RECORD_CHANCE ||
		    r.type == GV_RECORD_NOTE)
			continue;
		if (r.type == GV_RECORD_STATUS || r.type == GV_RECORD_FULL)
			break;
		rc = keep(p, &r, data, number);
		if (rc)
			break;
	}
	(void)gv_record_close(f);
	if (rc == -ENOMEM)
		return gv_fail(err, rc, "%s: no memory for so many records", p->what->path);
	if (rc == -EBADMSG)
		p->torn.code = rc;
	else if (rc && rc != -ENODATA)
		return gv_fail(err, rc, "%s: %s", p->what->path, p->torn.text);
	return 0;
}

/* Does somebody who acts come next, and not just the device? */
static bool acts(const struct gv_record *r)
{
	return r->type != GV_RECORD_DMA_IN && r->type != GV_RECORD_IRQ;
}

static void mark_polls(struct gv_play_part *p)
{
	const struct gv_record *next = NULL;

	for (size_t i = p->count; i-- > 0;) {
		struct gv_record *r = &p->entry[i].rec;

		if (!acts(r))
			continue;
		p->entry[i].passing = next && r->type == GV_RECORD_READ &&
		                      next->type == GV_RECORD_READ && r->bytes <= 8 &&
		                      gv_play_same_place(r, next);
		next = r;
	}
}

/* Per page: what later records of it write. */
struct page {
	uint64_t page;
	uint32_t first, end; /* end 0: free */
};

static struct page *find_page(struct page *pages, size_t room, uint64_t page)
{
	size_t i = (size_t)(page * 0x9e3779b97f4a7c15ull) % room;

	while (pages[i].end && pages[i].page != page)
		i = (i + 1) % room;
	return &pages[i];
}

static int mark_memory(struct gv_play_part *p)
{
	size_t room = 1;
	struct page *pages;

	for (size_t i = 0; i < p->count; i++)
		room += 2 * (p->entry[i].rec.type == GV_RECORD_DMA_IN);
	pages = calloc(room, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	for (size_t i = p->count; i-- > 0;) {
		struct gv_play_entry *e = &p->entry[i];
		uint32_t first = (uint32_t)(e->rec.off & 4095), end = first + e->rec.bytes;
		struct page *page;

		if (e->rec.type != GV_RECORD_DMA_IN || !e->rec.bytes)
			continue;
		page = find_page(pages, room, e->rec.off >> 12);
		e->passing = page->end && first < page->end && page->first < end;
		*page = (struct page){.page = e->rec.off >> 12,
		                      .first = page->end ? GV_MIN(first, page->first) : first,
		                      .end = GV_MAX(end, page->end)};
	}
	free(pages);
	return 0;
}

int gv_play_load(struct gv_play_part *p, struct gv_err *err)
{
	int rc = read_all(p, err);

	if (rc)
		return rc;
	mark_polls(p);
	if (mark_memory(p))
		return gv_fail(err, -ENOMEM, "%s: no memory to look ahead", p->what->path);
	return 0;
}
