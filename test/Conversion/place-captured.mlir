// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=2x2' | FileCheck %s

// Rows of a table that no node has room for, as a sum over chunks of which one has the row: the chunks
// are divided between nodes, and where a share reads follows from which part it is.
// CHECK: dojo.layer "rows.part"
// CHECK: %[[CHUNK:.*]] = linalg.index 2
// CHECK: %[[PART:.*]] = linalg.index 3
// CHECK: %[[LENGTH:.*]] = arith.constant 2 : index
// CHECK: %[[FIRST:.*]] = arith.muli %[[PART]], %[[LENGTH]]
// CHECK: %[[AT:.*]] = arith.addi %[[CHUNK]], %[[FIRST]]
// CHECK: tensor.extract %{{.*}}[%[[AT]], %{{.*}}, %{{.*}}] : tensor<8x6000x16xf32>
// CHECK: dojo.layer "rows"
func.func @main(%t: tensor<8x6000x16xf32> {dojo.name = "t"}, %i: tensor<5xi32> {dojo.name = "i"}) -> (tensor<5x16xf32> {dojo.name = "y"}) {
  %n = dojo.weight inline dense<[0, 1, 2, 3, 4, 5, 6, 7]> : tensor<8xi32> : tensor<8xi32>
  %y = dojo.layer "rows" ins(%i, %n, %t : tensor<5xi32>, tensor<8xi32>, tensor<8x6000x16xf32>) -> tensor<5x16xf32> attributes {op = "Reduce", onnx = ["rows"], macs = 0 : i64} {
  ^bb0(%a: tensor<5xi32>, %b: tensor<8xi32>, %c: tensor<8x6000x16xf32>):
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<5x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<5x16xf32>) -> tensor<5x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0)>, affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : tensor<5xi32>, tensor<8xi32>) outs(%f : tensor<5x16xf32>) {
    ^bb0(%k: i32, %number: i32, %acc: f32):
      %size = arith.constant 6000 : i32
      %none = arith.constant 0.0 : f32
      %chunk = arith.divsi %k, %size : i32
      %rest = arith.remsi %k, %size : i32
      %row = arith.index_cast %rest : i32 to index
      %at = linalg.index 2 : index
      %column = linalg.index 1 : index
      %v = tensor.extract %c[%at, %row, %column] : tensor<8x6000x16xf32>
      %here = arith.cmpi eq, %chunk, %number : i32
      %w = arith.select %here, %v, %none : f32
      %s = arith.addf %acc, %w : f32
      linalg.yield %s : f32
    } -> tensor<5x16xf32>
    dojo.yield %r : tensor<5x16xf32>
  }
  return %y : tensor<5x16xf32>
}
