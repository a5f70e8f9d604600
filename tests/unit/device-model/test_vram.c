/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "mem_rig.h"
#include "ut.h"

#define FULL (GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE)

static uint64_t guest_errors(struct gv_fn *f)
{
	return atomic_load(&f->count.guest_errors);
}

static void a_vf_has_no_memory_before_a_table(void)
{
	struct mem_rig r;
	uint64_t bytes;
	int fd;

	rig_open(&r, false);
	CU_ASSERT_EQUAL(gv_vram_fb_bytes(r.vf[0]), 0);
	CU_ASSERT_EQUAL(gv_vram_fd(r.vf[0], &fd, &bytes), -ENOTSUP);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 0), UINT64_MAX);
	rig_put64(r.vf[0], 0, 1);
	CU_ASSERT_EQUAL(rig_get64(r.pf, 0), 0);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GVX_VF0_L2_FAULT_COUNT__BYTE), 2);
	rig_close(&r);
}

static void a_vf_sees_exactly_its_chunks(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	for (unsigned vf = 0; vf < RIG_VFS; vf++)
		for (unsigned i = 0; i < RIG_ENTRIES; i++)
			rig_put64(r.vf[vf], i * GV_L2_PAGE + 8, 1000 * (vf + 1) + i);
	for (unsigned vf = 0; vf < RIG_VFS; vf++)
		for (unsigned i = 0; i < RIG_ENTRIES; i++)
			CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, vf, i) + 8),
			                1000 * (vf + 1) + i);
	rig_put64(r.pf, rig_chunk_addr(&r, 1, 3), 77);
	CU_ASSERT_EQUAL(rig_get64(r.vf[1], 3 * GV_L2_PAGE), 77);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 3 * GV_L2_PAGE), 0);
	/* an access across two chunks that do not touch each other */
	rig_put64(r.vf[0], GV_L2_PAGE - 4, 0x1122334455667788ull);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], GV_L2_PAGE - 4), 0x1122334455667788ull);
	CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 0, 1)) & UINT32_MAX, 0x11223344);
	rig_close(&r);
}

static void bad_entries_are_invalid_and_counted_against_the_pf(void)
{
	struct mem_rig r;
	uint64_t before, mine;
	int refused = 0;

	rig_open(&r, true);
	mine = rig_chunk_addr(&r, 0, 0);
	const uint64_t bad[] = {
	        0 | FULL,                                        /* PF window */
	        (r.dev->vram->window_bytes - GV_L2_PAGE) | FULL, /* its end */
	        r.dev->vram->bytes | FULL,                       /* past VRAM */
	        0x0000ffffffe00000ull | FULL,                    /* far past */
	        (mine + 4096) | FULL,                            /* not aligned */
	        (mine + GV_MIB) | FULL,                          /* not aligned */
	        rig_chunk_addr(&r, 1, 0) | FULL,                 /* VF1's */
	        rig_chunk_addr(&r, 1, RIG_ENTRIES - 1) | FULL,   /* VF1's */
	        mine | FULL,                                     /* twice: entry 0 has it */
	};

	rig_put64(r.vf[1], 0, 0xdead);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		uint64_t entry[2] = {mine | FULL, bad[i]};

		before = guest_errors(r.pf);
		rig_l2(&r, 0, entry, 2);
		refused += guest_errors(r.pf) == before + 1;
		CU_ASSERT_EQUAL(gv_vram_fb_bytes(r.vf[0]), 2 * GV_L2_PAGE);
		CU_ASSERT_EQUAL(rig_get64(r.vf[0], GV_L2_PAGE), UINT64_MAX);
		rig_put64(r.vf[0], GV_L2_PAGE, 1);
		CU_ASSERT_EQUAL(rig_get64(r.vf[1], 0), 0xdead);
		CU_ASSERT_EQUAL(rig_get64(r.pf, 0), 0);
	}
	CU_ASSERT_EQUAL(refused, GV_ARRAY_LEN(bad));
	rig_close(&r);
}

static void a_table_outside_the_pf_window_is_refused_whole(void)
{
	struct mem_rig r;
	const struct {
		uint64_t base;
		uint32_t entries;
	} bad[] = {
	        {32 * GV_MIB - 8, 2}, {32 * GV_MIB, 1}, {UINT64_MAX - 7, 1}, {4, 1},
	        {0, UINT32_MAX},      {0, 129},
	};

	rig_open(&r, true);
	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		rig_default_l2(&r, 0);
		CU_ASSERT_EQUAL(gv_vram_fb_bytes(r.vf[0]), RIG_FB);
		rig_wr(r.pf, GVX_VF0_L2_BASE_LO__BYTE, (uint32_t)bad[i].base);
		rig_wr(r.pf, GVX_VF0_L2_BASE_HI__BYTE, (uint32_t)(bad[i].base >> 32));
		rig_wr(r.pf, GVX_VF0_L2_ENTRIES__BYTE, bad[i].entries);
		gv_vram_l2_reload(r.vf[0]);
		CU_ASSERT_EQUAL(gv_vram_fb_bytes(r.vf[0]), 0);
	}
	rig_close(&r);
}

static uint8_t *map_fd(struct gv_fn *f, uint64_t *bytes)
{
	int fd = -1;
	uint8_t *p;

	rig_must(gv_vram_fd(f, &fd, bytes) == 0, "descriptor");
	p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	rig_must(p != MAP_FAILED, "mmap");
	return p;
}

static void descriptors_hold_one_vf_and_nothing_else(void)
{
	struct mem_rig r;
	uint64_t bytes[3];
	struct stat st;
	uint8_t *p[3];
	int fd;

	rig_open(&r, true);
	for (unsigned vf = 0; vf < 2; vf++)
		p[vf] = map_fd(r.vf[vf], &bytes[vf]);
	p[2] = map_fd(r.pf, &bytes[2]);
	CU_ASSERT_EQUAL(bytes[0], 16 * GV_MIB); /* the aperture is smaller than the frame buffer */
	CU_ASSERT_EQUAL(bytes[2], 32 * GV_MIB);
	CU_ASSERT_EQUAL_FATAL(gv_vram_fd(r.vf[0], &fd, &bytes[0]), 0);
	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_size, RIG_FB);
	(void)close(fd);
	CU_ASSERT_EQUAL_FATAL(gv_vram_fd(r.pf, &fd, &bytes[2]), 0);
	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_size, 32 * GV_MIB); /* no VF memory behind the PF's either */
	(void)close(fd);
	memset(p[0], 0xa0, bytes[0]);
	memset(p[1], 0xb1, bytes[1]);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(rig_get32(r.vf[0], i * GV_L2_PAGE), 0xa0a0a0a0);
		CU_ASSERT_EQUAL(rig_get32(r.vf[1], i * GV_L2_PAGE), 0xb1b1b1b1);
		CU_ASSERT_EQUAL(rig_get32(r.pf, rig_chunk_addr(&r, 1, i)), 0xb1b1b1b1);
	}
	rig_put64(r.pf, rig_chunk_addr(&r, 0, 2) + 16, 5);
	CU_ASSERT_EQUAL(p[0][2 * GV_L2_PAGE + 16], 5);
	for (unsigned i = 0; i < 3; i++)
		(void)munmap(p[i], bytes[i]);
	rig_close(&r);
}

/* A client that could shorten the file would end the whole GPU by SIGBUS; one that could add seals
 * would keep the device from mapping it again. */
static void descriptors_cannot_be_turned_against_the_device(void)
{
	struct mem_rig r;
	struct gv_fn *fn[2];
	uint64_t bytes;
	int fd;

	rig_open(&r, true);
	fn[0] = r.pf;
	fn[1] = r.vf[0];
	for (unsigned i = 0; i < 2; i++) {
		rig_put64(fn[i], 4096, 0x1234);
		CU_ASSERT_EQUAL_FATAL(gv_vram_fd(fn[i], &fd, &bytes), 0);
		CU_ASSERT_EQUAL(ftruncate(fd, 0), -1);
		CU_ASSERT_EQUAL(ftruncate(fd, 1ll << 40), -1);
		CU_ASSERT_EQUAL(fallocate(fd, 0, 1ll << 33, GV_L2_PAGE), -1);
		CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
		(void)close(fd);
		CU_ASSERT_EQUAL(rig_get64(fn[i], 4096), 0x1234);
	}
	rig_close(&r);
}

static void a_kept_descriptor_keeps_no_memory(void)
{
	struct mem_rig r;
	struct stat st;
	uint64_t bytes;
	int fd;

	rig_open(&r, true);
	rig_put64(r.vf[0], 0, 0x5ec7e7);
	CU_ASSERT_EQUAL_FATAL(gv_vram_fd(r.vf[0], &fd, &bytes), 0);
	gv_vram_rotate(r.vf[0]);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 0), 0x5ec7e7);
	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_blocks, 0);
	(void)close(fd);
	rig_close(&r);
}

/* Every @step-th page of a VF's first two chunks is written, from @first on; then [from, to) is
 * zeroed. What is outside stays. */
static bool zeroes_exactly(uint64_t first, uint64_t from, uint64_t to, uint64_t step)
{
	struct mem_rig r;
	uint8_t *base;
	bool right = true;

	rig_open(&r, true);
	base = r.dev->vram->base;
	for (unsigned c = 0; c < 2; c++) {
		uint8_t *chunk = base + rig_chunk_addr(&r, 0, c);

		for (uint64_t at = first; at < GV_L2_PAGE; at += step * 4096)
			memset(chunk + at, 0x5e, 4096);
		right &= gv_vram_zero(r.dev, chunk + from, to - from);
		for (uint64_t at = 0; at < GV_L2_PAGE; at += 64)
			right &= chunk[at] == (at < first || (at - first) / 4096 % step ||
			                                       (at >= from && at < to)
			                               ? 0
			                               : 0x5e);
	}
	rig_close(&r);
	return right;
}

static void zeroing_reaches_what_was_written_and_no_more(void)
{
	static const uint64_t ends[][2] = {{0, GV_L2_PAGE},
	                                   {0, GV_MIB},
	                                   {5 * 4096, GV_L2_PAGE - 3 * 4096},
	                                   {GV_MIB, GV_MIB + 17 * 4096}};
	static const uint64_t steps[] = {1, 2, 3, 33, 400};

	for (size_t i = 0; i < GV_ARRAY_LEN(ends); i++)
		for (size_t k = 0; k < GV_ARRAY_LEN(steps); k++) {
			CU_ASSERT(zeroes_exactly(0, ends[i][0], ends[i][1], steps[k]));
			CU_ASSERT(zeroes_exactly(ends[i][0], ends[i][0], ends[i][1], steps[k]));
		}
}

static void zeroing_leaves_no_memory_behind_where_little_was_written(void)
{
	struct mem_rig r;
	struct stat st;
	uint64_t bytes;
	int fd;

	rig_open(&r, true);
	rig_put64(r.vf[0], GV_L2_PAGE - 8, 0x5ec7e7);
	CU_ASSERT_EQUAL_FATAL(gv_vram_fd(r.vf[0], &fd, &bytes), 0);
	CU_ASSERT(gv_vram_zero(r.dev, r.dev->vram->base + rig_chunk_addr(&r, 0, 0), GV_L2_PAGE));
	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_blocks, 0);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], GV_L2_PAGE - 8), 0);
	(void)close(fd);
	rig_close(&r);
}

static void rotation_keeps_contents_and_cuts_off_the_old_client(void)
{
	struct mem_rig r;
	uint64_t bytes;
	uint8_t *old, *now;

	rig_open(&r, true);
	old = map_fd(r.vf[0], &bytes);
	for (unsigned i = 0; i < 8; i++)
		old[i * GV_L2_PAGE + 5] = (uint8_t)(i + 1);
	gv_vram_rotate(r.vf[0]);
	now = map_fd(r.vf[0], &bytes);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(now[i * GV_L2_PAGE + 5], i + 1);
		CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 0, i)), (i + 1ull) << 40);
	}
	now[0] = 0x42; /* the next tenant's secret */
	CU_ASSERT_EQUAL(old[0], 0);
	old[1] = 0x66;
	CU_ASSERT_EQUAL(rig_get32(r.vf[0], 0), 0x42);
	(void)munmap(old, bytes);
	(void)munmap(now, bytes);
	rig_close(&r);
}

static void whoever_maps_memory_is_told_before_a_table_is_in_force(void)
{
	struct mem_rig r;
	uint64_t one;

	rig_open(&r, true);
	r.follow = true;
	one = rig_chunk_addr(&r, 0, 0) | GV_L2PTE_VALID | GV_L2PTE_READABLE | GV_L2PTE_WRITEABLE;
	rig_l2(&r, 0, &one, 1); /* waits until INVALIDATE reads 0 */
	CU_ASSERT_EQUAL(r.changes[GV_DEV_VF(0)], 1);
	CU_ASSERT_EQUAL(r.followed[GV_DEV_VF(0)], GV_L2_PAGE);
	one &= ~(uint64_t)GV_L2PTE_WRITEABLE; /* the same memory, but it may not be handed out */
	rig_l2(&r, 0, &one, 1);
	CU_ASSERT_EQUAL(r.changes[GV_DEV_VF(0)], 2);
	CU_ASSERT_EQUAL(r.followed[GV_DEV_VF(0)], 0);
	CU_ASSERT_EQUAL(r.changes[GV_DEV_VF(1)], 0);
	r.followed[GV_DEV_VF(1)] = 1;
	gv_dev_set_vfs(r.dev, 0);
	CU_ASSERT_EQUAL(r.changes[GV_DEV_VF(1)], 1);
	CU_ASSERT_EQUAL(r.followed[GV_DEV_VF(1)], 0);
	rig_close(&r);
}

static void an_unchanged_table_keeps_the_descriptor(void)
{
	struct mem_rig r;
	uint64_t bytes;
	uint8_t *p;

	rig_open(&r, true);
	p = map_fd(r.vf[0], &bytes);
	rig_default_l2(&r, 0);
	p[0] = 9;
	CU_ASSERT_EQUAL(rig_get32(r.vf[0], 0), 9);
	(void)munmap(p, bytes);
	rig_close(&r);
}

static void chunks_that_leave_a_table_keep_their_contents(void)
{
	struct mem_rig r;
	uint64_t entry[3];

	rig_open(&r, true);
	for (unsigned i = 0; i < RIG_ENTRIES; i++)
		rig_put64(r.vf[0], i * GV_L2_PAGE, i + 1);
	/* VF0 keeps three chunks in another order, VF1 gets one that VF0 gave up */
	entry[0] = rig_chunk_addr(&r, 0, 5) | FULL;
	entry[1] = rig_chunk_addr(&r, 0, 4) | FULL;
	entry[2] = rig_chunk_addr(&r, 0, 0) | FULL;
	rig_l2(&r, 0, entry, 3);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 0), 6);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], GV_L2_PAGE), 5);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 2 * GV_L2_PAGE), 1);
	for (unsigned i = 0; i < RIG_ENTRIES; i++)
		CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 0, i)), i + 1);
	entry[0] = rig_chunk_addr(&r, 0, 9) | FULL;
	rig_l2(&r, 1, entry, 1);
	CU_ASSERT_EQUAL(rig_get64(r.vf[1], 0), 10);
	gv_vram_release(r.vf[1]);
	CU_ASSERT_EQUAL(gv_vram_fb_bytes(r.vf[1]), 0);
	CU_ASSERT_EQUAL(rig_get64(r.pf, rig_chunk_addr(&r, 0, 9)), 10);
	rig_close(&r);
}

static void sparse_memory_stays_sparse(void)
{
	struct mem_rig r;
	struct stat st;
	uint8_t big[4096];

	rig_open(&r, false);
	memset(big, 3, sizeof(big));
	rig_put(r.pf, rig_chunk_addr(&r, 0, 3) + 8192, big, sizeof(big));
	rig_default_l2(&r, 0);
	CU_ASSERT_EQUAL(fstat(r.dev->vram->vf[0].fd, &st), 0);
	CU_ASSERT(st.st_blocks * 512 <= 65536);
	CU_ASSERT_EQUAL(fstat(r.dev->vram->pool_fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_blocks, 0); /* moved, not copied */
	gv_vram_rotate(r.vf[0]);
	CU_ASSERT_EQUAL(fstat(r.dev->vram->vf[0].fd, &st), 0);
	CU_ASSERT(st.st_blocks * 512 <= 65536);
	CU_ASSERT_EQUAL(rig_get32(r.vf[0], 3 * GV_L2_PAGE + 8192), 0x03030303);
	rig_close(&r);
}

static void permission_bits_of_entries_hold(void)
{
	struct mem_rig r;
	uint64_t entry[4], bytes;
	uint8_t *host;
	int fd;

	rig_open(&r, true);
	for (unsigned i = 0; i < 4; i++)
		entry[i] = rig_chunk_addr(&r, 0, i) | GV_L2PTE_VALID |
		           (i & 1 ? GV_L2PTE_READABLE : 0) | (i & 2 ? GV_L2PTE_WRITEABLE : 0);
	rig_l2(&r, 0, entry, 4);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned a = 1; a < 4; a++)
			CU_ASSERT_EQUAL(gv_vram_ptr(r.vf[0], i * GV_L2_PAGE, a, &host, &bytes),
			                (a & ~i) ? -EFAULT : 0);
	CU_ASSERT_EQUAL(gv_vram_fd(r.vf[0], &fd, &bytes), -ENOTSUP);
	rig_close(&r);
}

static void faults_are_recorded_with_their_address(void)
{
	struct mem_rig r;
	uint64_t bytes;
	uint8_t *host;

	rig_open(&r, true);
	CU_ASSERT_EQUAL(gv_vram_ptr(r.vf[1], RIG_FB + 0x500000000ull, GV_ACC_W, &host, &bytes),
	                -EFAULT);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_STATUS, 1)), 3);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_ADDR_LO, 1)), RIG_FB);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_ADDR_HI, 1)), 5);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, 1)), 1);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, 0)), 0);
	CU_ASSERT_EQUAL(atomic_load(&r.vf[1]->count.vm_faults), 1);
	rig_wr(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_STATUS, 1), 1);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_STATUS, 1)), 0);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_ADDR_HI, 1)), 0);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GV_BYTE_N(GVX_VF0_L2_FAULT_COUNT, 1)), 1);
	rig_close(&r);
}

static void a_closed_gate_reads_ones_and_drops_writes(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	rig_put64(r.vf[0], 64, 7);
	rig_wr(r.pf, GVX_VF_FB_EN__BYTE, 2);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 64), UINT64_MAX);
	rig_put64(r.vf[0], 64, 8);
	rig_wr(r.pf, GVX_VF_FB_EN__BYTE, 3);
	CU_ASSERT_EQUAL(rig_get64(r.vf[0], 64), 7);
	CU_ASSERT_EQUAL(guest_errors(r.vf[0]), 2);
	rig_close(&r);
}

static void the_first_write_marks_the_entry_dirty(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	(void)rig_get64(r.vf[0], 0);
	CU_ASSERT_FALSE(rig_get64(r.pf, RIG_TABLE(0)) & GV_L2PTE_DIRTY);
	rig_put64(r.vf[0], GV_L2_PAGE, 1);
	for (unsigned i = 0; i < RIG_ENTRIES; i++)
		CU_ASSERT_EQUAL(!!(rig_get64(r.pf, RIG_TABLE(0) + 8 * i) & GV_L2PTE_DIRTY), i == 1);
	rig_default_l2(&r, 0); /* clean again */
	CU_ASSERT_FALSE(rig_get64(r.pf, RIG_TABLE(0) + 8) & GV_L2PTE_DIRTY);
	rig_put64(r.vf[0], GV_L2_PAGE, 1);
	CU_ASSERT(rig_get64(r.pf, RIG_TABLE(0) + 8) & GV_L2PTE_DIRTY);
	rig_close(&r);
}

static void frame_buffer_registers_tell_the_size(void)
{
	struct mem_rig r;

	rig_open(&r, true);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GVX_VRAM_SIZE_MIB__BYTE), 256);
	CU_ASSERT_EQUAL(rig_rd(r.pf, GVX_PF_WINDOW_MIB__BYTE), 32);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], GVX_VRAM_SIZE_MIB__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MC_VM_FB_LOCATION_BASE__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MC_VM_FB_LOCATION_TOP__BYTE), 1);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MMHUB_MC_VM_FB_LOCATION_TOP__BYTE), 1);
	CU_ASSERT_EQUAL(rig_rd(r.vf[0], MC_VM_FB_OFFSET__BYTE), 0);
	CU_ASSERT_EQUAL(rig_rd(r.pf, MMHUB_MC_VM_FB_LOCATION_TOP__BYTE), 15);
	rig_close(&r);
}

static void windows_join_contiguous_entries(void)
{
	struct mem_rig r;
	uint64_t entry[8], bytes = 0;
	uint8_t *host, *base;

	rig_open(&r, true);
	gv_vram_release(r.vf[0]);
	gv_vram_release(r.vf[1]);
	for (unsigned i = 0; i < 8; i++) /* 4 in a row, then 4 in a row elsewhere */
		entry[i] = (64 * GV_MIB + (i + (i > 3 ? 10 : 0)) * GV_L2_PAGE) | FULL;
	rig_l2(&r, 0, entry, 8);
	CU_ASSERT_EQUAL(gv_vram_ptr(r.vf[0], 4096, GV_ACC_R, &base, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, 4 * GV_L2_PAGE - 4096);
	CU_ASSERT_EQUAL(gv_vram_ptr(r.vf[0], 4 * GV_L2_PAGE, GV_ACC_R, &host, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, 4 * GV_L2_PAGE);
	CU_ASSERT_EQUAL(host - base, 14 * (int64_t)GV_L2_PAGE - 4096);
	rig_close(&r);
}

UT_MAIN("vram", UT(a_vf_has_no_memory_before_a_table), UT(a_vf_sees_exactly_its_chunks),
        UT(bad_entries_are_invalid_and_counted_against_the_pf),
        UT(a_table_outside_the_pf_window_is_refused_whole),
        UT(descriptors_hold_one_vf_and_nothing_else),
        UT(rotation_keeps_contents_and_cuts_off_the_old_client),
        UT(descriptors_cannot_be_turned_against_the_device),
        UT(zeroing_reaches_what_was_written_and_no_more),
        UT(zeroing_leaves_no_memory_behind_where_little_was_written),
        UT(a_kept_descriptor_keeps_no_memory),
        UT(whoever_maps_memory_is_told_before_a_table_is_in_force),
        UT(an_unchanged_table_keeps_the_descriptor),
        UT(chunks_that_leave_a_table_keep_their_contents), UT(sparse_memory_stays_sparse),
        UT(permission_bits_of_entries_hold), UT(faults_are_recorded_with_their_address),
        UT(a_closed_gate_reads_ones_and_drops_writes), UT(the_first_write_marks_the_entry_dirty),
        UT(frame_buffer_registers_tell_the_size), UT(windows_join_contiguous_entries))
