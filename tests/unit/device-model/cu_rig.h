/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bench for compute kernels: compiles OpenCL C with clang, loads the code
 * object into flat memory, dispatches it the way a guest would (V#, kernarg,
 * dispatch packet) and hands faults back.
 */
#ifndef GV_CU_RIG_H
#define GV_CU_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cu/cu.h"

#define CU_RIG_VA 0x700000000ull

struct cu_rig {
	uint8_t *mem;
	uint64_t bytes, used, mark;
	char path[128];
	struct gv_cu_fault fault;
	struct gv_cu_counters count;
	unsigned threads;    /* runs at once, 0 and 1: one */
	uint64_t slice;      /* instructions per step, 0: many */
	double seconds;      /* of the last run */
	uint64_t window;     /* bytes of a translation window, 0: everything in one */
	bool no_pointers;    /* memory only through copies */
	uint32_t denorm_off; /* clear the f32 denormal bits of the kernel's float mode */
	const char *isa;     /* see gv_cu_dispatch */
};

/** "clang-14" is there. If not, tests say SKIP and return 77. */
bool cu_rig_has(const char *tool);

/** Compile @source (in the kernels' folder) at @opt ("-O2"), load it. 0 or -errno. */
int cu_rig_open(struct cu_rig *rig, const char *source, const char *opt);
void cu_rig_close(struct cu_rig *rig);
/** Forget buffers, keep the code. */
void cu_rig_reset(struct cu_rig *rig);

/** Zeroed buffer on the device; cu_rig_va() is what a kernel calls it. NULL when full. */
void *cu_rig_alloc(struct cu_rig *rig, size_t bytes);
uint64_t cu_rig_va(const struct cu_rig *rig, const void *host);

/** Run @kernel over @items work items in groups of @group. @args is the kernarg segment. */
enum gv_cu_status cu_rig_run(struct cu_rig *rig, const char *kernel, const uint32_t items[3],
                             const uint32_t group[3], const void *args, size_t args_bytes,
                             uint32_t dynamic_lds);

/** The dispatch of @kernel, for tests that change something in it. 0 or -ENOENT. */
int cu_rig_prepare(struct cu_rig *rig, const char *kernel, const uint32_t items[3],
                   const uint32_t group[3], const void *args, size_t args_bytes,
                   uint32_t dynamic_lds, struct gv_cu_dispatch *d);
enum gv_cu_status cu_rig_dispatch(struct cu_rig *rig, const struct gv_cu_dispatch *d);

/* Kernels of save.cl: so many items, the last workgroup not full. */
#define CU_RIG_SAVE_ITEMS 600u
#define CU_RIG_SAVE_GROUP 256u
/** Run @kernel of save.cl undisturbed: what it stores goes to @expected, and @d is its dispatch.
 *  Returns where it stores, zeroed again; NULL when it could not be run. */
uint32_t *cu_rig_run_straight(struct cu_rig *rig, const char *kernel, uint32_t rounds,
                              uint32_t expected[CU_RIG_SAVE_ITEMS], struct gv_cu_dispatch *d);

#endif
