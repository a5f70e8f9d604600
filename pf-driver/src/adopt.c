/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "adopt.h"
#include "pf.h"
#include "world.h"

/* A session as it is in the journal. */
struct session {
	uint64_t generation; /* of the state that it belongs to: with another plan it means nothing
	                      */
	struct gv_mbox_saved saved;
	uint8_t gates;         /* that we have open: one that is shut was shut by a reset */
	uint8_t no_scrub_next; /* the reset under way is to spare the frame buffer */
	uint8_t shut;          /* of them: by the guard, for a while */
	uint8_t reserved;
	uint32_t heard; /* the last message that was taken */
	uint32_t reserved2;
};
_Static_assert(sizeof(struct session) == 48, "in files");

/* ---- the journal -------------------------------------------------------------------------- */

static void journal_path(const struct gv_pf *pf, char path[PATH_MAX])
{
	char name[64];
	size_t n = 0;

	for (const char *p = pf->bus->name; *p && n < sizeof(name) - 1; p++)
		name[n++] = isalnum((unsigned char)*p) || *p == '.' || *p == '-' ? *p : '_';
	name[n] = '\0';
	(void)snprintf(path, PATH_MAX, "%s/%s-%08x.journal", pf->cfg.state_dir, name,
	               gv_crc32(0, pf->bus->name, strlen(pf->bus->name)));
}

int pf_adopt_open(struct gv_pf *pf, struct gv_err *err)
{
	enum pf_journal_found found = PF_JOURNAL_NEW;
	struct gv_err why = {0};
	char path[PATH_MAX];
	int rc;

	pf->boot.found = "";
	if (!pf->cfg.state_dir || pf->journal)
		return 0;
	journal_path(pf, path);
	rc = pf_journal_open(path, &pf->journal, &found, &why);
	if (rc == -EBUSY)
		return gv_fail(err, rc, "%s", why.text);
	if (rc) {
		PF_LOG(pf, GV_LOG_WARN,
		       "no journal: %s; continuing without: a restart finds out from the hardware "
		       "what it can",
		       why.text);
		return 0;
	}
	(void)snprintf(pf->boot.journal, sizeof(pf->boot.journal), "%s", path);
	pf->boot.found = pf_journal_found_name(found);
	if (found == PF_JOURNAL_TORN)
		PF_LOG(pf, GV_LOG_WARN, "journal: %s; cut there, continuing", why.text);
	else if (found == PF_JOURNAL_NEWER || found == PF_JOURNAL_BAD)
		PF_LOG(pf, GV_LOG_WARN,
		       "journal: %s; refused, it is kept as .refused; continuing with what the "
		       "hardware shows",
		       why.text);
	return 0;
}

static void note_pending(struct gv_pf *pf, unsigned vf);

void pf_session_note(struct gv_pf *pf, unsigned vf)
{
	struct session s = {.generation = pf->boot.generation,
	                    .gates = (uint8_t)pf->vf[vf].gates,
	                    .shut = (uint8_t)pf->vf[vf].shut,
	                    .heard = pf->vf[vf].heard,
	                    .no_scrub_next =
	                            pf->vf[vf].no_scrub_next ||
	                            (pf->vf[vf].job.phase != PF_JOB_NONE && !pf->vf[vf].job.scrub)};

	note_pending(pf, vf);
	if (pf->journal && !gv_mbox_pf_save(&pf->mbox, vf, &s.saved))
		pf_journal_note(pf, PF_JOURNAL_SESSION, (int)vf, &s, sizeof(s));
}

void pf_sessions_note(struct gv_pf *pf)
{
	for (unsigned i = 0; pf->has_plan && i < pf->plan.num_vfs; i++)
		pf_session_note(pf, i);
}

void pf_adopt_forget(struct gv_pf *pf)
{
	/* Every slice is scrubbed before somebody gets it again. What the daemon keeps stays. */
	static const enum pf_journal_kind kinds[] = {PF_JOURNAL_STATE, PF_JOURNAL_SESSION,
	                                             PF_JOURNAL_GUARD, PF_JOURNAL_SCRUB,
	                                             PF_JOURNAL_RESET, PF_JOURNAL_COUNTS};
	int rc = 0;

	if (!pf->journal)
		return;
	for (size_t i = 0; !rc && i < GV_ARRAY_LEN(kinds); i++)
		rc = pf_journal_drop(pf->journal, kinds[i]);
	pf->journal = pf_journal_bytes(pf->journal) ? pf_journal_close(pf->journal)
	                                            : pf_journal_remove(pf->journal);
}

void gv_pf_keep(struct gv_pf *pf, enum gv_pf_keep what, int vf, const void *data, size_t bytes)
{
	pf_journal_note(pf, (enum pf_journal_kind)what, vf, data, bytes);
}

const void *gv_pf_kept(const struct gv_pf *pf, enum gv_pf_keep what, int vf, size_t *bytes)
{
	return pf_journal_last(pf, (enum pf_journal_kind)what, vf, bytes);
}
_Static_assert(GV_PF_KEEP_POOL == (int)PF_JOURNAL_POOL &&
                       GV_PF_KEEP_EARLIER == (int)PF_JOURNAL_EARLIER,
               "the same numbers");

/* ---- sessions ------------------------------------------------------------------------------ */

static uint64_t pending_at(unsigned vf)
{
	return PF_BOOT_PENDING + vf * 8ull;
}

static void look(struct gv_pf *pf, unsigned vf, struct pf_seen *seen)
{
	*seen = (struct pf_seen){.gates = pf_gates(pf, vf)};
	pf_mailbox_seen(pf, vf, seen);
	if (gv_pf_vram_read(pf, pending_at(vf), &seen->pending, sizeof(seen->pending)))
		seen->pending = 0;
}

/* A reset takes the words of the mailbox along, and with them what its guest waits for. */
static void note_pending(struct gv_pf *pf, unsigned vf)
{
	uint32_t pending = pf->vf[vf].reply_due ? pf->vf[vf].asked : 0;

	if (pending != pf->vf[vf].noted_pending &&
	    !gv_pf_vram_write(pf, pending_at(vf), &pending, sizeof(pending)))
		pf->vf[vf].noted_pending = pending;
}

/* With no action under way, the gates are as noted; or all shut, by a reset on the bus. What else
 * they are came after the record. */
static bool agrees(struct gv_pf *pf, unsigned vf, const struct session *s)
{
	unsigned gates = pf_gates(pf, vf), noted = s->gates & ~s->shut;

	switch ((enum gv_mbox_state)s->saved.state) {
	case GV_MBOX_IDLE:
	case GV_MBOX_QUEUED:
	case GV_MBOX_EXCLUSIVE:
	case GV_MBOX_ACTIVE:
	case GV_MBOX_NOTIFY:
		return gates == noted || !gates;
	default:
		return true;
	}
}

static bool from_journal(struct gv_pf *pf, unsigned vf, uint64_t generation)
{
	size_t bytes;
	const void *last = pf_journal_last(pf, PF_JOURNAL_SESSION, (int)vf, &bytes);
	bool wiped = pf->gpu_reset.phase == PF_GPU_RESET;
	struct session s;

	if (!last || bytes != sizeof(s))
		return false;
	memcpy(&s, last, sizeof(s));
	if (wiped ? s.generation < generation : s.generation != generation || !agrees(pf, vf, &s))
		return false;
	if (wiped)
		pf_session_wiped(&s.saved);
	if (gv_mbox_pf_restore(&pf->mbox, vf, &s.saved))
		return false;
	pf->vf[vf].gates = wiped ? 0 : s.gates;
	pf->vf[vf].shut = s.shut;
	pf->vf[vf].heard = s.heard;
	pf->vf[vf].no_scrub_next = s.no_scrub_next && !wiped;
	pf->vf[vf].noted_pending = UINT32_MAX; /* not known: written anew */
	pf->boot.sessions_read++;
	return true;
}

static void from_hardware(struct gv_pf *pf, unsigned vf)
{
	struct gv_mbox_saved saved;
	struct pf_seen seen;

	look(pf, vf, &seen);
	pf_session_rebuild(&seen, &saved);
	/* Two that look as if they had exclusive access: the second gets it anew. */
	if (gv_mbox_pf_restore(&pf->mbox, vf, &saved)) {
		saved = pf_session_cleaned(seen.heard);
		(void)gv_mbox_pf_restore(&pf->mbox, vf, &saved);
	}
	pf->vf[vf].gates = seen.gates;
	pf->vf[vf].noted_pending = seen.pending;
	pf->vf[vf].heard = seen.heard_valid && !seen.heard_acked ? 0 : seen.heard;
	pf->boot.sessions_rebuilt++;
	PF_LOG(pf, GV_LOG_INFO, "VF%u: %s, as the hardware shows", vf,
	       gv_mbox_state_name(pf->mbox.vf[vf].state));
}

/* What is not answered yet. */
static void recall_request(struct gv_pf *pf, unsigned vf)
{
	struct pf_seen seen;

	look(pf, vf, &seen);
	pf->vf[vf].asked = seen.pending;
	pf->vf[vf].reply_due = gv_mbox_reply_of(seen.pending);
	pf->vf[vf].asked_ns = gv_now_ns();
}

static void adopt_sessions(struct gv_pf *pf, uint64_t generation)
{
	memset(pf->vf, 0, sizeof(pf->vf));
	(void)gv_mbox_pf_init(&pf->mbox, pf->plan.num_vfs, &pf->cfg.mailbox);
	pf_guard_changed(pf);
	pf_scrub_adopt(pf);
	for (unsigned i = 0; i < pf->plan.num_vfs; i++) {
		struct pf_vf *v = &pf->vf[i];

		v->l2_fault_count = gv_rd32(pf->bus, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, i));
		v->since_ms = pf_time_ms();
		v->since_ns = gv_now_ns();
		if (!generation || !from_journal(pf, i, generation))
			from_hardware(pf, i);
		recall_request(pf, i);
		v->seen_state = pf->mbox.vf[i].state;
		if (v->seen_state == GV_MBOX_ACTIVE)
			pf_exchange_read(pf, i);
	}
	pf->boot.vfs_adopted = pf->plan.num_vfs;
}

/* ---- the plan ------------------------------------------------------------------------------- */

static int check_hardware(struct gv_pf *pf, const struct gv_pf_plan *plan, struct gv_err *err)
{
	unsigned vfs = pf_boot_vfs(pf);
	int rc = 0;

	if (memcmp(&plan->caps, &pf->caps, sizeof(pf->caps)))
		rc = gv_fail(err, -ESTALE, "it is for a GPU with %u MiB and %u VFs",
		             plan->caps.vram_mib, plan->caps.max_vfs);
	else if (vfs != plan->num_vfs)
		rc = gv_fail(err, -ESTALE, "%u VFs are enabled, it has %u", vfs, plan->num_vfs);
	else if (pf_slices_check(pf, plan, err))
		rc = -ESTALE;
	if (rc)
		(void)gv_fail_prefix(err, "the plan in force is not what the hardware shows");
	return rc;
}

static int take_plan(struct gv_pf *pf, const struct gv_pf_plan *plan, uint64_t generation,
                     struct gv_err *err)
{
	int rc = check_hardware(pf, plan, err);

	if (rc)
		return rc;
	pf->plan = *plan;
	pf->has_plan = true;
	pf->vfs_made++;
	adopt_sessions(pf, generation);
	return 0;
}

/* Half of a change is there, or more: nothing of it stays. */
static int roll_back(struct gv_pf *pf, const struct pf_state *state, struct gv_err *err)
{
	const struct gv_pf_plan all = {.num_vfs = pf->caps.max_vfs};
	struct gv_err why = {0};
	int rc;

	pf->boot.apply = GV_PF_BOOT_ROLLED_BACK;
	pf_gates_close_all(pf);
	rc = gv_bus_enable_vfs(pf->bus, 0, err);
	if (rc)
		return rc;
	pf_slices_clear(pf, &all);
	if (state->has_plan && !pf_put_up(pf, &state->plan, 0, &why)) {
		pf_event(pf, GV_PF_EVENT_APPLY, -1,
		         "rolled back: the daemon was killed in an apply; %u VFs, made anew, as "
		         "before it",
		         state->plan.num_vfs);
		return 0;
	}
	pf_event(pf, GV_PF_EVENT_APPLY, -1, "%s",
	         state->has_plan ? why.text
	                         : "the daemon was killed in a change; no VF is enabled");
	return pf_state_write(pf, false, NULL, err);
}

/* Its last step was done, and noted: the record alone is missing. */
static int finish(struct gv_pf *pf, const struct pf_state *journal, const struct pf_state *record,
                  struct gv_err *err)
{
	struct gv_err why = {0};

	if (journal->has_plan ? check_hardware(pf, &journal->plan, &why) : pf_boot_vfs(pf) != 0)
		return roll_back(pf, record, err);
	pf->boot.apply = GV_PF_BOOT_FINISHED;
	if (journal->has_plan && take_plan(pf, &journal->plan, 0, err))
		return -ESTALE;
	pf_event(pf, GV_PF_EVENT_APPLY, -1, "finished: the daemon was killed at the end of it");
	return pf_state_write(pf, false, pf->has_plan ? &pf->plan : NULL, err);
}

static int take_state(struct gv_pf *pf, const struct pf_state *record, uint64_t generation,
                      struct gv_err *err)
{
	int rc = 0;

	if (record->changing)
		return roll_back(pf, record, err);
	if (record->has_plan)
		rc = take_plan(pf, &record->plan, generation, err);
	else if (pf_boot_vfs(pf))
		rc = gv_fail(err, -ESTALE, "%u VFs are enabled, the boot record knows of none",
		             pf_boot_vfs(pf));
	if (rc)
		return rc;
	/* A generation that nothing else has: sessions are noted under it from here on. */
	return pf_state_write(pf, false, pf->has_plan ? &pf->plan : NULL, err);
}

/* Mode 1 took all of it along, and the bring-up began a new life. */
static int take_again(struct gv_pf *pf, const struct pf_state *state, struct gv_err *err)
{
	int rc = state->has_plan ? pf_put_back(pf, &state->plan, err) : 0;

	pf->boot.apply = GV_PF_BOOT_RESET_FINISHED;
	if (rc || !state->has_plan)
		return rc;
	pf->plan = state->plan;
	pf->has_plan = true;
	pf->vfs_made++;
	adopt_sessions(pf, state->generation);
	return 0;
}

static struct pf_state *journal_state(struct gv_pf *pf)
{
	struct pf_state *s = calloc(1, sizeof(*s));
	size_t bytes;
	const void *p = pf_journal_last(pf, PF_JOURNAL_STATE, PF_JOURNAL_NO_VF, &bytes);

	if (s && (!p || pf_state_unpack(p, bytes, s, NULL))) {
		free(s);
		return NULL;
	}
	return s;
}

static int reconcile(struct gv_pf *pf, const struct pf_state *record, struct gv_err *err)
{
	gv_auto_free struct pf_state *journal = journal_state(pf);

	switch (pf_reconcile(journal, record)) {
	case PF_SAME:
		return take_state(pf, record, record->generation, err);
	case PF_JOURNAL_OLD:
		if (pf->journal)
			(void)pf_journal_drop(pf->journal, PF_JOURNAL_SCRUB);
		if (journal)
			PF_LOG(pf, GV_LOG_WARN,
			       "journal: of another time (generation %llu, the GPU has %llu); "
			       "continuing with what the hardware shows",
			       (unsigned long long)journal->generation,
			       (unsigned long long)record->generation);
		return take_state(pf, record, 0, err);
	case PF_NOT_BEGUN:
		pf->boot.generation = journal->generation;
		pf->boot.apply = GV_PF_BOOT_ROLLED_BACK;
		return take_state(pf, record, record->generation, err);
	case PF_FINISH:
		pf->boot.generation = journal->generation;
		return finish(pf, journal, record, err);
	case PF_NO_MATCH:
		break;
	}
	return gv_fail(err, -ESTALE,
	               "journal (generation %llu) and boot record (%llu) contradict each other",
	               journal ? (unsigned long long)journal->generation : 0,
	               (unsigned long long)record->generation);
}

int pf_adopt(struct gv_pf *pf, const struct pf_state *record, struct gv_err *err)
{
	int rc;

	if (!record) {
		if (pf->journal)
			(void)pf_journal_drop(pf->journal, PF_JOURNAL_SESSION);
		return 0;
	}
	if (pf->gpu_reset.phase == PF_GPU_RESET)
		return take_again(pf, record, err);
	rc = reconcile(pf, record, err);
	if (rc == -ESTALE)
		(void)gv_fail_prefix(err,
		                     "taking over: nothing was touched; stop the guests and start "
		                     "with GPUVISOR_RESET=1, or move the journal %s away",
		                     pf->boot.journal);
	return rc;
}

/* ---- going on ------------------------------------------------------------------------------- */

/* The last thing that was said, if the VF cannot see it: the daemon died before. Texts are lost. */
static void say_again(struct gv_pf *pf, unsigned vf)
{
	const struct gv_mbox_session *s = &pf->mbox.vf[vf];
	struct gv_mbox_msg msg = {{s->sent}};
	struct pf_seen seen;

	look(pf, vf, &seen);
	if (!s->sent || s->sent == GV_MBOX_TEXT_MESSAGE || s->state == GV_MBOX_RESET ||
	    (seen.said == s->sent && seen.said_valid == s->sent_valid))
		return;
	if (s->sent == GV_MBOX_GPU_INIT_DATA_READY)
		msg.dw[1] = GV_MBOX_INIT_DATA_VERSION;
	pf_mailbox_send(pf, vf, &msg, s->sent_valid);
}

static void resume(struct gv_pf *pf, unsigned vf)
{
	struct gv_mbox_acts acts;

	if (pf->vf[vf].shut) /* for a while that nobody counts any more */
		pf_gates_hold(pf, vf, false);
	say_again(pf, vf);
	if (gv_mbox_pf_resume(&pf->mbox, vf, gv_now_ns(), &acts))
		return;
	pf->boot.jobs_redone += acts.count;
	pf_actions_run(pf, &acts);
	pf_mailbox_look(pf, vf, true);
	pf_mailbox_withdrawn(pf, vf);
}

void pf_adopt_resume(struct gv_pf *pf)
{
	if (!pf->boot.vfs_adopted) {
		pf_gpu_reset_resume(pf);
		return;
	}
	pf_world_start(pf);
	for (unsigned i = 0; i < pf->plan.num_vfs; i++)
		resume(pf, i);
	pf_contain_adopt(pf);
	pf_gpu_reset_resume(pf);
	pf_sessions_note(pf);
	pf->poll_ns = 0; /* what guests have asked meanwhile */
	pf_event(pf, GV_PF_EVENT_BOOT, -1,
	         "took %u VFs over: %u sessions from the journal, %u from the hardware, %u steps "
	         "begun again",
	         pf->boot.vfs_adopted, pf->boot.sessions_read, pf->boot.sessions_rebuilt,
	         pf->boot.jobs_redone);
}
