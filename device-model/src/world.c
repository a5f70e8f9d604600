/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * World switch: takes engines from a VF and gives them back, as the PF commands (GPUIOV, GFX
 * scheduler block).
 *
 *	              IDLE             SAVE            LOAD, INIT          RUN
 *	free, running ----> idle --------------> out -------------> ready ----> running
 *	                     |                    ^                               ^
 *	                     +------- RUN --------|-------------------------------+
 *	 free --- INIT ---> ready                 +-- reset of a VF that is not free
 *
 * Each VF has engines of its own here, so any number runs side by side; a VF that no command ever
 * stopped is free. Commands run on a thread of the device, under life_lock: a reset never meets a
 * command halfway, except one that GVX_STALL makes wait. What is saved is in world_image.c.
 */
#include <string.h>

#include "world.h"

#define STALLED GV_WORLD_ERRORS /* no error: the command waits */
/* Of a thread that gave a command, with engines that are to stop. */
#define PATIENCE_NS (40 * GV_US)

static struct gv_fn *pf_of(const struct gv_world *w)
{
	return &w->dev->fn[GV_DEV_PF];
}

/* ---- what the PF sees ---------------------------------------------------- */

static void show_active(struct gv_fn *f, enum gv_giov_fcn_status status)
{
	gv_reg_put(f, GV_REG_RLC_GPU_IOV_ACTIVE_FCN_ID, 0,
	           GV_PUT(GIOV_GFXSCH_DW5, VF_ID, gv_fn_vf(f)) |
	                   GV_PUT(GIOV_GFXSCH_DW5, FCN_STATUS, status) |
	                   GV_PUT(GIOV_GFXSCH_DW5, PF_VF, 1));
}

static void show_sdma(struct gv_fn *f, uint32_t status)
{
	gv_reg_put(f, GV_REG_RLC_GPU_IOV_SDMA0_STATUS, 0, status);
	gv_reg_put(f, GV_REG_RLC_GPU_IOV_SDMA1_STATUS, 0, status);
}

static void set_state(struct gv_fn *f, enum gv_world_state state)
{
	struct gv_world_vf *v = gv_world_of(f);
	bool runs = state == GV_WORLD_RUNNING || state == GV_WORLD_FREE;

	v->state = state;
	gv_reg_put(f, GV_REG_GVX_VF0_WORLD, gv_fn_vf(f),
	           GV_PUT(GVX_VF0_WORLD, STATE, state) | GV_PUT(GVX_VF0_WORLD, SAVED, v->saved) |
	                   GV_PUT(GVX_VF0_WORLD, SAVED_KIB,
	                          v->saved ? (v->saved_bytes + GV_KIB - 1) / GV_KIB : 0));
	show_active(f, runs ? GV_GIOV_FCN_ACTIVE : GV_GIOV_FCN_IDLE);
}

/* Under dev->lock. @more: the command itself asked for its interrupt. True: tell() is wanted. */
static bool raise(struct gv_world *w, uint32_t bits, bool more)
{
	w->intr_status |= bits;
	return (bits & w->intr_enable) || more;
}

/* Not left to a worker: who gave a command waits for it. */
static void tell(struct gv_world *w, uint32_t bits)
{
	struct gv_ih_iv iv = gv_ih_iv(GV_IH_CLIENT_BIF, GV_IH_SRC_BIF_GPUIOV, 0, 0, GV_HUB_GC);

	iv.dw[4] = bits;
	gv_ih_add(pf_of(w), &iv);
	gv_fn_mem_enter(pf_of(w));
	gv_ih_drain(pf_of(w));
	gv_fn_mem_leave(pf_of(w));
}

uint32_t gv_world_intr_enable(struct gv_dev *dev)
{
	return dev->world->intr_enable;
}

uint32_t gv_world_intr_status(struct gv_dev *dev)
{
	return dev->world->intr_status;
}

void gv_world_set_intr(struct gv_dev *dev, uint32_t enable, uint32_t status)
{
	struct gv_world *w = dev->world;

	w->intr_enable = enable;
	w->intr_status = status;
	w->busy = gv_world_busy(dev);
	atomic_store(&w->watch, GV_GET(enable, GIOV_INTR_ENABLE, GFX_VM_BUSY_TRANSITION_INTR_EN));
}

static bool is_busy(struct gv_fn *f)
{
	return atomic_load(&f->enabled) && f->cp && f->sdma &&
	       (gv_cp_has_work(f) || gv_sdma_has_work(f));
}

uint32_t gv_world_busy(struct gv_dev *dev)
{
	uint32_t busy = is_busy(&dev->fn[GV_DEV_PF]) ? 1u << 31 : 0;

	for (unsigned n = 0; n < dev->cfg.max_vfs; n++)
		busy |= is_busy(&dev->fn[GV_DEV_VF(n)]) ? gv_mask(n, 1) : 0;
	return busy;
}

void gv_world_look(struct gv_dev *dev)
{
	if (atomic_load_explicit(&dev->world->watch, memory_order_relaxed))
		gv_worker_kick(&dev->world->worker);
}

static void look(struct gv_world *w)
{
	const uint32_t news = GV_PUT(GIOV_INTR_STATUS, GFX_VM_BUSY_TRANSITION_INTR_STATUS, 1);
	bool wanted;
	uint32_t now;

	(void)pthread_mutex_lock(&w->dev->lock);
	now = gv_world_busy(w->dev);
	wanted = now != w->busy && raise(w, news, false);
	w->busy = now;
	(void)pthread_mutex_unlock(&w->dev->lock);
	if (wanted)
		tell(w, news);
}

/* ---- commands: each returns an enum gv_world_error ------------------------ */

static const char *name_of(enum gv_world_state state)
{
	static const char *const names[] = {
	        [GV_WORLD_FREE] = "free",    [GV_WORLD_RUNNING] = "running",
	        [GV_WORLD_IDLE] = "idle",    [GV_WORLD_OUT] = "out of the engines",
	        [GV_WORLD_READY] = "loaded",
	};

	return names[state];
}

static int wrong_state(struct gv_fn *f, struct gv_err *err)
{
	return gv_fail(err, GV_WORLD_WRONG_STATE, "it is %s", name_of(gv_world_of(f)->state));
}

static int do_idle(struct gv_fn *f, struct gv_err *err)
{
	struct gv_world *w = f->dev->world;
	enum gv_world_state state = gv_world_of(f)->state;

	if (state != GV_WORLD_FREE && state != GV_WORLD_RUNNING)
		return wrong_state(f, err);
	if (GV_RGET(f, GVX_STALL) & gv_mask(gv_fn_vf(f), 1)) {
		w->stalled = f;
		show_active(f, GV_GIOV_FCN_STALLED);
		return STALLED;
	}
	show_active(f, GV_GIOV_FCN_IDLING);
	gv_world_hold(f);
	show_sdma(f, GV_PUT(RLC_GPU_IOV_SDMA0_STATUS, PREEMPTED, 1));
	set_state(f, GV_WORLD_IDLE);
	return GV_WORLD_OK;
}

static int do_save(struct gv_fn *f, struct gv_err *err)
{
	struct gv_world_vf *v = gv_world_of(f);
	uint64_t bytes = 0;
	int why;

	if (v->state != GV_WORLD_IDLE)
		return wrong_state(f, err);
	show_active(f, GV_GIOV_FCN_SAVING);
	why = gv_world_image_save(f, &bytes, err);
	if (why) {
		show_active(f, GV_GIOV_FCN_IDLE);
		return why;
	}
	gv_cp_forget(f);
	gv_sdma_forget(f);
	v->saved = true;
	v->saved_bytes = bytes;
	show_sdma(f, GV_PUT(RLC_GPU_IOV_SDMA0_STATUS, PREEMPTED, 1) |
	                     GV_PUT(RLC_GPU_IOV_SDMA0_STATUS, SAVED, 1));
	set_state(f, GV_WORLD_OUT);
	return GV_WORLD_OK;
}

static int do_load(struct gv_fn *f, struct gv_err *err)
{
	struct gv_world_vf *v = gv_world_of(f);
	int why;

	if (v->state != GV_WORLD_OUT)
		return wrong_state(f, err);
	if (!v->saved)
		return gv_fail(err, GV_WORLD_NOT_SAVED, "nothing of it is saved: INIT");
	show_active(f, GV_GIOV_FCN_LOADING);
	why = gv_world_image_load(f, &f->dev->world->copy, err);
	if (why) {
		show_active(f, GV_GIOV_FCN_IDLE);
		return why;
	}
	v->saved = false;
	show_sdma(f, GV_PUT(RLC_GPU_IOV_SDMA0_STATUS, RESTORED, 1));
	set_state(f, GV_WORLD_READY);
	return GV_WORLD_OK;
}

static int do_init(struct gv_fn *f, struct gv_err *err)
{
	struct gv_world_vf *v = gv_world_of(f);

	if (v->state != GV_WORLD_OUT && v->state != GV_WORLD_FREE)
		return wrong_state(f, err);
	gv_world_hold(f);
	gv_fn_forget_engines(f);
	v->saved = false;
	show_sdma(f, 0);
	set_state(f, GV_WORLD_READY);
	return GV_WORLD_OK;
}

static int do_run(struct gv_fn *f, struct gv_err *err)
{
	enum gv_world_state state = gv_world_of(f)->state;

	if (state != GV_WORLD_READY && state != GV_WORLD_IDLE)
		return wrong_state(f, err);
	show_sdma(f, 0);
	set_state(f, GV_WORLD_RUNNING);
	return GV_WORLD_OK;
}

static int forget(struct gv_fn *f, bool all, struct gv_err *err)
{
	if (gv_world_of(f)->state != GV_WORLD_OUT)
		return wrong_state(f, err);
	gv_world_image_wipe(f, all);
	gv_world_of(f)->saved = false;
	set_state(f, GV_WORLD_OUT);
	return GV_WORLD_OK;
}

static int do_shutdown(struct gv_fn *f, struct gv_err *err)
{
	return forget(f, false, err);
}

static int do_clear(struct gv_fn *f, struct gv_err *err)
{
	return forget(f, true, err);
}

/* ---- running a command ---------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct gv_fn *f, struct gv_err *err);
} commands[16] = {
        [GV_GIOV_IDLE] = {"IDLE", do_idle},
        [GV_GIOV_SAVE] = {"SAVE", do_save},
        [GV_GIOV_LOAD] = {"LOAD", do_load},
        [GV_GIOV_RUN] = {"RUN", do_run},
        [GV_GIOV_CONTEXT_SWITCH] = {"CONTEXT_SWITCH", NULL},
        [GV_GIOV_INIT] = {"INIT", do_init},
        [GV_GIOV_CLEAR_VF_STATE] = {"CLEAR_VF_STATE", do_clear},
        [GV_GIOV_SHUTDOWN] = {"SHUTDOWN", do_shutdown},
};

bool gv_world_takes(uint32_t word)
{
	unsigned cmd = GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);

	return commands[cmd].name && GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID) &&
	       (cmd != GV_GIOV_CONTEXT_SWITCH || GV_GET(word, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID));
}

static int find_vf(struct gv_world *w, unsigned fcn_id, struct gv_fn **f, struct gv_err *err)
{
	unsigned vf = fcn_id - GV_GIOV_FCN_VF(0);

	if (fcn_id < GV_GIOV_FCN_VF(0) || vf >= atomic_load(&w->dev->num_vfs))
		return gv_fail(err, GV_WORLD_NO_SUCH_VF,
		               "function 0x%02x, 0x80.. are VFs and %u are enabled", fcn_id,
		               atomic_load(&w->dev->num_vfs));
	*f = &w->dev->fn[GV_DEV_VF(vf)];
	return 0;
}

static int run_step(unsigned cmd, struct gv_fn *f, struct gv_err *err)
{
	int why = commands[cmd].run(f, err);

	if (why && why != STALLED)
		(void)gv_fail_prefix(err, "%s of %s: ", commands[cmd].name, f->name);
	return why;
}

/* Nothing to save of a VF that is out already: it was reset since the PF looked. */
static int switch_context(struct gv_fn *from, struct gv_fn *to, struct gv_err *err)
{
	int why = 0;

	if (gv_world_of(from)->state != GV_WORLD_OUT) {
		why = run_step(GV_GIOV_IDLE, from, err);
		if (!why)
			why = run_step(GV_GIOV_SAVE, from, err);
	}
	if (!why)
		why = run_step(gv_world_of(to)->saved ? GV_GIOV_LOAD : GV_GIOV_INIT, to, err);
	return why ? why : run_step(GV_GIOV_RUN, to, err);
}

static int execute(struct gv_world *w, uint32_t word, struct gv_err *err)
{
	unsigned cmd = GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);
	struct gv_fn *f = NULL, *next = NULL;
	int why = find_vf(w, GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID), &f, err);

	if (!why && cmd == GV_GIOV_CONTEXT_SWITCH)
		why = find_vf(w, GV_GET(word, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID), &next, err);
	if (why)
		return why;
	return next ? switch_context(f, next, err) : run_step(cmd, f, err);
}

/* The command that was given and that the register still shows (a reset of the PF takes it back),
 * or 0. Without dev->lock: whoever gives it holds that while it wakes us. */
static uint32_t command_of(struct gv_world *w)
{
	uint32_t word = atomic_load(&w->given);

	return GV_RGET(pf_of(w), RLC_GPU_IOV_CFG_REG1) == word ? word : 0;
}

#define COMPLETE GV_PUT(GIOV_INTR_STATUS, GFX_CMD_COMPLETE_INTR_STATUS, 1)

/* True: the PF is to be told. */
static bool finish(struct gv_world *w, uint32_t word, int why)
{
	struct gv_fn *pf = pf_of(w);
	bool wanted;

	(void)pthread_mutex_lock(&w->dev->lock);
	if (why)
		GV_RPUT(pf, GVX_WORLD_ERROR,
		        GV_PUT(GVX_WORLD_ERROR, WHY, why) |
		                GV_PUT(GVX_WORLD_ERROR, FCN_ID,
		                       GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID)));
	GV_RPUT(pf, RLC_GPU_IOV_CFG_REG2, why ? GV_GIOV_ABORTED : GV_GIOV_DONE);
	atomic_store(&w->given, 0);
	GV_RPUT(pf, RLC_GPU_IOV_CFG_REG1, GV_SET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE, 0));
	wanted = raise(w, COMPLETE, GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_EXECUTE_INTR_EN));
	(void)pthread_mutex_unlock(&w->dev->lock);
	return wanted;
}

/* Once the command has ended, for it wakes threads; and whose engines were asked for in vain. */
static void let_go_who_runs(struct gv_world *w)
{
	for (unsigned n = 0; n < w->dev->cfg.max_vfs; n++)
		if (w->vf[n].state == GV_WORLD_RUNNING || w->vf[n].state == GV_WORLD_FREE)
			gv_world_let_go(&w->dev->fn[GV_DEV_VF(n)]);
}

/* Under life_lock. */
static void serve(struct gv_world *w, uint32_t word)
{
	struct gv_err err = {0};
	int why;

	w->stalled = NULL;
	if (w->aborted)
		why = gv_fail(&err, GV_WORLD_RESET, "it was reset meanwhile");
	else
		why = execute(w, word, &err);
	w->aborted = false;
	if (why == STALLED)
		return;
	if (why)
		gv_guest_error(pf_of(w), "GPUIOV command 0x%08x aborted: %s", word, err.text);
	if (finish(w, word, why))
		atomic_fetch_add(&w->untold, 1);
	let_go_who_runs(w);
}

static uint64_t run(void *arg)
{
	struct gv_world *w = arg;
	uint32_t word;

	if (atomic_load(&w->given)) {
		(void)pthread_mutex_lock(&w->dev->life_lock);
		word = command_of(w);
		if (word)
			serve(w, word);
		else /* a reset took it back */
			let_go_who_runs(w);
		(void)pthread_mutex_unlock(&w->dev->life_lock);
	}
	for (unsigned n = atomic_exchange(&w->untold, 0); n; n--) /* its time stamp: the VF runs */
		tell(w, COMPLETE);
	if (atomic_load(&w->watch))
		look(w);
	return UINT64_MAX;
}

/* ---- on the thread that gives a command ------------------------------------- */

/* Nobody makes the command wait for @f. Engines that a refused command stopped go on after it. */
static bool is_at_hand(struct gv_fn *f, unsigned cmd)
{
	bool stops = cmd == GV_GIOV_IDLE || cmd == GV_GIOV_INIT || cmd == GV_GIOV_CONTEXT_SWITCH;

	if (GV_RGET(f, GVX_STALL) & gv_mask(gv_fn_vf(f), 1))
		return false;
	if (stops && !gv_world_hold_until(f, gv_now_ns() + PATIENCE_NS))
		return false;
	if (pthread_rwlock_tryrdlock(&f->mem_lock))
		return false;
	(void)pthread_rwlock_unlock(&f->mem_lock);
	return true;
}

static bool can_be_executed_here(struct gv_world *w, uint32_t word)
{
	unsigned cmd = GV_GET(word, RLC_GPU_IOV_CFG_REG1, CMD_TYPE);
	struct gv_fn *f = NULL, *next = NULL;

	if (find_vf(w, GV_GET(word, RLC_GPU_IOV_CFG_REG1, FCN_ID), &f, NULL))
		return false;
	if (cmd == GV_GIOV_CONTEXT_SWITCH &&
	    find_vf(w, GV_GET(word, RLC_GPU_IOV_CFG_REG1, NEXT_FCN_ID), &next, NULL))
		return false;
	return is_at_hand(f, cmd) && (!next || is_at_hand(next, cmd));
}

static bool execute_here(struct gv_world *w)
{
	uint32_t word;
	bool done;

	if (!w->dev->host.prompt || pthread_mutex_trylock(&w->dev->life_lock))
		return false;
	word = command_of(w);
	done = word && can_be_executed_here(w, word);
	if (done)
		serve(w, word);
	(void)pthread_mutex_unlock(&w->dev->life_lock);
	return done;
}

void gv_world_begin(struct gv_dev *dev, bool here)
{
	struct gv_world *w = dev->world;

	if (!atomic_load_explicit(&w->fresh, memory_order_relaxed) ||
	    !atomic_exchange(&w->fresh, false))
		return;
	if (!here || !execute_here(w) || atomic_load(&w->untold))
		gv_world_kick(dev);
	else
		gv_world_look(dev);
}

void gv_world_give(struct gv_dev *dev, uint32_t word)
{
	atomic_store(&dev->world->given, word);
	atomic_store(&dev->world->fresh, true);
}

void gv_world_kick(struct gv_dev *dev)
{
	gv_worker_kick(&dev->world->worker);
}

/* ---- resets --------------------------------------------------------------- */

static void abort_stalled(struct gv_world *w, const struct gv_fn *f)
{
	if (w->stalled != f)
		return;
	w->stalled = NULL;
	w->aborted = true;
	gv_worker_kick(&w->worker);
}

void gv_world_reset(struct gv_fn *f)
{
	struct gv_world *w = f->dev->world;

	if (!gv_fn_is_vf(f)) {
		w->stalled = NULL;
		w->aborted = false;
		return;
	}
	(void)pthread_mutex_lock(&f->dev->lock);
	GV_RPUT(f, GVX_STALL, GV_RGET(f, GVX_STALL) & ~gv_mask(gv_fn_vf(f), 1));
	(void)pthread_mutex_unlock(&f->dev->lock);
	abort_stalled(w, f);
	if (gv_world_of(f)->state == GV_WORLD_FREE)
		return;
	gv_world_hold(f);
	gv_world_of(f)->saved = false;
	set_state(f, GV_WORLD_OUT);
}

void gv_world_free_vf(struct gv_fn *f)
{
	gv_world_of(f)->saved = false;
	set_state(f, GV_WORLD_FREE);
	gv_world_let_go(f);
}

void gv_world_reset_all(struct gv_dev *dev)
{
	struct gv_fn *pf = &dev->fn[GV_DEV_PF];

	for (unsigned n = 0; n < dev->cfg.max_vfs; n++) {
		gv_world_reset(&dev->fn[GV_DEV_VF(n)]);
		gv_world_free_vf(&dev->fn[GV_DEV_VF(n)]);
	}
	gv_world_reset(pf);
	GV_RPUT(pf, RLC_GPU_IOV_ACTIVE_FCN_ID, 0);
}

/* ---- life ----------------------------------------------------------------- */

int gv_world_init(struct gv_dev *dev)
{
	struct gv_world *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->dev = dev;
	dev->world = w;
	return gv_worker_start_prompt(&w->worker, "gv-world", run, w);
}

/* Others may kick it still. */
void gv_world_stop(struct gv_dev *dev)
{
	if (dev->world)
		gv_worker_pause(&dev->world->worker);
}

void gv_world_done(struct gv_dev *dev)
{
	if (!dev->world)
		return;
	gv_worker_stop(&dev->world->worker);
	free(dev->world->copy.buf);
	free(dev->world);
	dev->world = NULL;
}
