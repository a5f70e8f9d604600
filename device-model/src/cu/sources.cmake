# SPDX-License-Identifier: LGPL-2.1-or-later
# The compute interpreter; included by device-model/CMakeLists.txt.
set(GV_CU_CORE_SOURCES src/cu/cores_base.c src/cu/cores_modes.c)
# No contraction: v_mad_f32 rounds twice, v_fma_f32 once. No traps and no errno, and -O3 also in
# a Debug build: the loops over 64 lanes become vector code, without it they are ten times slower.
set(GV_CU_CORE_FLAGS "-O3 -ffp-contract=off -fno-math-errno -fno-trapping-math")
if(CMAKE_C_COMPILER_ID MATCHES "Clang") # says which loops it could not make vector code of
  string(APPEND GV_CU_CORE_FLAGS " -Wno-pass-failed")
endif()
set_source_files_properties(src/cu/cores_base.c PROPERTIES COMPILE_FLAGS "${GV_CU_CORE_FLAGS}")
# Runs under any rounding mode of the host.
set_source_files_properties(src/cu/cores_modes.c PROPERTIES COMPILE_FLAGS
  "${GV_CU_CORE_FLAGS} -frounding-math")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # Chosen at run time by what the host CPU has.
  list(APPEND GV_CU_CORE_SOURCES src/cu/cores_avx2.c src/cu/cores_avx512.c)
  set_source_files_properties(src/cu/cores_avx2.c PROPERTIES COMPILE_FLAGS
    "${GV_CU_CORE_FLAGS} -mavx2 -mfma -mf16c")
  set_source_files_properties(src/cu/cores_avx512.c PROPERTIES COMPILE_FLAGS
    "${GV_CU_CORE_FLAGS} -march=skylake-avx512 -mprefer-vector-width=512")
  set_source_files_properties(src/cu/isa.c PROPERTIES COMPILE_DEFINITIONS GV_CU_X86)
endif()
set(GV_CU_SOURCES ${GV_CU_CORE_SOURCES}
  src/cu/code.c src/cu/decode.c src/cu/exec.c src/cu/flat.c src/cu/format.c src/cu/isa.c src/cu/lds.c src/cu/mem.c
  src/cu/mubuf.c
  src/cu/operand.c src/cu/operand_mem.c src/cu/ramp.c src/cu/run.c src/cu/salu.c src/cu/save.c src/cu/smem.c src/cu/sopp.c
  src/cu/table.c src/cu/valu.c src/cu/valu_excp.c src/cu/valu_mod.c
  src/cu/valu_special.c src/cu/vatomic.c src/cu/vmem.c)
