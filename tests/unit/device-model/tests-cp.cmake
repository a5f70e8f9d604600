# SPDX-License-Identifier: LGPL-2.1-or-later
add_library(gv-cp-rig STATIC cp_rig.c)
target_include_directories(gv-cp-rig PUBLIC . PRIVATE ${CMAKE_SOURCE_DIR}/device-model/src)
target_link_libraries(gv-cp-rig PUBLIC gv-device-model PRIVATE gv-flags)
foreach(test kiq pm4 gfx hws hws_bad rlc dispatch aql aql_refused world world_image)
  gv_unit_test(device-model test_${test}.c gv-cp-rig)
endforeach()
