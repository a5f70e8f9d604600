/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "boot_state.h"
#include "pf.h"

#define MAGIC   0x52425647u /* "GVBR" */
#define VERSION 1u
#define SLOTS   2u /* written in turn: one is always whole */

enum { F_CHANGING = 1, F_HAS_PLAN = 2 };

struct head {
	uint32_t magic;
	uint16_t version, flags;
	uint32_t bytes; /* behind this */
	uint32_t crc;   /* of all, with crc 0 */
	uint64_t generation, boot_id;
};
_Static_assert(sizeof(struct head) == 32, "in VRAM and on disk");

/* ---- a plan as bytes: tag, length, data; so that newer programs read what older ones left ---- */

struct field {
	uint8_t tag, bytes;
	uint16_t at;
};
#define ROW(tag, type, member)                                                                     \
	{                                                                                          \
		tag, sizeof(((struct type *)0)->member), offsetof(struct type, member)             \
	}
#define TAG_VF 255 /* one byte, the VF: what follows is about it */

/* Tags are never used for something else. */
static const struct field plan_fields[] = {
        ROW(1, gv_pf_plan, caps.vram_mib),
        ROW(2, gv_pf_plan, caps.pf_window_mib),
        ROW(3, gv_pf_plan, caps.max_vfs),
        ROW(4, gv_pf_plan, caps.fb_unit_mib),
        ROW(5, gv_pf_plan, caps.fb_min_mib),
        ROW(6, gv_pf_plan, caps.doorbell_pages),
        ROW(7, gv_pf_plan, name),
        ROW(8, gv_pf_plan, policy),
        ROW(9, gv_pf_plan, num_vfs),
        ROW(10, gv_pf_plan, pf_mib),
        ROW(11, gv_pf_plan, free_mib),
        ROW(12, gv_pf_plan, csa_kib),
        ROW(13, gv_pf_plan, csa_offset),
        ROW(14, gv_pf_plan, guard), /* may grow */
};
static const struct field vf_fields[] = {
        ROW(1, gv_pf_plan_vf, label),       ROW(2, gv_pf_plan_vf, fb_offset_mib),
        ROW(3, gv_pf_plan_vf, fb_mib),      ROW(4, gv_pf_plan_vf, doorbell_pages),
        ROW(5, gv_pf_plan_vf, quantum_ms),  ROW(6, gv_pf_plan_vf, weight),
        ROW(7, gv_pf_plan_vf, priority),    ROW(8, gv_pf_plan_vf, preempt_timeout_ms),
        ROW(9, gv_pf_plan_vf, capacity),    ROW(10, gv_pf_plan_vf, l2_offset),
        ROW(11, gv_pf_plan_vf, l2_entries),
};
/* A member more needs a row above: a plan is the same after a restart, or VFs are made anew. */
_Static_assert(sizeof(struct gv_pf_caps) == 24 && sizeof(struct gv_pf_plan_vf) == 112 &&
                       offsetof(struct gv_pf_plan, vf) ==
                               120 + sizeof(((struct gv_pf_plan *)0)->guard) &&
                       sizeof(((struct gv_pf_plan *)0)->guard) < 256,
               "rows of all members");

static size_t put_fields(uint8_t *to, const struct field *f, size_t count, const void *from)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		to[n++] = f[i].tag;
		to[n++] = f[i].bytes;
		memcpy(to + n, (const uint8_t *)from + f[i].at, f[i].bytes);
		n += f[i].bytes;
	}
	return n;
}

static size_t put_plan(uint8_t *to, const struct gv_pf_plan *plan)
{
	size_t n = put_fields(to, plan_fields, GV_ARRAY_LEN(plan_fields), plan);

	for (unsigned i = 0; i < plan->num_vfs; i++) {
		to[n++] = TAG_VF;
		to[n++] = 1;
		to[n++] = (uint8_t)i;
		n += put_fields(to + n, vf_fields, GV_ARRAY_LEN(vf_fields), &plan->vf[i]);
	}
	return n;
}

/* Into the member of that tag; a tag that we do not know is a newer program's, and left out. */
static bool get_field(const struct field *f, size_t count, uint8_t tag, const uint8_t *data,
                      uint8_t bytes, void *to)
{
	for (size_t i = 0; i < count; i++) {
		if (f[i].tag != tag)
			continue;
		if (f[i].bytes != bytes && f[i].at != offsetof(struct gv_pf_plan, guard))
			return false;
		memcpy((uint8_t *)to + f[i].at, data, GV_MIN(bytes, f[i].bytes));
	}
	return true;
}

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static bool is_sane(const struct gv_pf_plan *plan)
{
	bool ok = plan->num_vfs && plan->num_vfs <= GV_PF_MAX_VFS &&
	          is_text(plan->name, sizeof(plan->name));

	for (unsigned i = 0; ok && i < GV_CFG_GUARDS; i++)
		ok = (unsigned)plan->guard[i].policy < GV_CFG_GUARD_POLICIES;
	for (unsigned i = 0; ok && i < plan->num_vfs; i++)
		ok = is_text(plan->vf[i].label, sizeof(plan->vf[i].label)) && plan->vf[i].fb_mib;
	return ok;
}

static bool get_plan(const uint8_t *p, size_t n, struct gv_pf_plan *plan)
{
	struct gv_pf_plan_vf *v = NULL;
	bool ok = true;

	memset(plan, 0, sizeof(*plan));
	while (ok && n >= 2 && p[1] <= n - 2) {
		if (p[0] == TAG_VF)
			v = p[1] == 1 && p[2] < GV_PF_MAX_VFS ? &plan->vf[p[2]] : NULL;
		if (p[0] == TAG_VF)
			ok = v != NULL;
		else if (v)
			ok = get_field(vf_fields, GV_ARRAY_LEN(vf_fields), p[0], p + 2, p[1], v);
		else
			ok = get_field(plan_fields, GV_ARRAY_LEN(plan_fields), p[0], p + 2, p[1],
			               plan);
		n -= 2u + p[1];
		p += 2 + p[1];
	}
	for (int kind = 0; kind < GV_CFG_GUARDS; kind++)
		plan->guard[kind] =
		        gv_cfg_guard_of(&plan->guard[kind], (enum gv_cfg_guard_kind)kind);
	return ok && !n && is_sane(plan);
}

/* ---- the record ------------------------------------------------------------------------ */

static uint32_t crc_of(const struct head *head, const uint8_t *data)
{
	struct head h = *head;

	h.crc = 0;
	return gv_crc32(gv_crc32(0, &h, sizeof(h)), data, h.bytes);
}

size_t pf_state_pack(const struct pf_state *s, uint8_t buf[PF_STATE_BYTES])
{
	struct head h = {.magic = MAGIC,
	                 .version = VERSION,
	                 .flags = (uint16_t)((s->changing ? F_CHANGING : 0) |
	                                     (s->has_plan ? F_HAS_PLAN : 0)),
	                 .generation = s->generation,
	                 .boot_id = s->boot_id};

	if (s->has_plan)
		h.bytes = (uint32_t)put_plan(buf + sizeof(h), &s->plan);
	h.crc = crc_of(&h, buf + sizeof(h));
	memcpy(buf, &h, sizeof(h));
	return sizeof(h) + h.bytes;
}
_Static_assert(sizeof(struct head) + GV_ARRAY_LEN(plan_fields) * 2 + sizeof(struct gv_pf_plan) +
                               GV_PF_MAX_VFS * (3 + GV_ARRAY_LEN(vf_fields) * 2) <
                       PF_STATE_BYTES,
               "room");

int pf_state_unpack(const void *buf, size_t bytes, struct pf_state *s, struct gv_err *err)
{
	const uint8_t *data = (const uint8_t *)buf + sizeof(struct head);
	struct pf_state got = {0};
	struct head h;

	if (bytes < sizeof(h))
		return gv_fail(err, -EBADMSG, "boot record: %zu bytes", bytes);
	memcpy(&h, buf, sizeof(h));
	if (h.magic != MAGIC || h.bytes > bytes - sizeof(h) || h.crc != crc_of(&h, data))
		return gv_fail(err, -EBADMSG, "boot record: damaged, or never written");
	if (h.version != VERSION)
		return gv_fail(err, -ENOTSUP,
		               "boot record: version %u, this program knows version %u", h.version,
		               VERSION);
	got.boot_id = h.boot_id;
	got.generation = h.generation;
	got.changing = h.flags & F_CHANGING;
	got.has_plan = h.flags & F_HAS_PLAN;
	if (got.has_plan && !get_plan(data, h.bytes, &got.plan))
		return gv_fail(err, -EBADMSG, "boot record: its plan makes no sense");
	*s = got;
	return 0;
}

int pf_state_read(struct gv_pf *pf, struct pf_state *s, struct gv_err *err)
{
	uint8_t buf[PF_STATE_BYTES];
	struct pf_state *got = NULL;
	gv_auto_free struct pf_state *room = calloc(SLOTS, sizeof(*room));
	int rc = room ? 0 : -ENOMEM;

	for (unsigned i = 0; room && i < SLOTS; i++) {
		struct gv_err why = {0};

		rc = gv_pf_vram_read(pf, PF_BOOT_RECORD + i * PF_STATE_BYTES, buf, sizeof(buf));
		if (rc)
			return gv_fail(err, rc, "boot record: %s", strerror(-rc));
		rc = pf_state_unpack(buf, sizeof(buf), &room[i], &why);
		if (rc == -ENOTSUP)
			return gv_fail(err, rc, "%s", why.text);
		if (!rc && (!got || room[i].generation > got->generation))
			got = &room[i];
	}
	if (!got)
		return gv_fail(err, rc, "boot record: %s",
		               rc == -ENOMEM ? "no memory" : "damaged, or never written");
	*s = *got;
	return 0;
}

static int write_slot(struct gv_pf *pf, const uint8_t *buf, size_t n, struct gv_err *err)
{
	uint64_t at = PF_BOOT_RECORD + pf->boot.generation % SLOTS * PF_STATE_BYTES;
	uint8_t got[PF_STATE_BYTES];
	int rc = gv_pf_vram_write(pf, at, buf, n);

	if (!rc)
		rc = gv_pf_vram_read(pf, at, got, n);
	if (rc)
		return gv_fail(err, rc, "boot record: %s", strerror(-rc));
	return memcmp(got, buf, n) ? gv_fail(err, -EIO, "boot record reads back different") : 0;
}

int pf_state_write(struct gv_pf *pf, bool changing, const struct gv_pf_plan *plan,
                   struct gv_err *err)
{
	gv_auto_free struct pf_state *s = calloc(1, sizeof(*s));
	uint8_t buf[PF_STATE_BYTES] = {0};
	size_t n;

	if (!s)
		return gv_fail(err, -ENOMEM, "no memory for a boot record");
	s->boot_id = pf->boot_id;
	s->generation = ++pf->boot.generation;
	s->changing = changing;
	s->has_plan = plan != NULL;
	if (plan)
		s->plan = *plan;
	n = (pf_state_pack(s, buf) + 3) & ~3ul; /* MM_DATA: by dwords */
	pf_journal_note(pf, PF_JOURNAL_STATE, PF_JOURNAL_NO_VF, buf, n);
	return write_slot(pf, buf, n, err);
}

/* ---- who was it? ----------------------------------------------------------------------- */

unsigned pf_boot_vfs(struct gv_pf *pf)
{
	uint32_t shadow;
	uint16_t giov;

	if (gv_cfg_find_vsec(pf->bus, GV_VSEC_GPUIOV, &giov))
		return 0;
	shadow = gv_cfg_rd32(pf->bus, (uint16_t)(giov + GIOV_SRIOV_SHADOW__OFF));
	return GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_EN) ? GV_GET(shadow, GIOV_SRIOV_SHADOW, VF_NUM)
	                                                : 0;
}

/* The emulated GPU's PSP always shows a sign of life, so rings are what tells. */
static const char *sign_of_others(struct gv_pf *pf)
{
	if (pf_boot_vfs(pf))
		return "VFs are enabled";
	if (GV_GET(gv_rd32(pf->bus, IH_RB_CNTL__BYTE), IH_RB_CNTL, RB_ENABLE))
		return "its interrupt ring is on";
	if (GV_GET(gv_rd32(pf->bus, SDMA0_GFX_RB_CNTL__BYTE), SDMA0_GFX_RB_CNTL, RB_ENABLE))
		return "its SDMA ring is on";
	return NULL;
}

static int look_at_ours(struct gv_pf *pf, enum gv_pf_boot_path *path, struct pf_state *s,
                        struct gv_err *err)
{
	struct gv_err why = {0};
	int rc = pf_state_read(pf, s, &why);
	unsigned vfs = pf_boot_vfs(pf);

	if (!rc) {
		*path = GV_PF_BOOT_TAKEN_OVER;
		(void)snprintf(pf->boot.why, sizeof(pf->boot.why),
		               "SCRATCH_REG7 and the boot record are ours");
		return 0;
	}
	if (vfs)
		return gv_fail(err, rc,
		               "%u VFs are enabled by a gpuvisord, but what it left cannot be used "
		               "(%s): stop their guests, then start with GPUVISOR_RESET=1%s",
		               vfs, why.text,
		               rc == -ENOTSUP ? ", or start that newer program again" : "");
	*path = GV_PF_BOOT_OTHER;
	(void)snprintf(pf->boot.why, sizeof(pf->boot.why), "no VF is enabled, and %.100s",
	               why.text);
	return 0;
}

static int look_at_hardware(struct gv_pf *pf, enum gv_pf_boot_path *path, struct pf_state *s,
                            struct gv_err *err)
{
	uint32_t flag = gv_rd32(pf->bus, SCRATCH_REG7__BYTE);
	const char *sign;

	if (flag == PF_STATE_FLAG)
		return look_at_ours(pf, path, s, err);
	sign = sign_of_others(pf);
	*path = sign ? GV_PF_BOOT_OTHER : GV_PF_BOOT_COLD;
	(void)snprintf(pf->boot.why, sizeof(pf->boot.why), "SCRATCH_REG7 reads 0x%08x, %s", flag,
	               sign ? sign : "nothing is on");
	return 0;
}

/* Mode 1 leaves nothing that says that the GPU is ours. But the VFs stay. */
static bool are_its_vfs(struct gv_pf *pf, const struct pf_state *s)
{
	return pf_boot_vfs(pf) == (s->has_plan ? s->plan.num_vfs : 0) &&
	       (!s->has_plan || !memcmp(&s->plan.caps, &pf->caps, sizeof(pf->caps)));
}

int pf_boot_look(struct gv_pf *pf, enum gv_pf_boot_path *path, struct pf_state *s,
                 struct gv_err *err)
{
	bool cut_short = pf_gpu_reset_found(pf, s);
	uint64_t boot_id = s->boot_id;
	int rc = 0;

	if (pf->cfg.full_reset) {
		*path = GV_PF_BOOT_FORCED;
		(void)snprintf(pf->boot.why, sizeof(pf->boot.why), "GPUVISOR_RESET=1");
	} else if (cut_short && pf->gpu_reset.phase == PF_GPU_RESET && are_its_vfs(pf, s)) {
		*path = GV_PF_BOOT_TAKEN_OVER;
		(void)snprintf(pf->boot.why, sizeof(pf->boot.why),
		               "ours by the journal, and in a reset of the whole GPU");
		return 0;
	} else {
		rc = look_at_hardware(pf, path, s, err);
	}
	/* Before mode 1 it is a takeover as any other. */
	if (cut_short && !rc &&
	    (*path != GV_PF_BOOT_TAKEN_OVER || pf->gpu_reset.phase != PF_GPU_TELL ||
	     s->boot_id != boot_id)) {
		PF_LOG(pf, GV_LOG_WARN,
		       "journal: a reset of the whole GPU was cut short, of which the hardware "
		       "shows nothing; continuing without");
		pf_gpu_reset_forget(pf);
	}
	return rc;
}

/* ---- the last step of the bring-up ------------------------------------------------------ */

int pf_state_init(struct gv_pf *pf, struct gv_err *err)
{
	int rc;

	if (gv_random64(&pf->boot_id))
		return gv_fail(err, -EIO, "no random number for the boot record");
	rc = pf_state_write(pf, false, NULL, err);
	return rc ? rc : pf_set(pf, SCRATCH_REG7__BYTE, PF_STATE_FLAG, UINT32_MAX, err);
}

int pf_state_adopt(struct gv_pf *pf, struct gv_err *err)
{
	return pf_expect(pf, SCRATCH_REG7__BYTE, UINT32_MAX, PF_STATE_FLAG, err);
}

void pf_state_fini(struct gv_pf *pf)
{
	gv_wr32(pf->bus, SCRATCH_REG7__BYTE, 0);
}
