/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_GLUE_QEMU_H
#define GV_GLUE_QEMU_H

#include <gv/hypervisor_glue.h>

/** The JSON that -device takes. Caller frees. -EINVAL as gv_glue_qemu_args(). */
int gv_glue_qemu_device(const struct gv_glue_vfio_user *vf, char **json, struct gv_err *err);

#endif
