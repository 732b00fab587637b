// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-set-precision | FileCheck %s
// RUN: dojo-opt %s --dojo-set-precision=store=fp32 | FileCheck %s --check-prefix=WIDE
// RUN: dojo-opt %s --dojo-set-precision=precision=fp32 | FileCheck %s --check-prefix=FP32

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (j, k)>
#c = affine_map<(i, j, k) -> (i, j)>

// FP32-NOT: bf16

// Operands rounded, sums in fp32, the result rounded by an op of its own, which fusion removes.
// CHECK-LABEL: func @product(
// WIDE-LABEL: func @product(
func.func @product(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  // CHECK: %[[X:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x8xf32>) outs(%{{.*}} : tensor<4x8xbf16>)
  // CHECK: arith.truncf %{{.*}} fastmath<contract> : f32 to bf16
  // CHECK: %[[W:.*]] = dojo.weight blob<"f", 0, 192> source tensor<6x8xf32> transform <[cast = bf16]>
  // CHECK: %[[P:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[W]] : tensor<4x8xbf16>, tensor<6x8xbf16>) outs(%{{.*}} : tensor<4x6xf32>)
  // CHECK-SAME: dojo.fp32 = "the next layer rounds these sums"
  // CHECK: arith.addf {{.*}} : f32
  // CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<4x6xf32>) outs(%{{.*}} : tensor<4x6xbf16>)
  // CHECK: linalg.generic {{.*}} ins(%[[R]] : tensor<4x6xbf16>) outs(%{{.*}} : tensor<4x6xf32>)
  // CHECK-SAME: dojo.fp32 = "graph outputs keep the type of the model"
  // WIDE: %[[P:.*]] = linalg.generic {{.*}} : tensor<4x8xbf16>, tensor<6x8xbf16>) outs(%{{.*}} : tensor<4x6xf32>)
  // WIDE: linalg.generic {{.*}} ins(%[[P]] : tensor<4x6xf32>) outs(%{{.*}} : tensor<4x6xf32>)
  %w = dojo.weight blob<"f", 0, 192> : tensor<6x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %p = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<6x8xf32>) outs(%f : tensor<4x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// Stored in bf16, computed in fp32; the last result is the function's and keeps its type.
// CHECK-LABEL: func @elementwise(
// WIDE-LABEL: func @elementwise(
// WIDE-NOT: bf16
// WIDE: return
func.func @elementwise(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x8xf32>) outs(%{{.*}} : tensor<4x8xbf16>)
  // CHECK: math.exp %{{.*}} : f32
  // CHECK-NEXT: arith.truncf %{{.*}} fastmath<contract> : f32 to bf16
  // CHECK: linalg.generic {{.*}} ins(%[[Y]] : tensor<4x8xbf16>) outs(%{{.*}} : tensor<4x8xf32>)
  // CHECK: arith.extf %{{.*}} fastmath<contract> : bf16 to f32
  // CHECK-NEXT: math.tanh %{{.*}} : f32
  // CHECK-NEXT: linalg.yield %{{.*}} : f32
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.tanh %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}

// A maximum of bf16 is exact in bf16; a sum stays in fp32 for the elementwise op that reads it.
// CHECK-LABEL: func @reductions(
func.func @reductions(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  // CHECK: %[[LEAST:.*]] = arith.constant 0xFF80 : bf16
  // CHECK: linalg.fill ins(%[[LEAST]] : bf16)
  // CHECK: ^bb0(%[[IN:.*]]: bf16, %[[OUT:.*]]: bf16):
  // CHECK-NEXT: arith.maximumf %[[OUT]], %[[IN]] : bf16
  %f = linalg.fill ins(%least : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.maximumf %o, %l : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4xf32>)
  // CHECK-SAME: dojo.fp32 = "only elementwise ops read these sums
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[SUM]] : tensor<4x8xbf16>, tensor<4xbf16>, tensor<4xf32>)
  %g = linalg.fill ins(%zero : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<4x8xf32>) outs(%g : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.addf %o, %l : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %z = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %m, %s : tensor<4x8xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %n: f32, %q: f32, %o: f32):
    %0 = arith.subf %l, %n : f32
    %1 = arith.divf %0, %q : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}

// The input is rounded before it is padded, and views follow what they show.
// CHECK-LABEL: func @views(
func.func @views(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<24xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  // CHECK: %[[X:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<4x6xf32>) outs(%{{.*}} : tensor<4x6xbf16>)
  // CHECK: %[[P:.*]] = dojo.assemble fill(0.000000e+00 : bf16) (%[[X]] at [0, 1]) : (tensor<4x6xbf16>) -> tensor<4x8xbf16>
  // CHECK: linalg.generic {{.*}} ins(%[[P]], %{{.*}} : tensor<4x8xbf16>, tensor<6x8xbf16>)
  // CHECK: dojo.reshape %arg0 : tensor<4x6xf32> -> tensor<24xf32>
  %w = dojo.weight blob<"f", 0, 192> : tensor<6x8xf32>
  %p = dojo.assemble fill(0.0 : f32) (%x at [0, 1]) : (tensor<4x6xf32>) -> tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %w : tensor<4x8xf32>, tensor<6x8xf32>) outs(%f : tensor<4x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32>
  %v = dojo.reshape %x : tensor<4x6xf32> -> tensor<24xf32>
  return %y, %v : tensor<4x6xf32>, tensor<24xf32>
}
