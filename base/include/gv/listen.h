/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AF_UNIX sockets that servers make in a directory. */
#ifndef GV_LISTEN_H
#define GV_LISTEN_H

#include <gv/base.h>

/**
 * Listen at @name in @dir_fd, with access @mode: close-on-exec, non-blocking, @backlog.
 *
 * The socket has its name only once it listens, so who sees it can connect. One that nobody
 * listens on is replaced. -EBUSY: somebody does; -EEXIST: it is no socket; else what the kernel
 * says. The directory's path may be longer than a socket's.
 */
int gv_listen_at(int dir_fd, const char *name, unsigned mode, int backlog, int *fd,
                 struct gv_err *err);

/** Remove a socket that nobody listens on. 0: there is none now; errors as above. */
int gv_listen_clear(int dir_fd, const char *name, struct gv_err *err);

#endif
