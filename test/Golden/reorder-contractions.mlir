// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-reorder-contractions | FileCheck %s

// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d1 + d4, d2 + d5)>
// CHECK-DAG: #[[WEIGHT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3, d4, d5, d6)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d6)>
#in = affine_map<(n, f, y, x, c, ky, kx) -> (n, c, y + ky, x + kx)>
#weight = affine_map<(n, f, y, x, c, ky, kx) -> (f, c, ky, kx)>
#out = affine_map<(n, f, y, x, c, ky, kx) -> (n, f, y, x)>
// CHECK-LABEL: func.func @conv(
// CHECK: %[[W:.*]] = linalg.transpose {{.*}} outs({{.*}} : tensor<3x3x3x8xf32>) permutation = [1, 2, 3, 0]
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[IN]], #[[WEIGHT]], #[[OUT]]]
// CHECK-SAME: ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]
// CHECK-SAME: ins(%{{.*}}, %[[W]] :
// CHECK: linalg.transpose ins(%[[Y]] : tensor<1x4x4x8xf32>) outs({{.*}} : tensor<1x8x4x4xf32>) permutation = [0, 3, 1, 2]
func.func @conv(%in: tensor<1x3x6x6xf32>, %w: tensor<8x3x3x3xf32>) -> tensor<1x8x4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8x4x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  %y = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%in, %w : tensor<1x3x6x6xf32>, tensor<8x3x3x3xf32>) outs(%init : tensor<1x8x4x4xf32>)
      attrs = {dojo.op = "Conv"} {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x8x4x4xf32>
  return %y : tensor<1x8x4x4xf32>
}

// One input channel for each output channel: the last position of the result goes innermost.
// CHECK-LABEL: func.func @depthwise(
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]
#dw_in = affine_map<(c, x, k) -> (c, x + k)>
#dw_weight = affine_map<(c, x, k) -> (c, k)>
#dw_out = affine_map<(c, x, k) -> (c, x)>
func.func @depthwise(%in: tensor<4x10xf32>, %w: tensor<4x3xf32>, %init: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = linalg.generic {indexing_maps = [#dw_in, #dw_weight, #dw_out],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%in, %w : tensor<4x10xf32>, tensor<4x3xf32>) outs(%init : tensor<4x8xf32>)
      attrs = {dojo.op = "depthwise"} {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
