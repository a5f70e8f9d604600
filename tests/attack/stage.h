/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage of every attack: a GPU process, the daemon, a victim on VF0 whose data must stay
 * what it is, and an attacker on VF1. */
#ifndef GV_ATTACK_STAGE_H
#define GV_ATTACK_STAGE_H

#include <gv/vf_guest.h>

#include "procs.h"

struct actor {
	unsigned vf;
	struct gv_bus *bus;
	struct gv_guest *guest;
	struct gv_guest_info info;
};

struct stage {
	struct gv_procs procs;
	struct actor victim, attacker;
	struct gv_guest_buf *treasure; /* the victim's, in VRAM */
	uint8_t *copy;                 /* what it holds */
	struct gv_err err;
};

#define TREASURE_BYTES (8u << 20)

/** Start everything; exits the program with the reason when that fails. */
void stage_open(struct stage *s);
void stage_close(struct stage *s);

/** A fresh connection and bring-up of the attacker's VF; the last one may be in any state. */
int stage_new_attacker(struct stage *s);

/** The victim's data are unchanged and its SDMA and compute queues still work. */
bool stage_victim_is_well(struct stage *s);

/** A counter of the actor's VF from the GPU's statistics. */
uint64_t stage_counter(const struct stage *s, const struct actor *who, const char *name);

#endif
