// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-lower-to-mesh | FileCheck %s

// Padding below a reshape is no box of what is read; the prologue fills the runs it is made of.
// CHECK-LABEL: func.func private @a.fill0(
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [{{.*}}], sizes: [{{.*}}], strides: [{{.*}}]
// CHECK: linalg.fill
// CHECK: dojo.launch {{.*}}prologue = @a.fill0

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<4x15xf32>) -> tensor<8x16xf32> {
  %p = dojo.assemble fill(0.0 : f32) (%x at [2, 1]) : (tensor<4x15xf32>) -> tensor<8x16xf32>
  %q = dojo.reshape %p : tensor<8x16xf32> -> tensor<16x8xf32>
  %z = dojo.reshape %q : tensor<16x8xf32> -> tensor<8x16xf32>
  %y = dojo.layer "a" ins(%z : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 1 x 1 x 1, splits = [1, 1], nodes = [0], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}
