/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_PROCS_H
#define GV_PROCS_H

#include <sys/types.h>

#include <gv/base.h>

/* A gpuvisor-gpu and, with a profile, a gpuvisord, in a directory of their own: DIR/gpu/pf.sock,
 * DIR/gpu/vfN.sock, DIR/gpu/stats.sock, DIR/gpuvisor.sock. */
struct gv_procs {
	char dir[64];
	pid_t gpu, daemon;
};

/** Start them and wait until vf0.sock (with a profile) or pf.sock is there. @bin_dir holds the
 *  programs; @profile NULL: the GPU only. What they print goes to the file $GV_PROCS_LOG. */
int gv_procs_start(struct gv_procs *p, const char *bin_dir, const char *profile,
                   struct gv_err *err);
/** The GPU only, with one more option (NULL: none), as "--spin-us", "50". */
int gv_procs_start_gpu(struct gv_procs *p, const char *bin_dir, const char *option,
                       const char *value, struct gv_err *err);
/** End them (SIGTERM, after 10 s SIGKILL) and remove the directory. Takes a zeroed struct. */
void gv_procs_stop(struct gv_procs *p);

/** One counter of function @func (0 PF, 1 + n VFn) from stats.sock: "vm_faults", "guest_errors",
 *  "unimplemented", ... -ENOENT: no such counter. */
int gv_procs_counter(const struct gv_procs *p, unsigned func, const char *name, uint64_t *value);

#endif
