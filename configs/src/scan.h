/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A first, strict look at JSON text: everything that json-c would let pass or forget. */
#ifndef GV_CFG_SCAN_H
#define GV_CFG_SCAN_H

#include <gv/base.h>

/** Is @text exactly one JSON value of RFC 8259: UTF-8, at most GV_CFG_MAX_DEPTH deep, no key twice
 *  in an object, no escapes in keys, nothing behind it? -EINVAL and where, else 0. */
int gv_cfg_scan(const char *text, size_t bytes, struct gv_err *err);

#endif
