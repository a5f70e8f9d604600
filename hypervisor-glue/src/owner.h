/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisord runs as user "gpuvisor", the CLI often as root: both write below /run/gpuvisor. */
#ifndef GV_GLUE_OWNER_H
#define GV_GLUE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

/** Ours; for root, gpuvisord's user counts as well. */
bool glue_is_ours(uid_t owner);

#endif
