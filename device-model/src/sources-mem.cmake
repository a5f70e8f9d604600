# SPDX-License-Identifier: LGPL-2.1-or-later
set(GV_MEM_SOURCES src/vram.c src/vram_l2.c src/gmc.c src/walk.c src/mem.c src/atomics.c)
