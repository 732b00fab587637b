// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-outline-kernels | FileCheck %s

// Equal ops share a function; one without elements stays.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>, %[[C:.*]]: memref<8xf32>, %[[NONE:.*]]: memref<0xf32>)
// CHECK: call @kernel_0(%[[A]], %[[B]])
// CHECK-NEXT: call @kernel_0(%[[B]], %[[A]])
// CHECK-NEXT: call @kernel_1(%[[C]])
// CHECK-NEXT: linalg.fill {{.*}} outs(%[[NONE]] : memref<0xf32>)
// CHECK: func.func private @kernel_0(%[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4xf32>)
// CHECK: arith.constant 1.000000e+00
// CHECK: linalg.generic {{.*}} ins(%[[X]] : memref<4xf32>) outs(%[[Y]] : memref<4xf32>)
// CHECK: func.func private @kernel_1(%[[Z:.*]]: memref<8xf32>)
// CHECK: linalg.fill {{.*}} outs(%[[Z]] : memref<8xf32>)
// CHECK-NOT: @kernel_2
#id = affine_map<(i) -> (i)>
func.func @main(%a: memref<4xf32>, %b: memref<4xf32>, %c: memref<8xf32>, %none: memref<0xf32>) {
  %one = arith.constant 1.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %one : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%b : memref<4xf32>) outs(%a : memref<4xf32>) attrs = {dojo.value = "again"} {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %one : f32
    linalg.yield %s : f32
  }
  linalg.fill ins(%one : f32) outs(%c : memref<8xf32>)
  linalg.fill ins(%one : f32) outs(%none : memref<0xf32>)
  return
}
