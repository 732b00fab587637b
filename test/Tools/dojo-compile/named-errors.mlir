// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not dojo-compile %s -o %t.d1 2>&1 | FileCheck %s
// RUN: not ls %t.d1

// What comes from a model is said by the names of its nodes, not by a place in a file.
// CHECK: named-errors.mlir: error: ONNX node 'fc', 'relu': has 2 results; placed layers have one
// CHECK-NOT: see current operation
func.func @main(%x: tensor<16xf32> {dojo.name = "x"}) -> (tensor<16xf32> {dojo.name = "y"}) {
  %y:2 = dojo.layer "fc" ins(%x : tensor<16xf32>) -> tensor<16xf32>, tensor<16xf32> {
  ^bb0(%in: tensor<16xf32>):
    %e = tensor.empty() : tensor<16xf32>
    %r:2 = linalg.generic {
        indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
        iterator_types = ["parallel"]}
        ins(%in : tensor<16xf32>) outs(%e, %e : tensor<16xf32>, tensor<16xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      linalg.yield %a, %a : f32, f32
    } -> (tensor<16xf32>, tensor<16xf32>)
    dojo.yield %r#0, %r#1 : tensor<16xf32>, tensor<16xf32>
  } loc(fused["fc", "relu"])
  return %y#0 : tensor<16xf32>
}
