/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arena.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forge.h"

#define MAX_EVENTS 4096u
#define MAX_REGS   8192u
#define TREASURE   (4 * GV_MIB)
#define PIECES     (ARENA_FB / GV_L2_PAGE) /* digests say where */
#define POLL_MS    5u
#define PENDING    (1168 * GV_KIB) /* PF_BOOT_PENDING */

/* What is not the attacker's, at one moment. */
struct sight {
	uint64_t victim[ARENA_VFS][PIECES], window[PIECES];
	uint32_t victim_reg[ARENA_VFS][MAX_REGS], pf_reg[MAX_REGS];
	struct gv_dev_stats stats[ARENA_VFS];
	uint32_t l2_faults[ARENA_VFS], faults[ARENA_VFS], errors[ARENA_VFS];
	unsigned events;
};

static struct {
	struct gv_dev *dev;
	struct gv_bus *pf_bus, *bus[ARENA_VFS];
	struct gv_pf *pf;
	struct gv_guest *victim[ARENA_VFS];
	struct gv_guest_buf *treasure[ARENA_VFS];
	struct gv_pf_plan plan;
	pthread_t server;
	pthread_mutex_t pf_lock, event_lock;
	_Atomic bool quit;
	bool serving;
	unsigned num_events;
	struct gv_pf_event event[MAX_EVENTS];
	struct sight before;
	struct gv_err err;
} a = {.pf_lock = PTHREAD_MUTEX_INITIALIZER, .event_lock = PTHREAD_MUTEX_INITIALIZER};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "arena: %s: %s\n", what, a.err.text);
	exit(1);
}

static bool stops(void)
{
	return getenv("GV_ATTACK_STOP") != NULL;
}

uint64_t arena_patience(void)
{
	return (stops() ? 6 : 20) * GV_S;
}

void arena_late(void)
{
	if (stops())
		_exit(1);
}

/* ---- the PF manager -------------------------------------------------------- */

static void on_event(void *arg, const struct gv_pf_event *event)
{
	(void)arg;
	(void)pthread_mutex_lock(&a.event_lock);
	if (a.num_events < MAX_EVENTS)
		a.event[a.num_events++] = *event;
	(void)pthread_mutex_unlock(&a.event_lock);
}

/* What gpuvisord does, without its socket. */
static void *serve(void *arg)
{
	struct pollfd p = {.fd = gv_pf_irq_fd(a.pf), .events = POLLIN};

	(void)arg;
	while (!atomic_load(&a.quit)) {
		uint64_t next = 0;
		int rc;

		(void)pthread_mutex_lock(&a.pf_lock);
		rc = gv_pf_service(a.pf, &next);
		(void)pthread_mutex_unlock(&a.pf_lock);
		if (rc)
			break;
		if (next > gv_now_ns())
			(void)poll(&p, 1, (int)GV_MIN((next - gv_now_ns()) / GV_MS + 1, 5ull));
	}
	return NULL;
}

static void start_pf(void)
{
	const struct gv_pf_cfg how = {
	        .event = on_event, .poll_ms = POLL_MS, .mailbox = {.guard_off = true}};
	struct gv_cfg cfg = {.num_vfs = ARENA_VFS};
	int rc = gv_pf_new(a.pf_bus, &how, &a.pf, &a.err);

	for (unsigned i = 0; i < ARENA_VFS; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = ARENA_FB / GV_MIB,
		                                .doorbells = 512,
		                                .quantum_ms = 6,
		                                .weight = 1};
	if (!rc)
		rc = gv_pf_boot(a.pf, &a.err);
	if (!rc)
		rc = gv_pf_plan(gv_pf_get_caps(a.pf), &cfg, &a.plan, &a.err);
	if (!rc)
		rc = gv_pf_apply(a.pf, &a.plan, 0, &a.err);
	must(!rc, "PF manager");
	must(!pthread_create(&a.server, NULL, serve, NULL), "thread");
	a.serving = true;
}

struct gv_pf *arena_pf_get(void)
{
	(void)pthread_mutex_lock(&a.pf_lock);
	return a.pf;
}

void arena_pf_put(void)
{
	(void)pthread_mutex_unlock(&a.pf_lock);
}

/* ---- victims --------------------------------------------------------------- */

static bool is_victim(unsigned vf)
{
	return vf != ATTACKER;
}

static void start_victim(unsigned vf)
{
	gv_auto_free uint32_t *loot = malloc(TREASURE);
	uint32_t x = 2463534242u + vf;

	must(loot != NULL, "memory");
	for (size_t i = 0; i < TREASURE / 4; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		loot[i] = x;
	}
	must(!gv_guest_open(a.bus[vf], NULL, &a.victim[vf], &a.err), "victim");
	must(!gv_guest_buf_new(a.victim[vf], NULL, GV_GUEST_VRAM, TREASURE, &a.treasure[vf],
	                       &a.err) &&
	             !gv_guest_buf_upload(a.treasure[vf], 0, loot, TREASURE, &a.err),
	     "treasure");
}

static bool queue_works(struct gv_guest_queue *q, uint32_t nop)
{
	uint64_t seq = 0;

	return gv_guest_submit(q, &nop, 1, &seq, &a.err) == 0 &&
	       gv_guest_wait(q, seq, gv_now_ns() + ARENA_PATIENCE, &a.err) == 0;
}

static bool victim_works(unsigned vf)
{
	return queue_works(gv_guest_compute(a.victim[vf], 0), GV_PM4_NOP1) &&
	       queue_works(gv_guest_sdma(a.victim[vf], 0), 0);
}

/* ---- looking at everything ------------------------------------------------- */

/* Zeroes count nothing, so what was never written need not be looked at; each other word counts
 * by an odd number of its own, so no single change goes unseen. */
static uint64_t digest(const uint64_t *word, size_t n, uint64_t first)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += word[i] * (2 * (first + i) + 1) * 0x9e3779b97f4a7c15ull;
	return sum;
}

static void digest_piece(int fd, uint64_t piece, uint64_t *out)
{
	static uint64_t buf[64 * GV_KIB / 8];
	off_t end = (off_t)((piece + 1) * GV_L2_PAGE), at = (off_t)(piece * GV_L2_PAGE);

	*out = 0;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0 && at < end) {
		ssize_t n = pread(fd, buf, GV_MIN(sizeof(buf), (size_t)(end - at)), at);

		must(n > 0, "reading memory");
		*out += digest(buf, (size_t)n / 8, (uint64_t)at / 8);
		at += n;
	}
}

static void digest_memory(unsigned func, uint64_t *out)
{
	gv_auto_fd int fd = -1;
	uint64_t bytes = 0;

	must(!gv_dev_region_fd(a.dev, func, GV_REGION_VRAM, &fd, &bytes) && bytes == ARENA_FB,
	     "memory of a function");
	for (uint64_t p = 0; p < PIECES; p++)
		digest_piece(fd, p, &out[p]);
}

/* The attacker's own table shows which of its memory is dirty, its context save area is its own
 * state, and the manager notes what it asked for: all may change. */
static void forget_own(uint64_t *window)
{
	static uint64_t buf[GV_MIB / 8];
	const struct {
		uint64_t at, bytes;
	} own[] = {
	        {a.plan.vf[ATTACKER].l2_offset, a.plan.vf[ATTACKER].l2_entries * 8ull},
	        {PENDING + 8ull * ATTACKER, 8},
	        {a.plan.csa_offset + (1ull + ATTACKER) * a.plan.csa_kib * GV_KIB,
	         a.plan.csa_kib * GV_KIB},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(own); i++)
		for (uint64_t at = own[i].at, n; at < own[i].at + own[i].bytes; at += n) {
			n = GV_MIN(own[i].at + own[i].bytes - at,
			           GV_MIN(sizeof(buf), GV_L2_PAGE - at % GV_L2_PAGE));
			must(!gv_dev_read(a.dev, GV_DEV_PF, GV_REGION_VRAM, at, buf, n), "window");
			window[at / GV_L2_PAGE] -= digest(buf, n / 8, at / 8);
		}
}

/* Registers that move without anybody's doing, or whose reading does something. A message of the
 * attacker's interrupts the PF: that is what messages are for. */
static bool is_restless(bool pf, enum gv_reg reg)
{
	static const enum gv_reg restless[] = {GV_REG_MM_DATA, GV_REG_PCIE_DATA2,
	                                       GV_REG_MAILBOX_INDEX, GV_REG_GVX_UNIMPLEMENTED,
	                                       GV_REG_GVX_GUEST_ERRORS};

	for (size_t i = 0; i < GV_ARRAY_LEN(restless); i++)
		if (restless[i] == reg)
			return true;
	return pf && (reg == GV_REG_IH_RB_RPTR || reg == GV_REG_IH_RB_WPTR);
}

/* The PF's record of what the attacker did is judged elsewhere. */
static bool is_record(enum gv_reg reg, uint32_t i)
{
	static const enum gv_reg record[] = {
	        GV_REG_GVX_VF0_L2_FAULT_STATUS,  GV_REG_GVX_VF0_L2_FAULT_ADDR_LO,
	        GV_REG_GVX_VF0_L2_FAULT_ADDR_HI, GV_REG_GVX_VF0_L2_FAULT_COUNT,
	        GV_REG_GVX_VF0_INTERRUPTS,       GV_REG_GVX_VF0_FAULTS,
	        GV_REG_GVX_VF0_ERRORS,           GV_REG_GVX_VF0_DOORBELLS};

	for (size_t k = 0; i == ATTACKER && k < GV_ARRAY_LEN(record); k++)
		if (record[k] == reg)
			return true;
	return false;
}

/* Which registers a sight shows: called for each, in order. */
static unsigned each_reg(bool pf, uint32_t (*take)(struct gv_bus *bus, uint32_t byte),
                         struct gv_bus *bus, uint32_t *val, uint32_t *where)
{
	unsigned n = 0;

	for (int r = 0; r < GV_REG_COUNT; r++) {
		const struct gv_reg_info *info = gv_reg_info((enum gv_reg)r);
		bool plain = info->bank == GV_BANK_FN || info->bank == GV_BANK_GPU ||
		             (!pf && info->bank == GV_BANK_MBX);

		if ((pf ? info->pf : info->vf) == GV_NONE || !plain ||
		    is_restless(pf, (enum gv_reg)r))
			continue;
		for (uint32_t i = 0; i < info->count; i++) {
			if (pf && is_record((enum gv_reg)r, i))
				continue;
			must(n < MAX_REGS, "more registers than room");
			if (take)
				val[n] = take(bus, info->byte + i * info->stride);
			if (where)
				where[n] = info->byte + i * info->stride;
			n++;
		}
	}
	return n;
}

/* Whose interrupt ring overflowed, and who has work: the attacker may, a queue of it that has
 * failed has for good. */
static uint32_t read_pf(struct gv_bus *bus, uint32_t byte)
{
	uint32_t val = gv_rd32(bus, byte);

	switch (byte) {
	case IH_VF_RB_STATUS__BYTE:
		return val & ~gv_mask(IH_VF_RB_STATUS__RB_OVERFLOW_VF__LO + ATTACKER, 1);
	case RLC_GPU_IOV_CFG_REG8__BYTE:
	case RLC_GPU_IOV_VM_BUSY_STATUS__BYTE:
		return val & ~gv_mask(ATTACKER, 1);
	default:
		return val;
	}
}

static bool victims_rest(void)
{
	uint32_t busy;

	(void)pthread_mutex_lock(&a.pf_lock);
	busy = gv_rd32(a.pf_bus, RLC_GPU_IOV_VM_BUSY_STATUS__BYTE);
	(void)pthread_mutex_unlock(&a.pf_lock);
	return (busy & gv_mask(0, ARENA_VFS) & ~(1u << ATTACKER)) == 0;
}

/* Packets are counted after the slice of an engine in which they ran: later than their fence. */
static void look(struct sight *s)
{
	must(ARENA_UNTIL(victims_rest()), "victims do not come to rest");
	(void)pthread_mutex_lock(&a.pf_lock);
	for (unsigned vf = 0; vf < ARENA_VFS; vf++) {
		gv_dev_get_stats(a.dev, GV_DEV_VF(vf), &s->stats[vf]);
		s->l2_faults[vf] = gv_rd32(a.pf_bus, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, vf));
		s->faults[vf] = gv_rd32(a.pf_bus, GV_BYTE_N(GVX_VF0_FAULTS, vf));
		s->errors[vf] = gv_rd32(a.pf_bus, GV_BYTE_N(GVX_VF0_ERRORS, vf));
		if (!is_victim(vf))
			continue;
		digest_memory(GV_DEV_VF(vf), s->victim[vf]);
		(void)each_reg(false, gv_rd32, a.bus[vf], s->victim_reg[vf], NULL);
	}
	digest_memory(GV_DEV_PF, s->window);
	forget_own(s->window);
	(void)each_reg(true, read_pf, a.pf_bus, s->pf_reg, NULL);
	(void)pthread_mutex_unlock(&a.pf_lock);
	(void)pthread_mutex_lock(&a.event_lock);
	s->events = a.num_events;
	(void)pthread_mutex_unlock(&a.event_lock);
}

/* ---- judging --------------------------------------------------------------- */

static void same_memory(const char *whose, const uint64_t *was, const uint64_t *is)
{
	for (unsigned p = 0; p < PIECES; p++) {
		CU_ASSERT(was[p] == is[p]);
		if (was[p] != is[p])
			printf("memory of %s changed in 2 MiB piece %u\n", whose, p);
	}
}

static void same_registers(const char *whose, bool pf, const uint32_t *was, const uint32_t *is)
{
	static uint32_t where[MAX_REGS];
	unsigned n = each_reg(pf, NULL, NULL, NULL, where);
	char line[256];

	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT(was[i] == is[i]);
		if (was[i] == is[i])
			continue;
		gv_reg_format(line, sizeof(line), where[i], is[i]);
		printf("register of %s changed, was 0x%x: %s\n", whose, was[i], line);
	}
}

static void innocent(unsigned vf, const struct sight *is)
{
	const struct gv_dev_stats *was = &a.before.stats[vf], *now = &is->stats[vf];
	char name[8];

	(void)snprintf(name, sizeof(name), "VF%u", vf & 7);
	same_memory(name, a.before.victim[vf], is->victim[vf]);
	same_registers(name, false, a.before.victim_reg[vf], is->victim_reg[vf]);
	CU_ASSERT(now->guest_errors == was->guest_errors);
	CU_ASSERT(now->vm_faults == was->vm_faults);
	CU_ASSERT(now->packets == was->packets);
	CU_ASSERT(now->doorbells == was->doorbells);
	CU_ASSERT(now->interrupts == was->interrupts);
	CU_ASSERT(is->l2_faults[vf] == a.before.l2_faults[vf]);
}

static bool blames(const struct gv_pf_event *e)
{
	return e->kind == GV_PF_EVENT_VF_FAULT || e->kind == GV_PF_EVENT_VF_ERROR ||
	       e->kind == GV_PF_EVENT_VF_MESSAGE || e->kind == GV_PF_EVENT_VF_RESET ||
	       e->kind == GV_PF_EVENT_GPU;
}

static bool find_event(enum gv_pf_event_kind kind, unsigned vf, const char *text)
{
	bool found = false;

	(void)pthread_mutex_lock(&a.event_lock);
	for (unsigned i = a.before.events; i < a.num_events && !found; i++)
		found = a.event[i].kind == kind && a.event[i].vf == (int)vf &&
		        strstr(a.event[i].text, text);
	(void)pthread_mutex_unlock(&a.event_lock);
	return found;
}

bool arena_saw(enum gv_pf_event_kind kind, unsigned vf, const char *text)
{
	return ARENA_UNTIL(find_event(kind, vf, text));
}

static void nobody_else_is_blamed(void)
{
	(void)pthread_mutex_lock(&a.event_lock);
	for (unsigned i = a.before.events; i < a.num_events; i++) {
		bool wrong = blames(&a.event[i]) && a.event[i].vf != (int)ATTACKER;

		CU_ASSERT(!wrong);
		if (wrong)
			printf("wrong one blamed: VF%d %s\n", a.event[i].vf, a.event[i].text);
	}
	(void)pthread_mutex_unlock(&a.event_lock);
}

static void check_blame(unsigned named, const struct sight *is)
{
	const struct gv_dev_stats *was = &a.before.stats[ATTACKER], *now = &is->stats[ATTACKER];

	if (named & NAMED_ERROR) {
		CU_ASSERT(now->guest_errors > was->guest_errors);
		CU_ASSERT(is->errors[ATTACKER] != a.before.errors[ATTACKER]);
	}
	if (named & NAMED_UNKNOWN)
		CU_ASSERT(now->unimplemented > was->unimplemented);
	if (named & NAMED_FAULT) {
		CU_ASSERT(now->vm_faults > was->vm_faults);
		CU_ASSERT(is->faults[ATTACKER] != a.before.faults[ATTACKER]);
		CU_ASSERT(ARENA_UNTIL(forge_fault_reported()));
	}
	if (named & NAMED_L2) {
		CU_ASSERT(now->vm_faults > was->vm_faults);
		CU_ASSERT(is->l2_faults[ATTACKER] > a.before.l2_faults[ATTACKER]);
		CU_ASSERT(arena_saw(GV_PF_EVENT_VF_FAULT, ATTACKER, "frame-buffer address"));
	}
}

void arena_expect(unsigned named)
{
	static struct sight is;

	forge_settle();
	look(&is);
	check_blame(named, &is);
	for (unsigned vf = 0; vf < ARENA_VFS; vf++)
		if (is_victim(vf))
			innocent(vf, &is);
	same_memory("PF", a.before.window, is.window);
	same_registers("PF", true, a.before.pf_reg, is.pf_reg);
	nobody_else_is_blamed();
	for (unsigned vf = 0; vf < ARENA_VFS; vf++)
		if (is_victim(vf) && !victim_works(vf)) {
			printf("VF%u does not work: %s\n", vf, a.err.text);
			CU_FAIL("a victim does not work");
		}
	look(&a.before);
}

/* ---- the attacker ---------------------------------------------------------- */

/* Under the PF's lock. */
static void set_gate(uint32_t byte, bool open)
{
	uint32_t was = gv_rd32(a.pf_bus, byte);

	gv_wr32(a.pf_bus, byte, open ? was | 1u << ATTACKER : was & ~(1u << ATTACKER));
}

void arena_gate(uint32_t byte, bool open)
{
	(void)pthread_mutex_lock(&a.pf_lock);
	set_gate(byte, open);
	(void)pthread_mutex_unlock(&a.pf_lock);
}

static void open_gates(void)
{
	static const uint32_t gate[] = {GVX_VF_FB_EN__BYTE, GVX_VF_DOORBELL_EN__BYTE,
	                                GVX_VF_REGWR_EN__BYTE, RLC_GPM_GENERAL_14__BYTE};

	for (size_t i = 0; i < GV_ARRAY_LEN(gate); i++)
		set_gate(gate[i], true);
}

void arena_open_gates(void)
{
	(void)pthread_mutex_lock(&a.pf_lock);
	open_gates();
	(void)pthread_mutex_unlock(&a.pf_lock);
}

enum gv_mbox_state arena_session(unsigned vf)
{
	struct gv_pf_vf_status s = {.state = GV_MBOX_OFF};

	(void)pthread_mutex_lock(&a.pf_lock);
	(void)gv_pf_get_vf_status(a.pf, vf, &s);
	(void)pthread_mutex_unlock(&a.pf_lock);
	return s.state;
}

static bool session_is_over(void)
{
	bool busy;

	(void)pthread_mutex_lock(&a.pf_lock);
	busy = gv_pf_vf_resetting(a.pf, ATTACKER);
	(void)pthread_mutex_unlock(&a.pf_lock);
	return !busy && arena_session(ATTACKER) == GV_MBOX_IDLE;
}

void arena_end_session(void)
{
	if (session_is_over())
		return;
	(void)pthread_mutex_lock(&a.pf_lock);
	(void)gv_pf_vf_reset(a.pf, ATTACKER, GV_PF_RESET_GONE, NULL);
	(void)pthread_mutex_unlock(&a.pf_lock);
	must(ARENA_UNTIL(session_is_over()), "the attacker's session does not end");
}

/* The PF manager does not see the moment without gates: it would take it for a guest's end. */
void arena_begin(void)
{
	if (stops() && CU_get_number_of_failures())
		_exit(1);
	arena_end_session();
	(void)pthread_mutex_lock(&a.pf_lock);
	must(!gv_bus_reset(a.bus[ATTACKER]), "reset of the attacker");
	open_gates();
	(void)pthread_mutex_unlock(&a.pf_lock);
	forge_begin();
	look(&a.before);
}

struct gv_bus *arena_bus(void)
{
	return a.bus[ATTACKER];
}

struct gv_bus *arena_pf_bus(void)
{
	return a.pf_bus;
}

struct gv_dev *arena_dev(void)
{
	return a.dev;
}

struct gv_bus *arena_victim_bus(unsigned vf)
{
	return a.bus[vf];
}

struct gv_guest *arena_victim(unsigned vf)
{
	return a.victim[vf];
}

struct gv_dev_stats arena_stats(unsigned vf)
{
	struct gv_dev_stats s;

	gv_dev_get_stats(a.dev, GV_DEV_VF(vf), &s);
	return s;
}

/* ---- life ------------------------------------------------------------------ */

static void bring_up(void)
{
	const struct gv_dev_cfg cfg = {.vram_mib = 256,
	                               .max_vfs = ARENA_VFS,
	                               .vf_bar0_mib = ARENA_APERTURE / GV_MIB,
	                               .pf_window_mib = ARENA_FB / GV_MIB,
	                               .engine_threads = 2};

	must(!gv_dev_new(&cfg, NULL, &a.dev, &a.err), "GPU");
	must(!gv_dev_bus(a.dev, GV_DEV_PF, &a.pf_bus, &a.err), "PF");
	start_pf();
	for (unsigned vf = 0; vf < ARENA_VFS; vf++) {
		must(a.plan.vf[vf].fb_offset_mib * GV_MIB == ARENA_DEVICE(vf), "slices");
		must(!gv_dev_bus(a.dev, GV_DEV_VF(vf), &a.bus[vf], &a.err), "VF");
		if (is_victim(vf))
			start_victim(vf);
	}
}

static void take_down(void)
{
	for (unsigned vf = 0; vf < ARENA_VFS; vf++) {
		a.treasure[vf] = gv_guest_buf_free(a.treasure[vf]);
		a.victim[vf] = gv_guest_close(a.victim[vf]);
		a.bus[vf] = gv_bus_close(a.bus[vf]);
	}
	atomic_store(&a.quit, true);
	if (a.serving)
		(void)pthread_join(a.server, NULL);
	a.pf = gv_pf_close(a.pf);
	a.pf_bus = gv_bus_close(a.pf_bus);
	a.dev = gv_dev_free(a.dev);
}

int arena_main(int argc, char **argv, const char *suite, const struct ut_case *cases, int count)
{
	int rc;

	bring_up();
	rc = ut_main(argc, argv, suite, cases, count);
	take_down();
	return rc;
}
