// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-expand-layers --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func @conv(
func.func @conv(%x: tensor<1x2x10x10x4xbf16>, %w: tensor<2x3x3x2x8x4xbf16>, %b: tensor<3x4xbf16>)
    -> tensor<1x3x4x4x4xbf16> {
  // CHECK: %[[S:.*]] = linalg.generic {indexing_maps = [
  // CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d7, d2 * 2 + d5, d3 * 2 + d6, d8)>,
  // CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d1 floordiv 2, d5, d6, d7, (d1 mod 2) * 4 + d4, d8)>,
  // CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1, d2, d3, d4)>]
  // CHECK: linalg.generic {{.*}} ins(%[[S]], %{{.*}} : tensor<1x3x4x4x4xf32>, tensor<3x4xbf16>) outs(%{{.*}} : tensor<1x3x4x4x4xbf16>)
  %y = dojo.layer "conv" ins(%x, %w, %b : tensor<1x2x10x10x4xbf16>, tensor<2x3x3x2x8x4xbf16>, tensor<3x4xbf16>)
      -> tensor<1x3x4x4x4xbf16> {
  ^bb0(%in: tensor<1x2x10x10x4xbf16>, %k: tensor<2x3x3x2x8x4xbf16>, %e: tensor<3x4xbf16>):
    %out = tensor.empty() : tensor<1x3x4x4x4xbf16>
    %r = dojo.conv ins(%in, %k : tensor<1x2x10x10x4xbf16>, tensor<2x3x3x2x8x4xbf16>)
                   extras(%e : tensor<3x4xbf16>) outs(%out : tensor<1x3x4x4x4xbf16>)
                   strides [2, 2] dilations [1, 1]
                   extra_maps [affine_map<(n, fq, y, x, f4) -> (fq, f4)>] {
    ^bb0(%acc: f32, %bias: bf16):
      %0 = arith.extf %bias : bf16 to f32
      %1 = arith.addf %acc, %0 : f32
      %2 = arith.truncf %1 : f32 to bf16
      dojo.yield %2 : bf16
    } -> tensor<1x3x4x4x4xbf16>
    dojo.yield %r : tensor<1x3x4x4x4xbf16>
  }
  return %y : tensor<1x3x4x4x4xbf16>
}

// Two parts: the sums over the first and over the last two of four channel groups, two images each.
// CHECK-LABEL: func @parts(
// CHECK-DAG: %[[X:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2], [3], [4], [5]] output_shape [2, 2, 2, 4, 4, 4]
// CHECK-DAG: %[[W:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2], [3, 4], [5], [6]] output_shape [1, 1, 1, 2, 2, 8, 4]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[W]] : tensor<2x2x2x4x4x4xbf16>, tensor<1x1x1x2x2x8x4xbf16>) outs(%{{.*}} : tensor<2x2x2x4x4x4xf32>)
// CHECK: tensor.collapse_shape %[[S]] {{\[\[}}0, 1], [2], [3], [4], [5]] : tensor<2x2x2x4x4x4xf32> into tensor<4x2x4x4x4xf32>
func.func @parts(%x: tensor<2x4x4x4x4xbf16>, %w: tensor<1x1x1x4x8x4xbf16>) -> tensor<4x2x4x4x4xf32> {
  %y = dojo.layer "conv" ins(%x, %w : tensor<2x4x4x4x4xbf16>, tensor<1x1x1x4x8x4xbf16>)
      -> tensor<4x2x4x4x4xf32> {
  ^bb0(%in: tensor<2x4x4x4x4xbf16>, %k: tensor<1x1x1x4x8x4xbf16>):
    %out = tensor.empty() : tensor<4x2x4x4x4xf32>
    %r = dojo.conv ins(%in, %k : tensor<2x4x4x4x4xbf16>, tensor<1x1x1x4x8x4xbf16>)
                   outs(%out : tensor<4x2x4x4x4xf32>) strides [1, 1] dilations [1, 1] parts 2 {
    ^bb0(%acc: f32):
      dojo.yield %acc : f32
    } -> tensor<4x2x4x4x4xf32>
    dojo.yield %r : tensor<4x2x4x4x4xf32>
  }
  return %y : tensor<4x2x4x4x4xf32>
}

// The piece reaches from -1 to 3: rows 1 to 3 of it go to rows 0 to 2.
// CHECK-LABEL: func @assemble(
func.func @assemble(%x: tensor<4x2xf32>) -> tensor<5x4xf32> {
  // CHECK: %[[F:.*]] = linalg.fill
  // CHECK: %[[P:.*]] = tensor.extract_slice %{{.*}}[1, 0] [3, 2] [1, 1]
  // CHECK: tensor.insert_slice %[[P]] into %[[F]][0, 1] [3, 2] [1, 1]
  %y = dojo.assemble fill(1.0 : f32) (%x at [-1, 1]) : (tensor<4x2xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// CHECK-LABEL: func @reshape(
func.func @reshape(%x: tensor<2x6xf32>, %s: tensor<f32>) -> (tensor<3x4xf32>, tensor<1x1xf32>) {
  // CHECK: %[[C:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<2x6xf32> into tensor<12xf32>
  // CHECK: tensor.expand_shape %[[C]] {{\[\[}}0, 1]] output_shape [3, 4]
  // CHECK: tensor.expand_shape %{{.*}} [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
  %y = dojo.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
  %z = dojo.reshape %s : tensor<f32> -> tensor<1x1xf32>
  return %y, %z : tensor<3x4xf32>, tensor<1x1xf32>
}
