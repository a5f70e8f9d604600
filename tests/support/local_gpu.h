/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU, its PF driver and one guest on VF0, all in this process. */
#ifndef GV_LOCAL_GPU_H
#define GV_LOCAL_GPU_H

#include <gv/vf_guest.h>

struct gv_local_gpu;

/** Start everything; VF0 has 1 GiB. Its threads run where the caller was bound when it was made.
 *  Errors of the parts; -EAGAIN: no thread. Caller frees with gv_local_gpu_free(). */
int gv_local_gpu_new(struct gv_local_gpu **local, struct gv_err *err);
/** Takes NULL, returns NULL. */
struct gv_local_gpu *gv_local_gpu_free(struct gv_local_gpu *local);
/** The guest, and the VF's bus. Borrowed. */
struct gv_guest *gv_local_gpu_guest(struct gv_local_gpu *local);
struct gv_bus *gv_local_gpu_bus(struct gv_local_gpu *local);

#endif
