/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a small program needs of ROCr: one GPU, memory, kernels from code objects, AQL packets. */
#ifndef GV_ROCR_KIT_H
#define GV_ROCR_KIT_H

#include <stdbool.h>

#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>

#include <gv/base.h>

#define GV_ROCR_WAIT_NS (60 * GV_S)

struct gv_rocr {
	const char *dir; /* of code objects */
	hsa_agent_t gpu, cpu;
	hsa_region_t system,
	        vram; /* system: both sides see it at once, kernel arguments lie there */
	bool has_gpu, has_cpu, has_system, has_vram;
};

struct gv_rocr_kernel {
	hsa_executable_t executable;
	uint64_t object;
	uint32_t kernarg_bytes, group_bytes, private_bytes;
};

struct gv_rocr_grid {
	uint16_t dims, group_x, group_y;
	uint32_t x, y;             /* items */
	uint32_t more_group_bytes; /* for __local arguments */
};

/* All: false, or NULL: it did not work, and standard output has a line that says what. */
bool gv_rocr_open(struct gv_rocr *r, const char *dir);
void gv_rocr_close(struct gv_rocr *r);
bool gv_rocr_fine(hsa_status_t status, const char *what);
bool gv_rocr_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* false */

/* @n words. */
bool gv_rocr_same(const uint32_t *is, const uint32_t *want, size_t n, const char *what);

/* Freed with hsa_memory_free(). */
void *gv_rocr_system(struct gv_rocr *r, size_t bytes);
void *gv_rocr_vram(struct gv_rocr *r, size_t bytes);

/* NAME.co of the directory has a kernel of this name. */
bool gv_rocr_load(struct gv_rocr *r, const char *name, struct gv_rocr_kernel *k);
void gv_rocr_unload(struct gv_rocr_kernel *k);

hsa_queue_t *gv_rocr_queue(struct gv_rocr *r);
bool gv_rocr_signal(hsa_signal_t *s, hsa_signal_value_t value);
void gv_rocr_drop_signal(hsa_signal_t s);

void gv_rocr_dispatch(hsa_queue_t *q, const struct gv_rocr_kernel *k, const struct gv_rocr_grid *g,
                      void *kernarg, hsa_signal_t done);
/* A packet that waits for one or two signals; @type: HSA_PACKET_TYPE_BARRIER_AND or _OR. */
void gv_rocr_barrier(hsa_queue_t *q, hsa_packet_type_t type, hsa_signal_t a, hsa_signal_t b,
                     hsa_signal_t done);

/* Sleeps until the signal is 0. A wait that no interrupt ends is an error. */
bool gv_rocr_wait(hsa_signal_t done);

#endif
