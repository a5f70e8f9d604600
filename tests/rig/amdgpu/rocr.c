/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user of stock ROCr (libhsa-runtime64) on a VF: code objects that clang compiled, dispatched by
 * AQL packets on user queues, and compared with what the CPU gets.
 *
 *   gv-rocr CODE_OBJECT_DIR [CHECK...]     a line "ok CHECK" each, or what is wrong; exit status 0
 *                                          when all held
 *
 * Without names: all but those that make the kernel complain: fault, which see.
 */
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rocr_kit.h"
#include "scratch.h"

#define QUEUES       4u
#define ITEMS        10007u
#define GROUP        256u
#define WHOLE_GROUPS ((ITEMS + GROUP - 1) / GROUP * GROUP)
#define MATRIX       48u
#define TILE         16u
#define BUFS         3u
#define COPY_BYTES   ((1u << 20) + 12u)
#define ROUNDS       20u

extern char **environ;

/* ---- a kernel with its queue, buffers and arguments ------------------------- */

struct job {
	hsa_queue_t *queue;
	hsa_signal_t done;
	struct gv_rocr_kernel kernel;
	void *buf[BUFS], *args;
};

static void end(struct job *j)
{
	if (j->queue)
		(void)hsa_queue_destroy(j->queue);
	gv_rocr_drop_signal(j->done);
	for (unsigned i = 0; i < BUFS; i++)
		(void)hsa_memory_free(j->buf[i]);
	(void)hsa_memory_free(j->args);
	gv_rocr_unload(&j->kernel);
	*j = (struct job){0};
}

/* Buffers of @bytes in system memory. The caller ends it, in any case. */
static bool begin(struct gv_rocr *r, struct job *j, const char *kernel, size_t bytes)
{
	*j = (struct job){0};
	for (unsigned i = 0; i < BUFS; i++) {
		j->buf[i] = gv_rocr_system(r, bytes);
		if (!j->buf[i])
			return false;
		memset(j->buf[i], 0, bytes);
	}
	if (!gv_rocr_load(r, kernel, &j->kernel))
		return false;
	j->args = gv_rocr_system(r, j->kernel.kernarg_bytes);
	j->queue = gv_rocr_queue(r);
	if (!j->args || !j->queue)
		return false;
	memset(j->args, 0, j->kernel.kernarg_bytes);
	return gv_rocr_signal(&j->done, 1);
}

static void start(struct job *j, const struct gv_rocr_grid *g, const void *args, size_t bytes)
{
	memcpy(j->args, args, bytes);
	gv_rocr_dispatch(j->queue, &j->kernel, g, j->args, j->done);
}

/* ---- kernels ------------------------------------------------------------------ */

struct three { /* arguments of vector_add, matmul_lds and until_told */
	void *a, *b, *c;
	uint32_t n;
};

/* Whole numbers: sums and products are exact. */
static void fill_floats(float *at, uint32_t n, uint32_t period)
{
	for (uint32_t i = 0; i < n; i++)
		at[i] = (float)(i % period);
}

static bool begin_add(struct gv_rocr *r, struct job *j)
{
	if (!begin(r, j, "vector_add", ITEMS * sizeof(float)))
		return false;
	fill_floats(j->buf[0], ITEMS, 97);
	fill_floats(j->buf[1], ITEMS, 89);
	return true;
}

static void start_add(struct job *j)
{
	const struct gv_rocr_grid grid = {1, GROUP, 1, ITEMS, 1, 0};
	const struct three args = {j->buf[0], j->buf[1], j->buf[2], ITEMS};

	start(j, &grid, &args, sizeof(args));
}

static bool is_sum(const struct job *j)
{
	const float *a = j->buf[0], *b = j->buf[1], *c = j->buf[2];

	for (uint32_t i = 0; i < ITEMS; i++)
		if (c[i] != a[i] + b[i])
			return gv_rocr_wrong("c[%u] is %g, not %g", i, (double)c[i],
			                     (double)(a[i] + b[i]));
	return true;
}

/* The same kernel on so many queues at a time. */
static bool add_on(struct gv_rocr *r, unsigned queues)
{
	struct job job[QUEUES] = {{0}};
	bool held = true;

	for (unsigned i = 0; held && i < queues; i++)
		held = begin_add(r, &job[i]);
	for (unsigned i = 0; held && i < queues; i++)
		start_add(&job[i]);
	for (unsigned i = 0; held && i < queues; i++)
		held = gv_rocr_wait(job[i].done) && is_sum(&job[i]);
	for (unsigned i = 0; i < queues; i++)
		end(&job[i]);
	return held;
}

static bool vector_add(struct gv_rocr *r)
{
	return add_on(r, 1);
}
static bool four_queues(struct gv_rocr *r)
{
	return add_on(r, QUEUES);
}

static bool is_product(const struct job *j)
{
	const float *a = j->buf[0], *b = j->buf[1], *c = j->buf[2];

	for (uint32_t at = 0; at < MATRIX * MATRIX; at++) {
		float want = 0;

		for (uint32_t k = 0; k < MATRIX; k++)
			want += a[at / MATRIX * MATRIX + k] * b[k * MATRIX + at % MATRIX];
		if (c[at] != want)
			return gv_rocr_wrong("c[%u] is %g, not %g", at, (double)c[at],
			                     (double)want);
	}
	return true;
}

static bool matmul_lds(struct gv_rocr *r)
{
	const struct gv_rocr_grid grid = {2, TILE, TILE, MATRIX, MATRIX, 0};
	struct three args;
	struct job j;
	bool held = begin(r, &j, "matmul_lds", MATRIX * MATRIX * sizeof(float));

	if (held) {
		fill_floats(j.buf[0], MATRIX * MATRIX, 19);
		fill_floats(j.buf[1], MATRIX * MATRIX, 23);
		args = (struct three){j.buf[0], j.buf[1], j.buf[2], MATRIX};
		start(&j, &grid, &args, sizeof(args));
		held = gv_rocr_wait(j.done) && is_product(&j);
	}
	end(&j);
	return held;
}

/* sum, maximum and count, as reduction_atomics.cl has them */
static bool atomics(struct gv_rocr *r)
{
	const struct gv_rocr_grid grid = {1, GROUP, 1, WHOLE_GROUPS, 1, GROUP * sizeof(uint32_t)};
	struct {
		const void *in;
		void *result;
		uint32_t local, n;
	} args;
	uint32_t want[3] = {0};
	struct job j;
	bool held = begin(r, &j, "reduction_atomics", ITEMS * sizeof(uint32_t));

	for (uint32_t i = 0; held && i < ITEMS; i++) {
		uint32_t v = i * 2654435761u;

		((uint32_t *)j.buf[0])[i] = v;
		want[0] += v;
		want[1] = GV_MAX(want[1], v);
		want[2]++;
	}
	args.in = j.buf[0];
	args.result = j.buf[1];
	args.local = 0;
	args.n = ITEMS;
	if (held)
		start(&j, &grid, &args, sizeof(args));
	held = held && gv_rocr_wait(j.done) && gv_rocr_same(j.buf[1], want, 3, "result");
	end(&j);
	return held;
}

/* ROCr gives the queue scratch memory when the GPU says that it has none. */
static bool scratch(struct gv_rocr *r)
{
	const struct gv_rocr_grid grid = {1, GROUP, 1, ITEMS, 1, 0};
	struct {
		const void *in;
		void *out;
		uint32_t n;
	} args;
	struct job j;
	bool held = begin(r, &j, "scratch", ITEMS * sizeof(uint32_t));

	for (uint32_t i = 0; held && i < ITEMS; i++) {
		((uint32_t *)j.buf[0])[i] = i * 40503u;
		((uint32_t *)j.buf[2])[i] = gv_scratch_item(i * 40503u);
	}
	args.in = j.buf[0];
	args.out = j.buf[1];
	args.n = ITEMS;
	if (held)
		start(&j, &grid, &args, sizeof(args));
	held = held && gv_rocr_wait(j.done) && gv_rocr_same(j.buf[1], j.buf[2], ITEMS, "out");
	end(&j);
	return held;
}

/* ---- signals --------------------------------------------------------------------- */

/* One packet waits for the kernel of another queue or the host, the next for both. */
static bool barriers(struct job *j, hsa_queue_t *q, hsa_signal_t host, hsa_signal_t either,
                     hsa_signal_t both)
{
	gv_rocr_barrier(q, HSA_PACKET_TYPE_BARRIER_OR, host, j->done, either);
	gv_rocr_barrier(q, HSA_PACKET_TYPE_BARRIER_AND, host, j->done, both);
	start_add(j);
	if (!gv_rocr_wait(either))
		return false;
	if (hsa_signal_load_scacquire(both) != 1)
		return gv_rocr_wrong("a barrier did not wait for the host");
	hsa_signal_store_screlease(host, 0);
	return gv_rocr_wait(both);
}

static bool pings(hsa_queue_t *q)
{
	const hsa_signal_t none = {0};
	hsa_signal_t s = {0};
	bool held = gv_rocr_signal(&s, 1);

	for (unsigned i = 0; held && i < ROUNDS; i++) {
		hsa_signal_store_relaxed(s, 1);
		gv_rocr_barrier(q, HSA_PACKET_TYPE_BARRIER_AND, none, none, s);
		held = gv_rocr_wait(s);
	}
	gv_rocr_drop_signal(s);
	return held;
}

static bool signals(struct gv_rocr *r)
{
	hsa_signal_t host = {0}, either = {0}, both = {0};
	hsa_queue_t *q = gv_rocr_queue(r);
	struct job j = {0};
	bool held = q && begin_add(r, &j) && gv_rocr_signal(&host, 1) &&
	            gv_rocr_signal(&either, 1) && gv_rocr_signal(&both, 1) &&
	            barriers(&j, q, host, either, both) && is_sum(&j) && pings(q);

	if (q)
		(void)hsa_queue_destroy(q);
	gv_rocr_drop_signal(host);
	gv_rocr_drop_signal(either);
	gv_rocr_drop_signal(both);
	end(&j);
	return held;
}

/* ---- a kernel in the middle of it ------------------------------------------------- */

static bool is_at_work(const struct job *j)
{
	uint64_t until = gv_now_ns() + GV_ROCR_WAIT_NS;
	const uint32_t *in = j->buf[1], *out = j->buf[2];

	while (__atomic_load_n(&out[GROUP - 1], __ATOMIC_ACQUIRE) != ~in[GROUP - 1]) {
		if (gv_now_ns() > until)
			return gv_rocr_wrong("the kernel does not begin");
		(void)usleep(1000);
	}
	return true;
}

/* until_told.cl, begun: one group, since those behind it may have to wait. */
static bool begin_untold(struct gv_rocr *r, struct job *j)
{
	const struct gv_rocr_grid grid = {1, GROUP, 1, GROUP, 1, 0};
	struct three args;

	if (!begin(r, j, "until_told", GROUP * sizeof(uint32_t)))
		return false;
	for (uint32_t i = 0; i < GROUP; i++)
		((uint32_t *)j->buf[1])[i] = i * 2654435761u;
	args = (struct three){j->buf[0], j->buf[1], j->buf[2], GROUP};
	start(j, &grid, &args, sizeof(args));
	return is_at_work(j);
}

static bool tell(struct job *j)
{
	const uint32_t *in = j->buf[1], *out = j->buf[2];

	if (hsa_signal_load_scacquire(j->done) != 1)
		return gv_rocr_wrong("the kernel did not wait to be told");
	__atomic_store_n((uint32_t *)j->buf[0], 1, __ATOMIC_RELEASE);
	if (!gv_rocr_wait(j->done))
		return false;
	for (uint32_t i = 0; i < GROUP; i++)
		if (out[i] != 3 * in[i] + i)
			return gv_rocr_wrong("out[%u] is 0x%x", i, out[i]);
	return true;
}

/* KFD takes all queues of a process off the GPU whenever one comes or goes. */
static bool preemption(struct gv_rocr *r)
{
	struct job j;
	bool held = begin_untold(r, &j);

	for (unsigned i = 0; held && i < QUEUES; i++) {
		hsa_queue_t *q = gv_rocr_queue(r);

		held = q && pings(q);
		if (q)
			(void)hsa_queue_destroy(q);
	}
	held = held && tell(&j);
	end(&j);
	return held;
}

/* ---- copies ------------------------------------------------------------------------ */

struct copy {
	void *to;
	hsa_agent_t to_agent;
	const void *from;
	hsa_agent_t from_agent;
	hsa_signal_t after, done; /* @after: none, if its handle is 0 */
};

static bool copy(const struct copy *c)
{
	return gv_rocr_fine(hsa_amd_memory_async_copy(c->to, c->to_agent, c->from, c->from_agent,
	                                              COPY_BYTES, c->after.handle ? 1 : 0,
	                                              c->after.handle ? &c->after : NULL, c->done),
	                    "copy");
}

/* Host, video memory, another place there, host: each waits for the one before it. */
static bool round_trip(struct gv_rocr *r, void *from, void *to, void *const *vram,
                       const hsa_signal_t *done)
{
	const hsa_signal_t none = {0};
	const struct copy way[] = {{vram[0], r->gpu, from, r->cpu, none, done[0]},
	                           {vram[1], r->gpu, vram[0], r->gpu, done[0], done[1]},
	                           {to, r->cpu, vram[1], r->gpu, done[1], done[2]}};

	for (size_t i = 0; i < GV_ARRAY_LEN(way); i++)
		if (!copy(&way[i]))
			return false;
	return gv_rocr_wait(done[2]) &&
	       gv_rocr_same(to, from, COPY_BYTES / sizeof(uint32_t), "what came back");
}

static bool fill(void *at, hsa_signal_t done, void *to, struct gv_rocr *r)
{
	const struct copy back = {to, r->cpu, at, r->gpu, {0}, done};
	const uint32_t value = 0x5eed1234, count = COPY_BYTES / sizeof(uint32_t);

	hsa_signal_store_relaxed(done, 1);
	if (!gv_rocr_fine(hsa_amd_memory_fill(at, value, count), "fill") || !copy(&back) ||
	    !gv_rocr_wait(done))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (((uint32_t *)to)[i] != value)
			return gv_rocr_wrong("filled[%u] is 0x%x", i, ((uint32_t *)to)[i]);
	return true;
}

/* ROCr could copy with a kernel of its own: whether KFD lists an SDMA queue of this process. */
static bool has_sdma_queue(void)
{
	char path[64];
	glob_t found;
	bool has = false;

	(void)snprintf(path, sizeof(path), "/sys/class/kfd/kfd/proc/%d/queues/*/type", getpid());
	if (glob(path, 0, NULL, &found))
		return gv_rocr_wrong("KFD lists no queues in %s", path);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");

		has |= f && fgetc(f) == '1'; /* KFD_QUEUE_TYPE_SDMA */
		if (f)
			(void)fclose(f);
	}
	globfree(&found);
	return has ? true : gv_rocr_wrong("no SDMA queue of this process");
}

static bool sdma_copies(struct gv_rocr *r)
{
	uint32_t *from = gv_rocr_system(r, COPY_BYTES), *to = gv_rocr_system(r, COPY_BYTES);
	void *vram[] = {gv_rocr_vram(r, COPY_BYTES), gv_rocr_vram(r, COPY_BYTES)};
	hsa_signal_t done[3] = {{0}};
	bool held = from && to && vram[0] && vram[1];

	for (unsigned i = 0; held && i < GV_ARRAY_LEN(done); i++)
		held = gv_rocr_signal(&done[i], 1);
	for (uint32_t i = 0; held && i < COPY_BYTES / sizeof(*from); i++)
		from[i] = i * 2654435761u;
	held = held && round_trip(r, from, to, vram, done) && has_sdma_queue() &&
	       fill(vram[1], done[2], to, r);
	for (unsigned i = 0; i < GV_ARRAY_LEN(done); i++)
		gv_rocr_drop_signal(done[i]);
	(void)hsa_memory_free(from);
	(void)hsa_memory_free(to);
	(void)hsa_memory_free(vram[0]);
	(void)hsa_memory_free(vram[1]);
	return held;
}

/* ---- a fault ------------------------------------------------------------------------- */

struct report {
	uint64_t va;
	uint32_t reason;
	bool came; /* last */
};

static hsa_status_t on_event(const hsa_amd_event_t *event, void *arg)
{
	struct report *report = arg;

	if (event->event_type != HSA_AMD_GPU_MEMORY_FAULT_EVENT)
		return HSA_STATUS_SUCCESS;
	report->va = event->memory_fault.virtual_address;
	report->reason = event->memory_fault.fault_reason_mask;
	__atomic_store_n(&report->came, true, __ATOMIC_RELEASE);
	return HSA_STATUS_SUCCESS;
}

static bool is_told(const struct report *report, const void *page)
{
	uint64_t until = gv_now_ns() + GV_ROCR_WAIT_NS;

	while (!__atomic_load_n(&report->came, __ATOMIC_ACQUIRE)) {
		if (gv_now_ns() > until)
			return gv_rocr_wrong("no report of a fault");
		(void)usleep(10000);
	}
	if (report->va != (uintptr_t)page)
		return gv_rocr_wrong("the fault is reported at 0x%llx, was at %p",
		                     (unsigned long long)report->va, page);
	return report->reason & HSA_AMD_MEMORY_FAULT_PAGE_NOT_PRESENT
	               ? true
	               : gv_rocr_wrong("the fault's reason is 0x%x", report->reason);
}

/* Where it writes is memory of the process, but the GPU was never told of it. */
static bool fault_report(struct gv_rocr *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	static struct report report;
	struct job j = {0};
	void *out = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct three args;
	const struct gv_rocr_grid grid = {1, GROUP, 1, GROUP, 1, 0};
	bool held;

	if (out == MAP_FAILED ||
	    !gv_rocr_fine(hsa_amd_register_system_event_handler(on_event, &report), "handler") ||
	    !begin_add(r, &j))
		return false;
	args = (struct three){j.buf[0], j.buf[1], out, GROUP};
	start(&j, &grid, &args, sizeof(args));
	held = is_told(&report, out);
	end(&j);
	return held;
}

/* ---- all of it ------------------------------------------------------------------------- */

static bool fault(struct gv_rocr *r);

static const struct check {
	const char *name;
	bool (*run)(struct gv_rocr *r);
	bool named; /* runs only when it is named */
} checks[] = {
        {"vector_add", vector_add, false},    {"four_queues", four_queues, false},
        {"matmul_lds", matmul_lds, false},    {"atomics", atomics, false},
        {"scratch", scratch, false},          {"signals", signals, false},
        {"preemption", preemption, false},    {"sdma_copies", sdma_copies, false},
        {"fault_report", fault_report, true}, {"fault", fault, true},
};

/* In a process of its own. */
static bool run_apart(const struct gv_rocr *r, const char *name)
{
	char *argv[] = {(char *)"gv-rocr", (char *)(uintptr_t)r->dir, (char *)(uintptr_t)name,
	                NULL};
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid)
		return gv_rocr_wrong("no process for it");
	if (WIFSIGNALED(status))
		return gv_rocr_wrong("%s ended with signal %d", name, WTERMSIG(status));
	return !WEXITSTATUS(status);
}

/* Another process makes one and is told of it; this one is at work beside it and goes on. */
static bool fault(struct gv_rocr *r)
{
	struct job j;
	bool held = begin_untold(r, &j) && run_apart(r, "fault_report") && tell(&j) &&
	            add_on(r, QUEUES);

	end(&j);
	return held;
}

static bool is_wanted(const struct check *c, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], c->name))
			return true;
	return argc == 2 && !c->named;
}

int main(int argc, char **argv)
{
	unsigned ran = 0, failed = 0;
	struct gv_rocr r;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		fprintf(stderr, "usage: gv-rocr CODE_OBJECT_DIR [CHECK...]\n");
		return 2;
	}
	if (!gv_rocr_open(&r, argv[1]))
		return 1;
	for (size_t i = 0; i < GV_ARRAY_LEN(checks); i++) {
		bool held;

		if (!is_wanted(&checks[i], argc, argv))
			continue;
		held = checks[i].run(&r);
		printf("%s %s\n", held ? "ok     " : "FAILED ", checks[i].name);
		ran++;
		failed += !held;
	}
	gv_rocr_close(&r);
	return ran && !failed ? 0 : 1;
}
