// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-fuse-elementwise --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#col = affine_map<(i, j) -> (j)>
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (j, k)>
#c = affine_map<(i, j, k) -> (i, j)>

// A chain becomes one op with both names.
// CHECK-LABEL: func @chain(
func.func @chain(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: linalg.generic
  // CHECK: math.exp
  // CHECK-NEXT: math.tanh
  // CHECK-NOT: linalg.generic
  // CHECK: } -> tensor<4x8xf32> loc(fused["first", "second"])
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32> loc("first")
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.tanh %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32> loc("second")
  return %z : tensor<4x8xf32>
}

// The rounding between the two goes, that of the model stays.
// CHECK-LABEL: func @roundings(
func.func @roundings(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %h = tensor.empty() : tensor<4x8xbf16>
  // CHECK: math.exp
  // CHECK-NEXT: %[[R:.*]] = arith.truncf %{{.*}} : f32 to bf16
  // CHECK-NEXT: arith.extf %[[R]] : bf16 to f32
  // CHECK-NEXT: math.absf
  // CHECK-NEXT: math.tanh
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%h : tensor<4x8xbf16>) {
  ^bb0(%l: f32, %o: bf16):
    %0 = math.exp %l : f32
    %1 = arith.truncf %0 : f32 to bf16
    %2 = arith.extf %1 : bf16 to f32
    %3 = math.absf %2 : f32
    %4 = arith.truncf %3 fastmath<contract> : f32 to bf16
    linalg.yield %4 : bf16
  } -> tensor<4x8xbf16>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<4x8xbf16>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: bf16, %o: f32):
    %0 = arith.extf %l fastmath<contract> : bf16 to f32
    %1 = math.tanh %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}

// exp of a row would be computed once per column, of x twice: both stay.
// CHECK-LABEL: func @not_twice(
func.func @not_twice(%x: tensor<4x8xf32>, %r: tensor<4xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  // CHECK-COUNT-4: linalg.generic
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%r : tensor<4xf32>) outs(%e1 : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %z = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %s : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %n: f32, %o: f32):
    %0 = arith.mulf %l, %n : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.tanh %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %z, %t : tensor<4x8xf32>, tensor<4x8xf32>
}

// Each element of the square is read once by the sum.
// CHECK-LABEL: func @into_reduction(
func.func @into_reduction(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK-NOT: linalg.generic
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.mulf %l, %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e1 : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.addf %o, %l : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// Never into the operand of a product.
// CHECK-LABEL: func @not_into_product(
func.func @not_into_product(%x: tensor<4x8xf32>, %w: tensor<6x8xf32>) -> tensor<4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %ey = tensor.empty() : tensor<4x6xf32>
  // CHECK: math.exp
  // CHECK: linalg.generic {{.*}}"reduction"
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = math.exp %l : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<4x6xf32>) -> tensor<4x6xf32>
  %p = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%y, %w : tensor<4x8xf32>, tensor<6x8xf32>) outs(%f : tensor<4x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32>
  return %p : tensor<4x6xf32>
}

// Two products meet: the bias of the second joins the sum, the first keeps its own and is an operand.
// CHECK-LABEL: func @two_products(
func.func @two_products(%x: tensor<4x8xbf16>, %b: tensor<6xf32>) -> tensor<4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 96> : tensor<6x8xbf16>
  %ey = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<4x6xf32>) -> tensor<4x6xf32>
  // CHECK: %[[P1:.*]] = linalg.generic {{.*}}"reduction"
  // CHECK: %[[B1:.*]] = linalg.generic {{.*}} ins(%[[P1]], %{{.*}} : tensor<4x6xf32>, tensor<6xf32>)
  // CHECK: %[[P2:.*]] = linalg.generic {{.*}}"reduction"
  // CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x6xf32>, tensor<4x6xf32>, tensor<6xf32>)
  // CHECK: } -> tensor<4x6xf32> loc(fused["bias2", "add"])
  %p1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xbf16>, tensor<6x8xbf16>) outs(%f : tensor<4x6xf32>) {
  ^bb0(%l: bf16, %r: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %re = arith.extf %r : bf16 to f32
    %0 = arith.mulf %le, %re : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32> loc("product1")
  %b1 = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p1, %b : tensor<4x6xf32>, tensor<6xf32>) outs(%ey : tensor<4x6xf32>) {
  ^bb0(%l: f32, %n: f32, %o: f32):
    %0 = arith.addf %l, %n : f32
    linalg.yield %0 : f32
  } -> tensor<4x6xf32> loc("bias1")
  %p2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xbf16>, tensor<6x8xbf16>) outs(%f : tensor<4x6xf32>) {
  ^bb0(%l: bf16, %r: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %re = arith.extf %r : bf16 to f32
    %0 = arith.mulf %le, %re : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32> loc("product2")
  %b2 = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p2, %b : tensor<4x6xf32>, tensor<6xf32>) outs(%ey : tensor<4x6xf32>) {
  ^bb0(%l: f32, %n: f32, %o: f32):
    %0 = arith.addf %l, %n : f32
    linalg.yield %0 : f32
  } -> tensor<4x6xf32> loc("bias2")
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b1, %b2 : tensor<4x6xf32>, tensor<4x6xf32>) outs(%ey : tensor<4x6xf32>) {
  ^bb0(%l: f32, %n: f32, %o: f32):
    %0 = arith.addf %l, %n : f32
    linalg.yield %0 : f32
  } -> tensor<4x6xf32> loc("add")
  return %y : tensor<4x6xf32>
}
