/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the code-object reader: the image half (code_object.c) and the metadata half
 * (co_metadata.c). */
#ifndef GV_CODE_OBJECT_PRIV_H
#define GV_CODE_OBJECT_PRIV_H

#include <gv/code_object.h>

/** Read the msgpack of NT_AMDGPU_METADATA. *@kernels (caller frees) are filled as far as the
 *  metadata goes. */
int gv_co_metadata(const void *note, size_t bytes, struct gv_co_kernel **kernels, unsigned *count,
                   struct gv_err *err);

#endif
