/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VF1 tries to read and write outside its own frame buffer. Every way must fail, be counted
 * against VF1 and nobody else, and leave VF0's data as they were.
 */
#include <stdio.h>
#include <string.h>

#include <gv/layouts.h>
#include <gv/packets.h>

#include "stage.h"
#include "ut.h"

static struct stage s;

/* Bytes that an attacker's buffer holds before, and must hold after, a read that fails. */
#define UNTOUCHED 0x5a

struct damage {
	uint64_t faults, errors, victim_faults;
};

static struct damage before(void)
{
	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
	return (struct damage){stage_counter(&s, &s.attacker, "vm_faults"),
	                       stage_counter(&s, &s.attacker, "guest_errors"),
	                       stage_counter(&s, &s.victim, "vm_faults")};
}

static void expect_attributed_fault(const struct damage *d)
{
	CU_ASSERT(stage_counter(&s, &s.attacker, "vm_faults") > d->faults);
	CU_ASSERT(stage_counter(&s, &s.victim, "vm_faults") == d->victim_faults);
	CU_ASSERT(stage_victim_is_well(&s));
}

static void expect_attributed_error(const struct damage *d)
{
	CU_ASSERT(stage_counter(&s, &s.attacker, "guest_errors") +
	                  stage_counter(&s, &s.attacker, "vm_faults") >
	          d->errors + d->faults);
	CU_ASSERT(stage_counter(&s, &s.victim, "vm_faults") == d->victim_faults);
	CU_ASSERT(stage_victim_is_well(&s));
}

/* Frame-buffer addresses that are not VF1's, whatever way they are used. */
static const uint64_t outside[] = {
        128 * GV_MIB, 128 * GV_MIB + 4096, 130 * GV_MIB, 192 * GV_MIB, 256 * GV_MIB,
        GV_GIB,       4 * GV_GIB - 4096,   4 * GV_GIB,   1ull << 40,   (1ull << 47) - (1ull << 30),
};

static void aperture_ends_at_the_frame_buffer(void)
{
	struct damage d = before();
	uint64_t bar0 = 0;

	CU_ASSERT_FATAL(gv_bus_region_bytes(s.attacker.bus, GV_REGION_VRAM, &bar0) == 0);
	CU_ASSERT(s.attacker.info.fb_bytes == 128 * GV_MIB);
	CU_ASSERT(bar0 > s.attacker.info.fb_bytes);
	for (uint64_t at = s.attacker.info.fb_bytes; at < bar0; at += 2 * GV_MIB) {
		uint64_t v = 0, junk = 0x6b6e756a;

		(void)gv_bus_write(s.attacker.bus, GV_REGION_VRAM, at, &junk, sizeof(junk));
		if (gv_bus_read(s.attacker.bus, GV_REGION_VRAM, at, &v, sizeof(v)) == 0)
			CU_ASSERT(v == UINT64_MAX);
	}
	CU_ASSERT(gv_bus_write(s.attacker.bus, GV_REGION_VRAM, bar0, &d, 8) == -ERANGE);
	expect_attributed_error(&d);
}

static void mapping_ends_at_the_frame_buffer(void)
{
	void *p = NULL;

	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
	CU_ASSERT(gv_bus_map(s.attacker.bus, GV_REGION_VRAM, s.attacker.info.fb_bytes, 4096, &p) !=
	          0);
	CU_ASSERT(stage_victim_is_well(&s));
}

static uint32_t mm_index(uint64_t at, const uint32_t *write)
{
	struct gv_bus *bus = s.attacker.bus;

	gv_wr32(bus, MM_INDEX_HI__BYTE, (uint32_t)(at >> 31));
	gv_wr32(bus, MM_INDEX__BYTE,
	        GV_PUT(MM_INDEX, MM_APER, 1) | GV_PUT(MM_INDEX, MM_OFFSET, at));
	if (write)
		gv_wr32(bus, MM_DATA__BYTE, *write);
	return gv_rd32(bus, MM_DATA__BYTE);
}

static void mm_index_cannot_leave_the_frame_buffer(void)
{
	struct damage d = before();
	const uint32_t junk = 0x6b6e756a;

	for (size_t i = 0; i < GV_ARRAY_LEN(outside); i++)
		CU_ASSERT(mm_index(outside[i], &junk) == UINT32_MAX);
	/* the register half of the same window */
	gv_wr32(s.attacker.bus, MM_INDEX_HI__BYTE, 0);
	gv_wr32(s.attacker.bus, MM_INDEX__BYTE, GVX_MAGIC__BYTE);
	CU_ASSERT(gv_rd32(s.attacker.bus, MM_DATA__BYTE) == 0);
	expect_attributed_error(&d);
}

/* One SDMA copy of 4 KiB with addresses of VMID 0, where frame-buffer addresses are direct. */
static void sdma_vmid0(uint64_t dst, uint64_t src)
{
	struct gv_guest_queue *q = gv_guest_sdma(s.attacker.guest, 0);
	uint32_t dw[SDMA_COPY_LINEAR__DW] = {GV_SDMA_HEADER(COPY_LINEAR),
	                                     4095,
	                                     0,
	                                     (uint32_t)src,
	                                     (uint32_t)(src >> 32),
	                                     (uint32_t)dst,
	                                     (uint32_t)(dst >> 32)};
	uint64_t seq;

	if (gv_guest_submit(q, dw, GV_ARRAY_LEN(dw), &seq, &s.err) == 0)
		(void)gv_guest_wait(q, seq, gv_now_ns() + 2 * GV_S, &s.err);
}

static bool untouched(uint64_t fb)
{
	uint8_t now[4096];

	if (gv_bus_read(s.attacker.bus, GV_REGION_VRAM, fb, now, sizeof(now)))
		return false;
	for (size_t i = 0; i < sizeof(now); i++)
		if (now[i] != UNTOUCHED)
			return false;
	return true;
}

static void sdma_of_vmid0_cannot_leave_the_frame_buffer(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(outside); i++) {
		struct damage d = before();
		uint64_t own = s.attacker.info.fb_bytes - GV_MIB;
		uint8_t mark[4096];

		memset(mark, UNTOUCHED, sizeof(mark));
		CU_ASSERT(gv_bus_write(s.attacker.bus, GV_REGION_VRAM, own, mark, sizeof(mark)) ==
		          0);
		sdma_vmid0(own, outside[i]);
		CU_ASSERT(untouched(own));
		expect_attributed_fault(&d);
		d = before();
		sdma_vmid0(outside[i], own);
		expect_attributed_fault(&d);
	}
}

/* A leaf that the attacker writes into its own page table: 1 GiB at VA 511 GiB. */
#define EVIL_VA (511ull << 30)

static bool plant_leaf(uint64_t fb)
{
	uint64_t root = gv_pt_root(gv_guest_vm_table(gv_guest_default_vm(s.attacker.guest)));
	uint64_t leaf = GV_PTE_VALID | GV_PDE_PTE | GV_PTE_READABLE | GV_PTE_WRITEABLE | fb;

	if (root & GV_PTE_SYSTEM)
		return false;
	return gv_bus_write(s.attacker.bus, GV_REGION_VRAM, (root & GV_PDE_ADDR_MASK) + 511 * 8,
	                    &leaf, sizeof(leaf)) == 0 &&
	       gv_guest_vm_flush(gv_guest_default_vm(s.attacker.guest), &s.err) == 0;
}

static void sdma_copy(uint64_t dst, uint64_t src)
{
	struct gv_guest_queue *q = gv_guest_sdma(s.attacker.guest, 0);
	uint64_t seq;

	if (gv_guest_sdma_copy(q, gv_guest_default_vm(s.attacker.guest), dst, src, 4096, &seq,
	                       &s.err) == 0)
		(void)gv_guest_wait(q, seq, gv_now_ns() + 2 * GV_S, &s.err);
}

static void page_table_cannot_leave_the_frame_buffer(void)
{
	static const uint64_t leaf[] = {GV_GIB, 4 * GV_GIB, 1ull << 40, 1ull << 47};

	for (size_t i = 0; i < GV_ARRAY_LEN(leaf); i++) {
		struct damage d = before();
		struct gv_guest_buf *own = NULL;
		uint8_t now[4096];

		CU_ASSERT_FATAL(gv_guest_buf_new(s.attacker.guest, NULL, GV_GUEST_SYSTEM, 4096,
		                                 &own, &s.err) == 0);
		memset(gv_guest_buf_cpu(own), UNTOUCHED, 4096);
		CU_ASSERT_FATAL(plant_leaf(leaf[i]));
		sdma_copy(gv_guest_buf_va(own), EVIL_VA);
		memset(now, UNTOUCHED, sizeof(now));
		CU_ASSERT(memcmp(gv_guest_buf_cpu(own), now, sizeof(now)) == 0);
		sdma_copy(EVIL_VA, gv_guest_buf_va(own));
		own = gv_guest_buf_free(own);
		expect_attributed_fault(&d);
	}
}

struct vector_add_args {
	uint64_t a, b, c;
	uint32_t n;
} __attribute__((packed));

static int run_vector_add(const struct vector_add_args *arg)
{
	struct gv_guest_launch launch = {
	        .grid = {64}, .block = {64}, .kernarg = arg, .kernarg_bytes = sizeof(*arg)};
	struct gv_guest_queue *q = gv_guest_compute(s.attacker.guest, 0);
	struct gv_guest_program *program = NULL;
	const struct gv_co_kernel *kernel;
	struct gv_co *co = NULL;
	uint64_t seq;
	int rc = gv_co_open(GV_KERNEL_DIR "/vector_add.co", &co, &s.err);

	if (rc == 0)
		rc = gv_co_find(co, "vector_add", &kernel, &s.err);
	if (rc == 0)
		rc = gv_guest_program_new(s.attacker.guest, co, &program, &s.err);
	if (rc == 0)
		rc = gv_guest_launch(q, program, kernel, &launch, &seq, &s.err);
	if (rc == 0)
		rc = gv_guest_wait(q, seq, gv_now_ns() + 3 * GV_S, &s.err);
	program = gv_guest_program_free(program);
	co = gv_co_free(co);
	return rc;
}

static void dispatch_cannot_leave_the_frame_buffer(void)
{
	struct vector_add_args read = {.n = 64}, write = {.n = 64};
	struct gv_guest_buf *own = NULL;
	struct damage d = before();

	CU_ASSERT_FATAL(
	        gv_guest_buf_new(s.attacker.guest, NULL, GV_GUEST_SYSTEM, 4096, &own, &s.err) == 0);
	memset(gv_guest_buf_cpu(own), UNTOUCHED, 4096);
	CU_ASSERT_FATAL(plant_leaf(GV_GIB));
	write.a = write.b = read.c = read.b = gv_guest_buf_va(own);
	write.c = read.a = EVIL_VA;
	CU_ASSERT(run_vector_add(&read) != 0);
	CU_ASSERT(((uint8_t *)gv_guest_buf_cpu(own))[0] == UNTOUCHED);
	if (gv_guest_recover(s.attacker.guest, &s.err)) {
		fprintf(stderr, "recover: %s\n", s.err.text);
		CU_FAIL("the attacker could not recover");
	}
	CU_ASSERT(plant_leaf(GV_GIB));
	CU_ASSERT(run_vector_add(&write) != 0);
	own = gv_guest_buf_free(own);
	expect_attributed_fault(&d);
}

/* The CP's own memory packets, VMID 0. */
static void packets_cannot_leave_the_frame_buffer(void)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(outside); i++) {
		struct damage d = before();
		struct gv_guest_queue *q = gv_guest_compute(s.attacker.guest, 0);
		uint32_t dw[] = {gv_pm4_header(PM4_WRITE_DATA, 4),
		                 GV_PUT(PM4_WRITE_DATA, DST_SEL, 5) |
		                         GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
		                 (uint32_t)outside[i], (uint32_t)(outside[i] >> 32), 0x6b6e756a};
		uint64_t seq;

		if (gv_guest_submit(q, dw, GV_ARRAY_LEN(dw), &seq, &s.err) == 0)
			(void)gv_guest_wait(q, seq, gv_now_ns() + 2 * GV_S, &s.err);
		expect_attributed_fault(&d);
	}
}

/* Registers that would move the walls, by MMIO and through the VF's own KIQ. */
static void walls_cannot_be_moved_by_registers(void)
{
	static const uint32_t wall[] = {
	        GVX_VF0_L2_BASE_LO__BYTE,
	        GVX_VF0_L2_ENTRIES__BYTE,
	        GVX_VF0_L2_INVALIDATE__BYTE,
	        GVX_VF_FB_EN__BYTE,
	        GVX_VF_DOORBELL_EN__BYTE,
	        GVX_VF_REGWR_EN__BYTE,
	        GVX_VF_RESET__BYTE,
	        MAILBOX_INDEX__BYTE,
	        MC_VM_FB_SIZE_OFFSET_VF0__BYTE,
	        RLC_GPU_IOV_VF_ENABLE__BYTE,
	        MC_VM_FB_OFFSET__BYTE,
	        MMHUB_MC_VM_FB_OFFSET__BYTE,
	        MMHUB_MC_VM_FB_LOCATION_BASE__BYTE,
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(wall); i++) {
		struct damage d = before();
		uint32_t was = 0, is = 0;

		(void)gv_guest_rreg(s.attacker.guest, wall[i], &was, &s.err);
		gv_wr32(s.attacker.bus, wall[i], 0xffffffff);
		(void)gv_guest_wreg(s.attacker.guest, wall[i], 0xffffffff, &s.err);
		(void)gv_guest_rreg(s.attacker.guest, wall[i], &is, &s.err);
		CU_ASSERT(is == was);
		expect_attributed_error(&d);
	}
}

static void doorbells_ring_only_at_home(void)
{
	uint64_t packets, junk = 0x7fffffff;

	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
	CU_ASSERT(stage_victim_is_well(&s));
	packets = stage_counter(&s, &s.victim, "packets");
	for (uint64_t at = 0; at < 16384; at += 8)
		(void)gv_bus_write(s.attacker.bus, GV_REGION_DOORBELL, at, &junk, sizeof(junk));
	CU_ASSERT(stage_counter(&s, &s.victim, "packets") == packets);
	CU_ASSERT(stage_victim_is_well(&s));
}

/* What one tenant left behind is not there for the next. */
static void a_new_tenant_finds_nothing_of_the_last(void)
{
	uint64_t at;
	uint8_t mark[4096], now[4096];

	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
	at = s.attacker.info.fb_bytes - GV_MIB;
	memset(mark, 0xa7, sizeof(mark));
	CU_ASSERT(gv_bus_write(s.attacker.bus, GV_REGION_VRAM, at, mark, sizeof(mark)) == 0);
	CU_ASSERT_FATAL(stage_new_attacker(&s) == 0);
	CU_ASSERT(gv_bus_read(s.attacker.bus, GV_REGION_VRAM, at, now, sizeof(now)) == 0);
	CU_ASSERT(memcmp(mark, now, sizeof(now)) != 0);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(aperture_ends_at_the_frame_buffer),
	        UT(mapping_ends_at_the_frame_buffer),
	        UT(mm_index_cannot_leave_the_frame_buffer),
	        UT(sdma_of_vmid0_cannot_leave_the_frame_buffer),
	        UT(page_table_cannot_leave_the_frame_buffer),
	        UT(dispatch_cannot_leave_the_frame_buffer),
	        UT(packets_cannot_leave_the_frame_buffer),
	        UT(walls_cannot_be_moved_by_registers),
	        UT(doorbells_ring_only_at_home),
	        UT(a_new_tenant_finds_nothing_of_the_last),
	};
	int rc;

	stage_open(&s);
	rc = ut_main(argc, argv, "isolation", cases, (int)GV_ARRAY_LEN(cases));
	stage_close(&s);
	return rc;
}
