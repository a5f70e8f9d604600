/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user of stock ROCr (libhsa-runtime64) on a VF: code objects that clang compiled, dispatched by
 * AQL packets on user queues.
 *
 *   gv-rocr CODE_OBJECT_DIR     a line per check; exit status 0 when all held
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hsa/hsa.h>

#include <gv/base.h>

#define QUEUES    4u
#define ITEMS     10007u
#define GROUP     256u
#define MATRIX    48u
#define TILE      16u
#define WAIT_NS   (60 * GV_S)
#define PATH_ROOM 512

struct run {
	hsa_agent_t gpu;
	bool have_gpu;
	hsa_region_t system; /* kernarg: memory that both sides see at once */
	bool have_system;
	const char *dir;
	unsigned failed;
};

struct kernel {
	hsa_executable_t executable;
	uint64_t object;
	uint32_t kernarg, group, private;
};

static bool check(struct run *r, bool held, const char *what)
{
	printf("%s %s\n", held ? "ok     " : "FAILED ", what);
	if (!held)
		r->failed++;
	return held;
}

/* Whether @status is success; else says what was not. */
static bool fine(hsa_status_t status, const char *what)
{
	const char *text = "?";

	if (status == HSA_STATUS_SUCCESS)
		return true;
	(void)hsa_status_string(status, &text);
	printf("        %s: %s\n", what, text);
	return false;
}

/* ---- agents and memory ------------------------------------------------------------ */

static hsa_status_t look_at_region(hsa_region_t region, void *arg)
{
	struct run *r = arg;
	hsa_region_segment_t segment;
	uint32_t flags = 0;

	(void)hsa_region_get_info(region, HSA_REGION_INFO_SEGMENT, &segment);
	if (segment != HSA_REGION_SEGMENT_GLOBAL)
		return HSA_STATUS_SUCCESS;
	(void)hsa_region_get_info(region, HSA_REGION_INFO_GLOBAL_FLAGS, &flags);
	if (flags & HSA_REGION_GLOBAL_FLAG_KERNARG) {
		r->system = region;
		r->have_system = true;
	}
	return HSA_STATUS_SUCCESS;
}

static hsa_status_t look_at_agent(hsa_agent_t agent, void *arg)
{
	struct run *r = arg;
	hsa_device_type_t type;
	char name[64] = "";

	(void)hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type);
	(void)hsa_agent_get_info(agent, HSA_AGENT_INFO_NAME, name);
	if (type != HSA_DEVICE_TYPE_GPU || strcmp(name, "gfx900") != 0)
		return HSA_STATUS_SUCCESS;
	r->gpu = agent;
	r->have_gpu = true;
	return hsa_agent_iterate_regions(agent, look_at_region, r);
}

static void *shared(struct run *r, size_t bytes)
{
	void *at = NULL;

	return fine(hsa_memory_allocate(r->system, bytes, &at), "memory") ? at : NULL;
}

/* ---- kernels ------------------------------------------------------------------------ */

static hsa_status_t symbol_info(struct kernel *k, hsa_executable_symbol_t s)
{
	const struct {
		hsa_executable_symbol_info_t what;
		void *to;
	} row[] = {{HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT, &k->object},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE, &k->kernarg},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE, &k->group},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE, &k->private}};

	for (size_t i = 0; i < GV_ARRAY_LEN(row); i++) {
		hsa_status_t rc = hsa_executable_symbol_get_info(s, row[i].what, row[i].to);

		if (rc != HSA_STATUS_SUCCESS)
			return rc;
	}
	return HSA_STATUS_SUCCESS;
}

static bool load_file(struct run *r, int fd, struct kernel *k)
{
	hsa_code_object_reader_t reader;
	bool loaded;

	if (!fine(hsa_code_object_reader_create_from_file(fd, &reader), "code object"))
		return false;
	loaded = fine(hsa_executable_create_alt(HSA_PROFILE_BASE,
	                                        HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, NULL,
	                                        &k->executable),
	              "executable") &&
	         fine(hsa_executable_load_agent_code_object(k->executable, r->gpu, reader, NULL,
	                                                    NULL),
	              "load") &&
	         fine(hsa_executable_freeze(k->executable, NULL), "freeze");
	(void)hsa_code_object_reader_destroy(reader);
	return loaded;
}

static bool load(struct run *r, const char *name, struct kernel *k)
{
	char path[PATH_ROOM], symbol[128];
	hsa_executable_symbol_t s;
	bool loaded;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.co", r->dir, name);
	(void)snprintf(symbol, sizeof(symbol), "%s.kd", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		return false;
	}
	loaded = load_file(r, fd, k);
	(void)close(fd);
	return loaded &&
	       fine(hsa_executable_get_symbol_by_name(k->executable, symbol, &r->gpu, &s),
	            symbol) &&
	       fine(symbol_info(k, s), "symbol");
}

/* ---- dispatch ----------------------------------------------------------------------- */

struct grid {
	uint16_t dims;
	uint32_t x, y;
	uint16_t group_x, group_y;
};

static void put_packet(hsa_queue_t *q, const struct kernel *k, const struct grid *g, void *kernarg,
                       hsa_signal_t done)
{
	uint64_t index = hsa_queue_add_write_index_relaxed(q, 1);
	hsa_kernel_dispatch_packet_t *p =
	        (hsa_kernel_dispatch_packet_t *)q->base_address + (index & (q->size - 1));
	uint16_t header = HSA_PACKET_TYPE_KERNEL_DISPATCH << HSA_PACKET_HEADER_TYPE |
	                  HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
	                  HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE;
	uint32_t setup = (uint32_t)g->dims << HSA_KERNEL_DISPATCH_PACKET_SETUP_DIMENSIONS;

	memset((char *)p + sizeof(uint32_t), 0, sizeof(*p) - sizeof(uint32_t));
	p->workgroup_size_x = g->group_x;
	p->workgroup_size_y = g->group_y;
	p->workgroup_size_z = 1;
	p->grid_size_x = g->x;
	p->grid_size_y = g->y;
	p->grid_size_z = 1;
	p->group_segment_size = k->group;
	p->private_segment_size = k->private;
	p->kernel_object = k->object;
	p->kernarg_address = kernarg;
	p->completion_signal = done;
	__atomic_store_n((uint32_t *)(void *)p, header | setup << 16, __ATOMIC_RELEASE);
	hsa_signal_store_screlease(q->doorbell_signal, (hsa_signal_value_t)index);
}

/* Blocks in the kernel: the GPU's interrupt wakes it. */
static bool over(hsa_signal_t done)
{
	uint64_t hz = GV_S;

	(void)hsa_system_get_info(HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY, &hz);
	return hsa_signal_wait_scacquire(done, HSA_SIGNAL_CONDITION_LT, 1, hz * (WAIT_NS / GV_S),
	                                 HSA_WAIT_STATE_BLOCKED) == 0;
}

static void on_fault(hsa_status_t status, hsa_queue_t *q, void *arg)
{
	(void)q;
	(void)arg;
	(void)fine(status, "queue");
}

static hsa_queue_t *queue(struct run *r)
{
	hsa_queue_t *q = NULL;

	return fine(hsa_queue_create(r->gpu, 64, HSA_QUEUE_TYPE_MULTI, on_fault, NULL, UINT32_MAX,
	                             UINT32_MAX, &q),
	            "queue")
	               ? q
	               : NULL;
}

/* ---- what is computed ----------------------------------------------------------------- */

struct job {
	hsa_queue_t *queue;
	hsa_signal_t done;
	float *a, *b, *c;
	struct args {
		void *a, *b, *c;
		uint32_t n;
	} * args;
};

static bool prepare(struct run *r, struct job *j, const struct kernel *k, uint32_t floats)
{
	size_t bytes = floats * sizeof(float);

	j->queue = queue(r);
	j->a = shared(r, bytes);
	j->b = shared(r, bytes);
	j->c = shared(r, bytes);
	j->args = shared(r, GV_MAX(k->kernarg, sizeof(*j->args)));
	if (!j->queue || !j->a || !j->b || !j->c || !j->args ||
	    !fine(hsa_signal_create(1, 0, NULL, &j->done), "signal"))
		return false;
	memset(j->args, 0, GV_MAX(k->kernarg, sizeof(*j->args)));
	for (uint32_t i = 0; i < floats; i++) {
		j->a[i] = (float)(i % 97);
		j->b[i] = (float)(i % 89) * 2.0f;
		j->c[i] = -1.0f;
	}
	*j->args = (struct args){j->a, j->b, j->c, floats};
	return true;
}

static void drop(struct job *j)
{
	if (j->queue)
		(void)hsa_queue_destroy(j->queue);
	if (j->done.handle)
		(void)hsa_signal_destroy(j->done);
	(void)hsa_memory_free(j->a);
	(void)hsa_memory_free(j->b);
	(void)hsa_memory_free(j->c);
	(void)hsa_memory_free(j->args);
}

static bool sums_are_right(const struct job *j)
{
	for (uint32_t i = 0; i < ITEMS; i++)
		if (j->c[i] != j->a[i] + j->b[i]) {
			printf("        c[%u] is %g\n", i, (double)j->c[i]);
			return false;
		}
	return true;
}

static bool products_are_right(const struct job *j)
{
	for (uint32_t at = 0; at < MATRIX * MATRIX; at++) {
		float want = 0;

		for (uint32_t k = 0; k < MATRIX; k++)
			want += j->a[at / MATRIX * MATRIX + k] * j->b[k * MATRIX + at % MATRIX];
		if (j->c[at] != want) { /* whole numbers: exact */
			printf("        c[%u] is %g, not %g\n", at, (double)j->c[at], (double)want);
			return false;
		}
	}
	return true;
}

/* The same kernel on so many queues at a time. */
static void vector_add(struct run *r, unsigned queues)
{
	const struct grid grid = {1, ITEMS, 1, GROUP, 1};
	struct job job[QUEUES] = {{0}};
	struct kernel k = {0};
	bool held = load(r, "vector_add", &k);
	char what[64];

	for (unsigned i = 0; held && i < queues; i++)
		held = prepare(r, &job[i], &k, ITEMS);
	for (unsigned i = 0; held && i < queues; i++)
		put_packet(job[i].queue, &k, &grid, job[i].args, job[i].done);
	for (unsigned i = 0; held && i < queues; i++)
		held = over(job[i].done) && sums_are_right(&job[i]);
	(void)snprintf(what, sizeof(what), "vector_add on %u user queue(s), signalled by interrupt",
	               queues);
	check(r, held, what);
	for (unsigned i = 0; i < queues; i++)
		drop(&job[i]);
	(void)hsa_executable_destroy(k.executable);
}

static void matmul(struct run *r)
{
	const struct grid grid = {2, MATRIX, MATRIX, TILE, TILE};
	struct job job = {0};
	struct kernel k = {0};
	bool held = load(r, "matmul_lds", &k) && prepare(r, &job, &k, MATRIX * MATRIX);

	if (held) {
		job.args->n = MATRIX;
		put_packet(job.queue, &k, &grid, job.args, job.done);
		held = over(job.done) && products_are_right(&job);
	}
	check(r, held, "matmul in LDS");
	drop(&job);
	(void)hsa_executable_destroy(k.executable);
}

int main(int argc, char **argv)
{
	struct run r = {.dir = argc > 1 ? argv[1] : "."};

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!fine(hsa_init(), "hsa_init"))
		return 1;
	(void)hsa_iterate_agents(look_at_agent, &r);
	if (check(&r, r.have_gpu, "there is an agent gfx900") &&
	    check(&r, r.have_system, "it sees system memory")) {
		vector_add(&r, 1);
		vector_add(&r, QUEUES);
		matmul(&r);
	}
	(void)hsa_shut_down();
	return r.failed ? 1 : 0;
}
