# SPDX-License-Identifier: LGPL-2.1-or-later
# The compute interpreter. Kernels are compiled at test time; without clang-14 the tests skip.
if(GV_CU_SOURCES OR EXISTS ${CMAKE_SOURCE_DIR}/device-model/src/cu/sources.cmake)
  add_library(gv-cu-rig STATIC cu_rig.c)
  target_compile_definitions(gv-cu-rig PRIVATE CU_KERNEL_DIR="${CMAKE_CURRENT_SOURCE_DIR}/cu_kernels")
  target_include_directories(gv-cu-rig PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
    PRIVATE ${CMAKE_SOURCE_DIR}/device-model/src)
  target_link_libraries(gv-cu-rig PUBLIC gv-device-model gv-base PRIVATE gv-flags PkgConfig::LIBELF)
  foreach(name demo decode items lanes asm hostile save)
    gv_unit_test(device-model test_cu_${name}.c gv-cu-rig m)
  endforeach()
  add_library(gv-wave-rig STATIC wave_rig.c)
  target_include_directories(gv-wave-rig PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
    PRIVATE ${CMAKE_SOURCE_DIR}/device-model/src)
  target_link_libraries(gv-wave-rig PUBLIC gv-cu-rig gv-cp-rig gv-test-support PRIVATE gv-flags)
  foreach(name preempt retry world_waves)
    gv_unit_test(device-model test_${name}.c gv-wave-rig m)
  endforeach()
endif()

# The instructions one by one against an oracle that shares nothing with the interpreter.
if(EXISTS ${CMAKE_SOURCE_DIR}/hw-spec/include/gv/gfx9.h)
  add_library(gv-cu-oracle STATIC oracle/oracle_arith.c oracle/oracle_bench.c oracle/oracle_check.c
    oracle/oracle_convert.c oracle/oracle_encode_valu.c oracle/oracle_find.c oracle/oracle_float.c
    oracle/oracle_int.c oracle/oracle_mem.c oracle/oracle_packed.c oracle/oracle_salu.c oracle/oracle_special.c oracle/oracle_values.c)
  target_include_directories(gv-cu-oracle PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
    PRIVATE ${CMAKE_SOURCE_DIR}/device-model/src)
  target_link_libraries(gv-cu-oracle PUBLIC gv-device-model gv-hw-spec m PRIVATE gv-flags)
  foreach(name modes oracle oracle_lanes oracle_mem oracle_salu)
    gv_unit_test(device-model test_cu_${name}.c gv-cu-oracle)
  endforeach()
endif()
