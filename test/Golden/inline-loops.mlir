// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-inline-loops -split-input-file -verify-diagnostics | FileCheck %s

// The loop in the body becomes one in the body; weights of bodies go to the start of @main.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[C:.*]]: tensor<i1>, %[[X:.*]]: tensor<4xf32>)
// CHECK: dojo.weight
// CHECK: %[[R:.*]]:2 = scf.while (%[[A:.*]] = %[[C]], %[[B:.*]] = %[[X]])
// CHECK:   %[[GO:.*]] = tensor.extract %[[A]][] : tensor<i1>
// CHECK:   scf.condition(%[[GO]]) %[[A]], %[[B]]
// CHECK: do {
// CHECK:   ^bb0(%{{.*}}: tensor<i1>, %[[S:.*]]: tensor<4xf32>):
// CHECK:   %[[I:.*]]:2 = scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %[[S]])
// CHECK:     scf.yield %{{.*}}, %{{.*}} : tensor<i1>, tensor<4xf32>
// CHECK:   scf.yield %{{.*}}, %[[I]]#1 : tensor<i1>, tensor<4xf32>
// CHECK: return %[[R]]#1
// CHECK-NOT: func.func
func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = dojo.loop @outer while(%c : tensor<i1>) carries(%x : tensor<4xf32>) reads(%c : tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
func.func private @outer(%x: tensor<4xf32>, %c: tensor<i1>) -> (tensor<i1>, tensor<4xf32>) {
  %no = arith.constant dense<false> : tensor<i1>
  %r = dojo.loop @inner while(%c : tensor<i1>) carries(%x : tensor<4xf32>) -> tensor<4xf32>
  return %no, %r : tensor<i1>, tensor<4xf32>
}
func.func private @inner(%x: tensor<4xf32>) -> (tensor<i1>, tensor<4xf32>) {
  %no = arith.constant dense<false> : tensor<i1>
  %w = dojo.weight inline dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> : tensor<4xf32>
  %r = arith.addf %x, %w : tensor<4xf32>
  return %no, %r : tensor<i1>, tensor<4xf32>
}

// -----

func.func @main(%c: tensor<i1>) {
  dojo.loop @body while(%c : tensor<i1>)
  return
}
func.func private @body() -> tensor<i1> {
  %c = arith.constant dense<true> : tensor<i1>
  // expected-error@+1 {{is reached from its own body @body}}
  dojo.loop @body while(%c : tensor<i1>)
  return %c : tensor<i1>
}
