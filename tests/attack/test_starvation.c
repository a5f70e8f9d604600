/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VF1 keeps every engine busy for ever. VF0 must get its share, and the administrator must be
 * able to take VF1 back. Only completion is asserted, with deadlines that slow machines meet.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <gv/packets.h>

#include "stage.h"
#include "ut.h"

#define SOON     (gv_now_ns() + 20 * GV_S)
#define LOOP_DW  16u /* an IB: padding, then a jump to its own start */
#define FILL_MIB 32u

static struct stage s;

/* What the attacker's engines work on; freed before its guest is closed. */
static struct {
	struct gv_guest_program *program;
	struct gv_guest_buf *ib, *target;
	struct gv_guest_queue *busy; /* what can never come to its end, and its fence */
	uint64_t seq, fill_seq;
} work;

static void drop_work(void)
{
	gv_guest_program_free(work.program);
	gv_guest_buf_free(work.ib);
	gv_guest_buf_free(work.target);
	memset(&work, 0, sizeof(work));
}

static void new_attacker(void)
{
	drop_work();
	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
}

/* Still at it, and not for having failed. */
static bool attack_lasts(void)
{
	return gv_guest_wait(work.busy, work.seq, gv_now_ns() + 10 * GV_MS, &s.err) == -ETIMEDOUT;
}

/* s_branch to itself; s_endpgm */
static const uint32_t endless[64] = {0xbf82ffff, 0xbf810000}, brief[64] = {0xbf810000};

static const struct gv_co_kernel kernel = {
        .name = "raw",
        .rsrc1 = 0xaf0041, /* 8 VGPRs, 16 SGPRs, IEEE and DX10 clamp */
        .rsrc2 = 2 << COMPUTE_PGM_RSRC2__USER_SGPR__LO,
};

static struct gv_guest_program *launch(struct actor *a, unsigned queue, const uint32_t *code,
                                       uint32_t items, uint64_t *seq)
{
	const struct gv_guest_launch l = {.grid = {items}, .block = {64}};
	struct gv_guest_program *program = NULL;
	int rc = gv_guest_program_raw(a->guest, code, sizeof(endless), &program, &s.err);

	if (rc == 0)
		rc = gv_guest_launch(gv_guest_compute(a->guest, queue), program, &kernel, &l, seq,
		                     &s.err);
	if (rc)
		fprintf(stderr, "launch: %s\n", s.err.text);
	return rc ? gv_guest_program_free(program) : program;
}

static void occupy_shaders(void)
{
	work.busy = gv_guest_compute(s.attacker.guest, 0);
	work.program = launch(&s.attacker, 0, endless, 64 * 4096, &work.seq);
	CU_ASSERT_PTR_NOT_NULL_FATAL(work.program);
}

static void occupy_packets(void)
{
	uint32_t ib[LOOP_DW] = {0};
	uint64_t va;

	work.busy = gv_guest_compute(s.attacker.guest, 1);
	CU_ASSERT_FATAL(gv_guest_buf_new(s.attacker.guest, NULL, GV_GUEST_VRAM, 4096, &work.ib,
	                                 &s.err) == 0);
	va = gv_guest_buf_va(work.ib);
	ib[0] = gv_pm4_header(PM4_NOP, LOOP_DW - 5);
	ib[LOOP_DW - 4] = gv_pm4_header(PM4_INDIRECT_BUFFER, 3);
	ib[LOOP_DW - 3] = (uint32_t)va;
	ib[LOOP_DW - 2] = (uint32_t)(va >> 32);
	ib[LOOP_DW - 1] = GV_PUT(PM4_INDIRECT_BUFFER, IB_SIZE, LOOP_DW) |
	                  GV_PUT(PM4_INDIRECT_BUFFER, CHAIN, 1) |
	                  GV_PUT(PM4_INDIRECT_BUFFER, VALID, 1) |
	                  GV_PUT(PM4_INDIRECT_BUFFER, VMID, 1);
	CU_ASSERT(gv_guest_buf_upload(work.ib, 0, ib, sizeof(ib), &s.err) == 0);
	CU_ASSERT(gv_guest_submit_ib(work.busy, gv_guest_default_vm(s.attacker.guest), va, LOOP_DW,
	                             &work.seq, &s.err) == 0);
}

/* A quarter of a gigabyte to fill: seconds under a sanitizer, so it is not queued endlessly but
 * again whenever it is done. */
static void fill(void)
{
	struct gv_guest_vm *vm = gv_guest_default_vm(s.attacker.guest);
	struct gv_guest_queue *q = gv_guest_sdma(s.attacker.guest, 0);

	for (unsigned i = 1; i <= 8; i++)
		CU_ASSERT_FATAL(gv_guest_sdma_fill(q, vm, gv_guest_buf_va(work.target), i,
		                                   FILL_MIB * GV_MIB, &work.fill_seq, &s.err) == 0);
}

static void keep_filling(void)
{
	if (work.target && gv_guest_wait(gv_guest_sdma(s.attacker.guest, 0), work.fill_seq,
	                                 gv_now_ns(), &s.err) == 0)
		fill();
}

/* Fills on one engine, a poll that never ends on the other. */
static void occupy_sdma(void)
{
	uint32_t poll[SDMA_POLL_REGMEM__DW];

	CU_ASSERT_FATAL(gv_guest_buf_new(s.attacker.guest, NULL, GV_GUEST_VRAM, FILL_MIB * GV_MIB,
	                                 &work.target, &s.err) == 0);
	work.busy = gv_guest_sdma(s.attacker.guest, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(work.busy);
	poll[0] = GV_SDMA_HEADER(POLL_REGMEM) | GV_PUT(SDMA_POLL_REGMEM, func, 3) |
	          GV_PUT(SDMA_POLL_REGMEM, mem_poll, 1);
	poll[1] = 0x1000; /* of the frame buffer; never equal under an empty mask */
	poll[2] = 0;
	poll[3] = 1;
	poll[4] = 0;
	poll[5] = GV_PUT(SDMA_POLL_REGMEM, interval, 1) |
	          GV_PUT(SDMA_POLL_REGMEM, retry_count, 0xfff);
	CU_ASSERT(gv_guest_submit(work.busy, poll, SDMA_POLL_REGMEM__DW, &work.seq, &s.err) == 0);
	fill();
}

static bool victim_computes(void)
{
	struct gv_guest_program *p;
	uint64_t seq = 0;
	int rc;

	p = launch(&s.victim, 0, brief, 64 * 64, &seq);
	if (!p)
		return false;
	rc = gv_guest_wait(gv_guest_compute(s.victim.guest, 0), seq, SOON, &s.err);
	if (rc)
		fprintf(stderr, "the victim's shader: %s\n", s.err.text);
	gv_guest_program_free(p);
	return rc == 0;
}

/* timeout(1) ends a daemon that hangs: the case fails then, and the test goes on. */
static int reset_attacker(void)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
	               "timeout 30 %s/gpuvisor --socket %s/gpuvisor.sock vf reset 1 >/dev/null",
	               getenv("GV_BIN"), s.procs.dir);
	return system(command);
}

static void the_other_vf_goes_on_beside(void (*occupy)(void))
{
	new_attacker();
	occupy();
	for (unsigned i = 0; i < 5; i++) {
		keep_filling();
		CU_ASSERT(victim_computes());
		CU_ASSERT(stage_victim_is_well(&s));
	}
	CU_ASSERT(attack_lasts());
}

static void endless_shaders_leave_the_other_vf_its_share(void)
{
	the_other_vf_goes_on_beside(occupy_shaders);
}

static void endless_packets_leave_the_other_vf_its_share(void)
{
	the_other_vf_goes_on_beside(occupy_packets);
}

static void endless_copies_leave_the_other_vf_its_share(void)
{
	the_other_vf_goes_on_beside(occupy_sdma);
}

static void a_vf_that_does_all_of_it_can_be_reset(void)
{
	new_attacker();
	occupy_shaders();
	occupy_packets();
	occupy_sdma();
	CU_ASSERT(victim_computes());
	CU_ASSERT(reset_attacker() == 0);
	CU_ASSERT(stage_victim_is_well(&s));
	new_attacker();
	CU_ASSERT(stage_victim_is_well(&s));
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(endless_shaders_leave_the_other_vf_its_share),
	        UT(endless_packets_leave_the_other_vf_its_share),
	        UT(endless_copies_leave_the_other_vf_its_share),
	        UT(a_vf_that_does_all_of_it_can_be_reset),
	};
	int rc;

	stage_open(&s);
	rc = ut_main(argc, argv, "starvation", cases, (int)GV_ARRAY_LEN(cases));
	drop_work();
	stage_close(&s);
	return rc;
}
