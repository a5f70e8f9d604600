/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a hostile VF is let loose: a GPU, its PF manager and two victims in one process. VF0 and
 * VF2 are the victims, one on either side of VF1, the attacker, in VRAM.
 *
 * The attacker has what a guest has at most, exclusive access: all its gates are open. Its tools
 * are forge.h. After each attempt arena_expect() looks at everything that is not the attacker's:
 *
 *	victims   all of their frame buffers, all registers that they can read, their counters,
 *	          whether their queues still work
 *	PF        its window (tables, context save areas), its registers
 *	blame     counters, fault registers, interrupt ring and events of the PF manager name the
 *	          attacker, and nobody else
 */
#ifndef GV_ATTACK_ARENA_H
#define GV_ATTACK_ARENA_H

#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/packets.h>
#include <gv/pf_driver.h>
#include <gv/vf_guest.h>

#include "ut.h"

#define ARENA_VFS      3u
#define ATTACKER       1u /* VF number */
#define ARENA_FB       (64 * GV_MIB)
#define ARENA_APERTURE (128 * GV_MIB) /* BAR0: larger than the frame buffer */
#define ARENA_PATIENCE arena_patience()

/** Device address of a VF's frame buffer. */
#define ARENA_DEVICE(vf) ((1ull + (vf)) * 64 * GV_MIB)

/* Which traces an attempt leaves. */
enum {
	NAMED_ERROR = 1,  /* guest_errors of the attacker, GVX_VF1_ERRORS */
	NAMED_FAULT = 2,  /* vm_faults, GVX_VF1_FAULTS, and its own fault interrupt */
	NAMED_L2 = 4,     /* GVX_VF1_L2_FAULT_*, and an event of the PF manager */
	NAMED_UNKNOWN = 8 /* unimplemented of the attacker: no such register */
};

/** How long a case waits for what must come: 20 s, or 6 s with GV_ATTACK_STOP. */
uint64_t arena_patience(void);

/** As UT_MAIN, with everything started; exits with the reason when that fails. */
int arena_main(int argc, char **argv, const char *suite, const struct ut_case *cases, int count);
#define ARENA_MAIN(suite, ...)                                                                     \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const struct ut_case cases_[] = {__VA_ARGS__};                              \
		return arena_main(argc, argv, suite, cases_, (int)GV_ARRAY_LEN(cases_));           \
	}

/** A fresh attacker with open gates; what happens from here on is what arena_expect() judges. */
void arena_begin(void);
/** Judge, and begin anew for what the case does next. @named: which traces there must be, 0: the
 *  hardware cannot know, or it was no offence. */
void arena_expect(unsigned named);

/** The attacker's bus, the PF's, a victim's guest. */
struct gv_bus *arena_bus(void);
struct gv_bus *arena_pf_bus(void);
struct gv_dev *arena_dev(void);
struct gv_bus *arena_victim_bus(unsigned vf);
struct gv_guest *arena_victim(unsigned vf);
/** The PF manager, which stands still until arena_pf_put(). */
struct gv_pf *arena_pf_get(void);
void arena_pf_put(void);
/** Open (or shut) a gate of the attacker: GVX_VF_*_EN__BYTE, RLC_GPM_GENERAL_14__BYTE. */
void arena_gate(uint32_t byte, bool open);
void arena_open_gates(void);
/** What the PF manager thinks of a VF. */
enum gv_mbox_state arena_session(unsigned vf);
/** It takes the attacker for gone and cleans up after it; arena_begin() does this, too. */
void arena_end_session(void);
/** Counters of a VF. */
struct gv_dev_stats arena_stats(unsigned vf);
/** Is there an event about @vf, of @kind, since arena_begin()? Waits for it. */
bool arena_saw(enum gv_pf_event_kind kind, unsigned vf, const char *text);

/** Patience is over. With GV_ATTACK_STOP in the environment (scripts/mutate) the program ends here,
 *  and at the first failure. */
void arena_late(void);
/** Wait until @cond; false after ARENA_PATIENCE. */
#define ARENA_UNTIL(cond)                                                                          \
	({                                                                                         \
		uint64_t until_end_ = gv_now_ns() + ARENA_PATIENCE;                                \
		unsigned until_spins_ = 0;                                                         \
		bool until_late_ = false, until_ok_;                                               \
		while (!(until_ok_ = (cond)) && !until_late_) {                                    \
			until_late_ = gv_now_ns() > until_end_;                                    \
			if (until_late_)                                                           \
				arena_late();                                                      \
			gv_poll_pause(&until_spins_);                                              \
		}                                                                                  \
		until_ok_;                                                                         \
	})

#endif
