# SPDX-License-Identifier: LGPL-2.1-or-later
# The vfio-user front end: the real client against the real server, and clients that misbehave.
if(TARGET gv-vfio-user-server)
  gv_unit_test(device-model test_vfio_user.c gv-vfio-user-server)
  gv_unit_test(device-model test_vfio_user_bad.c gv-vfio-user-server)
endif()
