# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# dojo_emulator_profile(TARGET...): compiles them for what runs often, by the counts that
# scripts/profile-emulator has left in runtime/emulator/emulator.proftext. What the counts do not
# know, because it is new or has changed, is compiled as without them.
set(DOJO_EMULATOR_PROFILE use CACHE STRING
    "Counts of what the emulator does: use (with Clang), record (scripts/profile-emulator), none")
set_property(CACHE DOJO_EMULATOR_PROFILE PROPERTY STRINGS use record none)

# Functions of one file are named by it, without its folder, which differs from tree to tree.
set(dojo_profile_flags -mllvm -static-func-full-module-prefix=false)
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang OR DOJO_SANITIZE)
  set(dojo_profile_flags)
elseif(DOJO_EMULATOR_PROFILE STREQUAL record)
  list(APPEND dojo_profile_flags -fprofile-generate)
elseif(DOJO_EMULATOR_PROFILE STREQUAL use)
  find_program(DOJO_PROFDATA NAMES llvm-profdata-22 llvm-profdata HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
  set(text ${CMAKE_SOURCE_DIR}/runtime/emulator/emulator.proftext)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${text})
  # Its name says what it holds, so that another one compiles anew.
  file(SHA256 ${text} hash)
  string(SUBSTRING ${hash} 0 12 hash)
  set(profile ${CMAKE_BINARY_DIR}/emulator-${hash}.profdata)
  if(NOT EXISTS ${profile})
    execute_process(COMMAND ${DOJO_PROFDATA} merge -o ${profile} ${text} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  list(APPEND dojo_profile_flags -fprofile-use=${profile}
       -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date)
elseif(NOT DOJO_EMULATOR_PROFILE STREQUAL none)
  message(FATAL_ERROR "DOJO_EMULATOR_PROFILE is '${DOJO_EMULATOR_PROFILE}'; it takes use, record or none")
else()
  set(dojo_profile_flags)
endif()

function(dojo_emulator_profile)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE ${dojo_profile_flags})
    if("-fprofile-generate" IN_LIST dojo_profile_flags)
      target_link_options(${target} PUBLIC -fprofile-generate)
    endif()
  endforeach()
endfunction()
