/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A system call filter (seccomp) for programs that face strangers: entered once
 * everything is open, it leaves what serving needs, for all threads, those that
 * are yet to come and those of libraries. No program can be started in it, no
 * memory is both written and executed, and no file keeps other rights than ours.
 * Library gv-sandbox: it is not part of gv-base, which needs libc only.
 */
#ifndef GV_SANDBOX_H
#define GV_SANDBOX_H

#include <gv/base.h>

enum gv_sandbox_mode {
	GV_SANDBOX_OFF,
	GV_SANDBOX_LOG, /* what is not on the list happens, and the kernel's audit log names it */
	GV_SANDBOX_ENFORCE, /* it fails with EPERM */
	GV_SANDBOX_KILL,    /* it ends the process */
};

/* What a program may need besides. */
#define GV_SANDBOX_VFIO 1u /* ioctls of VFIO */
#define GV_SANDBOX_INET 2u /* AF_INET sockets; AF_UNIX always */

/** "off", "log", "enforce" or "kill". -EINVAL. */
int gv_sandbox_parse(const char *text, enum gv_sandbox_mode *mode);
/** What suits this build: enforce; log where sanitizers are built in, as they do more than serve;
 *  off where the build has no libseccomp. */
enum gv_sandbox_mode gv_sandbox_default(void);
/** Enter it, for good and for all threads. Sets no_new_privs, so root is not needed. @needs:
 *  GV_SANDBOX_*. -ENOTSUP: this build has no libseccomp; else what the kernel says. */
int gv_sandbox_enter(enum gv_sandbox_mode mode, unsigned needs, struct gv_err *err);

#endif
