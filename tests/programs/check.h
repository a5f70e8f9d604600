/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-programs in three parts: build.c compiles programs (in parallel, cached by content), run.c
 * runs them on the emulated GPU, check.c reads options and says what was right.
 */
#ifndef GV_CHECK_H
#define GV_CHECK_H

#include <gv/vf_guest.h>

/* One program at one level. */
struct job {
	char source[512], name[64]; /* "src/sha256.cl", "sha256" */
	char level;                 /* '0'..'3', 's' */
	char object[512];           /* code object, once it is built */
	char reference[512];        /* what the x86-64 side wrote: struct program, input, output */
	char log[512];              /* what the compilers said */
	int status;                 /* 0: built */
};

struct build_tools {
	const char *clang, *support; /* support: where program.h is */
	const char *cache;           /* directory, made if missing */
	unsigned parallel;
};

/** Compile what is not in the cache: @jobs in place. Blocks. 0 or a negative errno: nothing could
 *  be done at all; what went wrong with a single program is in its status and log. */
int build_jobs(const struct build_tools *tools, struct job *jobs, unsigned count,
               struct gv_err *err);

/* How a run on the GPU ended. */
struct outcome {
	unsigned words, wrong, first; /* of the output; how many differ; the first */
	uint32_t expected, got;
	double ms;
};

struct gpu;
/** @aql: launches are AQL packets, as ROCm makes them; else PM4. */
int gpu_new(bool aql, struct gpu **gpu, struct gv_err *err);
struct gpu *gpu_free(struct gpu *gpu);
/** Run a program that was built. 0 (then @out says whether it was right), or a negative errno: it
 *  could not be run, or did not end within @timeout_s. The GPU is usable afterwards. */
int gpu_run(struct gpu *gpu, const struct job *job, unsigned timeout_s, struct outcome *out,
            struct gv_err *err);

#endif
