/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to record and replay: the writer of a file, and a driver's copy of DMA memory. */
#ifndef GV_RECORD_PRIV_H
#define GV_RECORD_PRIV_H

#include <gv/record.h>

#define GV_RECORD_VECTORS 64u /* interrupts beyond these are not recorded */

/* ---- record_file.c: writing ----------------------------------------------- */

struct gv_record_writer {
	int fd;
	uint64_t limit, written; /* bytes of the file */
	uint64_t seq;            /* of the next block */
	uint64_t flush_ns;       /* when what is waiting must be written */
	bool full;
	int failed; /* first error of writing, 0: none */
	uint8_t *buf;
	size_t bytes;
};

int gv_record_create(const char *path, uint64_t limit, struct gv_record_writer *w,
                     struct gv_err *err);
/** Data of @r->bytes at @data, NULL where a record has none. True: this one was too much, and a
 *  FULL was written instead. */
bool gv_record_add(struct gv_record_writer *w, const struct gv_record *r, const void *data);
/** Write what is waiting, close. 0, or why the file is not whole. */
int gv_record_finish(struct gv_record_writer *w);

/** Does the record have data? */
static inline bool gv_record_has_data(const struct gv_record *r)
{
	return r->bytes && !(r->type == GV_RECORD_READ && r->rc);
}

/* ---- record_dma.c: copies of DMA memory ------------------------------------- */

struct gv_shadow {
	struct gv_shadow *next;
	struct gv_dma device; /* of the bus underneath; cpu NULL in a replay */
	uint8_t *driver;      /* what the driver sees */
	uint8_t *synced;      /* what both had when they met last */
	uint64_t iova, bytes;
};

/** -ENOMEM. The memory is zeros. */
int gv_shadow_new(uint64_t iova, uint64_t bytes, struct gv_shadow **shadow);
void gv_shadow_free(struct gv_shadow *shadow);
/** Which of @list has @bytes from @iova on; NULL: none. */
struct gv_shadow *gv_shadow_find(struct gv_shadow *list, uint64_t iova, uint64_t bytes);
void gv_shadow_remove(struct gv_shadow **list, const struct gv_shadow *shadow);
/** Free all of *@list, and the device's memory on @bus (NULL: a replay has none). */
void gv_shadow_free_all(struct gv_shadow **list, struct gv_bus *bus);
/** Call @each for what @now has otherwise than @shadow->synced, in pieces of at most 4 KiB, and
 *  take it over into synced. */
void gv_shadow_diff(struct gv_shadow *shadow, const uint8_t *now,
                    void (*each)(void *arg, struct gv_shadow *shadow, uint64_t off,
                                 const uint8_t *data, uint32_t bytes),
                    void *arg);

#endif
