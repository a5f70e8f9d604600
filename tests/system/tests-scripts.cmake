# SPDX-License-Identifier: LGPL-2.1-or-later
if(TARGET gpuvisor-gpu AND TARGET gpuvisord AND TARGET gpuvisor-guest)
  add_test(NAME system/sandbox COMMAND ${CMAKE_CURRENT_LIST_DIR}/test_sandbox.sh)
  set_tests_properties(system/sandbox PROPERTIES LABELS "system" TIMEOUT 240 SKIP_RETURN_CODE 77
    ENVIRONMENT "GV_BUILD=${CMAKE_BINARY_DIR};GV_SOURCE=${CMAKE_SOURCE_DIR}")
endif()
find_program(GV_PYTHON python3)
if(GV_PYTHON AND TARGET gpuvisor-gpu AND TARGET gpuvisord AND TARGET gpuvisor-guest)
  add_test(NAME system/test_docs_cli COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_docs_cli.py)
  set_tests_properties(system/test_docs_cli PROPERTIES LABELS "system" TIMEOUT 120
    ENVIRONMENT "GV_BIN=${CMAKE_BINARY_DIR}/bin;GV_SOURCE=${CMAKE_SOURCE_DIR}")
  add_test(NAME system/test_boot COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_boot.py)
  set_tests_properties(system/test_boot PROPERTIES LABELS "system" RUN_SERIAL TRUE TIMEOUT 500 SKIP_RETURN_CODE 77
    ENVIRONMENT "GV_BUILD=${CMAKE_BINARY_DIR}")
  add_test(NAME system/test_install COMMAND ${GV_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_install.py)
  set_tests_properties(system/test_install PROPERTIES LABELS "system" TIMEOUT 120 SKIP_RETURN_CODE 77
    ENVIRONMENT "GV_BUILD=${CMAKE_BINARY_DIR};GV_SOURCE=${CMAKE_SOURCE_DIR}")
endif()
