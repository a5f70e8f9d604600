# SPDX-License-Identifier: LGPL-2.1-or-later
# gv_part(): declare one part of the project.
#
#   gv_part(mailbox USES base hw-spec SOURCES src/session.c ... LINK PkgConfig::X)
#
# makes the static library gv-mailbox with its public headers in include/gv/,
# checks that each public header compiles alone, and refuses any dependency
# that docs/architecture.md does not allow.
set(GV_MAY_USE_base)
set(GV_MAY_USE_hw-spec base)
set(GV_MAY_USE_mailbox base hw-spec)
set(GV_MAY_USE_configs base)
set(GV_MAY_USE_device-model base hw-spec)
set(GV_MAY_USE_pf-driver base hw-spec mailbox configs)
set(GV_MAY_USE_vf-guest base hw-spec mailbox)
set(GV_MAY_USE_hypervisor-glue base configs)

add_library(gv-flags INTERFACE)
target_compile_definitions(gv-flags INTERFACE _GNU_SOURCE)
target_compile_options(gv-flags INTERFACE -Wall -Wextra -Wshadow -Wvla
  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
  -Wconversion -Wno-sign-conversion $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
  -fno-strict-aliasing -fvisibility=hidden $<$<BOOL:${GV_WERROR}>:-Werror>)
target_link_libraries(gv-flags INTERFACE Threads::Threads)
if(GV_SANITIZE)
  target_compile_options(gv-flags INTERFACE -fsanitize=${GV_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<C_COMPILER_ID:GNU>:-Wno-tsan>) # TSan sees no fences: gv_dma_*() order memory, not threads
  target_link_options(gv-flags INTERFACE -fsanitize=${GV_SANITIZE})
endif()
if(GV_FUZZ)
  target_compile_options(gv-flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

set(GV_TSAN_SOURCE)
if(GV_SANITIZE MATCHES "thread")
  set(GV_TSAN_SOURCE ${CMAKE_CURRENT_LIST_DIR}/tsan_suppressions.c)
endif()

function(gv_part name)
  cmake_parse_arguments(A "" "" "USES;SOURCES;LINK" ${ARGN})
  foreach(dep IN LISTS A_USES)
    if(NOT dep IN_LIST GV_MAY_USE_${name})
      message(FATAL_ERROR "part '${name}' may not use '${dep}' (allowed: ${GV_MAY_USE_${name}})")
    endif()
  endforeach()
  list(TRANSFORM A_USES PREPEND gv- OUTPUT_VARIABLE deps)
  add_library(gv-${name} STATIC ${A_SOURCES})
  target_include_directories(gv-${name} PUBLIC include PRIVATE src)
  target_link_libraries(gv-${name} PUBLIC ${deps} PRIVATE gv-flags ${A_LINK})

  # Every public header must compile alone, as the first and only include.
  file(GLOB headers CONFIGURE_DEPENDS include/gv/*.h)
  set(probes)
  foreach(header IN LISTS headers)
    get_filename_component(stem ${header} NAME_WE)
    set(probe ${CMAKE_CURRENT_BINARY_DIR}/alone_${stem}.c)
    file(GENERATE OUTPUT ${probe} CONTENT "#include <gv/${stem}.h>\nextern int gv_alone_${stem};\nint gv_alone_${stem};\n")
    list(APPEND probes ${probe})
  endforeach()
  add_library(gv-${name}-headers OBJECT ${probes})
  target_link_libraries(gv-${name}-headers PRIVATE gv-${name} gv-flags)
endfunction()

# gv_program(gpuvisord SOURCES cmd/x.c USES pf-driver ... LINK ...): a main() in build/bin.
function(gv_program name)
  cmake_parse_arguments(A "" "" "USES;SOURCES;LINK" ${ARGN})
  list(TRANSFORM A_USES PREPEND gv- OUTPUT_VARIABLE deps)
  add_executable(${name} ${A_SOURCES} ${GV_TSAN_SOURCE})
  target_link_libraries(${name} PRIVATE ${deps} gv-flags ${A_LINK})
endfunction()

# gv_unit_test(mailbox test_session.c [gv-device-model ...]): one CUnit program, one
# CTest entry. It sees the part's private headers.
function(gv_unit_test part source)
  get_filename_component(stem ${source} NAME_WE)
  set(exe ${part}-${stem})
  add_executable(${exe} ${source} ${GV_TSAN_SOURCE})
  set_target_properties(${exe} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${exe} PRIVATE ${CMAKE_SOURCE_DIR}/${part}/src)
  target_link_libraries(${exe} PRIVATE gv-${part} gv-test-support gv-flags ${ARGN})
  add_test(NAME unit/${part}/${stem} COMMAND ${exe})
  set_tests_properties(unit/${part}/${stem} PROPERTIES LABELS "unit;${part}" TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()
