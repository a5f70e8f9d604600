/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU, its PF driver and guests on its VFs, all in this process. */
#ifndef GV_LOCAL_GPU_H
#define GV_LOCAL_GPU_H

#include <gv/vf_guest.h>

#define GV_LOCAL_GPU_VFS 4u

struct gv_dev_stats;
struct gv_local_gpu;

/** Start everything; VF0 has 1 GiB. Its threads run where the caller was bound when it was made.
 *  Errors of the parts; -EAGAIN: no thread. Caller frees with gv_local_gpu_free(). */
int gv_local_gpu_new(struct gv_local_gpu **local, struct gv_err *err);
/** The same with @vfs VFs, at most GV_LOCAL_GPU_VFS, that share 1 GiB, and @threads that run
 * shaders (0: as many as there are CPUs). */
int gv_local_gpu_new_with(unsigned vfs, unsigned threads, struct gv_local_gpu **local,
                          struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_local_gpu *gv_local_gpu_free(struct gv_local_gpu *local);
/** The guest on VF0, and the VF's bus. Borrowed. */
struct gv_guest *gv_local_gpu_guest(struct gv_local_gpu *local);
struct gv_bus *gv_local_gpu_bus(struct gv_local_gpu *local);
/** The guest on VF @vf. */
struct gv_guest *gv_local_gpu_guest_of(struct gv_local_gpu *local, unsigned vf);
/** Close that guest and open another on the VF, with @cfg. */
int gv_local_gpu_reopen(struct gv_local_gpu *local, unsigned vf, const struct gv_guest_cfg *cfg,
                        struct gv_err *err);
/** The PF's bus, which the PF driver uses as well. Borrowed. */
struct gv_bus *gv_local_gpu_pf_bus(struct gv_local_gpu *local);
/** Counters of VF @vf. */
void gv_local_gpu_stats(struct gv_local_gpu *local, unsigned vf, struct gv_dev_stats *stats);

#endif
