/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Record and replay at the bus: everything a driver does to a PCI function,
 * and what the function answers, in a file. docs/trace.md tells how to use it.
 *
 *   record:  driver -> recorder (a gv_bus) -> the real bus          -> file
 *   replay:  driver -> a gv_bus made of a file: answers as the function did
 *            file   -> player -> a function (model or silicon): does what the driver did
 *
 * A file is a row of blocks, each with its CRC; whatever was written in whole blocks survives
 * a crash. Numbers are in the byte order of the machine.
 *
 * Memory: a driver under the recorder works on copies of its DMA buffers, which meet the
 * device's at each call of the bus and of gv_now_ns(); and BAR0 cannot be mapped
 * (gv_bus_map() gives -ENOTSUP), so that no access is missed.
 *
 * Time: gv_now_ns() of the thread that uses the bus is recorded, too, and replayed: a driver
 * that looks at no other clock does the same again.
 */
#ifndef GV_RECORD_H
#define GV_RECORD_H

#include <gv/bus.h>

#define GV_RECORD_VERSION   1u
#define GV_RECORD_MAX_BYTES (1u << 20)        /* data of one record; larger copies are several */
#define GV_RECORD_LIMIT     (256ull * GV_MIB) /* of a file, unless another one is asked */

/* ---- what is in a file ---------------------------------------------------- */

enum gv_record_type {
	GV_RECORD_OPEN = 1,   /* the first: data is the bus's name */
	GV_RECORD_READ,       /* region, off; data when rc is 0 */
	GV_RECORD_WRITE,      /* region, off, data */
	GV_RECORD_DOORBELL,   /* off, data */
	GV_RECORD_BYTES,      /* size of region: data (uint64_t) when rc is 0 */
	GV_RECORD_IRQ_ENABLE, /* off: vector */
	GV_RECORD_IRQ,        /* off: vector */
	GV_RECORD_DMA_ALLOC,  /* off: IOVA, data: bytes (uint64_t) */
	GV_RECORD_DMA_FREE,   /* off: IOVA */
	GV_RECORD_DMA_OUT,    /* off: IOVA, data: what the driver has written there */
	GV_RECORD_DMA_IN,     /* off: IOVA, data: what the device has written there */
	GV_RECORD_RESET,
	GV_RECORD_VFS,    /* off: how many were enabled by the bus's own way */
	GV_RECORD_STATUS, /* rc: from now on the device is lost */
	GV_RECORD_TIME,   /* off: what gv_now_ns() said */
	GV_RECORD_CHANCE, /* off: a number of gv_random64() */
	GV_RECORD_NOTE,   /* data: what the driver's owner was told to do (gv_record_note()) */
	GV_RECORD_FULL,   /* the file has reached its limit */
	GV_RECORD_CLOSE,
	GV_RECORD_TYPES,
};
/** "read", "write", "doorbell", ...; "unknown" for what is none. */
const char *gv_record_type_name(unsigned type);

struct gv_record {
	uint8_t type, region;
	int16_t rc;       /* what the call gave: 0 or a negative errno */
	uint32_t bytes;   /* of the access; data follows unless a read has failed */
	uint64_t time_ns; /* CLOCK_MONOTONIC when the access began */
	uint64_t off;
};

/* ---- reading a file ------------------------------------------------------- */

struct gv_record_file;
struct gv_play_rules;

/** Open @path and check its beginning. -EINVAL: no record, or of another version (the text says
 *  which); or what opening gave. */
int gv_record_open(const char *path, struct gv_record_file **file, struct gv_err *err);
/** The same from @bytes at @data, borrowed until gv_record_close(). */
int gv_record_open_mem(const void *data, size_t bytes, struct gv_record_file **file,
                       struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_record_file *gv_record_close(struct gv_record_file *file);
/** The next record and its data (NULL: none), which live until the next call. *@number counts
 *  from 0. 0; -ENODATA: that was the last one; -EBADMSG: what follows is torn or was changed:
 *  where, the text says. */
int gv_record_next(struct gv_record_file *file, struct gv_record *record, const void **data,
                   uint64_t *number, struct gv_err *err);

/** "write MM_INDEX: 0x80000000": of @record and its @data (may be NULL); @rules (may be NULL) know
 *  names of registers. */
void gv_record_text(const struct gv_record *record, const void *data,
                    const struct gv_play_rules *rules, char *text, size_t bytes);

/* ---- recording ------------------------------------------------------------ */

/**
 * Wrap @inner so that all that is done is written to @path (made anew, mode 0600), up to @limit
 * bytes (0: GV_RECORD_LIMIT); beyond, a warning goes to @log and the driver runs on unrecorded.
 * The wrapper owns @inner from now on, also on error. Errors of opening; -EAGAIN: no thread.
 */
int gv_record_bus(struct gv_bus *inner, const char *path, uint64_t limit, const struct gv_log *log,
                  struct gv_bus **bus, struct gv_err *err);

/** Note what the owner of the driver was told to do by somebody, before it is done: a replay tells
 *  it again (gv_replay_note()). Nothing when @bus is no recorder. At most GV_RECORD_MAX_BYTES.
 *  "" notes nothing, but the time that counts is this thread's from now on. */
void gv_record_note(struct gv_bus *bus, const char *text);

/* ---- replay against a driver ---------------------------------------------- */

/**
 * A bus that answers from the record at @path; gv_bus_open("replay:PATH") is the same. What the
 * driver does must be what was recorded, in the same order; the first difference is logged to
 * @log, and from then on the device is lost (-EPROTO). After the last record it is lost, too
 * (-ENODATA). Interrupts come as soon as the access before them was made.
 */
int gv_replay_bus(const char *path, const struct gv_log *log, struct gv_bus **bus,
                  struct gv_err *err);

/** What was noted at this place: caller frees. NULL: nothing is to be done now, or @bus is no
 *  replay. */
char *gv_replay_note(struct gv_bus *bus);

/* ---- replay against a function --------------------------------------------- */

#define GV_PLAY_MAX 17u /* functions at once: a PF and its VFs */

/* What the one who plays knows of the hardware. Members may be NULL. */
struct gv_play_rules {
	void *arg;
	uint64_t late_ns; /* nobody gets any further for so long: a difference; 0: 10 s */
	/* Bits of 32-bit register @byte that may differ. */
	uint32_t (*ignored)(void *arg, uint32_t byte);
	/* @function has written a register: for those who must know where a ring is. */
	void (*wrote)(void *arg, unsigned function, uint32_t byte, uint32_t val);
	/* Before a comparison of memory that the device has written at @iova: make bytes that
	 * may differ the same in both. */
	void (*mask)(void *arg, unsigned function, uint64_t iova, uint8_t *recorded, uint8_t *came,
	             size_t bytes);
	/* Name of register @byte for messages. */
	void (*name)(void *arg, uint32_t byte, char *buf, size_t bytes);
};

struct gv_play_function {
	const char *path; /* of the record */
	/* Where to play it: opened when its first record is due, closed when its last was. */
	int (*open)(void *arg, struct gv_bus **bus, struct gv_err *err);
	void *arg;
};

struct gv_play_stats {
	uint64_t records, reads, compared_bytes, writes, doorbells, interrupts, dma_bytes;
	uint64_t polls;   /* reads of a poll whose intermediate values were not compared */
	uint64_t ignored; /* reads that differed in bits that may differ */
};

/**
 * Do to functions what was recorded, merged by time, and compare what they answer. The order in
 * one record is kept; a read that shows something else is tried again, and after a while the
 * other functions go on meanwhile: who waits for whom is not in the record. Of several reads of
 * one register in a row (a poll) only the last one counts.
 *
 * 0: everything was as recorded. -EILSEQ: the text names the first difference: file, number of
 * the record, what was expected and what came. -EBADMSG: a file is torn there (all before it was
 * as recorded). Else what opening gave. Blocks: as long as the record, and late_ns for a
 * difference.
 */
int gv_record_play(const struct gv_play_function *functions, unsigned count,
                   const struct gv_play_rules *rules, struct gv_play_stats *stats,
                   struct gv_err *err);

#endif
