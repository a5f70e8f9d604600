/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PF on the in-process device, through a bus that can be told to lie, and a guest that does what
 * a script says. */
#ifndef PF_RIG_H
#define PF_RIG_H

#include <gv/device_model.h>
#include <gv/hw_spec.h>
#include <gv/layouts.h>
#include <gv/pf_driver.h>

#include "ut.h"

#define RIG_MAX_EVENTS 256

struct rig_bus {
	struct gv_bus bus;
	struct gv_bus *real;
	uint32_t flip;       /* once written, this register reads back inverted; 0 none */
	bool armed;          /* it was written */
	uint32_t ones;       /* reads of this register come back ~0 */
	uint32_t drop;       /* writes of this register get lost */
	uint64_t vram_spoil; /* reads of VRAM at this device address come back changed; 0 none */
	bool drop_doorbells, fail_dma, fail_irq, fail_enable;
	unsigned writes; /* registers and VRAM */
	unsigned die_at; /* in place of that write: nothing has an effect any more; 0 never */
	bool dead;
	void (*died)(void *arg);
	void *died_arg;
	unsigned dma;   /* allocated now */
	void *last_dma; /* the interrupt ring's write-back page: it is allocated last */
};

struct rig {
	struct gv_dev *dev;
	struct rig_bus lying;
	struct gv_pf *pf;
	unsigned num_events;
	struct gv_pf_event event[RIG_MAX_EVENTS];
	struct gv_err err;
};

/** 256 MiB of VRAM, 4 VFs. Fatal when it cannot be made. */
void rig_up(struct rig *r, const struct gv_mbox_pf_cfg *mailbox);
/** The same with any configuration but for its events, which go to the rig. */
void rig_up_with(struct rig *r, const struct gv_pf_cfg *cfg);
void rig_down(struct rig *r);
/** A plan with @num_vfs of @fb_mib each (0: automatic). */
struct gv_pf_plan rig_plan(struct rig *r, uint32_t num_vfs, uint32_t fb_mib);
void rig_boot_and_apply(struct rig *r, uint32_t num_vfs, uint32_t fb_mib);
/** Is there an event of @kind about @vf whose text contains @text? */
bool rig_saw(const struct rig *r, enum gv_pf_event_kind kind, int vf, const char *text);
enum gv_mbox_state rig_state(struct rig *r, unsigned vf);
/** Serve for @ms, or until @vf is in @state. */
void rig_serve(struct rig *r, unsigned ms);
bool rig_serve_until(struct rig *r, unsigned vf, enum gv_mbox_state state, unsigned ms);

/** Write @val where the device writes its interrupt write pointer. -ENOENT: not known yet. */
int rig_spoil_wptr(struct rig *r, uint32_t val);

/* A guest's end. */
struct gv_bus *rig_vf(struct rig *r, unsigned vf);
/** Send @code; true when it was ACKed. */
bool rig_send(struct rig *r, struct gv_bus *vf, uint32_t code);
/** Wait until RCV_DW0 is @code. */
bool rig_hear(struct rig *r, struct gv_bus *vf, uint32_t code, unsigned ms);
/** Whole handshake up to release. */
void rig_init_guest(struct rig *r, struct gv_bus *vf);

#endif
