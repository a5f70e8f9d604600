/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_BENCH_PROCESS_H
#define GV_BENCH_PROCESS_H

#include <sys/types.h>

#include <gv/base.h>

/* A gpuvisor-gpu and, with a profile, a gpuvisord, in a directory of their own. */
struct bench_procs {
	char dir[64];
	pid_t gpu, daemon;
};

int bench_procs_start(struct bench_procs *p, const char *bin_dir, const char *profile,
                      struct gv_err *err);
void bench_procs_stop(struct bench_procs *p);

#endif
