/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rocr_kit.h"

#define PATH_ROOM 512

bool gv_rocr_wrong(const char *fmt, ...)
{
	va_list args;

	printf("        ");
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	printf("\n");
	return false;
}

bool gv_rocr_fine(hsa_status_t status, const char *what)
{
	const char *text = "?";

	if (status == HSA_STATUS_SUCCESS)
		return true;
	(void)hsa_status_string(status, &text);
	return gv_rocr_wrong("%s: %s", what, text);
}

bool gv_rocr_same(const uint32_t *is, const uint32_t *want, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (is[i] != want[i])
			return gv_rocr_wrong("%s[%zu] is 0x%x, not 0x%x", what, i, is[i], want[i]);
	return true;
}

/* ---- agents and memory ----------------------------------------------------- */

static hsa_status_t look_at_region(hsa_region_t region, void *arg)
{
	struct gv_rocr *r = arg;
	hsa_region_segment_t segment;
	uint32_t flags = 0;

	(void)hsa_region_get_info(region, HSA_REGION_INFO_SEGMENT, &segment);
	if (segment != HSA_REGION_SEGMENT_GLOBAL)
		return HSA_STATUS_SUCCESS;
	(void)hsa_region_get_info(region, HSA_REGION_INFO_GLOBAL_FLAGS, &flags);
	if (flags & HSA_REGION_GLOBAL_FLAG_KERNARG) {
		r->system = region;
		r->has_system = true;
	} else if (flags & HSA_REGION_GLOBAL_FLAG_COARSE_GRAINED) {
		r->vram = region;
		r->has_vram = true;
	}
	return HSA_STATUS_SUCCESS;
}

static hsa_status_t look_at_agent(hsa_agent_t agent, void *arg)
{
	struct gv_rocr *r = arg;
	hsa_device_type_t type;
	char name[64] = "";

	(void)hsa_agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type);
	(void)hsa_agent_get_info(agent, HSA_AGENT_INFO_NAME, name);
	if (type == HSA_DEVICE_TYPE_CPU) {
		r->cpu = agent;
		r->has_cpu = true;
	}
	if (type != HSA_DEVICE_TYPE_GPU || strcmp(name, "gfx900") != 0)
		return HSA_STATUS_SUCCESS;
	r->gpu = agent;
	r->has_gpu = true;
	return hsa_agent_iterate_regions(agent, look_at_region, r);
}

bool gv_rocr_open(struct gv_rocr *r, const char *dir)
{
	*r = (struct gv_rocr){.dir = dir};
	if (!gv_rocr_fine(hsa_init(), "hsa_init"))
		return false;
	if (!gv_rocr_fine(hsa_iterate_agents(look_at_agent, r), "agents"))
		return false;
	if (!r->has_gpu || !r->has_cpu)
		return gv_rocr_wrong("no agent %s", r->has_gpu ? "for the CPU" : "gfx900");
	if (!r->has_system || !r->has_vram)
		return gv_rocr_wrong("gfx900 has no %s memory", r->has_system ? "video" : "system");
	return true;
}

void gv_rocr_close(struct gv_rocr *r)
{
	*r = (struct gv_rocr){0};
	(void)hsa_shut_down();
}

static void *allocate(hsa_region_t region, size_t bytes, const char *what)
{
	void *at = NULL;

	return gv_rocr_fine(hsa_memory_allocate(region, bytes, &at), what) ? at : NULL;
}

void *gv_rocr_system(struct gv_rocr *r, size_t bytes)
{
	return allocate(r->system, bytes, "system memory");
}

void *gv_rocr_vram(struct gv_rocr *r, size_t bytes)
{
	return allocate(r->vram, bytes, "video memory");
}

/* ---- kernels ---------------------------------------------------------------- */

static bool describe(struct gv_rocr_kernel *k, hsa_executable_symbol_t s)
{
	const struct {
		hsa_executable_symbol_info_t what;
		void *to;
	} row[] = {{HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT, &k->object},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE, &k->kernarg_bytes},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE, &k->group_bytes},
	           {HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE, &k->private_bytes}};

	for (size_t i = 0; i < GV_ARRAY_LEN(row); i++)
		if (!gv_rocr_fine(hsa_executable_symbol_get_info(s, row[i].what, row[i].to),
		                  "kernel"))
			return false;
	return true;
}

static bool load_file(struct gv_rocr *r, int fd, struct gv_rocr_kernel *k)
{
	hsa_code_object_reader_t reader;
	bool loaded;

	if (!gv_rocr_fine(hsa_code_object_reader_create_from_file(fd, &reader), "code object"))
		return false;
	loaded = gv_rocr_fine(hsa_executable_create_alt(HSA_PROFILE_BASE,
	                                                HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT,
	                                                NULL, &k->executable),
	                      "executable") &&
	         gv_rocr_fine(hsa_executable_load_agent_code_object(k->executable, r->gpu, reader,
	                                                            NULL, NULL),
	                      "load") &&
	         gv_rocr_fine(hsa_executable_freeze(k->executable, NULL), "freeze");
	(void)hsa_code_object_reader_destroy(reader);
	return loaded;
}

bool gv_rocr_load(struct gv_rocr *r, const char *name, struct gv_rocr_kernel *k)
{
	char path[PATH_ROOM], symbol[128];
	hsa_executable_symbol_t s;
	gv_auto_fd int fd = -1;

	*k = (struct gv_rocr_kernel){0};
	(void)snprintf(path, sizeof(path), "%s/%s.co", r->dir, name);
	(void)snprintf(symbol, sizeof(symbol), "%s.kd", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gv_rocr_wrong("%s: %s", path, strerror(errno));
	return load_file(r, fd, k) &&
	       gv_rocr_fine(hsa_executable_get_symbol_by_name(k->executable, symbol, &r->gpu, &s),
	                    symbol) &&
	       describe(k, s);
}

void gv_rocr_unload(struct gv_rocr_kernel *k)
{
	if (k->executable.handle)
		(void)hsa_executable_destroy(k->executable);
	*k = (struct gv_rocr_kernel){0};
}

/* ---- queues and packets -------------------------------------------------------- */

static void on_error(hsa_status_t status, hsa_queue_t *q, void *arg)
{
	(void)q;
	(void)arg;
	(void)gv_rocr_fine(status, "queue");
}

hsa_queue_t *gv_rocr_queue(struct gv_rocr *r)
{
	hsa_queue_t *q = NULL;
	hsa_status_t rc = hsa_queue_create(r->gpu, 64, HSA_QUEUE_TYPE_MULTI, on_error, NULL,
	                                   UINT32_MAX, UINT32_MAX, &q);

	return gv_rocr_fine(rc, "queue") ? q : NULL;
}

static uint16_t header(hsa_packet_type_t type)
{
	return (uint16_t)(type << HSA_PACKET_HEADER_TYPE |
	                  HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
	                  HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE);
}

static void *slot(hsa_queue_t *q, uint64_t index)
{
	void *at = (hsa_kernel_dispatch_packet_t *)q->base_address + (index & (q->size - 1));

	/* all but the first dword: that makes it valid, and comes last */
	memset((char *)at + sizeof(uint32_t), 0,
	       sizeof(hsa_kernel_dispatch_packet_t) - sizeof(uint32_t));
	return at;
}

static void publish(hsa_queue_t *q, uint64_t index, void *at, uint32_t first)
{
	__atomic_store_n((uint32_t *)at, first, __ATOMIC_RELEASE);
	hsa_signal_store_screlease(q->doorbell_signal, (hsa_signal_value_t)index);
}

void gv_rocr_dispatch(hsa_queue_t *q, const struct gv_rocr_kernel *k, const struct gv_rocr_grid *g,
                      void *kernarg, hsa_signal_t done)
{
	uint64_t index = hsa_queue_add_write_index_relaxed(q, 1);
	hsa_kernel_dispatch_packet_t *p = slot(q, index);
	uint32_t setup = (uint32_t)g->dims << HSA_KERNEL_DISPATCH_PACKET_SETUP_DIMENSIONS;

	p->workgroup_size_x = g->group_x;
	p->workgroup_size_y = g->group_y;
	p->workgroup_size_z = 1;
	p->grid_size_x = g->x;
	p->grid_size_y = g->y;
	p->grid_size_z = 1;
	p->group_segment_size = k->group_bytes + g->more_group_bytes;
	p->private_segment_size = k->private_bytes;
	p->kernel_object = k->object;
	p->kernarg_address = kernarg;
	p->completion_signal = done;
	publish(q, index, p, header(HSA_PACKET_TYPE_KERNEL_DISPATCH) | setup << 16);
}

void gv_rocr_barrier(hsa_queue_t *q, hsa_packet_type_t type, hsa_signal_t a, hsa_signal_t b,
                     hsa_signal_t done)
{
	uint64_t index = hsa_queue_add_write_index_relaxed(q, 1);
	hsa_barrier_and_packet_t *p = slot(q, index);

	p->dep_signal[0] = a;
	p->dep_signal[1] = b;
	p->completion_signal = done;
	publish(q, index, p, header(type));
}

/* ---- signals ------------------------------------------------------------------- */

bool gv_rocr_signal(hsa_signal_t *s, hsa_signal_value_t value)
{
	return gv_rocr_fine(hsa_signal_create(value, 0, NULL, s), "signal");
}

void gv_rocr_drop_signal(hsa_signal_t s)
{
	if (s.handle)
		(void)hsa_signal_destroy(s);
}

/* ROCr asks KFD for an event and sleeps until that comes, or the whole time. */
bool gv_rocr_wait(hsa_signal_t done)
{
	uint64_t hz = GV_S, start = gv_now_ns();
	hsa_signal_value_t left;

	(void)hsa_system_get_info(HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY, &hz);
	left = hsa_signal_wait_scacquire(done, HSA_SIGNAL_CONDITION_LT, 1,
	                                 hz * (GV_ROCR_WAIT_NS / GV_S), HSA_WAIT_STATE_BLOCKED);
	if (left)
		return gv_rocr_wrong("a signal is still %lld", (long long)left);
	if (gv_now_ns() - start >= GV_ROCR_WAIT_NS)
		return gv_rocr_wrong("a signal came, its interrupt did not");
	return true;
}
