/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels are assembled here, with llvm-mc, so that they say what they do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp_rig.h"
#include "ut.h"

#define VF0  GV_DEV_VF(0)
#define VF1  GV_DEV_VF(1)
#define CODE RIG_SCRATCH_VA
#define OUT  (RIG_SCRATCH_VA + 0x100000ull)

static struct rig r;

/* ---- programs ------------------------------------------------------------ */

struct program {
	uint32_t dw[256];
	size_t n;
};

/* "encoding: [0x00,0x00,0x81,0xbf]" lines of llvm-mc. */
static void take_encoding(struct program *p, const char *line)
{
	const char *at = strstr(line, "encoding: [");
	uint8_t bytes[16];
	unsigned n = 0;
	char *end;

	if (!at)
		return;
	for (at += strlen("encoding: ["); n < sizeof(bytes); at = end + 1) {
		bytes[n++] = (uint8_t)strtoul(at, &end, 16);
		if (*end != ',')
			break;
	}
	if (p->n + n / 4 <= GV_ARRAY_LEN(p->dw))
		memcpy(p->dw + p->n, bytes, n);
	p->n += n / 4;
}

static bool assemble(const char *source, struct program *p)
{
	char path[] = "/tmp/gv-shader-XXXXXX", cmd[256], line[512];
	int fd = mkstemp(path);
	FILE *out;

	p->n = 0;
	if (fd < 0 || write(fd, source, strlen(source)) < 0)
		return false;
	(void)close(fd);
	(void)snprintf(cmd, sizeof(cmd),
	               "llvm-mc-14 -triple=amdgcn-amd-amdhsa -mcpu=gfx900 -show-encoding %s", path);
	out = popen(cmd, "r");
	while (out && fgets(line, sizeof(line), out))
		take_encoding(p, line);
	if (out && pclose(out))
		p->n = 0;
	(void)unlink(path);
	return p->n > 0;
}

/* s[0:1] output, s2 workgroup: out[group * 64 + item] = group * 1000 + item */
static const char *const store_ids = "s_lshl_b32 s3, s2, 6\n"
                                     "v_add_u32_e32 v1, s3, v0\n"
                                     "v_lshlrev_b32_e32 v1, 2, v1\n"
                                     "s_mul_i32 s4, s2, 0x3e8\n"
                                     "v_add_u32_e32 v2, s4, v0\n"
                                     "global_store_dword v1, v2, s[0:1]\n"
                                     "s_endpgm\n";
static const uint32_t endless[] = {0xbf82ffff};            /* s_branch to itself */
static const uint32_t nothing[] = {0xbf810000};            /* s_endpgm */
static const uint32_t broken[] = {0xffffffff, 0xffffffff}; /* no such instruction */

static void put_code(unsigned fn, const uint32_t *dw, size_t n)
{
	rig_put(&r, fn, CODE, dw, n * sizeof(uint32_t));
}
#define PUT_CODE(fn, words) put_code(fn, words, GV_ARRAY_LEN(words))

static void set_sh(unsigned fn, unsigned q, uint32_t dw, uint32_t val)
{
	RIG_EMIT(&r, fn, q, gv_pm4_header(PM4_SET_SH_REG, 2), dw - PM4_SET_SH_REG_START, val);
}

static void set_shader(unsigned fn, unsigned q, uint64_t code)
{
	set_sh(fn, q, COMPUTE_PGM_LO__DW, (uint32_t)(code >> 8));
	set_sh(fn, q, COMPUTE_PGM_HI__DW, (uint32_t)(code >> 40));
	set_sh(fn, q, COMPUTE_PGM_RSRC1__DW,
	       GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 1) | GV_PUT(COMPUTE_PGM_RSRC1, SGPRS, 1) |
	               GV_PUT(COMPUTE_PGM_RSRC1, FLOAT_MODE, 0xc0));
	set_sh(fn, q, COMPUTE_PGM_RSRC2__DW,
	       GV_PUT(COMPUTE_PGM_RSRC2, USER_SGPR, 2) | GV_PUT(COMPUTE_PGM_RSRC2, TGID_X_EN, 1));
	set_sh(fn, q, COMPUTE_USER_DATA_0__DW, (uint32_t)OUT);
	set_sh(fn, q, COMPUTE_USER_DATA_0__DW + 1, 0);
	set_sh(fn, q, COMPUTE_NUM_THREAD_X__DW, 64);
	set_sh(fn, q, COMPUTE_NUM_THREAD_Y__DW, 1);
	set_sh(fn, q, COMPUTE_NUM_THREAD_Z__DW, 1);
	for (uint32_t i = 0; i < 3; i++)
		set_sh(fn, q, COMPUTE_START_X__DW + i, 0);
}

static void launch(unsigned fn, unsigned q, uint32_t x, uint32_t y, uint32_t z)
{
	RIG_EMIT(&r, fn, q, gv_pm4_header(PM4_DISPATCH_DIRECT, 4), x, y, z,
	         GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1));
}

static void up(void)
{
	rig_open(&r);
	CU_ASSERT_TRUE(rig_start(&r, VF0, 3));
	CU_ASSERT_TRUE(rig_start(&r, VF1, 2));
}

static unsigned wrong_ids(unsigned fn, unsigned groups)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < groups * 64; i++)
		wrong += rig_get32(&r, fn, OUT + i * 4) != i / 64 * 1000 + i % 64;
	return wrong;
}

static bool put_store_ids(unsigned fn)
{
	struct program p;

	if (!assemble(store_ids, &p))
		return false;
	put_code(fn, p.dw, p.n);
	return true;
}

/* ---- cases --------------------------------------------------------------- */

static void a_kernel_stores_what_its_items_are(void)
{
	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	set_shader(VF0, 1, CODE);
	launch(VF0, 1, 4, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 5000));
	CU_ASSERT_EQUAL(wrong_ids(VF0, 4), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 4 * 64 * 4), 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, 1);
	rig_close(&r);
}

/* More than the first slice: several threads work on it, and every item is done once. */
static void a_large_grid_is_split_and_complete(void)
{
	enum { GROUPS = 20000 };

	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	set_shader(VF0, 1, CODE);
	launch(VF0, 1, GROUPS, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 30000));
	CU_ASSERT_EQUAL(wrong_ids(VF0, GROUPS), 0);
	rig_close(&r);
}

static void an_indirect_launch_reads_its_size(void)
{
	const uint32_t dims[3] = {3, 1, 1};

	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	rig_put(&r, VF0, OUT + 0x80000, dims, sizeof(dims));
	set_shader(VF0, 1, CODE);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_DISPATCH_INDIRECT, 3), (uint32_t)OUT + 0x80000, 0,
	         GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 5000));
	CU_ASSERT_EQUAL(wrong_ids(VF0, 3), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 3 * 64 * 4), 0);
	rig_close(&r);
}

/* 100 items in groups of 64: the second group has 36. */
static void thread_dimensions_make_a_partial_group(void)
{
	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	set_shader(VF0, 1, CODE);
	RIG_EMIT(&r, VF0, 1, gv_pm4_header(PM4_DISPATCH_DIRECT, 4), 100, 1, 1,
	         GV_PUT(COMPUTE_DISPATCH_INITIATOR, COMPUTE_SHADER_EN, 1) |
	                 GV_PUT(COMPUTE_DISPATCH_INITIATOR, USE_THREAD_DIMENSIONS, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 5000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 99 * 4), 1035);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 100 * 4), 0);
	rig_close(&r);
}

static void queues_keep_their_compute_registers_apart(void)
{
	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	set_shader(VF0, 1, CODE);
	set_shader(VF0, 2, CODE);
	set_sh(VF0, 2, COMPUTE_USER_DATA_0__DW, (uint32_t)OUT + 0x10000);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
	launch(VF0, 1, 1, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 5000));
	CU_ASSERT_EQUAL(wrong_ids(VF0, 1), 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 0x10000 + 4), 0);
	launch(VF0, 2, 1, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 5000));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 0x10000 + 4), 1);
	rig_close(&r);
}

static void an_empty_grid_is_done_at_once(void)
{
	up();
	PUT_CODE(VF0, endless);
	set_shader(VF0, 1, CODE);
	launch(VF0, 1, 0, 1, 1);
	launch(VF0, 1, 1, 0, UINT32_MAX);
	set_sh(VF0, 1, COMPUTE_START_X__DW, 5);
	launch(VF0, 1, 5, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

/* Two endless grids of one VF: its KIQ, its other queues and the other VF go on. */
static void an_endless_shader_blocks_nobody_else(void)
{
	up();
	PUT_CODE(VF0, endless);
	PUT_CODE(VF1, nothing);
	for (unsigned q = 1; q <= 2; q++) {
		set_shader(VF0, q, CODE);
		launch(VF0, q, UINT32_MAX, UINT32_MAX, UINT32_MAX);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, q, 20));
	}
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 3, 20000));
	}
	set_shader(VF1, 1, CODE);
	for (unsigned i = 0; i < 20; i++) {
		launch(VF1, 1, 200000, 1, 1); /* more than the first slice */
		CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000));
	}
	/* reset by the KIQ ends one, dequeue the other */
	rig_emit_unmap(&r, VF0, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	rig_select(&r, VF0, 2);
	rig_wr(&r, VF0, CP_HQD_DEQUEUE_REQUEST__BYTE, 2);
	CU_ASSERT_TRUE(rig_wait_reg(&r, VF0, CP_HQD_ACTIVE__BYTE, 0, 20000));
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	CU_ASSERT_TRUE(rig_map(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	rig_close(&r);
}

static void a_reset_in_the_middle_of_an_endless_shader_is_quick(void)
{
	uint64_t start;

	up();
	for (unsigned i = 0; i < 5; i++) {
		PUT_CODE(VF0, endless);
		for (unsigned q = 1; q <= 3; q++) {
			set_shader(VF0, q, CODE);
			launch(VF0, q, 1000, 1, 1);
			rig_kick(&r, VF0, q);
		}
		CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 10));
		start = gv_now_ns();
		CU_ASSERT_EQUAL(gv_dev_reset(r.dev, VF0), 0);
		CU_ASSERT_TRUE(gv_now_ns() - start < 500 * GV_MS);
		rig_admit_vf(&r, 0);
		CU_ASSERT_TRUE(rig_start(&r, VF0, 3));
	}
	CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000));
	rig_close(&r);
}

/* KFD resets the GPU for an error of any other type. */
static void check_shader_error(unsigned q, unsigned type)
{
	struct gv_ih_iv iv;

	CU_ASSERT_FALSE(rig_sync(&r, VF0, q, 50));
	CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_SQ, &iv, 20000));
	CU_ASSERT_EQUAL(GV_GET(iv.dw[4], IH_IV4_SQ, ENCODING), IH_SQ_ENCODING_ERROR);
	CU_ASSERT_EQUAL(GV_GET(iv.dw[5], IH_IV5_SQ, ERR_TYPE), type);
	rig_select(&r, VF0, q);
	CU_ASSERT_NOT_EQUAL(rig_rd(&r, VF0, CP_HQD_ERROR__BYTE), 0);
	rig_wr(&r, VF0, GRBM_GFX_CNTL__BYTE, 0);
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, 0);
}

static void a_faulting_shader_never_signals_its_fence(void)
{
	up();
	PUT_CODE(VF0, broken);
	set_shader(VF0, 1, CODE);
	launch(VF0, 1, 10, 1, 1);
	check_shader_error(1, IH_SQ_ERROR_ILLEGAL_INST);
	set_shader(VF0, 2, 0x123456789000); /* no code there */
	launch(VF0, 2, 10, 1, 1);
	check_shader_error(2, IH_SQ_ERROR_MEMVIOL);
	CU_ASSERT_TRUE(rig_stats(&r, VF0).vm_faults > 0);
	set_shader(VF0, 3, CODE);
	set_sh(VF0, 3, COMPUTE_NUM_THREAD_X__DW, 0);
	launch(VF0, 3, 10, 1, 1);
	check_shader_error(3, IH_SQ_ERROR_ILLEGAL_INST);
	CU_ASSERT_TRUE(rig_sync(&r, VF1, 1, 20000));
	rig_close(&r);
}

/* As gmc.c records any fault: where, what, whose. */
static void check_recorded_fault(uint64_t va, bool write, bool atomic)
{
	uint32_t status = rig_rd(&r, VF0, VM_L2_PROTECTION_FAULT_STATUS__BYTE);

	CU_ASSERT_EQUAL(rig_rd(&r, VF0, VM_L2_PROTECTION_FAULT_ADDR_LO32__BYTE),
	                (uint32_t)(va >> GV_GPU_PAGE_SHIFT));
	CU_ASSERT_EQUAL(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, RW), write);
	CU_ASSERT_EQUAL(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, ATOMIC), atomic);
	CU_ASSERT_EQUAL(GV_GET(status, VM_L2_PROTECTION_FAULT_STATUS, VMID), 0);
	rig_wr(&r, VF0, VM_L2_PROTECTION_FAULT_CNTL__BYTE,
	       GV_PUT(VM_L2_PROTECTION_FAULT_CNTL, CLEAR_PROTECTION_FAULT_STATUS_ADDR, 1));
}

static void a_fault_shows_address_and_access(void)
{
	static const uint32_t load[] = {0xdc508000, 0x02000000, 0xbf810000};
	static const uint32_t store[] = {0xdc708000, 0x00000200, 0xbf810000};
	static const uint32_t add[] = {0xdd088000, 0x00000200, 0xbf810000};
	const uint64_t va = 0x123456789000;

	up();
	for (unsigned q = 1; q <= 3; q++) {
		put_code(VF0, q == 1 ? load : q == 2 ? store : add, 3);
		set_shader(VF0, q, CODE);
		set_sh(VF0, q, COMPUTE_USER_DATA_0__DW, (uint32_t)va);
		set_sh(VF0, q, COMPUTE_USER_DATA_0__DW + 1, va >> 32);
		launch(VF0, q, 1, 1, 1);
		check_shader_error(q, IH_SQ_ERROR_MEMVIOL);
		check_recorded_fault(va, q > 1, q == 3);
	}
	rig_close(&r);
}

static void small_launches_in_a_row_all_happen(void)
{
	up();
	PUT_CODE(VF0, nothing);
	set_shader(VF0, 1, CODE);
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 50; k++) {
			launch(VF0, 1, 1, 1, 1);
			(void)rig_emit_fence(&r, VF0, 1, 0);
		}
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 5000));
	}
	CU_ASSERT_EQUAL(rig_stats(&r, VF0).dispatches, 1000);
	rig_close(&r);
}

/* As on silicon after the driver's ACQUIRE_MEM; here not even that is needed. */
static void code_written_between_launches_is_what_runs(void)
{
	struct program p;

	up();
	CU_ASSERT_TRUE_FATAL(assemble(store_ids, &p));
	put_code(VF0, p.dw, p.n);
	set_shader(VF0, 1, CODE);
	for (uint32_t factor = 1000; factor > 990; factor--) {
		for (size_t i = 0; i < p.n; i++)
			if (p.dw[i] == factor)
				p.dw[i] = factor - 1;
		put_code(VF0, p.dw, p.n);
		launch(VF0, 1, 2, 1, 1);
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
		CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 65 * 4), factor - 1 + 1);
	}
	rig_close(&r);
}

static void without_an_enabled_unit_nothing_runs(void)
{
	up();
	CU_ASSERT_TRUE(put_store_ids(VF0));
	set_shader(VF0, 1, CODE);
	set_sh(VF0, 1, COMPUTE_STATIC_THREAD_MGMT_SE0__DW, 0);
	rig_put32(&r, VF0, OUT + 4, 0xdead);
	launch(VF0, 1, 1, 1, 1);
	CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 50));
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 4), 0xdead);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000)); /* others do */
	rig_emit_unmap(&r, VF0, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, RIG_KIQ, 20000));
	CU_ASSERT_FALSE(rig_is_active(&r, VF0, 1));
	CU_ASSERT_TRUE(rig_map(&r, VF0, 1));
	set_shader(VF0, 1, CODE);
	set_sh(VF0, 1, COMPUTE_STATIC_THREAD_MGMT_SE0__DW, 1 << 3); /* one is enough */
	launch(VF0, 1, 40, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	CU_ASSERT_EQUAL(wrong_ids(VF0, 40), 0);
	rig_close(&r);
}

/* v_mov_b32 v1, 1; v_mov_b32 v0, 0; s_mov_b64 exec, 1; global_atomic_add v0, v1, s[0:1] */
static const uint32_t count_groups[] = {0x7e020281, 0x7e000280, 0xbefe0181,
                                        0xdd088000, 0x00000100, 0xbf810000};

static bool advances(unsigned fn, uint64_t va)
{
	uint32_t was = rig_get32(&r, fn, va);

	for (unsigned ms = 0; ms < 2000; ms++) {
		if (rig_get32(&r, fn, va) != was)
			return true;
		(void)usleep(1000);
	}
	return false;
}

/* Grids that would take minutes, more of them than there are threads. */
static void queues_and_functions_share_the_threads(void)
{
	const struct {
		unsigned fn, q;
	} at[] = {{VF0, 1}, {VF0, 2}, {VF0, 3}, {VF1, 1}, {VF1, 2}};

	up();
	PUT_CODE(VF0, count_groups);
	PUT_CODE(VF1, count_groups);
	for (size_t i = 0; i < GV_ARRAY_LEN(at); i++) {
		rig_put32(&r, at[i].fn, OUT + at[i].q * 64, 0);
		set_shader(at[i].fn, at[i].q, CODE);
		set_sh(at[i].fn, at[i].q, COMPUTE_USER_DATA_0__DW, (uint32_t)OUT + at[i].q * 64);
		launch(at[i].fn, at[i].q, 1u << 30, 4, 1);
		rig_kick(&r, at[i].fn, at[i].q);
	}
	for (unsigned round = 0; round < 3; round++)
		for (size_t i = 0; i < GV_ARRAY_LEN(at); i++)
			CU_ASSERT_TRUE(advances(at[i].fn, OUT + at[i].q * 64));
	rig_close(&r);
}

static void a_workgroup_has_up_to_1024_items(void)
{
	/* v_lshlrev_b32 v1, 2, v0; global_store_dword v1, v0, s[0:1] */
	static const uint32_t store_item[] = {0x24020082, 0xdc708000, 0x00000001, 0xbf810000};
	unsigned wrong = 0;

	up();
	PUT_CODE(VF0, store_item);
	set_shader(VF0, 1, CODE);
	set_sh(VF0, 1, COMPUTE_NUM_THREAD_X__DW, 1024);
	rig_put32(&r, VF0, OUT + 1024 * 4, 0xdead);
	launch(VF0, 1, 1, 1, 1);
	CU_ASSERT_TRUE(rig_sync(&r, VF0, 1, 20000));
	for (unsigned i = 0; i < 1024; i++)
		wrong += rig_get32(&r, VF0, OUT + i * 4) != i;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(rig_get32(&r, VF0, OUT + 1024 * 4), 0xdead);
	rig_close(&r);
}

/* What no compute unit could hold is an error of its queue, which the guest sees. */
static void workgroups_that_fit_nowhere_are_refused(void)
{
	const struct {
		uint32_t dw, val;
	} row[] = {
	        {COMPUTE_NUM_THREAD_X__DW, 1025},
	        {COMPUTE_NUM_THREAD_X__DW, 0},
	        {COMPUTE_NUM_THREAD_Y__DW, 17},                                /* 64 * 17 */
	        {COMPUTE_PGM_RSRC1__DW, GV_PUT(COMPUTE_PGM_RSRC1, VGPRS, 40)}, /* with 1024 */
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(row); i++) {
		struct gv_ih_iv iv;
		uint32_t error;

		up();
		PUT_CODE(VF0, nothing);
		set_shader(VF0, 1, CODE);
		if (row[i].dw == COMPUTE_PGM_RSRC1__DW)
			set_sh(VF0, 1, COMPUTE_NUM_THREAD_X__DW, 1024);
		set_sh(VF0, 1, row[i].dw, row[i].val);
		launch(VF0, 1, 1, 1, 1);
		CU_ASSERT_FALSE(rig_sync(&r, VF0, 1, 30));
		CU_ASSERT_TRUE(rig_find_iv(&r, VF0, GV_IH_SRC_CP_SQ, &iv, 20000));
		rig_select(&r, VF0, 1);
		error = rig_rd(&r, VF0, CP_HQD_ERROR__BYTE);
		CU_ASSERT_TRUE(error & GV_PUT(CP_HQD_ERROR, SUA_ERROR, 1));
		CU_ASSERT_TRUE(rig_sync(&r, VF0, 2, 20000));
		rig_close(&r);
	}
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(a_kernel_stores_what_its_items_are),
	        UT(a_large_grid_is_split_and_complete),
	        UT(an_indirect_launch_reads_its_size),
	        UT(thread_dimensions_make_a_partial_group),
	        UT(queues_keep_their_compute_registers_apart),
	        UT(an_empty_grid_is_done_at_once),
	        UT(an_endless_shader_blocks_nobody_else),
	        UT(a_reset_in_the_middle_of_an_endless_shader_is_quick),
	        UT(a_faulting_shader_never_signals_its_fence),
	        UT(a_fault_shows_address_and_access),
	        UT(small_launches_in_a_row_all_happen),
	        UT(code_written_between_launches_is_what_runs),
	        UT(without_an_enabled_unit_nothing_runs),
	        UT(queues_and_functions_share_the_threads),
	        UT(a_workgroup_has_up_to_1024_items),
	        UT(workgroups_that_fit_nowhere_are_refused),
	};
	struct program p;

	if (!assemble("s_endpgm\n", &p)) {
		printf("SKIP: llvm-mc-14 is not installed\n");
		return 77;
	}
	return ut_main(argc, argv, "dispatch", cases, (int)GV_ARRAY_LEN(cases));
}
