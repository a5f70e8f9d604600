# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory instructions of the compute interpreter, one at a time against a plain model.
if(EXISTS ${CMAKE_SOURCE_DIR}/device-model/src/cu/sources.cmake)
  add_library(gv-cu-one STATIC cu_one.c cu_mem_model.c cu_vsharp.c)
  target_include_directories(gv-cu-one PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
    ${CMAKE_SOURCE_DIR}/device-model/src)
  target_link_libraries(gv-cu-one PUBLIC gv-device-model gv-hw-spec gv-base gv-test-support
    PRIVATE gv-flags)
  foreach(name memory buffer typed lds ramp smem)
    gv_unit_test(device-model test_cu_${name}.c gv-cu-one m)
  endforeach()
endif()
