// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=2x2' | FileCheck %s
// RUN: dojo-opt %s --dojo-place='nodes=2x2 dead=0:1' | FileCheck %s --check-prefix=DEAD
// RUN: dojo-opt %s --dojo-place='target=d1-pessimistic nodes=1x1' | FileCheck %s --check-prefix=ONE

// The machine is recorded with a hash of its values. Every layer gets a plan on usable nodes. The
// first reads the input, which lies elsewhere, the second and the third read what their nodes hold.
// CHECK: dojo.machine = {dead = [], hash = "{{[0-9a-f]+}}", nodes = "2x2", target = "d1"}
// CHECK: %[[IN:.*]] = dojo.redistribute %{{.*}} : tensor<16x64xf32>
// CHECK: %[[A:.*]] = dojo.layer "a" ins(%[[IN]] :
// CHECK-SAME: plan = #dojo.plan<1 x 4 x 1 x 1, splits = [1, 4], nodes = [0, 20, 1, 21], cycles = {{[0-9]+}}>
// CHECK: %[[B:.*]] = dojo.layer "b" ins(%[[A]] :
// CHECK-SAME: plan = #dojo.plan<1 x 4 x 1 x 1, splits = [1, 4], nodes = [0, 20, 1, 21]
// CHECK: dojo.layer "c" ins(%[[B]] :
// CHECK-SAME: plan = #dojo.plan<1 x 4 x 1 x 1, splits = [4, 1], nodes = [0, 20, 1, 21]

// A dead node gets nothing. Thirds of the columns are no whole vectors: the third layer needs other
// parts than the second leaves.
// DEAD: dojo.machine = {dead = ["0:1"],
// DEAD: %[[B:.*]] = dojo.layer "b"
// DEAD-SAME: splits = [3, 1], nodes = [0, 20, 21]
// DEAD: %[[R:.*]] = dojo.redistribute %[[B]]
// DEAD: dojo.layer "c" ins(%[[R]] :

// One node of a target without multicast: nothing to divide, nothing to bring but the input.
// ONE: target = "d1-pessimistic"
// ONE: dojo.redistribute
// ONE-COUNT-3: #dojo.plan<1 x 1 x 1 x 1, splits = [1, 1], nodes = [0]
// ONE-NOT: dojo.redistribute

#id = affine_map<(i, j) -> (i, j)>
#turn = affine_map<(i, j) -> (j, i)>
func.func @main(%x: tensor<16x64xf32>) -> tensor<64x16xf32> {
  %a = dojo.layer "a" ins(%x : tensor<16x64xf32>) -> tensor<16x64xf32> attributes {op = "Elementwise"} {
  ^bb0(%in: tensor<16x64xf32>):
    %e = tensor.empty() : tensor<16x64xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<16x64xf32>
    dojo.yield %r : tensor<16x64xf32>
  }
  %b = dojo.layer "b" ins(%a : tensor<16x64xf32>) -> tensor<16x64xf32> attributes {op = "Elementwise"} {
  ^bb0(%in: tensor<16x64xf32>):
    %e = tensor.empty() : tensor<16x64xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<16x64xf32>
    dojo.yield %r : tensor<16x64xf32>
  }
  %c = dojo.layer "c" ins(%b : tensor<16x64xf32>) -> tensor<64x16xf32> attributes {op = "Copy"} {
  ^bb0(%in: tensor<16x64xf32>):
    %e = tensor.empty() : tensor<64x16xf32>
    %r = linalg.generic {indexing_maps = [#turn, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<16x64xf32>) outs(%e : tensor<64x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      linalg.yield %l : f32
    } -> tensor<64x16xf32>
    dojo.yield %r : tensor<64x16xf32>
  }
  return %c : tensor<64x16xf32>
}
