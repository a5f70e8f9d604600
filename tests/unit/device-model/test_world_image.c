/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context save area: where there is none, too little of it, or what SAVE did not write. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ut.h"
#include "world.h"
#include "world_rig.h"

#define VF0 GV_DEV_VF(0)
#define VF1 GV_DEV_VF(1)

static struct rig r;

/* ---- the area ------------------------------------------------------------ */

static void without_an_area_nothing_is_saved_and_nothing_lost(void)
{
	static const struct {
		uint64_t at, slot;
		bool system;
		enum gv_world_error why;
	} t[] = {
	        {0, 0, false, GV_WORLD_NO_AREA},
	        {WORLD_CSA, 0, false, GV_WORLD_NO_AREA},
	        {WORLD_CSA, WORLD_SLOT, true, GV_WORLD_NO_AREA},
	        {63 * GV_MIB, WORLD_SLOT, false,
	         GV_WORLD_NO_AREA}, /* the PF's has room, VF0's not */
	        {64 * GV_MIB, WORLD_SLOT, false, GV_WORLD_NO_AREA}, /* VF0's own memory */
	        {300 * GV_MIB, WORLD_SLOT, false, GV_WORLD_NO_AREA},
	        {WORLD_CSA, 25 * GV_MIB, false, GV_WORLD_OK},
	        {0xfffffull << 18, WORLD_SLOT, false, GV_WORLD_NO_AREA},
	};

	world_open(&r);
	for (size_t k = 0; k < GV_ARRAY_LEN(t); k++) {
		world_set_area(&r, t[k].at, t[k].slot);
		if (t[k].system)
			rig_wr(&r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG6__BYTE,
			       rig_rd(&r, GV_DEV_PF, RLC_GPU_IOV_CFG_REG6__BYTE) |
			               GV_PUT(RLC_GPU_IOV_CFG_REG6, CNTXT_LOCATION, 1));
		DONE(IDLE, 0);
		CU_ASSERT_EQUAL(world_do(&r, GV_GIOV_SAVE, 0),
		                t[k].why ? GV_GIOV_ABORTED : GV_GIOV_DONE);
		if (t[k].why) {
			CU_ASSERT_EQUAL(world_why(&r), t[k].why);
		} else {
			DONE(LOAD, 0);
		}
		DONE(RUN, 0);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	}
	rig_close(&r);
}

static void a_slot_that_is_too_small_keeps_the_vf_idle(void)
{
	struct gv_dev_stats s;

	world_open(&r);
	world_set_area(&r, WORLD_CSA, GV_MIB / 4);
	world_launch_endless(&r, VF0, 1, 1024); /* 16 waves of 64 registers, 64 KiB of LDS */
	CU_ASSERT_TRUE(world_is_dispatched(&r, 2));
	DONE(IDLE, 0);
	ABORTED(SAVE, 0);
	CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_AREA_TOO_SMALL);
	CU_ASSERT_EQUAL(world_state(&r, 0), GV_WORLD_IDLE);
	world_set_area(&r, WORLD_CSA, WORLD_SLOT);
	DONE(SAVE, 0);
	CU_ASSERT_EQUAL(world_busy(&r), 1); /* it wants to go on */
	DONE(LOAD, 0);
	DONE(RUN, 0);
	s = rig_stats(&r, VF0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	CU_ASSERT_EQUAL(s.guest_errors, 0);
	rig_emit_unmap(&r, VF0, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_close(&r);
}

/* ---- images that are not what SAVE wrote --------------------------------- */

static void fix_crc(uint8_t *image)
{
	struct gv_world_image h;

	memcpy(&h, image, sizeof(h));
	if (h.bytes < sizeof(h) || h.bytes > WORLD_SLOT)
		return;
	h.crc = gv_crc32c_wide(image + offsetof(struct gv_world_image, version),
	                       h.bytes - offsetof(struct gv_world_image, version));
	memcpy(image, &h, sizeof(h));
}

/* VF0 is out, with a wave in flight. Returns the bytes of its image. */
static uint64_t save_one(uint8_t image[WORLD_SLOT])
{
	struct gv_world_image h;

	world_open(&r);
	world_launch_endless(&r, VF0, 1, 64);
	CU_ASSERT_TRUE(world_is_dispatched(&r, 2));
	DONE(IDLE, 0);
	DONE(SAVE, 0);
	rig_get(&r, GV_DEV_PF, WORLD_SLOT_OF(0), image, WORLD_SLOT);
	memcpy(&h, image, sizeof(h));
	CU_ASSERT_TRUE_FATAL(h.bytes > 64 * 256 && h.bytes < WORLD_SLOT);
	return h.bytes;
}

static void an_image_that_was_changed_is_refused(void)
{
	static uint8_t image[WORLD_SLOT];
	uint64_t slot = WORLD_SLOT_OF(0), bytes = save_one(image);
	uint32_t s = 1;

	for (unsigned n = 0; n < 300; n++) { /* any bit */
		s = s * 1664525u + 1013904223u;
		rig_put(&r, GV_DEV_PF, slot + s % bytes,
		        &(uint8_t){image[s % bytes] ^ (uint8_t)(1u << (s >> 29))}, 1);
		ABORTED(LOAD, 0);
		CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_BAD_IMAGE);
		rig_put(&r, GV_DEV_PF, slot, image, bytes);
	}
	/* another VF's */
	DONE(IDLE, 1);
	DONE(SAVE, 1);
	rig_put(&r, GV_DEV_PF, WORLD_SLOT_OF(1), image, bytes);
	ABORTED(LOAD, 1);
	CU_ASSERT_EQUAL(world_state(&r, 1), GV_WORLD_OUT);
	DONE(LOAD, 0);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	rig_close(&r);
}

/* Out, with an image, from wherever it is. */
static void start_over(void)
{
	CU_ASSERT_TRUE(world_flr(&r, 0));
	rig_admit_vf(&r, 0);
	DONE(INIT, 0);
	DONE(RUN, 0);
	DONE(IDLE, 0);
	DONE(SAVE, 0);
}

/* With a CRC that fits: whatever it says, it is taken or refused, and a reset helps. */
static void a_forged_image_does_not_break_the_gpu(void)
{
	static uint8_t image[WORLD_SLOT], forged[WORLD_SLOT];
	const char *asked = getenv("GV_TEST_FORGED");
	unsigned rounds = asked ? (unsigned)atoi(asked) : 400, taken = 0;
	uint64_t bytes = save_one(image);
	uint32_t s = 7;

	for (unsigned n = 0; n < rounds; n++) {
		memcpy(forged, image, bytes);
		for (unsigned k = 0; k <= n % 4; k++) {
			s = s * 1664525u + 1013904223u;
			forged[sizeof(uint64_t) + s % (n % 2 ? 4000 : bytes - 8)] ^=
			        (uint8_t)(s >> 24);
		}
		fix_crc(forged);
		rig_put(&r, GV_DEV_PF, WORLD_SLOT_OF(0), forged, bytes);
		if (world_do(&r, GV_GIOV_LOAD, 0) != GV_GIOV_DONE)
			continue;
		taken++;
		DONE(RUN, 0);
		(void)usleep(50);
		DONE(IDLE, 0);
		if (world_do(&r, GV_GIOV_SAVE, 0) == GV_GIOV_DONE)
			continue;
		/* it has begun larger workgroups than there is room for */
		CU_ASSERT_EQUAL(world_why(&r), GV_WORLD_AREA_TOO_SMALL);
		start_over();
	}
	CU_ASSERT_TRUE(taken > 0 && taken < rounds);
	start_over();
	DONE(INIT, 0);
	DONE(RUN, 0);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 2));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000));
	rig_close(&r);
}

UT_MAIN("world_image", UT(without_an_area_nothing_is_saved_and_nothing_lost),
        UT(a_slot_that_is_too_small_keeps_the_vf_idle), UT(an_image_that_was_changed_is_refused),
        UT(a_forged_image_does_not_break_the_gpu))
