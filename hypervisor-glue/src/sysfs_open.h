/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening inside a tree of which a copy may have been made by somebody who means harm. */
#ifndef GV_GLUE_SYSFS_OPEN_H
#define GV_GLUE_SYSFS_OPEN_H

/** Descriptor of @path below @root, links followed as long as they stay below; or negative errno.
 *  @flags: of open(2); O_CLOEXEC is added. */
int glue_open_beneath(int root, const char *path, int flags);

#endif
