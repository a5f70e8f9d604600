/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor-guest test: one named check per part of the VF. */
#include <string.h>

#include <gv/hw_spec.h>
#include <gv/packets.h>

#include "cli.h"

enum { QUEUES = 4, MARK = (int)0xdeadbeef };

struct check {
	const char *name;
	int (*run)(struct gv_guest *g, unsigned i, struct gv_err *err);
	unsigned i;
};

static uint64_t soon(void)
{
	return gv_now_ns() + 10 * GV_S;
}

static int mailbox(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	struct gv_guest_info info;

	(void)i;
	/* handshake and exchange pages are behind us; is the PF still content? */
	gv_guest_get_info(g, &info);
	if (!info.pf2vf_version)
		return gv_fail(err, -EPROTO, "no pf2vf page");
	return gv_guest_service(g, gv_now_ns()) ? gv_fail(err, -ECONNRESET, "the PF resets us") : 0;
}

static int kiq_ring(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	(void)i;
	return gv_guest_kiq_test(g, err);
}

static int kiq_register(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	struct gv_guest_info before, after;
	uint32_t val = 0;
	int rc = 0;

	gv_guest_get_info(g, &before);
	for (uint32_t n = 1; n <= 4 && !rc; n++) {
		rc = gv_guest_wreg(g, SCRATCH_REG4__BYTE, n * 0x11111111u + i, err);
		if (!rc)
			rc = gv_guest_rreg(g, SCRATCH_REG4__BYTE, &val, err);
		if (!rc && val != n * 0x11111111u + i)
			rc = gv_fail(err, -EIO, "SCRATCH_REG4 reads 0x%x", val);
	}
	gv_guest_get_info(g, &after);
	if (!rc && after.kiq_accesses < before.kiq_accesses + 8)
		rc = gv_fail(err, -EIO, "the accesses did not go through the KIQ");
	return rc;
}

/* ---- queues ------------------------------------------------------------------------ */

static unsigned put_write(bool sdma, uint32_t *dw, uint64_t va, uint32_t val)
{
	enum { MEMORY_ASYNC = 5 };
	const uint32_t pm4[] = {
	        gv_pm4_header(PM4_WRITE_DATA, 4),
	        GV_PUT(PM4_WRITE_DATA, DST_SEL, MEMORY_ASYNC) |
	                GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1),
	        (uint32_t)va,
	        (uint32_t)(va >> 32),
	        val,
	};
	const uint32_t untiled[] = {
	        GV_SDMA_HEADER(WRITE_UNTILED), (uint32_t)va, (uint32_t)(va >> 32), 0, val,
	};

	memcpy(dw, sdma ? untiled : pm4, sizeof(pm4));
	for (unsigned i = 5; i < 8; i++)
		dw[i] = sdma ? GV_SDMA_HEADER(NOP) : GV_PM4_NOP1;
	return 8;
}

static int ring(struct gv_guest *g, struct gv_guest_queue *q, bool sdma, struct gv_err *err)
{
	uint32_t nops[32];
	uint64_t seq = 0;
	int rc = 0;

	(void)g;
	for (unsigned i = 0; i < GV_ARRAY_LEN(nops); i++)
		nops[i] = sdma ? GV_SDMA_HEADER(NOP) : GV_PM4_NOP1;
	/* often enough that every ring wraps */
	for (unsigned i = 0; i < 1024 && !rc; i++)
		rc = gv_guest_submit(q, nops, GV_ARRAY_LEN(nops), &seq, err);
	return rc ? rc : gv_guest_wait(q, seq, soon(), err);
}

/* An indirect buffer in @vm writes a word of @vm. */
static int ib_in(struct gv_guest *g, struct gv_guest_vm *vm, struct gv_guest_queue *q, bool sdma,
                 struct gv_err *err)
{
	struct gv_guest_buf *buf = NULL;
	uint64_t seq = 0, va;
	unsigned n;
	uint32_t *cpu;
	int rc = gv_guest_buf_new(g, vm, GV_GUEST_SYSTEM, 8192, &buf, err);

	if (rc)
		return rc;
	cpu = gv_guest_buf_cpu(buf);
	va = gv_guest_buf_va(buf);
	n = put_write(sdma, cpu, va + 4096, (uint32_t)MARK);
	rc = gv_guest_submit_ib(q, vm, va, n, &seq, err);
	if (!rc)
		rc = gv_guest_wait(q, seq, soon(), err);
	if (!rc && cpu[1024] != (uint32_t)MARK)
		rc = gv_fail(err, -EIO, "the IB left 0x%x in memory", cpu[1024]);
	gv_guest_buf_free(buf);
	return rc;
}

static int compute_ring(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	return ring(g, gv_guest_compute(g, i), false, err);
}

static int compute_ib(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	return ib_in(g, gv_guest_default_vm(g), gv_guest_compute(g, i), false, err);
}

static int sdma_ring(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	return ring(g, gv_guest_sdma(g, i), true, err);
}

static int sdma_ib(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	return ib_in(g, gv_guest_default_vm(g), gv_guest_sdma(g, i), true, err);
}

static int sdma_fill(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	enum { BYTES = 5 << 20 };
	struct gv_guest_queue *q = gv_guest_sdma(g, i);
	gv_auto_free uint32_t *seen = malloc(BYTES);
	struct gv_guest_buf *buf = NULL;
	uint64_t seq = 0;
	int rc = seen ? gv_guest_buf_new(g, NULL, GV_GUEST_VRAM, BYTES, &buf, err)
	              : gv_fail(err, -ENOMEM, "out of memory");

	if (!rc)
		rc = gv_guest_sdma_fill(q, gv_guest_default_vm(g), gv_guest_buf_va(buf),
		                        (uint32_t)MARK, BYTES, &seq, err);
	if (!rc)
		rc = gv_guest_wait(q, seq, soon(), err);
	if (!rc)
		rc = gv_guest_buf_download(buf, 0, seen, BYTES, err);
	for (unsigned n = 0; n < BYTES / 4 && !rc; n++) {
		if (seen[n] != (uint32_t)MARK)
			rc = gv_fail(err, -EIO, "dword %u is 0x%x", n, seen[n]);
	}
	gv_guest_buf_free(buf);
	return rc;
}

/* ---- a dispatch ----------------------------------------------------------------------- */

/* s_load_dwordx2 s[0:1], s[0:1], 0; v_lshlrev_b32 v1, 2, v0; s_waitcnt lgkmcnt(0);
 * global_store_dword v1, v0, s[0:1]; s_endpgm: out[id] = id. From llvm-mc -mcpu=gfx900. */
static const uint32_t store_ids[64] = {
        0xc0060000, 0x00000000, 0x24020082, 0xbf8cc07f, 0xdc708000, 0x00000001, 0xbf810000,
};

static const struct gv_co_kernel store_kernel = {
        .name = "store_ids",
        .kernarg_bytes = 8,
        .properties = 1 << 3, /* kernel arguments in the first two user SGPRs */
        /* 8 VGPRs, 16 SGPRs, IEEE and DX10 clamp as compilers set them */
        .rsrc1 = 0xaf0041,
        .rsrc2 = 2 << COMPUTE_PGM_RSRC2__USER_SGPR__LO,
};

static int dispatch(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	struct gv_guest_queue *q = gv_guest_compute(g, i);
	struct gv_guest_program *program = NULL;
	struct gv_guest_buf *out = NULL;
	uint32_t seen[64] = {0};
	uint64_t va = 0, seq = 0;
	int rc = gv_guest_program_raw(g, store_ids, sizeof(store_ids), &program, err);

	if (!rc)
		rc = gv_guest_buf_new(g, NULL, GV_GUEST_VRAM, sizeof(seen), &out, err);
	if (!rc)
		rc = gv_guest_buf_upload(out, 0, seen, sizeof(seen), err);
	if (!rc) {
		struct gv_guest_launch l = {
		        .grid = {64}, .block = {64}, .kernarg = &va, .kernarg_bytes = sizeof(va)};

		va = gv_guest_buf_va(out);
		rc = gv_guest_launch(q, program, &store_kernel, &l, &seq, err);
	}
	if (!rc)
		rc = gv_guest_wait(q, seq, soon(), err);
	if (!rc)
		rc = gv_guest_buf_download(out, 0, seen, sizeof(seen), err);
	for (unsigned n = 0; n < 64 && !rc; n++) {
		if (seen[n] != n)
			rc = gv_fail(err, -EIO, "work item %u stored 0x%x", n, seen[n]);
	}
	gv_guest_buf_free(out);
	gv_guest_program_free(program);
	return rc;
}

/* ---- interrupts and page tables --------------------------------------------------------- */

/* A fence may be seen before its interrupt: entries of the ring are served until all are there. */
static uint64_t count_interrupts(struct gv_guest *g, uint64_t enough)
{
	uint64_t deadline_ns = soon();
	struct gv_guest_info info;

	gv_guest_get_info(g, &info);
	while (info.interrupts < enough && gv_now_ns() < deadline_ns &&
	       !gv_guest_service(g, gv_now_ns() + GV_MS))
		gv_guest_get_info(g, &info);
	return info.interrupts;
}

static int interrupts(struct gv_guest *g, unsigned i, struct gv_err *err)
{
	struct gv_guest_info before;
	uint64_t seen;
	int rc = 0;

	(void)i;
	gv_guest_get_info(g, &before);
	for (unsigned n = 0; n < 2 && !rc; n++) {
		rc = compute_ib(g, n, err);
		if (!rc)
			rc = sdma_ib(g, n, err);
	}
	if (rc)
		return rc;
	seen = count_interrupts(g, before.interrupts + 4) - before.interrupts;
	if (seen < 4)
		rc = gv_fail(err, -EIO, "%llu interrupts for 4 fences", (unsigned long long)seen);
	return rc;
}

/* Memory mapped through a fresh table of @levels, written through it, read back by the CPU. */
static int page_tables(struct gv_guest *g, unsigned levels, struct gv_err *err)
{
	struct gv_guest_buf *vram = NULL, *sys = NULL;
	struct gv_guest_vm *vm = NULL;
	struct gv_guest_queue *q = gv_guest_sdma(g, 0);
	enum { BYTES = 4 << 20 };
	uint64_t seq = 0;
	uint32_t *cpu;
	int rc = gv_guest_vm_new(g, levels, levels, &vm, err);

	if (rc)
		return rc;
	rc = ib_in(g, vm, gv_guest_compute(g, 0), false, err);
	if (!rc)
		rc = gv_guest_buf_new(g, vm, GV_GUEST_VRAM, BYTES, &vram, err);
	if (!rc)
		rc = gv_guest_buf_new(g, vm, GV_GUEST_SYSTEM, BYTES, &sys, err);
	if (!rc)
		rc = gv_guest_sdma_fill(q, vm, gv_guest_buf_va(vram), levels * 0x01010101u, BYTES,
		                        &seq, err);
	if (!rc)
		rc = gv_guest_sdma_copy(q, vm, gv_guest_buf_va(sys), gv_guest_buf_va(vram), BYTES,
		                        &seq, err);
	if (!rc)
		rc = gv_guest_wait(q, seq, soon(), err);
	cpu = sys ? gv_guest_buf_cpu(sys) : NULL;
	for (unsigned n = 0; n < BYTES / 4 && !rc; n++) {
		if (cpu[n] != levels * 0x01010101u)
			rc = gv_fail(err, -EIO, "dword %u is 0x%x", n, cpu[n]);
	}
	gv_guest_buf_free(sys);
	gv_guest_buf_free(vram);
	gv_guest_vm_free(vm);
	return rc;
}

static const struct check checks[] = {
        {"mailbox", mailbox, 0},
        {"KIQ ring", kiq_ring, 0},
        {"registers through the KIQ", kiq_register, 0},
        {"compute 0 ring", compute_ring, 0},
        {"compute 0 IB", compute_ib, 0},
        {"compute 0 dispatch", dispatch, 0},
        {"compute 1 ring", compute_ring, 1},
        {"compute 1 IB", compute_ib, 1},
        {"compute 1 dispatch", dispatch, 1},
        {"compute 2 ring", compute_ring, 2},
        {"compute 2 IB", compute_ib, 2},
        {"compute 2 dispatch", dispatch, 2},
        {"compute 3 ring", compute_ring, 3},
        {"compute 3 IB", compute_ib, 3},
        {"compute 3 dispatch", dispatch, 3},
        {"SDMA 0 ring", sdma_ring, 0},
        {"SDMA 0 IB", sdma_ib, 0},
        {"SDMA 0 fill", sdma_fill, 0},
        {"SDMA 1 ring", sdma_ring, 1},
        {"SDMA 1 IB", sdma_ib, 1},
        {"SDMA 1 fill", sdma_fill, 1},
        {"interrupts", interrupts, 0},
        {"page tables, 3 levels", page_tables, 3},
        {"page tables, 4 levels", page_tables, 4},
};

static void report(const struct cli *cli, struct json *j, const struct check *c, int rc, double ms,
                   const struct gv_err *err)
{
	if (!cli->json) {
		(void)printf("%-28s %s  %8.3f ms%s%s\n", c->name, rc ? "FAIL" : "ok  ", ms,
		             rc ? "  " : "", rc ? err->text : "");
		(void)fflush(stdout);
		return;
	}
	json_key(j, NULL);
	json_open(j, '{');
	json_str(j, "name", c->name);
	json_bool(j, "ok", !rc);
	json_f64(j, "ms", ms);
	if (rc)
		json_str(j, "error", err->text);
	json_close(j, '}');
}

static unsigned run_checks(const struct cli *cli, struct json *j, struct gv_guest *g)
{
	unsigned failed = 0;

	for (size_t i = 0; i < GV_ARRAY_LEN(checks); i++) {
		uint64_t start = gv_now_ns();
		struct gv_err err = {0};
		int rc = checks[i].run(g, checks[i].i, &err);

		report(cli, j, &checks[i], rc, (double)(gv_now_ns() - start) / (double)GV_MS, &err);
		failed += rc != 0;
	}
	return failed;
}

int cmd_test(struct cli *cli)
{
	unsigned failed, all = GV_ARRAY_LEN(checks);
	struct json j = {.f = stdout};
	struct gv_guest *guest = NULL;
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};

	if (cli->argc)
		return cli_usage("test takes nothing, '%s' given", cli->argv[0]);
	if (cli_open(cli, QUEUES, &bus, &guest, &err))
		return cli_fail(&err);
	if (cli->json) {
		json_open(&j, '{');
		json_key(&j, "checks");
		json_open(&j, '[');
	}
	failed = run_checks(cli, &j, guest);
	if (cli->json) {
		json_close(&j, ']');
		json_u64(&j, "passed", all - failed);
		json_u64(&j, "failed", failed);
		json_close(&j, '}');
		json_end(&j);
	} else {
		(void)printf("%u checks passed, %u failed\n", all - failed, failed);
	}
	cli_close(bus, guest);
	return failed ? CLI_FAILED : CLI_OK;
}
