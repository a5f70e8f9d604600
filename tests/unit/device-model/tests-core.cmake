# SPDX-License-Identifier: LGPL-2.1-or-later
# Registers, configuration space, interrupts, doorbells, life of the device.
foreach(test mmio nbio config gpuiov ih worker doorbell device inproc)
  gv_unit_test(device-model test_${test}.c)
endforeach()
