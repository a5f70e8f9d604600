# SPDX-License-Identifier: LGPL-2.1-or-later
set(GV_CP_SOURCES src/cp.c src/hqd.c src/gfx.c src/pm4.c src/pm4_mem.c src/aql.c src/kiq.c src/unmap.c src/hws.c src/dispatch.c src/dispatch_save.c src/context.c src/cp_save.c
  src/cu_pool.c src/rlc.c)
