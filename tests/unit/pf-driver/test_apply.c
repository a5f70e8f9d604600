/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "rig.h"

static bool nothing_is_left(struct rig *r)
{
	struct gv_bus *bus = r->lying.real;
	bool clean = gv_dev_num_vfs(r->dev) == 0;

	for (unsigned i = 0; i < 4; i++) {
		clean &= gv_rd32(bus, GV_BYTE_N(GVX_VF0_L2_ENTRIES, i)) == 0;
		clean &= gv_rd32(bus, GV_BYTE_N(MC_VM_FB_SIZE_OFFSET_VF0, i)) == 0;
	}
	return clean && !gv_rd32(bus, GVX_VF_FB_EN__BYTE) && !gv_rd32(bus, GVX_VF_REGWR_EN__BYTE) &&
	       !gv_rd32(bus, GVX_VF_DOORBELL_EN__BYTE);
}

static void vfs_get_what_the_plan_says(void)
{
	struct gv_pf_plan plan;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	plan = rig_plan(&r, 2, 64);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(r.dev), 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(gv_pf_get_plan(r.pf));
	CU_ASSERT_EQUAL(memcmp(gv_pf_get_plan(r.pf), &plan, sizeof(plan)), 0);
	for (unsigned i = 0; i < 2; i++) {
		vf = rig_vf(&r, i);
		CU_ASSERT_EQUAL(gv_rd32(vf, RCC_PF_0_0_RCC_CONFIG_MEMSIZE__BYTE), 64);
		vf = gv_bus_close(vf);
	}
	gv_pf_shutdown(r.pf);
	CU_ASSERT_TRUE(nothing_is_left(&r));
	rig_down(&r);
}

static void exchange_pages_lie_at_the_start_of_each_slice(void)
{
	uint8_t image[GV_MBOX_VBIOS_BYTES], page[GV_MBOX_PAGE_BYTES];
	struct gv_mbox_pf2vf_info info;
	struct gv_mbox_vbios vbios;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 3, 64);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = gv_pf_get_plan(r.pf)->vf[i].fb_offset_mib * GV_MIB;

		CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at, image, sizeof(image)), 0);
		CU_ASSERT_EQUAL(gv_mbox_vbios_check(image, sizeof(image), &vbios, &r.err), 0);
		CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at + GV_MBOX_PF2VF_OFF, page, sizeof(page)),
		                0);
		CU_ASSERT_EQUAL(gv_mbox_pf2vf_read(page, 0, &info, &r.err), 0);
		CU_ASSERT_EQUAL(info.vf_index, i);
		CU_ASSERT_EQUAL(info.gpu_capacity, 65535 / 3);
		CU_ASSERT(info.feature_flags & GV_MBOX_FEAT_HOST_FLR_VRAMLOST);
	}
	rig_down(&r);
}

static void the_plan_in_force_again_touches_nothing(void)
{
	struct gv_pf_plan plan;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	plan = rig_plan(&r, 2, 64);
	r.lying.writes = 0;
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
	CU_ASSERT_EQUAL(r.lying.writes, 0);
	plan.vf[1].weight = 9;
	memcpy(plan.vf[0].label, "x", 2);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
	CU_ASSERT(r.lying.writes <= 2); /* the boot record, interrupts of the world switch */
	CU_ASSERT_EQUAL(gv_pf_get_plan(r.pf)->vf[1].weight, 9);
	rig_down(&r);
}

/* One lie per step of apply. */
static const struct {
	const char *step;
	struct rig_bus how;
} failures[] = {
        {"slices", {.flip = MMHUB_MC_VM_FB_SIZE_OFFSET_VF0__BYTE}},
        {"slices", {.flip = GVX_VF0_L2_BASE_LO__BYTE + GVX_VF0_L2_BASE_LO__STRIDE}},
        {"slices", {.drop = GVX_VF0_DOORBELL_PAGES__BYTE}},
        {"scrub", {.vram_spoil = 64 * GV_MIB + 1}},
        {"scrub", {.vram_spoil = 192 * GV_MIB - 1}},
        {"exchange pages", {.vram_spoil = 128 * GV_MIB + (64 << 10) + 20}},
        {"SR-IOV", {.fail_enable = true}},
        {"read-back", {.vram_spoil = 2 * GV_MIB + 9}},
};

static void lie(struct rig_bus *to, const struct rig_bus *how)
{
	to->flip = how->flip;
	to->armed = false;
	to->drop = how->drop;
	to->vram_spoil = how->vram_spoil;
	to->fail_enable = how->fail_enable;
}

static void a_failure_in_any_step_leaves_no_vf(void)
{
	static const struct rig_bus honest;

	for (size_t i = 0; i < GV_ARRAY_LEN(failures); i++) {
		struct gv_pf_plan plan;
		struct rig r;

		rig_up(&r, NULL);
		CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r.pf, &r.err), 0);
		plan = rig_plan(&r, 2, 64);
		lie(&r.lying, &failures[i].how);
		CU_ASSERT(gv_pf_apply(r.pf, &plan, 0, &r.err) < 0);
		lie(&r.lying, &honest);
		CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, failures[i].step));
		if (!strstr(r.err.text, failures[i].step))
			printf("%s: %s\n", failures[i].step, r.err.text);
		CU_ASSERT_TRUE(nothing_is_left(&r));
		CU_ASSERT_PTR_NULL(gv_pf_get_plan(r.pf));
		/* and it is no lasting damage */
		CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), 0);
		rig_down(&r);
	}
}

static void a_failure_brings_the_earlier_plan_back(void)
{
	struct gv_pf_plan before, next;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	before = rig_plan(&r, 2, 64);
	next = rig_plan(&r, 3, 64);
	/* the third VF's: the earlier plan does not need it */
	r.lying.drop = GV_BYTE_N(GVX_VF0_L2_BASE_LO, 2);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &next, 0, &r.err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "VF2"));
	CU_ASSERT_EQUAL(gv_dev_num_vfs(r.dev), 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(gv_pf_get_plan(r.pf));
	CU_ASSERT_EQUAL(memcmp(gv_pf_get_plan(r.pf), &before, sizeof(before)), 0);
	CU_ASSERT_TRUE(rig_saw(&r, GV_PF_EVENT_APPLY, -1, "rolled back"));
	r.lying.drop = 0;
	rig_down(&r);
}

static void vfs_in_use_are_not_taken_away_without_force(void)
{
	struct gv_pf_plan next;
	struct gv_bus *vf;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	vf = rig_vf(&r, 1);
	rig_init_guest(&r, vf);
	CU_ASSERT_TRUE(rig_serve_until(&r, 1, GV_MBOX_ACTIVE, 500));
	next = rig_plan(&r, 1, 0);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &next, 0, &r.err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "VF1 is in use"));
	CU_ASSERT_EQUAL(gv_pf_disable(r.pf, 0, &r.err), -EBUSY);
	CU_ASSERT_EQUAL(rig_state(&r, 1), GV_MBOX_ACTIVE);
	vf = gv_bus_close(vf);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &next, GV_PF_APPLY_FORCE, &r.err), 0);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(r.dev), 1);
	rig_down(&r);
}

static void what_a_tenant_left_is_gone_for_the_next(void)
{
	uint64_t secret = 0x5ec2e7, got, at = 64 * GV_MIB + 33 * GV_MIB + 8;
	struct gv_pf_plan next;
	struct rig r;

	rig_up(&r, NULL);
	rig_boot_and_apply(&r, 2, 64);
	for (uint64_t k = 0; k < 64; k++) {
		uint64_t where = at + k * 8;

		CU_ASSERT_EQUAL(gv_pf_vram_write(r.pf, where, &secret, 8), 0);
	}
	next = rig_plan(&r, 1, 0);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &next, 0, &r.err), 0);
	for (uint64_t k = 0; k < 64; k++) {
		CU_ASSERT_EQUAL(gv_pf_vram_read(r.pf, at + k * 8, &got, 8), 0);
		CU_ASSERT_EQUAL(got, 0);
	}
	rig_down(&r);
}

static void plans_for_another_gpu_are_refused(void)
{
	struct gv_pf_plan plan;
	struct rig r;

	rig_up(&r, NULL);
	plan = rig_plan(&r, 1, 64);
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), -EAGAIN);
	CU_ASSERT_EQUAL_FATAL(gv_pf_boot(r.pf, &r.err), 0);
	plan.caps.vram_mib *= 2;
	CU_ASSERT_EQUAL(gv_pf_apply(r.pf, &plan, 0, &r.err), -EINVAL);
	CU_ASSERT_TRUE(nothing_is_left(&r));
	rig_down(&r);
}

UT_MAIN("pf-driver/apply", UT(vfs_get_what_the_plan_says),
        UT(exchange_pages_lie_at_the_start_of_each_slice),
        UT(the_plan_in_force_again_touches_nothing), UT(a_failure_in_any_step_leaves_no_vf),
        UT(a_failure_brings_the_earlier_plan_back), UT(vfs_in_use_are_not_taken_away_without_force),
        UT(what_a_tenant_left_is_gone_for_the_next), UT(plans_for_another_gpu_are_refused))
