/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-rig-guest: what a guest does to its VF in the nested rig. Verbs print one line per finding
 * and count those that are not as they must be.
 */
#ifndef GV_RIG_H
#define GV_RIG_H

#include <gv/vf_guest.h>

#include "guest.h"

#define RIG_PAGE    4096u
#define RIG_MARK    0x5a /* what our memory holds before a read that must bring nothing */
#define RIG_VIEWS   2u
#define RIG_CODE_DW 64u /* raw programs are 256-byte aligned pieces */
#define RIG_CHUNK   (1 * GV_MIB)

/* ---- session.c: the VF, findings ------------------------------------------------- */

struct rig {
	const char *uri;
	uint8_t token[16];
	bool has_token;
	const struct gv_log *log;
	uint64_t wait_ns; /* longest wait for one access */
	uint64_t end_ns;  /* attacks begin nothing new after this */
	struct gv_bus *bus;
	struct gv_guest *g;
	struct gv_err err;
	unsigned findings, bad, recoveries;
	uint64_t gart_mc; /* RIG_VIEWS pages of VMID 0, 0: not taken yet */
	struct gv_guest_program *copier;
};

/** Bus and guest up; a manager that bounds how often a VF may come is asked again for a while. */
int rig_open(struct rig *r);
void rig_close(struct rig *r);
/** gv_guest_recover(), with the same patience. */
int rig_recover(struct rig *r);
/** A verb's last word: 0 when something was found and nothing was bad. */
int rig_verdict(const struct rig *r);

/** One line: "ok   TEXT" or "BAD  TEXT". Returns @good. */
bool rig_finding(struct rig *r, bool good, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/** A line that is no finding. */
void rig_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** A finding of r->err: "WHAT: TEXT". Returns false. */
bool rig_trouble(struct rig *r, const char *what);

/** Before an access: what was reported until now is not its doing. */
void rig_forget_faults(struct rig *r);
/** Wait for @seq, but not longer than for the fault that ends it. As gv_guest_wait(); -EIO: fault.
 */
int rig_wait(struct rig *r, struct gv_guest_queue *q, uint64_t seq);
/** A fence of its own comes on a compute and on an SDMA queue, each @within_ns. */
bool rig_alive(struct rig *r, uint64_t within_ns);
/** After an access that faulted: the engine may stand still, so recover when it does. Counts what
 *  was needed in r->recoveries. False: go no further, which was reported. */
bool rig_revive(struct rig *r);

/* ---- access.c: the engines' ways to memory --------------------------------------- */

/* A way to have one engine copy, by addresses of one space. */
struct rig_way {
	const char *name;
	unsigned bytes; /* of one copy */
	bool vmid0;
	bool stops; /* a fault stops its queue, only a reset brings it back: try few places */
	int (*copy)(struct rig *r, uint64_t dst, uint64_t src, unsigned bytes);
};

extern const struct rig_way rig_sdma, rig_sdma0, rig_dma_data, rig_copy_data, rig_shader;

/** Let view @i (below RIG_VIEWS) of both VMID 0 and VMID 1 show the page of @address: a bus address
 *  (@system) or a frame-buffer address. A recovery forgets the views. */
int rig_show(struct rig *r, unsigned i, uint64_t address, bool system);
/** Where view @i is for @way. */
uint64_t rig_view(const struct rig *r, const struct rig_way *way, unsigned i);
/** Forget what was taken for views and shaders; before closing. */
void rig_access_done(struct rig *r);

/** Run @code (RIG_CODE_DW dwords), one group of 64; kernel arguments in the first user SGPRs. */
int rig_launch(struct rig *r, struct gv_guest_program *program, const void *kernarg, uint32_t bytes,
               uint32_t items, uint64_t *seq);
/** The program that copies 64 dwords from its first argument to its second. */
int rig_copier(struct rig *r);

/** All of @p holds @byte. */
bool rig_all(const void *p, size_t bytes, uint8_t byte);

/* ---- secret.c: the frame buffer by its own addresses ------------------------------ */

struct rig_scan {
	struct gv_gmem mem; /* RIG_CHUNK that VMID 0 sees */
};

int rig_scan_open(struct rig *r, struct rig_scan *s);
void rig_scan_close(struct rig *r, struct rig_scan *s);
/** By SDMA: the frame buffer's [off, off + RIG_CHUNK) from and to s->mem. */
int rig_fb_read(struct rig *r, struct rig_scan *s, uint64_t off);
int rig_fb_write(struct rig *r, struct rig_scan *s, uint64_t off);

/* ---- verbs: 0 as expected, 1 not ---------------------------------------------------- */

int rig_dma_outside(struct rig *r, const char *arg);
int rig_fb_outside(struct rig *r, const char *arg);
int rig_fb_provisioned(struct rig *r, const char *arg);
int rig_fill(struct rig *r, const char *arg);
int rig_find(struct rig *r, const char *arg);
int rig_spin(struct rig *r, const char *arg);
int rig_work(struct rig *r, const char *arg);
int rig_irq(struct rig *r, const char *arg);

/** Decimal seconds, 1..86400; hexadecimal 64-bit pattern. -EINVAL. */
int rig_parse_seconds(const char *text, uint64_t *seconds);
int rig_parse_pattern(const char *text, uint64_t *pattern);

#endif
