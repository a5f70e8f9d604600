/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adopt.h"
#include "pf.h"
#include "rig.h"

/* ---- rules ----------------------------------------------------------------------------- */

static struct pf_state some_state(void)
{
	struct pf_state s = {.boot_id = 7, .generation = 9, .has_plan = true};

	s.plan.num_vfs = 2;
	s.plan.csa_offset = 1ull << 33;
	snprintf(s.plan.name, sizeof(s.plan.name), "name");
	for (unsigned k = 0; k < GV_CFG_GUARDS; k++)
		s.plan.guard[k] = gv_cfg_guard_default((enum gv_cfg_guard_kind)k);
	for (unsigned i = 0; i < 2; i++) {
		s.plan.vf[i] = (struct gv_pf_plan_vf){.fb_mib = 64 + i, .l2_entries = 5};
		snprintf(s.plan.vf[i].label, sizeof(s.plan.vf[i].label), "label %u", i);
	}
	return s;
}

static void a_state_survives_packing_and_no_changed_byte_is_missed(void)
{
	struct pf_state s = some_state(), got;
	uint8_t buf[PF_STATE_BYTES];
	size_t n = pf_state_pack(&s, buf);

	memset(&got, 0, sizeof(got));
	CU_ASSERT_EQUAL(pf_state_unpack(buf, sizeof(buf), &got, NULL), 0);
	CU_ASSERT_EQUAL(got.generation, 9);
	CU_ASSERT_EQUAL(got.boot_id, 7);
	CU_ASSERT_FALSE(got.changing);
	CU_ASSERT_EQUAL(memcmp(&got.plan, &s.plan, sizeof(s.plan)), 0);
	for (size_t i = 0; i < n; i++) {
		buf[i] ^= 0x10;
		CU_ASSERT_EQUAL(pf_state_unpack(buf, n, &got, NULL), -EBADMSG);
		buf[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(pf_state_unpack(buf, i, &got, NULL), -EBADMSG);
}

static struct pf_state at(uint64_t generation, bool changing)
{
	struct pf_state s = some_state();

	s.generation = generation;
	s.changing = changing;
	return s;
}

static void the_journal_may_be_one_step_ahead_and_no_more(void)
{
	static const struct {
		uint64_t journal, record;
		bool journal_changing, record_changing;
		enum pf_reconciled want;
	} cases[] = {
	        {5, 5, false, false, PF_SAME},     {5, 5, true, true, PF_SAME},
	        {5, 5, true, false, PF_NO_MATCH},  {4, 5, false, false, PF_JOURNAL_OLD},
	        {6, 5, true, false, PF_NOT_BEGUN}, {6, 5, false, true, PF_FINISH},
	        {6, 5, false, false, PF_FINISH},   {6, 5, true, true, PF_NO_MATCH},
	        {7, 5, false, false, PF_NO_MATCH},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		struct pf_state j = at(cases[i].journal, cases[i].journal_changing);
		struct pf_state r = at(cases[i].record, cases[i].record_changing);

		CU_ASSERT_EQUAL(pf_reconcile(&j, &r), cases[i].want);
		j.boot_id++;
		CU_ASSERT_EQUAL(pf_reconcile(&j, &r), PF_JOURNAL_OLD);
		CU_ASSERT_EQUAL(pf_reconcile(NULL, &r), PF_JOURNAL_OLD);
	}
}

static void what_the_hardware_shows_is_a_session(void)
{
	enum { FB = PF_GATE_FB, RUN = PF_GATE_FB | PF_GATE_DOORBELL, ALL = PF_GATE_ALL };
	static const struct {
		struct pf_seen seen;
		enum gv_mbox_state state;
		enum gv_mbox_access access;
		uint32_t pending;
	} cases[] = {
	        {{.gates = 0}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = 0, .heard = 1}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 1},
	        {{.gates = 0, .pending = 6}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 6},
	        {{.gates = PF_GATE_DOORBELL}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = FB}, GV_MBOX_IDLE, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = FB, .heard = 6}, GV_MBOX_UPLOAD, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = FB, .heard = 1}, GV_MBOX_QUEUED, GV_MBOX_ACCESS_INIT, 0},
	        {{.gates = FB, .heard = 1, .heard_valid = true},
	         GV_MBOX_IDLE,
	         GV_MBOX_ACCESS_NONE,
	         0},
	        {{.gates = FB, .heard = 1, .said = GV_MBOX_FAIL},
	         GV_MBOX_IDLE,
	         GV_MBOX_ACCESS_NONE,
	         0},
	        {{.gates = RUN, .heard = 2}, GV_MBOX_ACTIVE, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = RUN, .heard = 3}, GV_MBOX_QUEUED, GV_MBOX_ACCESS_FINI, 0},
	        {{.gates = RUN, .heard = 5}, GV_MBOX_QUEUED, GV_MBOX_ACCESS_RESET, 0},
	        {{.gates = RUN, .heard = 1}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 1},
	        {{.gates = RUN, .heard = 201}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = RUN, .heard = 2, .said = 2}, GV_MBOX_RESET, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = RUN, .heard = 0xdead}, GV_MBOX_ACTIVE, GV_MBOX_ACCESS_NONE, 0},
	        {{.gates = ALL, .heard = 1}, GV_MBOX_EXCLUSIVE, GV_MBOX_ACCESS_INIT, 0},
	        {{.gates = ALL, .heard = 5}, GV_MBOX_EXCLUSIVE, GV_MBOX_ACCESS_RESET, 0},
	        {{.gates = ALL, .heard = 3}, GV_MBOX_EXCLUSIVE, GV_MBOX_ACCESS_FINI, 0},
	        {{.gates = ALL, .heard = 2}, GV_MBOX_LEAVE, GV_MBOX_ACCESS_INIT, 0},
	        {{.gates = ALL, .heard = 4}, GV_MBOX_LEAVE, GV_MBOX_ACCESS_FINI, 0},
	        {{.gates = ALL, .heard = 4, .heard_valid = true},
	         GV_MBOX_EXCLUSIVE,
	         GV_MBOX_ACCESS_FINI,
	         0},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(cases); i++) {
		struct gv_mbox_saved s;
		struct gv_mbox_pf mbox;

		pf_session_rebuild(&cases[i].seen, &s);
		CU_ASSERT_EQUAL(s.state, cases[i].state);
		CU_ASSERT_EQUAL(s.access, cases[i].access);
		CU_ASSERT_EQUAL(s.pending.dw[0], cases[i].pending);
		(void)gv_mbox_pf_init(&mbox, 1, NULL);
		CU_ASSERT_EQUAL(gv_mbox_pf_restore(&mbox, 0, &s), 0);
		if (s.state != cases[i].state)
			printf("case %zu: %s\n", i,
			       gv_mbox_state_name((enum gv_mbox_state)s.state));
	}
}

/* ---- on the device ------------------------------------------------------------------------ */

struct life {
	struct rig r;
	char dir[64];
	struct gv_pf_cfg cfg;
};

static void hear_event(void *arg, const struct gv_pf_event *event)
{
	struct rig *r = arg;

	if (r->num_events < RIG_MAX_EVENTS)
		r->event[r->num_events++] = *event;
}

/* The daemon's end. */
static void leave(struct life *l)
{
	if (l->r.pf)
		gv_pf_leave(l->r.pf);
	l->r.pf = gv_pf_close(l->r.pf);
}

/* And the next one's begin. */
static int again(struct life *l)
{
	leave(l);
	l->r.num_events = 0;
	l->r.err.text[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(gv_pf_new(&l->r.lying.bus, &l->cfg, &l->r.pf, &l->r.err), 0);
	return gv_pf_boot(l->r.pf, &l->r.err);
}

static void life_up(struct life *l, bool journal)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->dir, sizeof(l->dir), "gv-adopt-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(l->dir));
	rig_up(&l->r, NULL);
	l->cfg = (struct gv_pf_cfg){.arg = &l->r,
	                            .event = hear_event,
	                            .poll_ms = 50,
	                            .state_dir = journal ? l->dir : NULL,
	                            .mailbox = {.exclusive_ms = 20000, .notify_ms = 20000}};
	CU_ASSERT_EQUAL_FATAL(again(l), 0);
}

static unsigned files_left(const struct life *l)
{
	DIR *dir = opendir(l->dir);
	const struct dirent *e;
	unsigned n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	if (dir)
		(void)closedir(dir);
	return n;
}

static void life_down(struct life *l)
{
	rig_down(&l->r);
	CU_ASSERT_EQUAL(files_left(l), 0); /* put back: there is nothing to tell */
	CU_ASSERT_EQUAL(rmdir(l->dir), 0);
}

static void apply(struct life *l, unsigned num_vfs, uint32_t fb_mib)
{
	struct gv_pf_plan plan = rig_plan(&l->r, num_vfs, fb_mib);

	CU_ASSERT_EQUAL_FATAL(gv_pf_apply(l->r.pf, &plan, 0, &l->r.err), 0);
}

/* @vfs, and a guest in VF0. */
static struct gv_bus *up_with_guest(struct life *l, bool journal, unsigned vfs)
{
	struct gv_bus *vf;

	life_up(l, journal);
	apply(l, vfs, 64);
	vf = rig_vf(&l->r, 0);
	rig_init_guest(&l->r, vf);
	CU_ASSERT_TRUE(rig_serve_until(&l->r, 0, GV_MBOX_ACTIVE, 500));
	return vf;
}

static void down_with_guest(struct life *l, struct gv_bus *vf)
{
	(void)gv_bus_close(vf);
	life_down(l);
}

static const struct gv_pf_boot_status *boot_of(struct life *l)
{
	static struct gv_pf_status s;

	gv_pf_get_status(l->r.pf, &s);
	return &s.boot;
}

static void expect_taken_over(struct life *l, unsigned vfs, unsigned from_journal)
{
	const struct gv_pf_boot_status *b;
	int rc = again(l);

	CU_ASSERT_EQUAL_FATAL(rc, 0);
	b = boot_of(l);
	CU_ASSERT_EQUAL(b->path, GV_PF_BOOT_TAKEN_OVER);
	CU_ASSERT_EQUAL(b->vfs_adopted, vfs);
	CU_ASSERT_EQUAL(b->sessions_read, from_journal);
	CU_ASSERT_EQUAL(b->sessions_rebuilt, vfs - from_journal);
}

static void a_running_guest_notices_nothing(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		const uint64_t place = 64 * GV_MIB + 8 * GV_MIB;
		uint32_t mark = 0x600dda7a, got = 0;
		struct gv_pf_plan before;
		struct gv_bus *vf;
		struct life l;

		vf = up_with_guest(&l, journal, 2);
		before = *gv_pf_get_plan(l.r.pf);
		CU_ASSERT_EQUAL(gv_pf_vram_write(l.r.pf, place, &mark, 4), 0);
		expect_taken_over(&l, 2, journal ? 2 : 0);
		CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_ACTIVE);
		CU_ASSERT_EQUAL(memcmp(gv_pf_get_plan(l.r.pf), &before, sizeof(before)), 0);
		CU_ASSERT_EQUAL(gv_pf_vram_read(l.r.pf, place, &got, 4), 0);
		CU_ASSERT_EQUAL(got, mark);
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 1, GV_MBOX_IDLE, 2000));
		CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_REQ_GPU_FINI_ACCESS));
		CU_ASSERT_TRUE(rig_hear(&l.r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
		CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_REL_GPU_FINI_ACCESS));
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_IDLE, 2000));
		down_with_guest(&l, vf);
	}
}

static void say(struct gv_bus *vf, uint32_t code)
{
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	gv_wr32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, code);
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE,
	       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
}

static void what_was_asked_meanwhile_is_answered(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		struct gv_bus *vf;
		struct life l;

		life_up(&l, journal);
		apply(&l, 1, 64);
		vf = rig_vf(&l.r, 0);
		leave(&l);
		say(vf, GV_MBOX_REQ_GPU_INIT_DATA);
		expect_taken_over(&l, 1, journal);
		CU_ASSERT_TRUE(rig_hear(&l.r, vf, GV_MBOX_GPU_INIT_DATA_READY, 2000));
		down_with_guest(&l, vf);
	}
}

static void what_was_asked_and_taken_back_meanwhile_is_answered(void)
{
	struct gv_bus *vf;
	struct life l;

	life_up(&l, true);
	apply(&l, 1, 64);
	vf = rig_vf(&l.r, 0);
	CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&l.r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 1000));
	leave(&l);
	say(vf, GV_MBOX_REL_GPU_INIT_ACCESS);
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0); /* no ACK for too long */
	expect_taken_over(&l, 1, 1);
	CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_ACTIVE, 1000));
	expect_taken_over(&l, 1, 1);
	CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_ACTIVE); /* once is enough */
	CU_ASSERT_FALSE(rig_saw(&l.r, GV_PF_EVENT_VF_MESSAGE, 0, "refused"));
	down_with_guest(&l, vf);
}

static void a_window_goes_on_with_a_new_deadline(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		struct gv_bus *vf, *other;
		struct life l;

		life_up(&l, journal);
		apply(&l, 2, 64);
		vf = rig_vf(&l.r, 1);
		other = rig_vf(&l.r, 0);
		CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 1, GV_MBOX_EXCLUSIVE, 1000));
		expect_taken_over(&l, 2, journal ? 2 : 0);
		CU_ASSERT_EQUAL(rig_state(&l.r, 1), GV_MBOX_EXCLUSIVE);
		CU_ASSERT_TRUE(rig_hear(&l.r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
		/* nobody else gets it meanwhile */
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_IDLE, 2000));
		CU_ASSERT_TRUE(rig_send(&l.r, other, GV_MBOX_REQ_GPU_INIT_ACCESS));
		CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_QUEUED);
		CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 1, GV_MBOX_ACTIVE, 1000));
		CU_ASSERT_TRUE(rig_hear(&l.r, other, GV_MBOX_READY_TO_ACCESS_GPU, 1000));
		(void)gv_bus_close(vf);
		(void)gv_bus_close(other);
		life_down(&l);
	}
}

static void a_reset_under_way_is_begun_again_and_ends(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		const uint64_t place = 64 * GV_MIB + 8 * GV_MIB;
		uint32_t mark = 0x5ec7e700, got = 1;
		struct gv_bus *vf;
		struct life l;

		vf = up_with_guest(&l, journal, 1);
		CU_ASSERT_EQUAL(gv_pf_vram_write(l.r.pf, place, &mark, 4), 0);
		CU_ASSERT_EQUAL(gv_pf_vf_reset(l.r.pf, 0, GV_PF_RESET_GONE, &l.r.err), 0);
		CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_RESET);
		expect_taken_over(&l, 1, journal);
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_IDLE, 5000));
		CU_ASSERT_EQUAL(gv_pf_vram_read(l.r.pf, place, &got, 4), 0);
		CU_ASSERT_EQUAL(got, 0);
		down_with_guest(&l, vf);
	}
}

static void a_guest_that_was_told_of_its_reset_is_waited_for(void)
{
	struct gv_bus *vf;
	struct life l;

	vf = up_with_guest(&l, true, 1);
	CU_ASSERT_EQUAL(gv_pf_vf_reset(l.r.pf, 0, 0, &l.r.err), 0);
	expect_taken_over(&l, 1, 1);
	CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_NOTIFY);
	CU_ASSERT_TRUE(rig_send(&l.r, vf, GV_MBOX_READY_TO_RESET));
	CU_ASSERT_TRUE(rig_hear(&l.r, vf, GV_MBOX_FLR_NOTIFICATION_CMPL, 5000));
	down_with_guest(&l, vf);
}

static void a_vf_that_was_reset_meanwhile_is_cleaned(void)
{
	struct gv_bus *vf;
	struct life l;

	vf = up_with_guest(&l, true, 1);
	leave(&l);
	CU_ASSERT_EQUAL(gv_dev_reset(l.r.dev, GV_DEV_VF(0)), 0);
	expect_taken_over(&l, 1, 1);
	CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_IDLE, 5000));
	CU_ASSERT_TRUE(rig_saw(&l.r, GV_PF_EVENT_VF_RESET, 0, "from outside"));
	down_with_guest(&l, vf);
}

/* ---- killed in an apply --------------------------------------------------------------------- */

static void half_an_apply_is_rolled_back(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		struct life l;

		life_up(&l, journal);
		apply(&l, 2, 64);
		/* the old VFs are gone, and a new slice is there */
		CU_ASSERT_EQUAL(pf_state_write(l.r.pf, true, gv_pf_get_plan(l.r.pf), &l.r.err), 0);
		CU_ASSERT_EQUAL(gv_bus_enable_vfs(&l.r.lying.bus, 0, NULL), 0);
		gv_wr32(&l.r.lying.bus, GV_BYTE_N(GVX_VF0_L2_ENTRIES, 3), 77);
		CU_ASSERT_EQUAL_FATAL(again(&l), 0);
		CU_ASSERT_EQUAL(boot_of(&l)->apply, GV_PF_BOOT_ROLLED_BACK);
		CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 2);
		CU_ASSERT_EQUAL(gv_pf_get_plan(l.r.pf)->vf[1].fb_mib, 64);
		CU_ASSERT_EQUAL(gv_rd32(&l.r.lying.bus, GV_BYTE_N(GVX_VF0_L2_ENTRIES, 3)), 0);
		CU_ASSERT_EQUAL(rig_state(&l.r, 0), GV_MBOX_IDLE);
		expect_taken_over(&l, 2, journal ? 2 : 0);
		CU_ASSERT_EQUAL(boot_of(&l)->apply, GV_PF_BOOT_APPLY_NONE);
		life_down(&l);
	}
}

static void half_a_disable_is_finished(void)
{
	struct life l;

	life_up(&l, true);
	apply(&l, 2, 64);
	CU_ASSERT_EQUAL(pf_state_write(l.r.pf, true, NULL, &l.r.err), 0);
	CU_ASSERT_EQUAL_FATAL(again(&l), 0);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 0);
	CU_ASSERT_PTR_NULL(gv_pf_get_plan(l.r.pf));
	apply(&l, 1, 64);
	life_down(&l);
}

/* The journal has it, VRAM has not: put the slot of the last record back. */
static void an_apply_whose_record_alone_is_missing_is_finished(void)
{
	uint8_t slot[PF_STATE_BYTES];
	struct gv_pf_plan plan;
	struct life l;
	uint64_t where;

	life_up(&l, true);
	apply(&l, 1, 64);
	plan = *gv_pf_get_plan(l.r.pf);
	CU_ASSERT_EQUAL(pf_state_write(l.r.pf, true, NULL, &l.r.err), 0);
	where = PF_BOOT_RECORD + (l.r.pf->boot.generation + 1) % 2 * PF_STATE_BYTES;
	CU_ASSERT_EQUAL(gv_pf_vram_read(l.r.pf, where, slot, sizeof(slot)), 0);
	CU_ASSERT_EQUAL(pf_state_write(l.r.pf, false, &plan, &l.r.err), 0);
	CU_ASSERT_EQUAL(gv_pf_vram_write(l.r.pf, where, slot, sizeof(slot)), 0);
	CU_ASSERT_EQUAL_FATAL(again(&l), 0);
	CU_ASSERT_EQUAL(boot_of(&l)->apply, GV_PF_BOOT_FINISHED);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 1);
	CU_ASSERT_EQUAL(gv_pf_get_plan(l.r.pf)->num_vfs, 1);
	life_down(&l);
}

/* ---- killed in a reset of the whole GPU -------------------------------------------------------
 */

/* The journal as it was at the moment of death. */
struct grave {
	struct life l;
	char path[512];
	uint8_t *journal;
	size_t bytes;
};

static void bury(void *arg)
{
	struct grave *g = arg;
	FILE *f;

	snprintf(g->path, sizeof(g->path), "%s", boot_of(&g->l)->journal);
	f = fopen(g->path, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	g->journal = malloc(GV_MIB);
	CU_ASSERT_PTR_NOT_NULL_FATAL(g->journal);
	g->bytes = fread(g->journal, 1, GV_MIB, f);
	(void)fclose(f);
}

static void rise(struct grave *g)
{
	FILE *f;

	leave(&g->l);
	f = fopen(g->path, "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fwrite(g->journal, 1, g->bytes, f), g->bytes);
	(void)fclose(f);
	free(g->journal);
	g->journal = NULL;
	g->l.r.lying.die_at = 0;
	g->l.r.lying.dead = false;
}

static void serve_reset(struct life *l)
{
	uint64_t end = gv_now_ns() + 60 * GV_S, next;

	while (gv_pf_gpu_resetting(l->r.pf) && !l->r.lying.dead && gv_now_ns() < end)
		(void)gv_pf_service(l->r.pf, &next);
}

/* VF0 runs, VF1 has exclusive access, VF2 stands in the line. */
static void begin_reset(struct life *l, struct gv_bus *vf[3])
{
	apply(l, 3, 64);
	for (unsigned i = 0; i < 3; i++)
		vf[i] = rig_vf(&l->r, i);
	rig_init_guest(&l->r, vf[0]);
	CU_ASSERT_TRUE(rig_send(&l->r, vf[1], GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(&l->r, vf[1], GV_MBOX_READY_TO_ACCESS_GPU, 5000));
	CU_ASSERT_TRUE(rig_send(&l->r, vf[2], GV_MBOX_REQ_GPU_INIT_ACCESS));
}

/* The next one, killed as well, at its @nth write; and the one after that. True: they had to finish
 * the reset. */
static bool start_again(struct grave *g, unsigned nth)
{
	rise(g);
	g->l.r.lying.die_at = g->l.r.lying.writes + nth;
	if (again(&g->l) || g->l.r.lying.dead) {
		CU_ASSERT_TRUE_FATAL(g->l.r.lying.dead);
		rise(g);
		CU_ASSERT_EQUAL_FATAL(again(&g->l), 0);
	}
	g->l.r.lying.die_at = 0;
	CU_ASSERT_EQUAL(boot_of(&g->l)->path, GV_PF_BOOT_TAKEN_OVER);
	CU_ASSERT_EQUAL(boot_of(&g->l)->vfs_adopted, 3);
	serve_reset(&g->l);
	return rig_saw(&g->l.r, GV_PF_EVENT_CONTAIN, -1, "whole-GPU reset: done");
}

/* At the @nth write since it was asked for. False: there are fewer. */
static bool killed_in_reset(unsigned nth, unsigned *finished)
{
	struct grave g = {0};
	struct gv_bus *vf[3];
	bool died;

	life_up(&g.l, true);
	g.l.cfg.mailbox.gpu_notify_ms = 5;
	CU_ASSERT_EQUAL_FATAL(again(&g.l), 0);
	begin_reset(&g.l, vf);
	g.l.r.lying.died = bury;
	g.l.r.lying.died_arg = &g;
	g.l.r.lying.die_at = g.l.r.lying.writes + nth;
	CU_ASSERT_EQUAL(gv_pf_gpu_reset(g.l.r.pf, GV_PF_APPLY_FORCE, "test", &g.l.r.err), 0);
	serve_reset(&g.l);
	died = g.l.r.lying.dead;
	g.l.r.lying.die_at = 0;
	if (died)
		*finished += start_again(&g, 1 + nth * 37 % 200);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(g.l.r.dev), 3);
	CU_ASSERT_TRUE(rig_serve_until(&g.l.r, 0, GV_MBOX_IDLE, 10000));
	CU_ASSERT_TRUE(rig_serve_until(&g.l.r, 1, GV_MBOX_IDLE, 10000));
	CU_ASSERT_TRUE(rig_hear(&g.l.r, vf[2], GV_MBOX_READY_TO_ACCESS_GPU, 10000));
	CU_ASSERT_TRUE(rig_send(&g.l.r, vf[2], GV_MBOX_REL_GPU_INIT_ACCESS));
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(g.l.r.pf, i, &g.l.r.err), 0);
		rig_init_guest(&g.l.r, vf[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		vf[i] = gv_bus_close(vf[i]);
	if (CU_get_number_of_failure_records())
		printf("killed in place of write %u: %s\n", nth, g.l.r.err.text);
	life_down(&g.l);
	return died;
}

/* GV_RESET_KILLS=all: at every write. */
static void killed_in_a_reset_of_the_whole_gpu_it_is_finished(void)
{
	const char *all = getenv("GV_RESET_KILLS");
	unsigned step = all && !strcmp(all, "all") ? 1 : 23, n = 0, finished = 0;

	for (unsigned nth = 1; killed_in_reset(nth, &finished); nth += step)
		n++;
	CU_ASSERT(finished > n / 2); /* else it was about to end */
	printf("[killed %u times, %u resets finished] ", n, finished);
}

/* ---- whose it is ---------------------------------------------------------------------------- */

static void spoil_records(struct life *l)
{
	static const uint8_t junk[2 * PF_STATE_BYTES] = {1, 2, 3};

	CU_ASSERT_EQUAL(gv_pf_vram_write(l->r.pf, PF_BOOT_RECORD, junk, sizeof(junk)), 0);
}

static void a_lost_record_with_vfs_is_refused_and_nothing_touched(void)
{
	struct life l;

	life_up(&l, true);
	apply(&l, 2, 64);
	spoil_records(&l);
	CU_ASSERT_EQUAL(again(&l), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(l.r.err.text, "GPUVISOR_RESET=1"));
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 2);
	l.cfg.full_reset = true;
	CU_ASSERT_EQUAL_FATAL(again(&l), 0);
	CU_ASSERT_EQUAL(boot_of(&l)->path, GV_PF_BOOT_FORCED);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 0);
	apply(&l, 2, 64);
	life_down(&l);
}

static void hardware_that_is_not_as_planned_is_refused(void)
{
	struct life l;

	life_up(&l, true);
	apply(&l, 2, 64);
	gv_wr32(&l.r.lying.bus, GV_BYTE_N(GVX_VF0_L2_ENTRIES, 1), 5);
	CU_ASSERT_EQUAL(again(&l), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL(strstr(l.r.err.text, "VF1"));
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 2);
	l.cfg.full_reset = true;
	CU_ASSERT_EQUAL_FATAL(again(&l), 0);
	life_down(&l);
}

static void a_gpu_that_somebody_else_has_set_up_is_reset_first(void)
{
	struct life l;

	life_up(&l, false);
	apply(&l, 1, 64);
	gv_wr32(&l.r.lying.bus, SCRATCH_REG7__BYTE, 0x1234);
	CU_ASSERT_EQUAL_FATAL(again(&l), 0);
	CU_ASSERT_EQUAL(boot_of(&l)->path, GV_PF_BOOT_OTHER);
	CU_ASSERT_PTR_NOT_NULL(strstr(boot_of(&l)->why, "VFs are enabled"));
	CU_ASSERT_EQUAL(gv_dev_num_vfs(l.r.dev), 0);
	life_down(&l);
}

static void a_guest_cannot_claim_that_we_were_here(void)
{
	struct gv_bus *vf;
	struct life l;

	life_up(&l, false);
	apply(&l, 1, 64);
	vf = rig_vf(&l.r, 0);
	rig_init_guest(&l.r, vf);
	gv_wr32(vf, SCRATCH_REG7__BYTE, 0);
	CU_ASSERT_EQUAL(gv_rd32(&l.r.lying.bus, SCRATCH_REG7__BYTE), PF_STATE_FLAG);
	down_with_guest(&l, vf);
}

/* In quarantine, on its way there, clean, used: with the journal each stays what it was; without
 * one nothing is known, and what nobody uses is scrubbed again. */
static void quarantine_and_scrub_records_outlive_the_manager(void)
{
	for (unsigned journal = 0; journal < 2; journal++) {
		struct gv_pf_vf_status s;
		struct gv_bus *vf;
		struct life l;

		life_up(&l, journal);
		apply(&l, 3, 64);
		vf = rig_vf(&l.r, 1);
		rig_init_guest(&l.r, vf);
		gv_pf_vf_set_tenant(l.r.pf, 1, "bob");
		CU_ASSERT_EQUAL(gv_pf_vf_quarantine(l.r.pf, 0, "it mines", &l.r.err), 0);
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_OFF, 10000));
		CU_ASSERT_EQUAL(again(&l), 0);
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(l.r.pf, 2, &l.r.err), journal ? 0 : -EUCLEAN);
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 2, GV_MBOX_IDLE, 10000));
		CU_ASSERT_TRUE(
		        rig_serve_until(&l.r, 0, journal ? GV_MBOX_OFF : GV_MBOX_IDLE, 10000));
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(l.r.pf, 0, &l.r.err), journal ? -EPERM : 0);
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(l.r.pf, 1, &l.r.err), -EUCLEAN);
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(l.r.pf, 2, &l.r.err), 0);
		CU_ASSERT_EQUAL(gv_pf_get_vf_status(l.r.pf, 0, &s), 0);
		CU_ASSERT_STRING_EQUAL(s.guard.why, journal ? "it mines" : "");
		CU_ASSERT_EQUAL(s.state == GV_MBOX_OFF, journal);
		CU_ASSERT_EQUAL(gv_pf_vf_unquarantine(l.r.pf, 0, &l.r.err),
		                journal ? 0 : -EALREADY);
		CU_ASSERT_TRUE(rig_serve_until(&l.r, 0, GV_MBOX_IDLE, 10000));
		CU_ASSERT_EQUAL(again(&l), 0); /* and that, too */
		CU_ASSERT_EQUAL(gv_pf_vf_check_clean(l.r.pf, 0, &l.r.err), journal ? 0 : -EUCLEAN);
		/* on its way when the manager ends */
		CU_ASSERT_EQUAL(gv_pf_vf_quarantine(l.r.pf, 1, "it hangs", &l.r.err), 0);
		CU_ASSERT_EQUAL(again(&l), 0);
		if (journal)
			CU_ASSERT_TRUE(rig_serve_until(&l.r, 1, GV_MBOX_OFF, 40000));
		down_with_guest(&l, vf);
	}
}

static void fault(struct gv_bus *vf, unsigned times)
{
	uint32_t got;

	for (unsigned i = 0; i < times; i++)
		(void)gv_bus_read(vf, GV_REGION_VRAM, 80 * GV_MIB, &got, 4);
}

/* And so do counts near a limit: each of the two alone would be below it. */
static void a_pause_outlives_the_manager(void)
{
	const struct gv_cfg_guard few = {20, 600000, GV_CFG_GUARD_PAUSE};
	struct gv_pf_vf_status s;
	struct gv_pf_plan plan;
	struct gv_bus *vf;
	struct life l;

	life_up(&l, true);
	plan = rig_plan(&l.r, 2, 64);
	plan.guard[GV_CFG_GUARD_FAULTS] = few;
	CU_ASSERT_EQUAL_FATAL(gv_pf_apply(l.r.pf, &plan, 0, &l.r.err), 0);
	vf = rig_vf(&l.r, 0);
	rig_init_guest(&l.r, vf);
	fault(vf, 15);
	rig_serve(&l.r, 150);
	CU_ASSERT_EQUAL(again(&l), 0);
	fault(vf, 15);
	for (unsigned i = 0; i < 3; i++) {
		rig_serve(&l.r, 150);
		CU_ASSERT_EQUAL(gv_pf_get_vf_status(l.r.pf, 0, &s), 0);
		CU_ASSERT_EQUAL(s.guard.state, GV_PF_GUARD_PAUSED);
		CU_ASSERT_EQUAL(s.guard.kind[GV_CFG_GUARD_FAULTS].total, 30);
		CU_ASSERT_TRUE(s.world.held);
		CU_ASSERT_EQUAL(strncmp(s.guard.why, "faults: ", 8), 0);
		CU_ASSERT_EQUAL(gv_pf_get_vf_status(l.r.pf, 1, &s), 0);
		CU_ASSERT_EQUAL(s.guard.state, GV_PF_GUARD_NORMAL);
		CU_ASSERT_EQUAL(again(&l), 0);
	}
	down_with_guest(&l, vf);
}

UT_MAIN("pf-driver/adopt", UT(a_state_survives_packing_and_no_changed_byte_is_missed),
        UT(the_journal_may_be_one_step_ahead_and_no_more), UT(what_the_hardware_shows_is_a_session),
        UT(a_running_guest_notices_nothing), UT(what_was_asked_meanwhile_is_answered),
        UT(what_was_asked_and_taken_back_meanwhile_is_answered),
        UT(a_window_goes_on_with_a_new_deadline), UT(a_reset_under_way_is_begun_again_and_ends),
        UT(a_guest_that_was_told_of_its_reset_is_waited_for),
        UT(a_vf_that_was_reset_meanwhile_is_cleaned), UT(half_an_apply_is_rolled_back),
        UT(half_a_disable_is_finished), UT(an_apply_whose_record_alone_is_missing_is_finished),
        UT(killed_in_a_reset_of_the_whole_gpu_it_is_finished),
        UT(a_lost_record_with_vfs_is_refused_and_nothing_touched),
        UT(hardware_that_is_not_as_planned_is_refused),
        UT(a_gpu_that_somebody_else_has_set_up_is_reset_first),
        UT(a_guest_cannot_claim_that_we_were_here),
        UT(quarantine_and_scrub_records_outlive_the_manager), UT(a_pause_outlives_the_manager))
