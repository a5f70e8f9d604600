# SPDX-License-Identifier: LGPL-2.1-or-later
# Fails when a committed generated file is not what TOOL prints today.
execute_process(COMMAND ${TOOL} OUTPUT_VARIABLE now RESULT_VARIABLE rc)
file(READ ${WANT} committed)
if(NOT rc EQUAL 0 OR NOT now STREQUAL committed)
  message(FATAL_ERROR "${WANT} is not fresh: run ${TOOL} > ${WANT}")
endif()
