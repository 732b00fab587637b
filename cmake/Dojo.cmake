# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Thin helpers on plain CMake.
#
#   dojo_tablegen(TOOL TD OUT ARGS...)  run mlir-tblgen or dojo-tblgen on a source .td; OUT is
#                                       relative to <build>/include; every call joins dojo-tblgen-all
#   dojo_ir_library(NAME SOURCES... LINK LIBS...)    a library that uses MLIR (shares one PCH)
#   dojo_library(NAME SOURCES... LINK LIBS...)       a library without MLIR, optimised
#   dojo_tool(NAME SOURCES... LINK LIBS...)          an executable that uses MLIR
#   dojo_plain_tool(NAME SOURCES... LINK LIBS...)    an executable without MLIR
#   dojo_unittest(NAME SOURCES... LINK LIBS...)      a GoogleTest binary, its cases known to ctest
#                                                    with the label plain
#   dojo_ir_unittest(NAME SOURCES... LINK LIBS...)   the same, with MLIR
#   dojo_generated_page(PAGE GENERATED)   a page of the tree (PAGE, from the source root) that is a copy
#                                         of a generated file: a test compares, update-docs copies

add_custom_target(dojo-tblgen-all)
add_custom_target(update-docs)

function(dojo_tablegen tool td out)
  set(o ${CMAKE_BINARY_DIR}/include/${out})
  get_filename_component(d ${o} DIRECTORY)
  file(MAKE_DIRECTORY ${d})
  add_custom_command(
    OUTPUT ${o}
    COMMAND ${tool} ${ARGN} -I ${CMAKE_SOURCE_DIR} -I ${CMAKE_SOURCE_DIR}/include
            -I ${MLIR_INCLUDE_DIRS} ${CMAKE_SOURCE_DIR}/${td} --write-if-changed -o ${o} -d ${o}.d
    DEPENDS ${CMAKE_SOURCE_DIR}/${td} ${tool}
    DEPFILE ${o}.d
    COMMENT "TableGen ${out}")
  string(MAKE_C_IDENTIFIER "tblgen-${out}" target)
  add_custom_target(${target} DEPENDS ${o})
  add_dependencies(dojo-tblgen-all ${target})
endfunction()

# One precompiled header for every MLIR translation unit.
file(WRITE ${CMAKE_BINARY_DIR}/dojo_pch_stub.cpp "")
add_library(dojo-pch OBJECT ${CMAKE_BINARY_DIR}/dojo_pch_stub.cpp)
target_precompile_headers(dojo-pch PRIVATE
  <mlir/Dialect/Affine/IR/AffineOps.h>
  <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/Linalg/IR/Linalg.h>
  <mlir/Dialect/Linalg/Transforms/Transforms.h>
  <mlir/Dialect/Math/IR/Math.h>
  <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h>
  <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/Dialect/Vector/IR/VectorOps.h>
  <mlir/IR/Builders.h>
  <mlir/IR/BuiltinOps.h>
  <mlir/IR/Dialect.h>
  <mlir/IR/DialectImplementation.h>
  <mlir/IR/Matchers.h>
  <mlir/IR/OpDefinition.h>
  <mlir/IR/OpImplementation.h>
  <mlir/IR/PatternMatch.h>
  <mlir/Pass/Pass.h>
  <mlir/Transforms/DialectConversion.h>
  <mlir/Transforms/GreedyPatternRewriteDriver.h>)
set_target_properties(dojo-pch PROPERTIES INCLUDE_DIRECTORIES "${LLVM_INCLUDE_DIRS}")
target_compile_options(dojo-pch PRIVATE -O1)

function(dojo_split_link out_sources out_link)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  set(${out_sources} ${A_UNPARSED_ARGUMENTS} PARENT_SCOPE)
  set(${out_link} ${A_LINK} PARENT_SCOPE)
endfunction()

function(dojo_use_mlir name)
  target_compile_options(${name} PRIVATE -O1)
  target_precompile_headers(${name} REUSE_FROM dojo-pch)
  add_dependencies(${name} dojo-tblgen-all)
endfunction()

function(dojo_ir_library name)
  dojo_split_link(sources link ${ARGN})
  add_library(${name} STATIC ${sources})
  dojo_use_mlir(${name})
  target_link_libraries(${name} PUBLIC ${link} MLIR LLVM)
endfunction()

function(dojo_library name)
  dojo_split_link(sources link ${ARGN})
  add_library(${name} STATIC ${sources})
  target_compile_options(${name} PRIVATE -O2)
  add_dependencies(${name} dojo-tblgen-all)
  target_link_libraries(${name} PUBLIC ${link})
endfunction()

function(dojo_tool name)
  dojo_split_link(sources link ${ARGN})
  add_executable(${name} ${sources})
  # -fPIC, not the -fPIE of executables: the precompiled header is built with it.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  dojo_use_mlir(${name})
  target_link_libraries(${name} PRIVATE ${link} MLIR LLVM)
endfunction()

function(dojo_plain_tool name)
  dojo_split_link(sources link ${ARGN})
  add_executable(${name} ${sources})
  target_compile_options(${name} PRIVATE -O2)
  add_dependencies(${name} dojo-tblgen-all)
  target_link_libraries(${name} PRIVATE ${link})
endfunction()

function(dojo_unittest name)
  dojo_split_link(sources link ${ARGN})
  add_executable(${name} ${sources})
  target_compile_options(${name} PRIVATE -O1)
  add_dependencies(${name} dojo-tblgen-all)
  target_link_libraries(${name} PRIVATE ${link} GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS plain)
endfunction()

function(dojo_ir_unittest name)
  dojo_tool(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60)
endfunction()

function(dojo_generated_page page generated)
  string(MAKE_C_IDENTIFIER "update-${page}" target)
  add_custom_target(${target} COMMAND ${CMAKE_COMMAND} -E copy ${generated} ${CMAKE_SOURCE_DIR}/${page}
                    DEPENDS ${generated})
  add_dependencies(update-docs ${target})
  add_test(NAME page-${page} COMMAND ${CMAKE_COMMAND} -DGENERATED=${generated}
           -DPAGE=${CMAKE_SOURCE_DIR}/${page} -P ${CMAKE_SOURCE_DIR}/cmake/CheckGenerated.cmake)
endfunction()
