# SPDX-License-Identifier: LGPL-2.1-or-later
# Switches of the build. A part with a heavy dependency is on where its Debian
# packages are present; gv_switch() records why, gv_print_summary() says it.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(GV_SANITIZE "" CACHE STRING "sanitizers, e.g. 'address,undefined' or 'thread'")
option(GV_WERROR "warnings are errors" ON)
option(GV_FUZZ "build the fuzz targets with libFuzzer (needs clang)" OFF)

# gv_require(JSONC json-c libjson-c-dev): a package that the core cannot do without.
function(gv_require var module deb)
  pkg_check_modules(${var} IMPORTED_TARGET GLOBAL ${module})
  if(NOT ${var}_FOUND)
    message(FATAL_ERROR "${module} is missing: apt-get install ${deb} (scripts/demo and scripts/test install everything)")
  endif()
endfunction()

# gv_switch(LIBVIRT "libvirt C API" libvirt libvirt-dev): sets GV_WITH_LIBVIRT.
function(gv_switch name what module deb)
  set(var GV_WITH_${name})
  pkg_check_modules(GV_PKG_${name} QUIET IMPORTED_TARGET GLOBAL ${module})
  if(NOT DEFINED ${var})
    set(${var} ${GV_PKG_${name}_FOUND} CACHE BOOL "${what}")
    set(why "found ${module} ${GV_PKG_${name}_VERSION}")
    if(NOT GV_PKG_${name}_FOUND)
      set(why "${module} not found: apt-get install ${deb}")
    endif()
  elseif(${var} AND NOT GV_PKG_${name}_FOUND)
    message(FATAL_ERROR "${var}=ON but ${module} is missing: apt-get install ${deb}")
  else()
    set(why "set by -D${var} or an earlier configure")
  endif()
  if(${var})
    set(state on)
  else()
    set(state OFF)
  endif()
  set_property(GLOBAL APPEND PROPERTY GV_SUMMARY "${var} = ${state}  (${what}, ${why})")
endfunction()

# gv_later(QEMU "what"): a switch that this version has nothing behind yet, and says so.
function(gv_later name what)
  option(GV_WITH_${name} "${what}" OFF)
  if(GV_WITH_${name})
    message(WARNING "GV_WITH_${name}=ON: not in this version (${what})")
  endif()
  set_property(GLOBAL APPEND PROPERTY GV_SUMMARY "GV_WITH_${name} = OFF  (not in this version: ${what})")
endfunction()

function(gv_print_summary)
  message(STATUS "gpuvisor ${PROJECT_VERSION}: ${CMAKE_BUILD_TYPE}, ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}, sanitizers '${GV_SANITIZE}'")
  get_property(lines GLOBAL PROPERTY GV_SUMMARY)
  foreach(line IN LISTS lines)
    message(STATUS "  ${line}")
  endforeach()
endfunction()

gv_require(JSONC json-c libjson-c-dev)
gv_require(CUNIT cunit libcunit1-dev)
gv_require(LIBELF libelf libelf-dev)
gv_require(MSGPACK msgpack libmsgpack-dev)
gv_switch(SYSTEMD "sd-event loop, journal and readiness of the daemon" libsystemd libsystemd-dev)
gv_later(QEMU "QEMU device front end, meanwhile attach a VF by vfio-user, docs/libvirt.md")
gv_later(LIBVIRT "libvirt C API in hypervisor-glue, making XML needs none")
