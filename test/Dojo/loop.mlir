// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s | dojo-opt | FileCheck %s
// RUN: dojo-opt %s --symbol-dce --cse --canonicalize | FileCheck %s --check-prefix=DEAD

// CHECK: dojo.loop @step while(%{{.*}} : tensor<i1>) carries(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<i64>)
// CHECK-SAME: reads(%{{.*}} : tensor<8xf32>) -> tensor<4xf32>, tensor<i64>
// CHECK: dojo.loop @wait while(%{{.*}} : tensor<i1>)
// A loop has no effect but its results.
// DEAD: dojo.loop @step
// DEAD-NOT: dojo.loop @wait
func.func @main(%c: tensor<i1>, %x: tensor<4xf32>, %i: tensor<i64>, %w: tensor<8xf32>) -> tensor<4xf32> {
  %r:2 = dojo.loop @step while(%c : tensor<i1>) carries(%x, %i : tensor<4xf32>, tensor<i64>) reads(%w : tensor<8xf32>) -> tensor<4xf32>, tensor<i64>
  dojo.loop @wait while(%c : tensor<i1>)
  return %r#0 : tensor<4xf32>
}
func.func private @step(%x: tensor<4xf32>, %i: tensor<i64>, %w: tensor<8xf32>) -> (tensor<i1>, tensor<4xf32>, tensor<i64>) {
  %c = arith.constant dense<false> : tensor<i1>
  return %c, %x, %i : tensor<i1>, tensor<4xf32>, tensor<i64>
}
func.func private @wait() -> tensor<i1> {
  %c = arith.constant dense<false> : tensor<i1>
  return %c : tensor<i1>
}
