/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ground that every part stands on: errors, logging, cleanup, time, order of
 * DMA. How a PCI function is reached is in <gv/bus.h>.
 */
#ifndef GV_BASE_H
#define GV_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GV_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define GV_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define GV_MAX(a, b)    ((a) > (b) ? (a) : (b))

#define GV_KIB (1ull << 10)
#define GV_MIB (1ull << 20)
#define GV_GIB (1ull << 30)

/* ---- errors -------------------------------------------------------------
 * Every function that can fail returns 0 or a negative errno; results go out
 * through the last pointers and are written only on success. Functions whose
 * failure an administrator will read take a struct gv_err * last; NULL is
 * allowed. It is caller-owned, fixed size, and never needs freeing.
 */
struct gv_err {
	int code;       /* negative errno, 0 when unset */
	char text[400]; /* one sentence, no newline */
};

/** Record why something failed. Returns @code, so `return gv_fail(...)`. */
int gv_fail(struct gv_err *err, int code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/** Put "@prefix: " before the text already there. Returns err->code (-EINVAL when @err is NULL). */
int gv_fail_prefix(struct gv_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- cleanup ------------------------------------------------------------ */
#define GV_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void gv_freep(void *p)
{
	free(*(void **)p);
}

static inline void gv_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* never retried: the fd is gone even on EINTR */
	*fd = -1;
}

#define gv_auto_free GV_CLEANUP(gv_freep)
#define gv_auto_fd   GV_CLEANUP(gv_closep)

/** Hand an owned pointer on: yields it and leaves NULL behind. */
#define GV_TAKE(p)                                                                                 \
	({                                                                                         \
		__typeof__(p) gv_taken_ = (p);                                                     \
		(p) = NULL;                                                                        \
		gv_taken_;                                                                         \
	})

/** Hand an owned descriptor on: yields it and leaves -1 behind. */
static inline int gv_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* ---- logging ------------------------------------------------------------
 * A line starts with who speaks ("0000:03:00.0 PF", "VF2"). Levels: err =
 * someone must act; warn = we go on and the text says so; info = once per
 * life event; debug = anything. The sink belongs to the context that owns
 * the struct and must outlive its users. A NULL log is silent.
 */
enum gv_log_level { GV_LOG_ERR, GV_LOG_WARN, GV_LOG_INFO, GV_LOG_DEBUG };

struct gv_log {
	void (*sink)(void *arg, enum gv_log_level level, const char *line);
	void *arg;
	enum gv_log_level max;
	const char *who;
};

void gv_logf(const struct gv_log *log, enum gv_log_level level, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/** A sink that writes "LEVEL who: text" lines to stderr; @arg is unused. */
void gv_log_stderr(void *arg, enum gv_log_level level, const char *line);

/** "error", "warn", "info" or "debug" to a level. -EINVAL for anything else. */
int gv_log_parse_level(const char *name, enum gv_log_level *level);

/* ---- memory --------------------------------------------------------------- */

/** Are all @bytes at @data 0? At least one is wanted. */
static inline bool gv_is_zero(const void *data, size_t bytes)
{
	const uint8_t *p = data;

	return !p[0] && !memcmp(p, p + 1, bytes - 1);
}

/* ---- time and waiting --------------------------------------------------- */
#define GV_US 1000ull       /* nanoseconds in a microsecond */
#define GV_MS 1000000ull    /* nanoseconds in a millisecond */
#define GV_S  1000000000ull /* nanoseconds in a second */

/** CLOCK_MONOTONIC in nanoseconds; in a replay (gv/record.h) what it was then. */
uint64_t gv_now_ns(void);

/** Let others run while polling: yields for the first spins, then sleeps up to 1 ms.
 *  @spins counts the calls of one wait; start it at 0. */
void gv_poll_pause(unsigned *spins);

/** The calling thread does little at a time and is waited for: on a busy host it is run as soon as
 * it wakes, in place of one that computes, and gives way sooner, too. That takes no right and no
 * share from anybody: EEVDF's short slice, which Linux before 6.12 ignores. Where it may
 * (RLIMIT_NICE), it becomes as urgent as @nice (0: as it is) as well: else who has run just now
 * waits for its turn. */
void gv_thread_be_prompt(int nice);
#define GV_NICE_PROMPT (-10)

/* ---- chance --------------------------------------------------------------- */

/** A number that nobody can foresee; in a replay what it was then. Errors of getrandom(). */
int gv_random64(uint64_t *number);

/* ---- checksums ------------------------------------------------------------ */

/** CRC-32 of IEEE 802.3 over @bytes at @data, going on from @crc (0 at the start). */
uint32_t gv_crc32(uint32_t crc, const void *data, size_t bytes);
/** For much data that stays on this machine: CRC-32C (Castagnoli) of the CRCs of four interleaved
 *  parts, as fast as memory is read. */
uint32_t gv_crc32c_wide(const void *data, size_t bytes);

/* ---- DMA order ----------------------------------------------------------
 * Named after why, not after the instruction. Both also stop the compiler.
 * C11 fences are right for x86-64 and uncached doorbells; write-combined
 * memory and other machines need more, here.
 */
/** Before a doorbell: what we wrote to memory is there for the device. */
static inline void gv_dma_to_device(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/** After seeing a fence value: what the device wrote before it is there. */
static inline void gv_dma_from_device(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

#endif
