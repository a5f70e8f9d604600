# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory and SDMA.
foreach(test vram gmc sdma sdma_queues psp psp_life mm)
  gv_unit_test(device-model test_${test}.c)
endforeach()
