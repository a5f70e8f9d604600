# SPDX-License-Identifier: LGPL-2.1-or-later
# gpuvisor-gpu, gpuvisord and gpuvisor as real processes.
find_program(GV_PYTHON python3)
set(pf_sandbox)
if(GV_WITH_SECCOMP)
  set(pf_sandbox test_pf_sandbox)
endif()
if(GV_PYTHON AND TARGET gpuvisord)
  foreach(name test_pf_daemon test_pf_keep test_pf_pool test_pf_hostile test_pf_metrics test_pf_top test_pf_trace ${pf_sandbox})
    add_test(NAME system/${name} COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.py)
    set_tests_properties(system/${name} PROPERTIES LABELS "system;pf-driver" TIMEOUT 120
      SKIP_RETURN_CODE 77 ENVIRONMENT
      "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR};GV_SANITIZE=${GV_SANITIZE}")
  endforeach()
endif()
if(GV_PYTHON AND TARGET gpuvisord AND TARGET gpuvisor-guest)
  add_test(NAME system/test_kill COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/test_kill.py)
  set_tests_properties(system/test_kill PROPERTIES LABELS "system;pf-driver" TIMEOUT 600
    SKIP_RETURN_CODE 77 ENVIRONMENT "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR}")
endif()
# Long form: --count 50, --policy fair (docs/restart.md).
if(GV_PYTHON AND TARGET gpuvisord AND TARGET gpuvisor-guest)
  add_test(NAME system/test_pf_restart COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/test_pf_restart.py)
  set_tests_properties(system/test_pf_restart PROPERTIES LABELS "system;pf-driver" TIMEOUT 600
    SKIP_RETURN_CODE 77 ENVIRONMENT "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR}")
endif()
# Shares of busy VFs. Long form: GV_SLICES_SECONDS=10.
if(GV_PYTHON AND TARGET gpuvisord AND TARGET gpuvisor-guest AND TARGET gv-examples)
  add_test(NAME system/test_pf_slices COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/test_pf_slices.py)
  set_tests_properties(system/test_pf_slices PROPERTIES LABELS "system;pf-driver" RUN_SERIAL TRUE TIMEOUT 300
    SKIP_RETURN_CODE 77 ENVIRONMENT
    "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR};GV_EXAMPLES=${CMAKE_BINARY_DIR}/examples")
endif()
# What each kind of bad guest does to its neighbour. Long form: GV_CONTAIN_SECONDS=5, docs/containment.md.
if(GV_PYTHON AND TARGET gpuvisord AND TARGET gv-vf-guest)
  add_executable(system-actor ${CMAKE_CURRENT_SOURCE_DIR}/actor.c)
  set_target_properties(system-actor PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(system-actor PRIVATE gv-vf-guest gv-flags)
  add_dependencies(system-actor gv-examples)
  add_test(NAME system/test_pf_containment COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/test_pf_containment.py)
  set_tests_properties(system/test_pf_containment PROPERTIES LABELS "system;pf-driver" RUN_SERIAL TRUE TIMEOUT 300
    SKIP_RETURN_CODE 77 ENVIRONMENT
    "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR};GV_TESTS=${CMAKE_BINARY_DIR}/tests;GV_EXAMPLES=${CMAKE_BINARY_DIR}/examples")
endif()
