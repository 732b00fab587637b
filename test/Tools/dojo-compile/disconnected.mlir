// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dead positions whose routers do not forward cut the mesh: refused, with what helps; and it does.
// RUN: rm -f %t.d1
// RUN: not dojo-compile %s --target %S/../../Conversion/Inputs/silent.json --nodes 2x3 --dead 0,1 --dead 1,1 -o %t.d1 2>&1 | FileCheck %s
// CHECK: error: the mesh falls apart: 2 of 4 nodes cannot be reached from the others (row,column: 0,2 1,2), as routers that do not forward stand between
// CHECK: note: these routers do not forward, or lie outside of the partition: 0,1
// CHECK: note: give the smaller part up with --dead 0,2 --dead 1,2, or take another partition with --nodes
// RUN: not ls %t.d1
// RUN: dojo-compile %s --target %S/../../Conversion/Inputs/silent.json --nodes 2x3 --dead 0,1 --dead 1,1 --dead 0,2 --dead 1,2 -o %t.d1
// RUN: dojo-compile %s --target %S/../../Conversion/Inputs/silent.json --nodes 3x3 --dead 0,1 --dead 1,1 -o %t.d1

#id = affine_map<(i) -> (i)>
func.func @main(%x: tensor<32xf32>) -> tensor<32xf32> {
  %y = dojo.layer "twice" ins(%x : tensor<32xf32>) -> tensor<32xf32> {
  ^bb0(%in: tensor<32xf32>):
    %e = tensor.empty() : tensor<32xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%in : tensor<32xf32>) outs(%e : tensor<32xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.addf %l, %l : f32
      linalg.yield %0 : f32
    } -> tensor<32xf32>
    dojo.yield %r : tensor<32xf32>
  }
  return %y : tensor<32xf32>
}
