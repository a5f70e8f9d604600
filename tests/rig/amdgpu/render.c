/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user of the stock amdgpu driver: jobs through the render node, with libdrm, as Mesa submits
 * them.
 *
 *   gv-render test             a line per check; exit status 0 when all held
 *   gv-render hang             a job on the graphics ring that never ends, until the driver resets
 * the GPU and says so gv-render load SECONDS     copies and packets on all rings, results checked
 *
 * Each process has page tables of its own in the GPU (a VMID other than 0), so what it sees has
 * passed the driver's page tables and the PF's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <amdgpu.h>
#include <amdgpu_drm.h>

#include <gv/base.h>
#include <gv/packets.h>

#define NODE      "/dev/dri/renderD128"
#define PAGE      4096u
#define BUF_BYTES (1u << 20)
#define WAIT_NS   (60 * GV_S)
#define HANG_NS   (120 * GV_S) /* a job's timeout is 10 s, 60 s on a compute ring */

struct buf {
	amdgpu_bo_handle bo;
	amdgpu_va_handle range;
	uint64_t va;
	uint32_t *cpu;
};

struct session {
	int fd;
	amdgpu_device_handle dev;
	amdgpu_context_handle ctx;
	struct buf vram, gtt, ib;
	unsigned failed;
};

static const struct {
	unsigned type;
	const char *name;
} rings[] = {
        {AMDGPU_HW_IP_GFX, "gfx"}, {AMDGPU_HW_IP_COMPUTE, "compute"}, {AMDGPU_HW_IP_DMA, "sdma"}};

static bool check(struct session *s, bool held, const char *what)
{
	printf("%s %s\n", held ? "ok     " : "FAILED ", what);
	if (!held)
		s->failed++;
	return held;
}

/* ---- buffers -------------------------------------------------------------------- */

static int map(struct session *s, struct buf *b, uint64_t bytes)
{
	int rc = amdgpu_va_range_alloc(s->dev, amdgpu_gpu_va_range_general, bytes, PAGE, 0, &b->va,
	                               &b->range, 0);

	if (rc)
		return rc;
	rc = amdgpu_bo_va_op(b->bo, 0, bytes, b->va, 0, AMDGPU_VA_OP_MAP);
	return rc ? rc : amdgpu_bo_cpu_map(b->bo, (void **)&b->cpu);
}

static int make(struct session *s, struct buf *b, uint32_t heap, uint64_t flags)
{
	struct amdgpu_bo_alloc_request r = {.alloc_size = BUF_BYTES,
	                                    .phys_alignment = PAGE,
	                                    .preferred_heap = heap,
	                                    .flags = flags};
	int rc = amdgpu_bo_alloc(s->dev, &r, &b->bo);

	if (!rc)
		rc = map(s, b, BUF_BYTES);
	if (rc)
		fprintf(stderr, "gv-render: buffer in heap %u: %s\n", heap, strerror(-rc));
	return rc;
}

static void drop(struct buf *b)
{
	if (!b->bo)
		return;
	if (b->cpu)
		(void)amdgpu_bo_cpu_unmap(b->bo);
	if (b->range) {
		(void)amdgpu_bo_va_op(b->bo, 0, BUF_BYTES, b->va, 0, AMDGPU_VA_OP_UNMAP);
		(void)amdgpu_va_range_free(b->range);
	}
	(void)amdgpu_bo_free(b->bo);
}

static void end(struct session *s)
{
	drop(&s->ib);
	drop(&s->gtt);
	drop(&s->vram);
	if (s->ctx)
		(void)amdgpu_cs_ctx_free(s->ctx);
	if (s->dev)
		(void)amdgpu_device_deinitialize(s->dev);
	if (s->fd >= 0)
		(void)close(s->fd);
}

static int begin(struct session *s)
{
	uint32_t major, minor;
	int rc;

	*s = (struct session){.fd = open(NODE, O_RDWR | O_CLOEXEC)};
	if (s->fd < 0) {
		perror("gv-render: " NODE);
		return -errno;
	}
	rc = amdgpu_device_initialize(s->fd, &major, &minor, &s->dev);
	if (!rc)
		rc = amdgpu_cs_ctx_create(s->dev, &s->ctx);
	if (rc) {
		fprintf(stderr, "gv-render: " NODE ": %s\n", strerror(-rc));
		return rc;
	}
	rc = make(s, &s->vram, AMDGPU_GEM_DOMAIN_VRAM, AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
	if (!rc)
		rc = make(s, &s->gtt, AMDGPU_GEM_DOMAIN_GTT, 0);
	return rc ? rc : make(s, &s->ib, AMDGPU_GEM_DOMAIN_GTT, 0);
}

/* ---- jobs ----------------------------------------------------------------------- */

/* What is in s->ib, @dw dwords, on ring @ring of engine @type. 0 when it came to its end in time.
 */
static int run(struct session *s, unsigned type, unsigned ring, unsigned dw, uint64_t wait_ns)
{
	struct amdgpu_cs_ib_info ib = {.ib_mc_address = s->ib.va, .size = dw};
	struct amdgpu_cs_request job = {
	        .ip_type = type, .ring = ring, .number_of_ibs = 1, .ibs = &ib};
	struct amdgpu_cs_fence fence = {.context = s->ctx, .ip_type = type, .ring = ring};
	amdgpu_bo_handle bos[] = {s->vram.bo, s->gtt.bo, s->ib.bo};
	uint32_t over = 0;
	int rc = amdgpu_bo_list_create(s->dev, GV_ARRAY_LEN(bos), bos, NULL, &job.resources);

	if (rc)
		return rc;
	rc = amdgpu_cs_submit(s->ctx, 0, &job, 1);
	if (!rc) {
		fence.fence = job.seq_no;
		rc = amdgpu_cs_query_fence_status(&fence, wait_ns, 0, &over);
	}
	(void)amdgpu_bo_list_destroy(job.resources);
	return rc ? rc : over ? 0 : -ETIMEDOUT;
}

static unsigned pad(uint32_t *ib, unsigned dw, uint32_t nop)
{
	while (dw % 8)
		ib[dw++] = nop;
	return dw;
}

static unsigned pm4_write(uint32_t *ib, uint64_t va, uint32_t val)
{
	unsigned n = 0;

	ib[n++] = gv_pm4_header(PM4_WRITE_DATA, 4);
	ib[n++] = GV_PUT(PM4_WRITE_DATA, DST_SEL, 5) | GV_PUT(PM4_WRITE_DATA, WR_CONFIRM, 1);
	ib[n++] = (uint32_t)va;
	ib[n++] = (uint32_t)(va >> 32);
	ib[n++] = val;
	return pad(ib, n, GV_PM4_NOP1);
}

static unsigned sdma_copy(uint32_t *ib, uint64_t to, uint64_t from, uint32_t bytes)
{
	unsigned n = 0;

	ib[n++] = GV_SDMA_HEADER(COPY_LINEAR);
	ib[n++] = bytes - 1;
	ib[n++] = 0;
	ib[n++] = (uint32_t)from;
	ib[n++] = (uint32_t)(from >> 32);
	ib[n++] = (uint32_t)to;
	ib[n++] = (uint32_t)(to >> 32);
	return pad(ib, n, GV_SDMA_HEADER(NOP));
}

static int write_and_look(struct session *s, unsigned type, unsigned ring, uint32_t val)
{
	unsigned at = val % (BUF_BYTES / 4);
	int rc;

	s->vram.cpu[at] = ~val;
	rc = run(s, type, ring, pm4_write(s->ib.cpu, s->vram.va + 4 * at, val), WAIT_NS);
	return rc ? rc : s->vram.cpu[at] == val ? 0 : -EIO;
}

/* From system memory to video memory and back to another place, half of the buffer each time. */
static int copy_and_look(struct session *s, unsigned ring, uint32_t seed)
{
	uint32_t half = BUF_BYTES / 2, words = half / 4;
	int rc;

	for (uint32_t k = 0; k < words; k++) {
		s->gtt.cpu[k] = seed + k * 2654435761u;
		s->gtt.cpu[words + k] = 0;
	}
	rc = run(s, AMDGPU_HW_IP_DMA, ring,
	         sdma_copy(s->ib.cpu, s->vram.va + half, s->gtt.va, half), WAIT_NS);
	if (!rc)
		rc = run(s, AMDGPU_HW_IP_DMA, ring,
		         sdma_copy(s->ib.cpu, s->gtt.va + half, s->vram.va + half, half), WAIT_NS);
	if (rc)
		return rc;
	return memcmp(s->gtt.cpu, s->gtt.cpu + words, half) ? -EIO : 0;
}

static unsigned ring_count(struct session *s, unsigned type)
{
	struct drm_amdgpu_info_hw_ip ip = {0};

	if (amdgpu_query_hw_ip_info(s->dev, type, 0, &ip))
		return 0;
	return (unsigned)__builtin_popcount(ip.available_rings);
}

/* Every ring that the driver offers. Rings are bits from 0 up (amdgpu_kms.c). */
static int on_all_rings(struct session *s, unsigned type, uint32_t seed)
{
	unsigned n = ring_count(s, type);

	for (unsigned ring = 0; ring < n; ring++) {
		int rc = type == AMDGPU_HW_IP_DMA ? copy_and_look(s, ring, seed + ring)
		                                  : write_and_look(s, type, ring, seed + ring);

		if (rc) {
			printf("        ring %u of engine %u: %s\n", ring, type, strerror(-rc));
			return rc;
		}
	}
	return n ? 0 : -ENODEV;
}

/* ---- commands ------------------------------------------------------------------- */

static void tell(struct session *s)
{
	struct amdgpu_gpu_info info = {0};
	struct drm_amdgpu_memory_info mem = {0};
	uint64_t heap = 0;

	check(s, !amdgpu_query_gpu_info(s->dev, &info), "the driver describes the GPU");
	printf("        device 0x%x family %u, %u shader engines, %u CUs\n", info.asic_id,
	       info.family_id, info.num_shader_engines, info.cu_active_number);
	check(s, info.family_id == AMDGPU_FAMILY_AI, "it is of the family of Vega10");
	if (!amdgpu_query_info(s->dev, AMDGPU_INFO_MEMORY, sizeof(mem), &mem))
		heap = mem.vram.total_heap_size;
	printf("        video memory %llu MiB, %llu MiB in the aperture\n",
	       (unsigned long long)(heap / GV_MIB),
	       (unsigned long long)(mem.cpu_accessible_vram.total_heap_size / GV_MIB));
}

static int command_test(struct session *s, const char *arg)
{
	char what[80];

	(void)arg;
	tell(s);
	for (size_t k = 0; k < GV_ARRAY_LEN(rings); k++) {
		(void)snprintf(what, sizeof(what), "%u ring(s) of %s run jobs",
		               ring_count(s, rings[k].type), rings[k].name);
		check(s, !on_all_rings(s, rings[k].type, 0x12340000), what);
	}
	return s->failed ? 1 : 0;
}

/* A wait for a value that nobody writes. */
static int command_hang(struct session *s, const char *arg)
{
	uint32_t *ib = s->ib.cpu;
	uint64_t flags = 0;
	unsigned n = 0;

	(void)arg;
	s->vram.cpu[0] = 0;
	ib[n++] = gv_pm4_header(PM4_WAIT_REG_MEM, 6);
	ib[n++] = GV_PUT(PM4_WAIT_REG_MEM, FUNCTION, 3) | GV_PUT(PM4_WAIT_REG_MEM, MEM_SPACE, 1);
	ib[n++] = (uint32_t)s->vram.va;
	ib[n++] = (uint32_t)(s->vram.va >> 32);
	ib[n++] = 1;
	ib[n++] = UINT32_MAX;
	ib[n++] = 4;
	(void)run(s, AMDGPU_HW_IP_GFX, 0, pad(ib, n, GV_PM4_NOP1), HANG_NS);
	check(s,
	      !amdgpu_cs_query_reset_state2(s->ctx, &flags) &&
	              flags & AMDGPU_CTX_QUERY2_FLAGS_RESET,
	      "the driver says that there was a reset");
	check(s, run(s, AMDGPU_HW_IP_GFX, 0, pm4_write(ib, s->vram.va, 2), WAIT_NS) != 0,
	      "who hung the GPU gets no more jobs");
	return s->failed ? 1 : 0;
}

static int command_load(struct session *s, const char *arg)
{
	uint64_t until = gv_now_ns() + (uint64_t)strtoul(arg ? arg : "1", NULL, 10) * GV_S;
	uint32_t rounds = 0;
	int rc = 0;

	while (!rc && gv_now_ns() < until) {
		for (size_t k = 0; !rc && k < GV_ARRAY_LEN(rings); k++)
			rc = on_all_rings(s, rings[k].type, rounds * 0x1001);
		rounds++;
	}
	printf("rounds=%u errors=%d\n", rounds, rc ? 1 : 0);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct session *s, const char *arg);
	} commands[] = {{"test", command_test}, {"hang", command_hang}, {"load", command_load}};
	struct session s;
	int rc = 1;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t k = 0; argc > 1 && k < GV_ARRAY_LEN(commands); k++) {
		if (strcmp(argv[1], commands[k].name) != 0)
			continue;
		if (!begin(&s))
			rc = commands[k].run(&s, argc > 2 ? argv[2] : NULL);
		end(&s);
		return rc;
	}
	fprintf(stderr, "usage: gv-render test | hang | load SECONDS\n");
	return 2;
}
