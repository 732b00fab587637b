// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-unflatten-products | FileCheck %s

#rows = affine_map<(n, f, k) -> (n, k)>
#kernel = affine_map<(n, f, k) -> (f, k)>
#kernelT = affine_map<(n, f, k) -> (k, f)>
#result = affine_map<(n, f, k) -> (n, f)>

// CHECK-DAG: #[[IMAGE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3, d4)>
// CHECK-DAG: #[[KERNEL:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2, d3, d4)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1)>

// CHECK-LABEL: func @flattened(
// CHECK-SAME: %[[X:.*]]: tensor<2x8x3x2xf32>
func.func @flattened(%x: tensor<2x8x3x2xf32>, %z: tensor<2x10xf32>) -> tensor<2x10xf32> {
  // CHECK: %[[W:.*]] = dojo.weight blob<"f", 0, 1920> source tensor<10x48xf32> transform <[reshape = [10, 8, 3, 2]]>
  // CHECK: linalg.generic {indexing_maps = [#[[IMAGE]], #[[KERNEL]], #[[RESULT]]]
  // CHECK-SAME: ins(%[[X]], %[[W]] : tensor<2x8x3x2xf32>, tensor<10x8x3x2xf32>)
  %w = dojo.weight blob<"f", 0, 1920> : tensor<10x48xf32>
  %v = dojo.reshape %x : tensor<2x8x3x2xf32> -> tensor<2x48xf32>
  %y = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v, %w : tensor<2x48xf32>, tensor<10x48xf32>) outs(%z : tensor<2x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x10xf32>
  return %y : tensor<2x10xf32>
}

// The kernel with its columns last.
// CHECK-LABEL: func @columns_last(
func.func @columns_last(%x: tensor<2x8x3x2xf32>, %z: tensor<2x10xf32>) -> tensor<2x10xf32> {
  // CHECK: transform <[reshape = [8, 3, 2, 10]]> : tensor<8x3x2x10xf32>
  %w = dojo.weight blob<"f", 0, 1920> : tensor<48x10xf32>
  %v = dojo.reshape %x : tensor<2x8x3x2xf32> -> tensor<2x48xf32>
  %y = linalg.generic {indexing_maps = [#rows, #kernelT, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v, %w : tensor<2x48xf32>, tensor<48x10xf32>) outs(%z : tensor<2x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x10xf32>
  return %y : tensor<2x10xf32>
}

// One channel would fill one lane of four: stays flat.
// CHECK-LABEL: func @few_channels(
func.func @few_channels(%x: tensor<2x1x8x6xf32>, %z: tensor<2x10xf32>) -> tensor<2x10xf32> {
  // CHECK: dojo.reshape
  %w = dojo.weight blob<"f", 0, 1920> : tensor<10x48xf32>
  %v = dojo.reshape %x : tensor<2x1x8x6xf32> -> tensor<2x48xf32>
  %y = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v, %w : tensor<2x48xf32>, tensor<10x48xf32>) outs(%z : tensor<2x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x10xf32>
  return %y : tensor<2x10xf32>
}
