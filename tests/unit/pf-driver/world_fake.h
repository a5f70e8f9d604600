/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU for the world switch alone: its commands end late, never, wrongly, or are not known. */
#ifndef PF_WORLD_FAKE_H
#define PF_WORLD_FAKE_H

#include <stdio.h>
#include <string.h>

#include "pf.h"
#include "ut.h"

#define WAIT_NS (20 * GV_S) /* for what must come; ends early */

/* A GPU of which only the scheduler is there. */
struct fake {
	struct gv_bus bus;
	struct gv_pf pf;
	uint32_t cmd, status, error, busy, stall;
	bool unsupported, abort;
	unsigned late, left; /* looks until a command has ended */
	enum gv_world_state at[SCHED_MAX_VFS];
	bool saved[SCHED_MAX_VFS];
	unsigned count[16], commands, wrong; /* wrong: not from that state */
	unsigned events;
	char last_event[240];
};

static inline struct fake *of(struct gv_bus *bus)
{
	return (struct fake *)bus;
}

static inline unsigned field_vf(uint32_t fcn)
{
	return fcn & 15u;
}

static inline bool move(struct fake *f, unsigned vf, enum gv_world_state from,
                        enum gv_world_state also_from, enum gv_world_state to)
{
	if (f->at[vf] != from && f->at[vf] != also_from)
		return false;
	f->at[vf] = to;
	return true;
}

static inline bool act(struct fake *f, unsigned cmd, unsigned vf, unsigned next)
{
	switch (cmd) {
	case GV_GIOV_IDLE:
		return move(f, vf, GV_WORLD_RUNNING, GV_WORLD_FREE, GV_WORLD_IDLE);
	case GV_GIOV_SAVE:
		f->saved[vf] = f->at[vf] == GV_WORLD_IDLE;
		return move(f, vf, GV_WORLD_IDLE, GV_WORLD_IDLE, GV_WORLD_OUT);
	case GV_GIOV_LOAD:
		return f->saved[vf] && move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_READY);
	case GV_GIOV_INIT:
		return move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_READY);
	case GV_GIOV_SHUTDOWN:
		f->saved[vf] = false;
		return move(f, vf, GV_WORLD_OUT, GV_WORLD_OUT, GV_WORLD_OUT);
	case GV_GIOV_RUN:
		f->saved[vf] = false;
		return move(f, vf, GV_WORLD_READY, GV_WORLD_READY, GV_WORLD_RUNNING);
	case GV_GIOV_CONTEXT_SWITCH:
		return act(f, GV_GIOV_IDLE, vf, 0) && act(f, GV_GIOV_SAVE, vf, 0) &&
		       act(f, f->saved[next] ? GV_GIOV_LOAD : GV_GIOV_INIT, next, 0) &&
		       act(f, GV_GIOV_RUN, next, 0);
	default:
		return false;
	}
}

static inline bool stalled(const struct fake *f, unsigned cmd, unsigned vf)
{
	return (cmd == GV_GIOV_IDLE || cmd == GV_GIOV_CONTEXT_SWITCH) && (f->stall >> vf & 1);
}

/* The command ends when it has been looked at often enough. */
static inline void progress(struct fake *f)
{
	unsigned cmd = GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);
	unsigned vf = field_vf(GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, FCN_ID));
	unsigned next = field_vf(GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID));
	bool good;

	if (!GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE) || stalled(f, cmd, vf) || f->left--)
		return;
	f->cmd &= ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1);
	good = !f->abort && act(f, cmd, vf, next);
	f->wrong += !f->abort && !good;
	f->status = good ? GV_GIOV_DONE : GV_GIOV_ABORTED;
	f->error = GV_PUT(GVX_WORLD_ERROR, WHY, GV_WORLD_BAD_IMAGE);
}

static inline uint32_t read32(struct gv_bus *bus, uint32_t byte)
{
	struct fake *f = of(bus);
	uint32_t vf = (byte - GVX_VF0_WORLD__BYTE) / 4;

	if (byte == RLC_GPU_IOV_CFG_REG1__BYTE)
		progress(f);
	if (byte == RLC_GPU_IOV_CFG_REG1__BYTE)
		return f->cmd;
	if (byte == RLC_GPU_IOV_CFG_REG2__BYTE)
		return f->status;
	if (byte == RLC_GPU_IOV_VM_BUSY_STATUS__BYTE)
		return f->busy;
	if (byte == GVX_WORLD_ERROR__BYTE)
		return f->error;
	if (byte >= GVX_VF0_WORLD__BYTE && vf < SCHED_MAX_VFS)
		return GV_PUT(GVX_VF0_WORLD, STATE, f->at[vf]) |
		       GV_PUT(GVX_VF0_WORLD, SAVED, f->saved[vf]);
	return 0;
}

static inline void write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	struct fake *f = of(bus);

	if (byte != RLC_GPU_IOV_CFG_REG1__BYTE)
		return;
	CU_ASSERT(!GV_GET(f->cmd, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE)); /* one at a time */
	CU_ASSERT(GV_GET(val, RLC_GPU_IOV_CFG_REG1, FCN_ID) & 0x80);
	f->cmd = val;
	f->left = f->late;
	f->commands++;
	f->count[GV_GET(val, RLC_GPU_IOV_CFG_REG1, CMD_TYPE)]++;
	if (!f->unsupported)
		return;
	f->cmd &= ~GV_PUT(RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 1);
	f->status = GV_GIOV_UNSUPPORTED;
}

static inline int read_region(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf,
                              size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	memset(buf, 0, n);
	return 0;
}

static inline int write_region(struct gv_bus *bus, enum gv_region region, uint64_t off,
                               const void *buf, size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	(void)buf;
	(void)n;
	return 0;
}

static inline int status(struct gv_bus *bus)
{
	(void)bus;
	return 0;
}

static inline void on_event(void *arg, const struct gv_pf_event *e)
{
	struct fake *f = arg;

	f->events++;
	(void)snprintf(f->last_event, sizeof(f->last_event), "%s", e->text);
}

/* @vfs of them, all with a guest that is done initialising, and with work. */
static inline struct fake *up(enum gv_cfg_sched policy, unsigned vfs)
{
	static const struct gv_bus_ops ops = {.read32 = read32,
	                                      .write32 = write32,
	                                      .read = read_region,
	                                      .write = write_region,
	                                      .status = status};
	struct gv_pf_caps caps = gv_pf_caps_default(0, 0);
	struct gv_cfg cfg = {.num_vfs = vfs, .policy = policy, .preempt_timeout_ms = 30};
	struct fake *f = calloc(1, sizeof(*f));

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	f->bus.ops = &ops;
	f->pf.bus = &f->bus;
	f->pf.cfg.event = on_event;
	f->pf.cfg.arg = f;
	pf_trace_init(&f->pf.trace);
	for (unsigned i = 0; i < vfs; i++)
		cfg.vfs[i].quantum_ms = cfg.vfs[i].weight = 1;
	CU_ASSERT_EQUAL_FATAL(gv_pf_plan(&caps, &cfg, &f->pf.plan, NULL), 0);
	CU_ASSERT_EQUAL(gv_mbox_pf_init(&f->pf.mbox, vfs, NULL), 0);
	for (unsigned i = 0; i < vfs; i++)
		f->pf.mbox.vf[i].state = GV_MBOX_ACTIVE;
	f->busy = (1u << vfs) - 1;
	f->pf.has_plan = f->pf.booted = true;
	pf_world_start(&f->pf);
	return f;
}

static inline void down(struct fake *f)
{
	CU_ASSERT_EQUAL(f->wrong, 0);
	pf_world_stop(&f->pf);
	pf_trace_done(&f->pf.trace);
	free(f);
}

static inline unsigned running(const struct fake *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->pf.plan.num_vfs; i++)
		n += f->at[i] == GV_WORLD_RUNNING;
	return n;
}

static inline void step(struct fake *f)
{
	uint64_t next = pf_world_step(&f->pf, gv_now_ns()), now = gv_now_ns();

	CU_ASSERT(!pf_world_alone(&f->pf) || running(f) <= 1);
	if (next > now + 200 * GV_US)
		gv_poll_pause(&(unsigned){0});
}

#define UNTIL(f, condition)                                                                        \
	do {                                                                                       \
		uint64_t end_ = gv_now_ns() + WAIT_NS;                                             \
		while (!(condition) && gv_now_ns() < end_)                                         \
			step(f);                                                                   \
		CU_ASSERT(condition);                                                              \
	} while (0)

static inline uint64_t slices(const struct fake *f, unsigned vf)
{
	return f->pf.world.sched.vf[vf].slices;
}

#endif
