// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-form-views | FileCheck %s
// RUN: dojo-opt %s --dojo-to-layers --dojo-to-placed='nodes=2x2' --dojo-to-mesh -split-input-file -o /dev/null

#id = affine_map<(i, j) -> (i, j)>

// An op without a result to compute is a view of nothing, and what reads it goes on without it.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[A:.*]]: tensor<0x3xf32>, %[[B:.*]]: tensor<4x0xf32>, %[[C:.*]]: tensor<4x3xf32>)
func.func @main(%a: tensor<0x3xf32>, %b: tensor<4x0xf32>, %c: tensor<4x3xf32>)
    -> (tensor<0x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<3x0xf32>) {
  // CHECK: %[[NEG:.*]] = dojo.assemble fill(0.000000e+00 : f32) () : () -> tensor<0x3xf32>
  %e = tensor.empty() : tensor<0x3xf32>
  %neg = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<0x3xf32>) outs(%e : tensor<0x3xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.negf %l : f32
    linalg.yield %0 : f32
  } -> tensor<0x3xf32>
  // Sums of no products are what they start from.
  // CHECK: %[[PRODUCT:.*]] = dojo.assemble fill(1.000000e+00 : f32) () : () -> tensor<4x3xf32>
  %one = arith.constant 1.0 : f32
  %f = tensor.empty() : tensor<4x3xf32>
  %init = linalg.fill ins(%one : f32) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %product = linalg.matmul ins(%b, %a : tensor<4x0xf32>, tensor<0x3xf32>)
      outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  // CHECK: %[[CAT:.*]] = dojo.assemble fill({{.*}}) (%[[C]] at [0, 0]) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %cat = tensor.concat dim(0) %c, %neg : (tensor<4x3xf32>, tensor<0x3xf32>) -> tensor<4x3xf32>
  // CHECK: %[[TURNED:.*]] = dojo.assemble fill(0.000000e+00 : f32) () : () -> tensor<3x0xf32>
  %flat = tensor.collapse_shape %neg [[0, 1]] : tensor<0x3xf32> into tensor<0xf32>
  %turned = tensor.expand_shape %flat [[0, 1]] output_shape [3, 0] : tensor<0xf32> into tensor<3x0xf32>
  // CHECK: return %[[NEG]], %[[PRODUCT]], %{{.*}}, %[[TURNED]]
  return %neg, %product, %cat, %turned : tensor<0x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<3x0xf32>
}
