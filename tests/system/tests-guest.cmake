# SPDX-License-Identifier: LGPL-2.1-or-later
if(TARGET gpuvisor-gpu AND TARGET gpuvisord AND TARGET gpuvisor-guest)
  add_executable(system-guest_recover ${CMAKE_CURRENT_LIST_DIR}/test_guest_recover.c)
  set_target_properties(system-guest_recover PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(system-guest_recover PRIVATE gv-vf-guest gv-flags)
  add_test(NAME system/guest_verbs COMMAND ${CMAKE_CURRENT_LIST_DIR}/test_guest_verbs.sh)
  set_tests_properties(system/guest_verbs PROPERTIES LABELS "system;vf-guest" TIMEOUT 240
    SKIP_RETURN_CODE 77 ENVIRONMENT
    "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_TESTS=${CMAKE_BINARY_DIR}/tests;GV_EXAMPLES=${CMAKE_BINARY_DIR}/examples")
endif()
if(TARGET gpuvisor-guest)
  add_test(NAME system/disasm COMMAND ${CMAKE_CURRENT_LIST_DIR}/test_disasm.py)
  set_tests_properties(system/disasm PROPERTIES LABELS "system;vf-guest" TIMEOUT 120 SKIP_RETURN_CODE 77
    ENVIRONMENT "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_EXAMPLES=${CMAKE_BINARY_DIR}/examples")
endif()
