// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=2x2' --dojo-lower-to-mesh | FileCheck %s

// Tiles in which all places count share a kernel without a mask, wherever they lie; the one with
// the end keeps it.

// CHECK: func.func private @exp.kernel0(
// CHECK-NOT: arith.cmpi
// CHECK: func.func private @exp.kernel1(
// CHECK: arith.cmpi ult
// CHECK: dojo.launch {{.*}}kernel = @exp.kernel0{{.*}}nodes = array<i32: {{[0-9]+, [0-9]+, [0-9]+}}>
// CHECK: dojo.launch {{.*}}kernel = @exp.kernel1{{.*}}nodes = array<i32: {{[0-9]+}}>
func.func @main(%x: tensor<1x400x4x4xf32> {dojo.name = "x"}) -> (tensor<1x400x4x4xf32> {dojo.name = "y"}) {
  %y = dojo.layer "exp" ins(%x : tensor<1x400x4x4xf32>) -> tensor<1x400x4x4xf32> attributes {op = "Elementwise", onnx = ["exp"], macs = 0 : i64} {
  ^bb0(%a: tensor<1x400x4x4xf32>):
    %e = tensor.empty() : tensor<1x400x4x4xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(n, o, r, i) -> (n, o, r, i)>, affine_map<(n, o, r, i) -> (n, o, r, i)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%a : tensor<1x400x4x4xf32>) outs(%e : tensor<1x400x4x4xf32>) {
    ^bb0(%v: f32, %old: f32):
      %c4 = arith.constant 4 : index
      %end = arith.constant 1598 : index
      %zero = arith.constant 0.0 : f32
      %b = linalg.index 1 : index
      %i = linalg.index 3 : index
      %first = arith.muli %b, %c4 : index
      %place = arith.addi %first, %i : index
      %in = arith.cmpi ult, %place, %end : index
      %x1 = math.exp %v : f32
      %s = arith.select %in, %x1, %zero : f32
      linalg.yield %s : f32
    } -> tensor<1x400x4x4xf32>
    dojo.yield %r : tensor<1x400x4x4xf32>
  }
  return %y : tensor<1x400x4x4xf32>
}
