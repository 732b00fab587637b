// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-form-layers | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (j, k)>
#c = affine_map<(i, j, k) -> (i, j)>

// CHECK-LABEL: func @product(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>)
func.func @product(%x: tensor<4x8xf32>) -> tensor<4x6xf32> {
  // CHECK: %[[W:.*]] = dojo.weight
  // CHECK: %[[L:.*]] = dojo.layer "fc" ins(%[[X]], %[[W]] : tensor<4x8xf32>, tensor<6x8xf32>) -> tensor<4x6xf32>
  // CHECK-SAME: attributes {macs = 192 : i64, onnx = ["fc", "bias"], op = "MatMul"} {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<6x8xf32>):
  // CHECK: %[[F:.*]] = linalg.fill
  // CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[B]] : {{.*}}) outs(%[[F]] : tensor<4x6xf32>) {
  // CHECK: dojo.yield %[[R]] : tensor<4x6xf32>
  // CHECK: return %[[L]]
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 192> : tensor<6x8xf32>
  %e = tensor.empty() : tensor<4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<6x8xf32>) outs(%f : tensor<4x6xf32>)
      attrs = {dojo.op = "matmul", dojo.macs = 192 : i64} {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x6xf32> loc(fused["fc", "bias"])
  return %y : tensor<4x6xf32>
}

// Constants from outside move into the body, names stay unique, a returned view is copied.
// CHECK-LABEL: func @names(
func.func @names(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<32xf32>) {
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: %[[Y:.*]] = dojo.layer "scale" ins(%{{.*}} : tensor<4x8xf32>)
  // CHECK-SAME: op = "Elementwise"
  // CHECK: linalg.generic
  // CHECK: %[[TWO:.*]] = arith.constant 2.0
  // CHECK: arith.mulf %{{.*}}, %[[TWO]]
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.mulf %l, %two : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32> loc("scale")
  // CHECK: %[[Z:.*]] = dojo.layer "scale.2" ins(%[[Y]] : tensor<4x8xf32>)
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.mulf %l, %two : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32> loc("scale")
  // CHECK: %[[V:.*]] = dojo.reshape %[[Y]]
  // CHECK: %[[C:.*]] = dojo.layer "flat" ins(%[[V]] : tensor<32xf32>)
  // CHECK-SAME: op = "Copy"
  // CHECK: return %[[Z]], %[[C]]
  %v = dojo.reshape %y : tensor<4x8xf32> -> tensor<32xf32> loc("flat")
  return %z, %v : tensor<4x8xf32>, tensor<32xf32>
}

// An argument that is returned is copied too.
// CHECK-LABEL: func @argument(
func.func @argument(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[C:.*]] = dojo.layer
  // CHECK: return %[[C]]
  return %x : tensor<4xf32>
}

// A constant that is only a part of a view is copied; what has no elements is no layer.
// CHECK-LABEL: @weights_and_empty
// CHECK: %[[W:.*]] = dojo.weight
// CHECK: %[[COPY:.*]] = dojo.layer "{{.*}}" ins(%[[W]]
// CHECK: %[[A:.*]] = dojo.assemble fill({{.*}}) (%[[COPY]] at [0], %arg0 at [2])
// CHECK: %[[E:.*]] = dojo.assemble fill({{.*}}) ()
// CHECK: %[[Y:.*]] = dojo.layer "{{.*}}" ins(%[[A]]
// CHECK: return %[[Y]], %[[E]]
func.func @weights_and_empty(%x: tensor<3xf32>) -> (tensor<5xf32>, tensor<0xf32>) {
  %w = dojo.weight inline dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %a = dojo.assemble fill(0.0 : f32) (%w at [0], %x at [2]) : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  %e = dojo.assemble fill(0.0 : f32) () : () -> tensor<0xf32>
  return %a, %e : tensor<5xf32>, tensor<0xf32>
}
