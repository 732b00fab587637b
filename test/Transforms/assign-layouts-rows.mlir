// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-assign-layouts=block=4 --mlir-print-local-scope | FileCheck %s

// The largest element of each row of a product, and the rows less that: once in row-major order the
// product serves both, without masks. A single row lies in one piece as it is.

#rows = affine_map<(m, n, k) -> (m, k)>
#kernel = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// CHECK-LABEL: func @rows(
func.func @rows(%x: tensor<6x8xbf16>) -> (tensor<6xf32>) {
  // CHECK: dojo.conv {{.*}} outs(%{{.*}} : tensor<1x18x1x6x4xf32>)
  // CHECK: %[[P:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<6x72xf32>)
  // CHECK: dojo.assemble {{.*}}%[[P]] {{.*}} -> tensor<6x70xf32>
  // CHECK: %[[MOST:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<6x70xf32>) outs(%{{.*}} : tensor<6xf32>)
  // CHECK-NOT: linalg.index
  // CHECK: %[[LESS:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[MOST]] : tensor<6x70xf32>, tensor<6xf32>) outs(%{{.*}} : tensor<6x70xf32>)
  // CHECK: linalg.generic {{.*}} ins(%[[LESS]] : tensor<6x70xf32>) outs(%{{.*}} : tensor<6xf32>)
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = dojo.weight blob<"f", 0, 1120> : tensor<8x70xbf16>
  %e = tensor.empty() : tensor<6x70xf32>
  %v = tensor.empty() : tensor<6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<6x70xf32>) -> tensor<6x70xf32>
  %l = linalg.fill ins(%low : f32) outs(%v : tensor<6xf32>) -> tensor<6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%v : tensor<6xf32>) -> tensor<6xf32>
  %p = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<6x8xbf16>, tensor<8x70xbf16>) outs(%f : tensor<6x70xf32>) {
  ^bb0(%a: bf16, %k: bf16, %o: f32):
    %ae = arith.extf %a : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %ae, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x70xf32>
  %most = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<6x70xf32>) outs(%l : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<6xf32>
  %less = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %most : tensor<6x70xf32>, tensor<6xf32>) outs(%e : tensor<6x70xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<6x70xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%less : tensor<6x70xf32>) outs(%z : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<6xf32>
  return %sum : tensor<6xf32>
}

// CHECK-LABEL: func @oneRow(
func.func @oneRow(%x: tensor<1x8xbf16>) -> (tensor<1xf32>) {
  // CHECK: dojo.conv
  // CHECK-NOT: outs({{.*}}tensor<1x70xf32>
  // CHECK: return
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = dojo.weight blob<"f", 0, 1120> : tensor<8x70xbf16>
  %e = tensor.empty() : tensor<1x70xf32>
  %v = tensor.empty() : tensor<1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x70xf32>) -> tensor<1x70xf32>
  %l = linalg.fill ins(%low : f32) outs(%v : tensor<1xf32>) -> tensor<1xf32>
  %p = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x8xbf16>, tensor<8x70xbf16>) outs(%f : tensor<1x70xf32>) {
  ^bb0(%a: bf16, %k: bf16, %o: f32):
    %ae = arith.extf %a : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %ae, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x70xf32>
  %most = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<1x70xf32>) outs(%l : tensor<1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1xf32>
  return %most : tensor<1xf32>
}
