/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration space, mailbox and exchange pages: the ways in which a VF is known and heard. */
#include <linux/pci_regs.h>
#include <string.h>

#include <gv/mailbox_pages.h>

#include "arena.h"
#include "forge.h"

/* ---- configuration space ---------------------------------------------------------- */

struct spaces {
	uint8_t byte[1 + ARENA_VFS][GV_CFG_BYTES];
};

static void read_spaces(struct spaces *s)
{
	CU_ASSERT(!gv_dev_read(arena_dev(), GV_DEV_PF, GV_REGION_CONFIG, 0, s->byte[0],
	                       GV_CFG_BYTES));
	for (unsigned vf = 0; vf < ARENA_VFS; vf++)
		CU_ASSERT(!gv_dev_read(arena_dev(), GV_DEV_VF(vf), GV_REGION_CONFIG, 0,
		                       s->byte[1 + vf], GV_CFG_BYTES));
}

static void others_are_the_same(const struct spaces *was)
{
	static struct spaces is;

	read_spaces(&is);
	for (unsigned f = 0; f <= ARENA_VFS; f++)
		CU_ASSERT(f == GV_DEV_VF(ATTACKER) ||
		          memcmp(was->byte[f], is.byte[f], GV_CFG_BYTES) == 0);
	CU_ASSERT(gv_dev_num_vfs(arena_dev()) == ARENA_VFS);
}

static void a_vf_has_no_sriov_and_no_gpuiov_capability(void)
{
	uint16_t off;

	arena_begin();
	CU_ASSERT(gv_cfg_find_ext_cap(arena_bus(), PCI_EXT_CAP_ID_SRIOV, &off) == -ENOENT);
	CU_ASSERT(gv_cfg_find_vsec(arena_bus(), GV_VSEC_GPUIOV, &off) == -ENOENT);
	for (uint16_t at = GV_CFG_SRIOV; at < GV_CFG_GPUIOV + GIOV_BYTES; at += 4)
		CU_ASSERT(gv_cfg_rd32(arena_bus(), at) == 0);
	CU_ASSERT(gv_bus_enable_vfs(arena_bus(), 0, NULL) != 0);
	CU_ASSERT(gv_bus_enable_vfs(arena_bus(), 1, NULL) != 0);
	arena_expect(0);
}

/* World-switch commands, frame-buffer sizes, the number of VFs: where the PF has them. */
static void writing_where_the_pf_has_its_capabilities_does_nothing(void)
{
	static const uint32_t word[] = {UINT32_MAX, 0x80900d10 /* SHUTDOWN of VF0 */, 1, 0};
	static struct spaces was;

	arena_begin();
	read_spaces(&was);
	for (size_t i = 0; i < GV_ARRAY_LEN(word); i++)
		for (uint16_t at = GV_CFG_SRIOV; at < GV_CFG_GPUIOV + GIOV_BYTES; at += 4) {
			gv_cfg_wr32(arena_bus(), at, word[i]);
			CU_ASSERT(gv_cfg_rd32(arena_bus(), at) == 0);
		}
	others_are_the_same(&was);
	arena_expect(0);
}

static void writing_all_of_its_configuration_space_changes_only_its_own(void)
{
	static struct spaces was;

	arena_begin();
	read_spaces(&was);
	for (uint16_t at = 0; at < GV_CFG_BYTES; at += 4)
		gv_cfg_wr32(arena_bus(), at, UINT32_MAX);
	for (uint16_t at = 0; at < GV_CFG_BYTES; at++)
		gv_cfg_wr8(arena_bus(), at, 0xa5);
	others_are_the_same(&was);
	arena_open_gates(); /* one of those was the attacker's own FLR */
	arena_expect(0);
}

static void configuration_space_has_an_end(void)
{
	uint8_t buf[16] = {0};

	arena_begin();
	CU_ASSERT(gv_bus_write(arena_bus(), GV_REGION_CONFIG, GV_CFG_BYTES, buf, 4) == -ERANGE);
	CU_ASSERT(gv_bus_write(arena_bus(), GV_REGION_CONFIG, GV_CFG_BYTES - 4, buf, 8) == -ERANGE);
	CU_ASSERT(gv_bus_read(arena_bus(), GV_REGION_CONFIG, UINT64_MAX - 3, buf, 8) == -ERANGE);
	CU_ASSERT(gv_bus_read(arena_bus(), GV_REGION_MMIO, GV_BAR5_BYTES - 4, buf, 8) == -ERANGE);
	CU_ASSERT(gv_bus_read(arena_bus(), GV_REGION_VRAM, ARENA_APERTURE, buf, 8) == -ERANGE);
	arena_expect(0);
}

/* An FLR that a guest asks for stops its own engines, and shuts its own gates. */
static void a_function_level_reset_resets_only_the_vf_itself(void)
{
	const uint16_t devctl = GV_CFG_PCIE + PCI_EXP_DEVCTL;

	arena_begin();
	gv_cfg_wr16(arena_bus(), devctl, PCI_EXP_DEVCTL_BCR_FLR);
	arena_open_gates();
	arena_expect(0);
}

/* ---- mailbox ------------------------------------------------------------------------ */

static void send(uint32_t code, uint32_t dw1, uint32_t dw2, uint32_t dw3)
{
	const uint8_t valid = (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1);
	const uint8_t ack = (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK, 1);

	gv_wr8(arena_bus(), BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	forge_wr(BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, code);
	forge_wr(BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW1__BYTE, dw1);
	forge_wr(BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW2__BYTE, dw2);
	forge_wr(BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE, dw3);
	gv_wr8(arena_bus(), BIF_BX_PF0_MAILBOX_CONTROL__BYTE, valid);
	(void)ARENA_UNTIL(gv_rd8(arena_bus(), BIF_BX_PF0_MAILBOX_CONTROL__BYTE) & ack);
	gv_wr8(arena_bus(), BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
}

static void victims_sessions_go_on(void)
{
	CU_ASSERT(arena_session(0) == GV_MBOX_ACTIVE);
	CU_ASSERT(arena_session(2) == GV_MBOX_ACTIVE);
}

/* Whatever VF a message speaks of: it is about its sender. */
static void messages_are_about_their_sender(void)
{
	static const uint32_t about[] = {0, 2, 0x80, 0x82, 0x80000000, UINT32_MAX};
	static const uint32_t code[] = {GV_MBOX_REL_GPU_INIT_ACCESS,
	                                GV_MBOX_REL_GPU_FINI_ACCESS,
	                                GV_MBOX_REQ_GPU_FINI_ACCESS,
	                                0,
	                                199,
	                                UINT32_MAX};

	arena_begin();
	for (size_t i = 0; i < GV_ARRAY_LEN(about); i++)
		for (size_t k = 0; k < GV_ARRAY_LEN(code); k++)
			send(code[k], about[i], about[i], about[i]);
	victims_sessions_go_on();
	CU_ASSERT(arena_saw(GV_PF_EVENT_VF_MESSAGE, ATTACKER, "refused"));
	arena_expect(0);
}

/* A reset that the attacker asks for, in its name or another's, is its own. */
static void a_reset_that_is_asked_for_is_the_askers(void)
{
	arena_begin();
	send(GV_MBOX_REQ_GPU_RESET_ACCESS, 0, 2, 0x80);
	CU_ASSERT(arena_saw(GV_PF_EVENT_VF_RESET, ATTACKER, "reset begins"));
	CU_ASSERT(ARENA_UNTIL(arena_session(ATTACKER) == GV_MBOX_EXCLUSIVE ||
	                      arena_session(ATTACKER) == GV_MBOX_IDLE));
	arena_end_session();
	victims_sessions_go_on();
	arena_begin();
	arena_expect(0);
}

/* What the PF writes into a neighbour's mailbox is not in the attacker's. */
static void a_mailbox_shows_only_its_own_messages(void)
{
	struct gv_bus *pf = arena_pf_bus();
	uint32_t seen;

	arena_begin();
	(void)arena_pf_get();
	gv_wr32(pf, MAILBOX_INDEX__BYTE, 0);
	gv_wr32(pf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE, 0x5ec2e7);
	seen = gv_rd32(arena_victim_bus(0), BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW3__BYTE);
	CU_ASSERT(seen == 0x5ec2e7);
	CU_ASSERT(forge_rd(BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW3__BYTE) == 0);
	/* nor can the attacker answer in the neighbour's name */
	forge_wr(BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE, FORGE_JUNK);
	CU_ASSERT(gv_rd32(pf, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW3__BYTE) != FORGE_JUNK);
	gv_wr32(pf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE, 0);
	arena_pf_put();
	arena_expect(0);
}

/* A VF number that no VF has selects nobody's mailbox. */
static void a_mailbox_index_that_names_no_vf_reaches_no_mailbox(void)
{
	struct gv_bus *pf = arena_pf_bus();

	arena_begin();
	(void)arena_pf_get();
	for (uint32_t vf = ARENA_VFS; vf < 32; vf++) {
		gv_wr32(pf, MAILBOX_INDEX__BYTE, vf);
		gv_wr32(pf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW2__BYTE, FORGE_JUNK);
		CU_ASSERT(gv_rd32(pf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW2__BYTE) == 0);
	}
	gv_wr32(pf, MAILBOX_INDEX__BYTE, 0);
	arena_pf_put();
	CU_ASSERT(forge_rd(BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW2__BYTE) == 0);
	arena_expect(0);
}

/* ---- exchange pages ------------------------------------------------------------------- */

static bool pf2vf_says(uint32_t vf_index)
{
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_mbox_pf2vf_info info;

	forge_get(GV_MBOX_PF2VF_OFF, page, sizeof(page));
	return !gv_mbox_pf2vf_read(page, 0, &info, NULL) && info.vf_index == vf_index;
}

/* A guest may scribble over what the PF told it. The next one is told anew. */
static void forged_exchange_pages_deceive_nobody_else(void)
{
	static uint8_t junk[GV_MIB];

	arena_begin();
	memset(junk, 0x6b, sizeof(junk));
	forge_put(0, junk, sizeof(junk));
	arena_expect(0);
	send(GV_MBOX_REQ_GPU_INIT_DATA, 0, 0, 0);
	CU_ASSERT(ARENA_UNTIL(pf2vf_says(ATTACKER)));
	arena_expect(0);
}

static void a_forged_answer_page_deceives_nobody(void)
{
	uint8_t page[GV_MBOX_PAGE_BYTES];
	struct gv_pf_vf_status s;

	arena_begin();
	send(GV_MBOX_REQ_GPU_INIT_DATA, 0, 0, 0);
	send(GV_MBOX_REQ_GPU_INIT_ACCESS, 0, 0, 0);
	CU_ASSERT(ARENA_UNTIL(arena_session(ATTACKER) == GV_MBOX_EXCLUSIVE));
	memset(page, 0xff, sizeof(page));
	forge_put(GV_MBOX_VF2PF_OFF, page, sizeof(page));
	send(GV_MBOX_REL_GPU_INIT_ACCESS, 0, 0, 0);
	CU_ASSERT(ARENA_UNTIL(arena_session(ATTACKER) != GV_MBOX_EXCLUSIVE));
	CU_ASSERT(!gv_pf_get_vf_status(arena_pf_get(), ATTACKER, &s));
	arena_pf_put();
	CU_ASSERT(!s.guest_known);
	victims_sessions_go_on();
	arena_end_session();
	arena_begin();
	arena_expect(0);
}

ARENA_MAIN("attack/config", UT(a_vf_has_no_sriov_and_no_gpuiov_capability),
           UT(writing_where_the_pf_has_its_capabilities_does_nothing),
           UT(writing_all_of_its_configuration_space_changes_only_its_own),
           UT(configuration_space_has_an_end), UT(a_function_level_reset_resets_only_the_vf_itself),
           UT(messages_are_about_their_sender), UT(a_reset_that_is_asked_for_is_the_askers),
           UT(a_mailbox_shows_only_its_own_messages),
           UT(a_mailbox_index_that_names_no_vf_reaches_no_mailbox),
           UT(forged_exchange_pages_deceive_nobody_else), UT(a_forged_answer_page_deceives_nobody))
