/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest that hangs a queue, faults, and comes back. Usage: test_guest_recover URI, with a GPU and
 * its manager running behind it (test_guest_verbs.sh starts them).
 */
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>
#include <gv/vf_guest.h>

#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #cond,        \
			              err.text);                                                   \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static struct gv_err err;

static uint64_t in_ms(uint64_t ms)
{
	return gv_now_ns() + ms * GV_MS;
}

/* Fill @buf by SDMA, read it back. */
static int copy_works(struct gv_guest *g, struct gv_guest_buf *buf)
{
	static uint32_t seen[65536];
	struct gv_guest_queue *q = gv_guest_sdma(g, 1);
	uint64_t seq = 0;

	EXPECT(!gv_guest_sdma_fill(q, gv_guest_default_vm(g), gv_guest_buf_va(buf), 0x600df00d,
	                           sizeof(seen), &seq, &err));
	EXPECT(!gv_guest_wait(q, seq, in_ms(5000), &err));
	EXPECT(!gv_guest_buf_download(buf, 0, seen, sizeof(seen), &err));
	for (size_t i = 0; i < GV_ARRAY_LEN(seen); i++)
		EXPECT(seen[i] == 0x600df00d);
	return 0;
}

/* A packet that waits for a value nobody writes. */
static int hang(struct gv_guest *g, struct gv_guest_buf *sys)
{
	enum { EQUAL = 3, MEMORY = 1 };
	uint64_t va = gv_guest_buf_va(sys), seq = 0;
	uint32_t *ib = gv_guest_buf_cpu(sys);
	const uint32_t wait[] = {
	        gv_pm4_header(PM4_WAIT_REG_MEM, 6),
	        GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, EQUAL) |
	                GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, MEMORY),
	        (uint32_t)(va + 2048),
	        (uint32_t)((va + 2048) >> 32),
	        0x1234,
	        UINT32_MAX,
	        4,
	        GV_PM4_NOP1,
	};

	memset(ib, 0, 4096);
	memcpy(ib, wait, sizeof(wait));
	EXPECT(!gv_guest_submit_ib(gv_guest_compute(g, 0), gv_guest_default_vm(g), va,
	                           GV_ARRAY_LEN(wait), &seq, &err));
	EXPECT(gv_guest_wait(gv_guest_compute(g, 0), seq, in_ms(300), &err) == -ETIMEDOUT);
	EXPECT(strstr(err.text, "comp_1.0.0") && strstr(err.text, "rptr"));
	EXPECT(!gv_guest_recover(g, &err));
	EXPECT(gv_guest_wait(gv_guest_compute(g, 0), seq, in_ms(300), &err) == -ECANCELED);
	return 0;
}

/* Writing where nothing is mapped: reported with address and direction, to the one who waits. */
static int fault(struct gv_guest *g, struct gv_guest_buf *buf)
{
	uint64_t bad = gv_guest_buf_va(buf) + gv_guest_buf_bytes(buf), seq = 0;
	struct gv_guest_queue *q = gv_guest_sdma(g, 0);
	struct gv_guest_fault f;
	int rc;

	EXPECT(!gv_guest_sdma_fill(q, gv_guest_default_vm(g), bad, 1, 64, &seq, &err));
	rc = gv_guest_wait(q, seq, in_ms(1000), &err);
	EXPECT(rc == -EIO || rc == -ETIMEDOUT);
	gv_guest_get_fault(g, &f);
	EXPECT(f.valid && f.write && f.mmhub && f.vmid == 1);
	EXPECT(f.gpu_va == (bad & ~4095ull));
	EXPECT(!gv_guest_recover(g, &err));
	return 0;
}

static int run(struct gv_guest *g)
{
	struct gv_guest_buf *vram = NULL, *sys = NULL;
	struct gv_guest_info info;
	uint64_t va;

	EXPECT(!gv_guest_buf_new(g, NULL, GV_GUEST_VRAM, 5 << 20, &vram, &err));
	EXPECT(!gv_guest_buf_new(g, NULL, GV_GUEST_SYSTEM, 8192, &sys, &err));
	va = gv_guest_buf_va(vram);
	if (copy_works(g, vram) || hang(g, sys) || copy_works(g, vram) || fault(g, vram) ||
	    copy_works(g, vram))
		return 1;
	EXPECT(gv_guest_buf_va(vram) == va);
	gv_guest_get_info(g, &info);
	EXPECT(info.resets == 2);
	gv_guest_buf_free(sys);
	gv_guest_buf_free(vram);
	return 0;
}

int main(int argc, char **argv)
{
	const struct gv_log log = {.sink = gv_log_stderr, .max = GV_LOG_WARN, .who = "guest"};
	const struct gv_guest_cfg cfg = {.log = &log, .timeout_ns = 5 * GV_S};
	struct gv_guest *g = NULL;
	struct gv_bus *bus = NULL;
	int rc;

	if (argc != 2)
		return 2;
	EXPECT(!gv_bus_open(argv[1], NULL, &log, &bus, &err));
	EXPECT(!gv_guest_open(bus, &cfg, &g, &err));
	rc = run(g);
	gv_guest_close(g);
	gv_bus_close(bus);
	(void)printf("hang, fault and recovery: %s\n", rc ? "FAILED" : "ok");
	return rc;
}
