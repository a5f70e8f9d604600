# SPDX-License-Identifier: LGPL-2.1-or-later
set(GV_CORE_SOURCES src/device.c src/life.c src/worker.c src/mmio.c src/nbio.c src/doorbell.c src/config.c
  src/gpuiov.c src/world.c src/world_hold.c src/world_image.c src/ih.c src/psp.c src/psp_cmd.c src/mmsch.c src/mm_ring.c src/inproc.c)
