// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-set-precision | FileCheck %s

// Elements of a tensor that the body names itself, also inside of a branch, are widened where they are
// read.
// CHECK-LABEL: func.func @captured
// CHECK: linalg.generic
// CHECK: scf.if
// CHECK: %[[E:.*]] = tensor.extract %{{.*}} : tensor<8xbf16>
// CHECK: %[[W:.*]] = arith.extf %[[E]]
// CHECK: scf.yield %[[W]] : f32
func.func @captured(%x: tensor<8xf32>, %i: tensor<4xi32>) -> tensor<4xf32> {
  %e8 = tensor.empty() : tensor<8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e8 : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<8xf32>
  %e4 = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi32>) outs(%e4 : tensor<4xf32>) {
  ^bb0(%k: i32, %o: f32):
    %zero = arith.constant 0 : i32
    %none = arith.constant 0.0 : f32
    %real = arith.cmpi sge, %k, %zero : i32
    %v = scf.if %real -> f32 {
      %at = arith.index_cast %k : i32 to index
      %w = tensor.extract %t[%at] : tensor<8xf32>
      scf.yield %w : f32
    } else {
      scf.yield %none : f32
    }
    linalg.yield %v : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
