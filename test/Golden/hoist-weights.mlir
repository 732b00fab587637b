// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-hoist-weights | FileCheck %s

// CHECK: func.func @main(%{{.*}}: tensor<4xf32> {bufferization.writable = false},
// CHECK-SAME: %[[W:.*]]: tensor<4xf32> {bufferization.writable = false, dojo.data = #dojo.blob<"m.onnx", 64, 16>},
// CHECK-SAME: %[[V:.*]]: tensor<2x2xbf16> {bufferization.writable = false, dojo.data = dense<1.000000e+00> : tensor<4xf32>, dojo.source = tensor<4xf32>, dojo.transform = #dojo.transform<[cast = bf16, reshape = [2, 2]]>})
// CHECK-NOT: dojo.weight
// CHECK: return %[[W]], %[[V]]
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x2xbf16>) {
  %w = dojo.weight blob<"m.onnx", 64, 16> : tensor<4xf32>
  %v = dojo.weight inline dense<1.0> : tensor<4xf32> source tensor<4xf32> transform <[cast = bf16, reshape = [2, 2]]> : tensor<2x2xbf16>
  return %w, %v : tensor<4xf32>, tensor<2x2xbf16>
}
