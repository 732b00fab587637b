// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place | FileCheck %s

// Sums along rows are cut row by row, and their parts too, though a part of eight blocks of four is
// less than vectors along it pay for.
// CHECK: dojo.layer "rows.part"
// CHECK-SAME: dojo.fine
// CHECK-SAME: splits = [40, 1, 1, 8]
// CHECK: dojo.layer "rows"
// CHECK-SAME: splits = [40]
func.func @main(%x: tensor<64x200x4xbf16>) -> tensor<200xf32> {
  %y = dojo.layer "rows" ins(%x : tensor<64x200x4xbf16>) -> tensor<200xf32> attributes {op = "Reduce", onnx = ["rows"], macs = 0 : i64} {
  ^bb0(%a: tensor<64x200x4xbf16>):
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<200xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<200xf32>) -> tensor<200xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(r, b, c) -> (b, r, c)>, affine_map<(r, b, c) -> (r)>], iterator_types = ["parallel", "reduction", "reduction"]}
        ins(%a : tensor<64x200x4xbf16>) outs(%f : tensor<200xf32>) {
    ^bb0(%v: bf16, %s: f32):
      %w = arith.extf %v : bf16 to f32
      %t = arith.addf %s, %w : f32
      linalg.yield %t : f32
    } -> tensor<200xf32>
    dojo.yield %r : tensor<200xf32>
  }
  return %y : tensor<200xf32>
}
