// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-form-views --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func @pad(
// CHECK-SAME: %[[X:.*]]: tensor<1x2x3x3xf32>)
func.func @pad(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x5x6xf32> {
  %c = arith.constant 0.5 : f32
  // CHECK: %[[P:.*]] = dojo.assemble fill(5.000000e-01 : f32) (%[[X]] at [0, 0, 1, 2])
  // CHECK: return %[[P]]
  %p = tensor.pad %x low[0, 0, 1, 2] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %d: index, %e: index):
    tensor.yield %c : f32
  } : tensor<1x2x3x3xf32> to tensor<1x2x5x6xf32>
  return %p : tensor<1x2x5x6xf32>
}

// Rows 2 and 3, as a vector of 8: cut out, then reshaped.
// CHECK-LABEL: func @slice(
// CHECK-SAME: %[[X:.*]]: tensor<6x4xf32>)
func.func @slice(%x: tensor<6x4xf32>) -> tensor<8xf32> {
  // CHECK: %[[S:.*]] = dojo.assemble fill(0.000000e+00 : f32) (%[[X]] at [-2, 0]) : (tensor<6x4xf32>) -> tensor<2x4xf32>
  // CHECK: dojo.reshape %[[S]] : tensor<2x4xf32> -> tensor<8xf32>
  %s = tensor.extract_slice %x[2, 0] [2, 4] [1, 1] : tensor<6x4xf32> to tensor<2x4xf32>
  %r = tensor.collapse_shape %s [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: func @slice_with_step(
// CHECK-SAME: %[[X:.*]]: tensor<6x4xf32>)
func.func @slice_with_step(%x: tensor<6x4xf32>) -> tensor<3x4xf32> {
  // CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0 * 2 + 1, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
  // CHECK-SAME: ins(%[[X]] : tensor<6x4xf32>) outs(%{{.*}} : tensor<3x4xf32>)
  %s = tensor.extract_slice %x[1, 0] [3, 4] [2, 1] : tensor<6x4xf32> to tensor<3x4xf32>
  return %s : tensor<3x4xf32>
}

// CHECK-LABEL: func @concat(
// CHECK-SAME: %[[X:.*]]: tensor<2x4xf32>, %[[Y:.*]]: tensor<3x4xf32>)
func.func @concat(%x: tensor<2x4xf32>, %y: tensor<3x4xf32>) -> tensor<5x4xf32> {
  // CHECK: %[[C:.*]] = dojo.assemble fill(0.000000e+00 : f32) (%[[X]] at [0, 0], %[[Y]] at [2, 0])
  // CHECK: return %[[C]]
  %e = tensor.empty() : tensor<5x4xf32>
  %0 = tensor.insert_slice %x into %e[0, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<5x4xf32>
  %1 = tensor.insert_slice %y into %0[2, 0] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<5x4xf32>
  return %1 : tensor<5x4xf32>
}

// What the new piece does not cover of the old tensor: row 0, row 3, and of rows 1 and 2 column 0
// and columns 2 and 3.
// CHECK-LABEL: func @insert_inside(
// CHECK-SAME: %[[X:.*]]: tensor<4x4xf32>, %[[Y:.*]]: tensor<2x1xf32>)
func.func @insert_inside(%x: tensor<4x4xf32>, %y: tensor<2x1xf32>) -> tensor<4x4xf32> {
  // CHECK-DAG: %[[TOP:.*]] = dojo.assemble {{.*}} (%[[X]] at [0, 0]) : (tensor<4x4xf32>) -> tensor<1x4xf32>
  // CHECK-DAG: %[[BOTTOM:.*]] = dojo.assemble {{.*}} (%[[X]] at [-3, 0]) : (tensor<4x4xf32>) -> tensor<1x4xf32>
  // CHECK-DAG: %[[LEFT:.*]] = dojo.assemble {{.*}} (%[[X]] at [-1, 0]) : (tensor<4x4xf32>) -> tensor<2x1xf32>
  // CHECK-DAG: %[[RIGHT:.*]] = dojo.assemble {{.*}} (%[[X]] at [-1, -2]) : (tensor<4x4xf32>) -> tensor<2x2xf32>
  // CHECK: dojo.assemble {{.*}} (%[[TOP]] at [0, 0], %[[BOTTOM]] at [3, 0], %[[LEFT]] at [1, 0], %[[RIGHT]] at [1, 2], %[[Y]] at [1, 1])
  %0 = tensor.insert_slice %y into %x[1, 1] [2, 1] [1, 1] : tensor<2x1xf32> into tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func @filled(
func.func @filled() -> tensor<3xi32> {
  // CHECK: dojo.assemble fill(7 : i32) () : () -> tensor<3xi32>
  %c = arith.constant 7 : i32
  %e = tensor.empty() : tensor<3xi32>
  %f = linalg.fill ins(%c : i32) outs(%e : tensor<3xi32>) -> tensor<3xi32>
  return %f : tensor<3xi32>
}

// What a product reads is a constant like any other.
// CHECK-LABEL: func @filled_weight(
func.func @filled_weight(%x: tensor<2x3xf32>, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: dojo.weight inline dense<5.000000e-01> : tensor<3x4xf32> : tensor<3x4xf32>
  %c = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<3x4xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<3x4xf32>) -> tensor<3x4xf32>
  %r = linalg.matmul ins(%x, %f : tensor<2x3xf32>, tensor<3x4xf32>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %r : tensor<2x4xf32>
}

// Views of a weight are done on its bytes: a slice, a reshape, a transposing copy.
// CHECK-LABEL: func @weights(
func.func @weights() -> (tensor<4x2xf32>, tensor<3x4xf32>) {
  // CHECK-DAG: dojo.weight blob<"f", 0, 48> source tensor<4x3xf32> transform <[slice = [0:4, 1:2]]> : tensor<4x2xf32>
  // CHECK-DAG: dojo.weight blob<"f", 0, 48> source tensor<4x3xf32> transform <[transpose = [1, 0]]> : tensor<3x4xf32>
  %w = dojo.weight blob<"f", 0, 48> : tensor<4x3xf32>
  %s = tensor.extract_slice %w[0, 1] [4, 2] [1, 1] : tensor<4x3xf32> to tensor<4x2xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %t = linalg.transpose ins(%w : tensor<4x3xf32>) outs(%e : tensor<3x4xf32>) permutation = [1, 0]
  return %s, %t : tensor<4x2xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: func @constant(
func.func @constant() -> tensor<2xf32> {
  // CHECK: dojo.weight inline dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> : tensor<2xf32>
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %c : tensor<2xf32>
}
