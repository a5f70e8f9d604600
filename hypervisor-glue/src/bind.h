/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GV_GLUE_BIND_H
#define GV_GLUE_BIND_H

#include <gv/binding.h>

/* How a sysfs attribute is written: the kernel answers by changing the tree. A copy of a tree has
 * no kernel behind it, so a test brings its own. */
struct gv_glue_kernel {
	/** 0, -ETIMEDOUT after @timeout_ms, or what the kernel answered. @path is below @root. */
	int (*write)(void *arg, const char *root, const char *path, const char *text,
	             unsigned timeout_ms);
	void *arg;
	unsigned timeout_ms; /* of each write */
};

/** gv_glue_bind() and gv_glue_unbind() with another kernel. */
int gv_glue_bind_with(const struct gv_glue_kernel *kernel, const char *root,
                      const struct gv_glue_bdf *vf, const char *driver, struct gv_err *err);
int gv_glue_unbind_with(const struct gv_glue_kernel *kernel, const char *root,
                        const struct gv_glue_bdf *vf, struct gv_err *err);

/** The real one: a write that can be given up (sysfs_write.c). */
int gv_glue_sysfs_write(void *arg, const char *root, const char *path, const char *text,
                        unsigned timeout_ms);

#endif
