/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tools of the attacker: its own engines, programmed by hand. Every queue, ring, table and packet
 * is whatever the case wants it to be; nothing here checks anything.
 *
 * What lies where in the attacker's frame buffer (VMID 0 addresses are the same):
 */
#ifndef GV_ATTACK_FORGE_H
#define GV_ATTACK_FORGE_H

#include <gv/base.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/packets.h>

#define FORGE_RING      0x0200000ull
#define FORGE_WPTR      0x0208000ull
#define FORGE_RPTR      0x0208010ull
#define FORGE_FENCE     0x0208020ull
#define FORGE_SDMA_RING 0x0210000ull
#define FORGE_SDMA_RPTR 0x0218000ull
#define FORGE_IH        0x0220000ull
#define FORGE_IH_BYTES  0x4000u
#define FORGE_MQD       0x0230000ull
#define FORGE_TABLE     0x0240000ull
#define FORGE_IB        0x0270000ull
#define FORGE_CODE      0x0280000ull
#define FORGE_OWN       0x0300000ull /* filled with FORGE_UNTOUCHED, ... */
#define FORGE_OWN_BYTES 0x0010000u
#define FORGE_ARGS      0x0320000ull /* a case's own, up to 4 MiB */
#define FORGE_EVIL      0x0800000ull /* virtual: what forge_space() puts there */
#define FORGE_UNTOUCHED 0x5a5a5a5au
#define FORGE_JUNK      0x6b6e756au /* what the attacker writes */

#define LO(x) ((uint32_t)(x))
#define HI(x) ((uint32_t)((uint64_t)(x) >> 32))

/* Frame-buffer addresses that are not the attacker's: just behind it (which is where VF0 lies on
 * the device), in the middle of its neighbours, the device address of its own memory's end, what
 * no GPU has. */
extern const uint64_t forge_outside[];
extern const size_t forge_num_outside;
/** One after the other: none may be reached. */
#define FOR_EACH_OUTSIDE(at)                                                                       \
	for (size_t each_ = 0; each_ < forge_num_outside; each_++)                                 \
		for (uint64_t at = forge_outside[each_], once_ = 1; once_; once_ = 0)

/** After a reset of the attacker: interrupt ring, page table contexts off, FORGE_OWN filled. */
void forge_begin(void);
/** Until its engines do nothing any more. */
void forge_settle(void);

void forge_put(uint64_t fb, const void *buf, size_t n);
void forge_get(uint64_t fb, void *buf, size_t n);
void forge_put32(uint64_t fb, uint32_t val);
void forge_put64(uint64_t fb, uint64_t val);
uint32_t forge_get32(uint64_t fb);
/** FORGE_OWN holds what it held: nothing was read into it. */
bool forge_own_is_untouched(void);
/** @reg: a BAR5 byte offset. */
void forge_wr(uint32_t byte, uint32_t val);
uint32_t forge_rd(uint32_t byte);

/** A page fault stands in the attacker's interrupt ring. */
bool forge_fault_reported(void);
/** An entry of @client and @src does; *@iv gets the last. */
bool forge_interrupt(unsigned client, unsigned src, struct gv_ih_iv *iv);

/* ---- command processor ------------------------------------------------------ */

struct forge_hqd {
	uint64_t ring, rptr_report, wptr_poll, eop, mqd;
	uint64_t ctx_save;
	uint32_t ctx_bytes, persistent, wg_state_offset;
	uint32_t vmid;
	uint32_t aql; /* CP_HQD_AQL_CONTROL */
};
struct forge_hqd forge_hqd(void);
/** Put the queue up with @h (it may run management packets, too), run @n dwords and a fence; true
 *  when the fence was reached, false when the queue halted. */
bool forge_cp_on(const struct forge_hqd *h, const uint32_t *dw, size_t n);
/** Only put it up, and ring its doorbell. */
void forge_cp_start(const struct forge_hqd *h, uint64_t wptr);
uint32_t forge_cp_error(void);
void forge_cp_stop(void);
/** Append @n dwords to what forge_cp_start() runs; no waiting. */
void forge_cp_more(const uint32_t *dw, size_t n);
bool forge_cp_reached(uint32_t fence);

#define FORGE_COUNT(...) (sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define FORGE_CP(...)    forge_cp_on(NULL, (const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))

/* ---- SDMA -------------------------------------------------------------------- */

struct forge_rb {
	uint64_t ring, rptr_report, wptr_poll; /* 0: off */
	uint32_t vmid;
};
struct forge_rb forge_rb(void);
/** As forge_cp_on(), with the driver's ring of engine 0. */
bool forge_sdma_on(const struct forge_rb *r, const uint32_t *dw, size_t n);
#define FORGE_SDMA(...)                                                                            \
	forge_sdma_on(NULL, (const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))
/** The same in an IB of @vmid. */
bool forge_cp_ib(unsigned vmid, const uint32_t *dw, size_t n);
bool forge_sdma_ib(unsigned vmid, const uint32_t *dw, size_t n);
/** The two halves: run @n dwords at FORGE_IB; wait. */
void forge_sdma_start_ib(unsigned vmid, size_t n);
bool forge_sdma_wait(void);
#define FORGE_CP_IB(vmid, ...)                                                                     \
	forge_cp_ib(vmid, (const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))
#define FORGE_SDMA_IB(vmid, ...)                                                                   \
	forge_sdma_ib(vmid, (const uint32_t[]){__VA_ARGS__}, FORGE_COUNT(__VA_ARGS__))

/* ---- page tables ---------------------------------------------------------------- */

/** Both hubs' context of @vmid: @depth, root @base (with flags), addresses [0, @bytes). */
void forge_context(unsigned vmid, unsigned depth, uint64_t base, uint64_t bytes);
/** A flat table for VMID @vmid: the attacker's own memory up to FORGE_EVIL as it is, then the
 *  pages @pte. */
void forge_space(unsigned vmid, const uint64_t *pte, size_t n);
void forge_invalidate(void);
#define FORGE_PTE                                                                                  \
	(GV_PTE_VALID | GV_PTE_READABLE | GV_PTE_WRITEABLE | GV_PTE_EXECUTABLE | GV_PTE_SNOOPED)

/* ---- shaders ---------------------------------------------------------------------- */

struct forge_shader {
	const uint32_t *code;
	size_t n;
	uint64_t pgm;     /* 0: @code, at FORGE_CODE */
	uint32_t user[8]; /* s0 to s7 */
	uint32_t vgprs, lds_bytes;
	uint32_t vmid, items;
};
/** Run it on one wave (or @items of them); as forge_cp_on(). */
bool forge_run(const struct forge_shader *s);
/** Start a shader that does not end, with @at in s[2:3]. */
void forge_start_endless(const uint32_t *code, size_t n, uint64_t at);

#endif
