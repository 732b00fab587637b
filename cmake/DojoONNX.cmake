# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Defines DojoONNX: the ONNX C++ library, its headers and definitions, and protobuf.
# DOJO_ONNX_PREFIX is where scripts/build-onnx installed it; the default is the place in the cache
# that scripts/setup uses, which it asks for by running this file:  cmake -P cmake/DojoONNX.cmake

function(dojo_default_onnx_prefix out)
  set(root ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
  file(STRINGS ${root}/scripts/requirements.txt version REGEX "^onnx==")
  string(REPLACE "onnx==" "" version "${version}")
  file(SHA256 ${root}/scripts/build-onnx key)
  string(SUBSTRING ${key} 0 8 key)
  if(DEFINED ENV{DOJO_CACHE})
    set(cache $ENV{DOJO_CACHE})
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME}/dojo-d1)
  else()
    set(cache $ENV{HOME}/.cache/dojo-d1)
  endif()
  set(${out} ${cache}/onnx-${version}-${key} PARENT_SCOPE)
endfunction()

dojo_default_onnx_prefix(prefix)
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${prefix})
  return()
endif()

set(DOJO_ONNX_PREFIX "" CACHE PATH "Where the ONNX C++ library is installed, if not in the cache")
if(DOJO_ONNX_PREFIX)
  set(prefix ${DOJO_ONNX_PREFIX})
endif()
if(NOT EXISTS ${prefix}/lib/cmake/ONNX/ONNXConfig.cmake)
  message(FATAL_ERROR "The ONNX C++ library is not in ${prefix}. Run scripts/setup, which builds "
                      "it, or give its prefix with -DDOJO_ONNX_PREFIX=DIR.")
endif()
find_package(Protobuf 3.21 REQUIRED)
unset(ONNX_DIR CACHE)
find_package(ONNX REQUIRED CONFIG PATHS ${prefix} NO_DEFAULT_PATH)
add_library(DojoONNX INTERFACE)
target_link_libraries(DojoONNX INTERFACE ONNX::onnx ONNX::onnx_proto)
