// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=2x2' | FileCheck %s

// The maximum of each row fills vectors along the row: rows are divided one by one. Along a column
// vectors hold neighbours of the result, which are kept together.
// CHECK: dojo.layer "rows"
// CHECK-SAME: splits = [4, 1]
// CHECK: dojo.layer "columns"
// CHECK-SAME: splits = [2, 1]

#id = affine_map<(i, j) -> (i, j)>
#turn = affine_map<(i, j) -> (j, i)>
#row = affine_map<(i, j) -> (i)>
func.func @main(%x: tensor<4x4096xf32>, %y: tensor<4096x32xf32>) -> (tensor<4xf32>, tensor<32xf32>) {
  %a = dojo.layer "rows" ins(%x : tensor<4x4096xf32>) -> tensor<4xf32> attributes {op = "Reduce"} {
  ^bb0(%in: tensor<4x4096xf32>):
    %e = tensor.empty() : tensor<4xf32>
    %least = arith.constant 0xFF800000 : f32
    %f = linalg.fill ins(%least : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
        ins(%in : tensor<4x4096xf32>) outs(%f : tensor<4xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.maximumf %l, %o : f32
      linalg.yield %0 : f32
    } -> tensor<4xf32>
    dojo.yield %r : tensor<4xf32>
  }
  %b = dojo.layer "columns" ins(%y : tensor<4096x32xf32>) -> tensor<32xf32> attributes {op = "Reduce"} {
  ^bb0(%in: tensor<4096x32xf32>):
    %e = tensor.empty() : tensor<32xf32>
    %least = arith.constant 0xFF800000 : f32
    %f = linalg.fill ins(%least : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
    %r = linalg.generic {indexing_maps = [#turn, #row], iterator_types = ["parallel", "reduction"]}
        ins(%in : tensor<4096x32xf32>) outs(%f : tensor<32xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.maximumf %l, %o : f32
      linalg.yield %0 : f32
    } -> tensor<32xf32>
    dojo.yield %r : tensor<32xf32>
  }
  return %a, %b : tensor<4xf32>, tensor<32xf32>
}
