# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Of what a host path was compiled to, the linker may share nothing with other code: a function that
# another host path calls, too, must not be the copy with this path's instructions.
#   cmake -DNM=... -DOBJECTS=a.o;b.o -DNAMESPACE=avx512 -P CheckSymbols.cmake
foreach(object ${OBJECTS})
  execute_process(COMMAND ${NM} --defined-only -C ${object} OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL " [WVu] [^\n]*" shared "${symbols}")
  foreach(symbol ${shared})
    if(NOT symbol MATCHES "dojo::emu::${NAMESPACE}::")
      message(SEND_ERROR "${object} shares${symbol}")
    endif()
  endforeach()
endforeach()
