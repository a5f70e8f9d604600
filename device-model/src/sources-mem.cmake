# SPDX-License-Identifier: LGPL-2.1-or-later
set(GV_MEM_SOURCES src/vram.c src/vram_l2.c src/gmc.c src/walk.c src/mem.c src/atomics.c
    src/sdma.c src/sdma_regs.c src/sdma_packets.c src/sdma_moves.c src/sdma_mqd.c src/sdma_save.c)
