# SPDX-License-Identifier: LGPL-2.1-or-later
# cmake --install: programs, units, manuals, completion, schema, profiles, alert rules, and what a
# program of one's own needs to be built with the guest driver. docs/install.md lists where it all goes.
include(GNUInstallDirs)

set(GV_UNIT_DIR lib/systemd/system CACHE STRING "systemd units")
set(GV_TMPFILES_DIR lib/tmpfiles.d CACHE STRING "systemd-tmpfiles")
set(GV_SYSUSERS_DIR lib/sysusers.d CACHE STRING "systemd-sysusers")
set(GV_MODPROBE_DIR lib/modprobe.d CACHE STRING "modprobe")

foreach(program gpuvisord gpuvisor gpuvisor-keeper gpuvisor-replay gpuvisor-guest gpuvisor-gpu)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
if(GV_WITH_QEMU)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/lib/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/gpuvisor
    FILES_MATCHING PATTERN "gpuvisor-gpu-qemu-*.so")
endif()

# ---- the service ------------------------------------------------------------

# gv_unit(gpuvisord.service profile gpuvisor ""): the unit for one GPU, or the template for several.
function(gv_unit file name socket of_instance)
  set(GV_NAME ${name})
  set(GV_SOCKET ${socket})
  set(GV_OF_INSTANCE "${of_instance}")
  configure_file(${CMAKE_SOURCE_DIR}/configs/systemd/gpuvisord.service.in
    ${CMAKE_BINARY_DIR}/configs/${file} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/configs/${file} DESTINATION ${GV_UNIT_DIR})
endfunction()

if(TARGET gpuvisord)
  gv_unit(gpuvisord.service profile gpuvisor "")
  gv_unit(gpuvisord@.service %i %i " (%i)")
  install(FILES configs/systemd/gpuvisor.tmpfiles.conf DESTINATION ${GV_TMPFILES_DIR} RENAME gpuvisor.conf)
  install(FILES configs/systemd/gpuvisor.sysusers.conf DESTINATION ${GV_SYSUSERS_DIR} RENAME gpuvisor.conf)
  install(FILES configs/systemd/gpuvisor.modprobe.conf DESTINATION ${GV_MODPROBE_DIR} RENAME gpuvisor.conf)
endif()

# ---- what people read ---------------------------------------------------------

file(GLOB pages1 CONFIGURE_DEPENDS docs/man/*.1)
file(GLOB pages8 CONFIGURE_DEPENDS docs/man/*.8)
install(FILES ${pages1} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages8} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
install(FILES README.md LICENSE ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs/profiles configs/schema configs/prometheus DESTINATION ${CMAKE_INSTALL_DATADIR}/gpuvisor)
foreach(program gpuvisor gpuvisord gpuvisor-keeper gpuvisor-replay gpuvisor-guest gpuvisor-gpu)
  install(FILES scripts/completion/gpuvisor.bash RENAME ${program}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()

# ---- the guest driver as a library: pkg-config gpuvisor-guest ------------------

foreach(part base hw-spec mailbox vf-guest)
  install(TARGETS gv-${part} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/gpuvisor)
  install(DIRECTORY ${part}/include/gv DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gpuvisor)
endforeach()
configure_file(cmake/gpuvisor-guest.pc.in ${CMAKE_BINARY_DIR}/gpuvisor-guest.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/gpuvisor-guest.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
