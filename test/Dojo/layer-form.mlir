// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s | dojo-opt | FileCheck %s
// RUN: dojo-opt %s --mlir-print-op-generic | dojo-opt | FileCheck %s

// CHECK-LABEL: func @weights
func.func @weights() -> (tensor<64x3x7x7xf32>, tensor<8x7x7x1x8x4xbf16>, tensor<2xf32>) {
  // CHECK: dojo.weight blob<"model.onnx", 4096, 37632> : tensor<64x3x7x7xf32>
  %0 = dojo.weight blob<"model.onnx", 4096, 37632> : tensor<64x3x7x7xf32>
  // CHECK: dojo.weight blob<"model.onnx", 4096, 37632> source tensor<64x3x7x7xf32>
  // CHECK-SAME: transform <[cast = bf16, pad = [64, 4, 7, 7], reshape = [8, 8, 1, 4, 7, 7], transpose = [0, 4, 5, 2, 1, 3]]>
  %1 = dojo.weight blob<"model.onnx", 4096, 37632> source tensor<64x3x7x7xf32>
         transform <[cast = bf16, pad = [64, 4, 7, 7], reshape = [8, 8, 1, 4, 7, 7],
                     transpose = [0, 4, 5, 2, 1, 3]]> : tensor<8x7x7x1x8x4xbf16>
  // CHECK: dojo.weight inline dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
  // CHECK-SAME: source tensor<3xf32> transform <[slice = [1:2]]> : tensor<2xf32>
  %2 = dojo.weight inline dense<[1.0, 2.0, 3.0]> : tensor<3xf32> source tensor<3xf32>
         transform <[slice = [1:2]]> : tensor<2xf32>
  return %0, %1, %2 : tensor<64x3x7x7xf32>, tensor<8x7x7x1x8x4xbf16>, tensor<2xf32>
}

// CHECK-LABEL: func @conv
func.func @conv(%in: tensor<1x2x10x10x4xbf16>, %w: tensor<2x3x3x2x8x4xbf16>, %b: tensor<3x4xbf16>)
    -> tensor<1x3x4x4x4xbf16> {
  %out = tensor.empty() : tensor<1x3x4x4x4xbf16>
  // CHECK: dojo.conv ins(%{{.*}}, %{{.*}} : tensor<1x2x10x10x4xbf16>, tensor<2x3x3x2x8x4xbf16>)
  // CHECK-SAME: extras(%{{.*}} : tensor<3x4xbf16>) outs(%{{.*}} : tensor<1x3x4x4x4xbf16>)
  // CHECK-SAME: strides [2, 2] dilations [1, 1] extra_maps [#{{.*}}] {
  // CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32, %[[IN:.*]]: bf16):
  // CHECK: dojo.yield %{{.*}} : bf16
  // CHECK: } -> tensor<1x3x4x4x4xbf16>
  %r = dojo.conv ins(%in, %w : tensor<1x2x10x10x4xbf16>, tensor<2x3x3x2x8x4xbf16>)
                 extras(%b : tensor<3x4xbf16>) outs(%out : tensor<1x3x4x4x4xbf16>)
                 strides [2, 2] dilations [1, 1]
                 extra_maps [affine_map<(n, fq, y, x, f4) -> (fq, f4)>] {
  ^bb0(%acc: f32, %e: bf16):
    %0 = arith.extf %e : bf16 to f32
    %1 = arith.addf %acc, %0 : f32
    %2 = arith.truncf %1 : f32 to bf16
    dojo.yield %2 : bf16
  } -> tensor<1x3x4x4x4xbf16>
  return %r : tensor<1x3x4x4x4xbf16>
}

// CHECK-LABEL: func @conv_memref
func.func @conv_memref(%in: memref<1x2x1x8x4xbf16>, %w: memref<2x1x1x2x8x4xbf16>,
                       %out: memref<1x4x1x8x4xf32, strided<[512, 128, 128, 4, 1], offset: 64>>) {
  // CHECK: dojo.conv ins(%{{.*}}, %{{.*}} : memref<1x2x1x8x4xbf16>, memref<2x1x1x2x8x4xbf16>)
  dojo.conv ins(%in, %w : memref<1x2x1x8x4xbf16>, memref<2x1x1x2x8x4xbf16>)
            outs(%out : memref<1x4x1x8x4xf32, strided<[512, 128, 128, 4, 1], offset: 64>>)
            strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  }
  return
}

// CHECK-LABEL: func @views
func.func @views(%x: tensor<8x4xbf16>, %y: tensor<2x4xbf16>)
    -> (tensor<10x4xbf16>, tensor<4x4xbf16>, tensor<2xi1>, tensor<32xbf16>) {
  // CHECK: dojo.assemble fill(0.000000e+00 : bf16) (%{{.*}} at [0, 0], %{{.*}} at [8, 0])
  // CHECK-SAME: : (tensor<8x4xbf16>, tensor<2x4xbf16>) -> tensor<10x4xbf16>
  %0 = dojo.assemble fill(0.0 : bf16) (%x at [0, 0], %y at [8, 0])
         : (tensor<8x4xbf16>, tensor<2x4xbf16>) -> tensor<10x4xbf16>
  // CHECK: dojo.assemble fill(0xFF80 : bf16) (%{{.*}} at [-2, 0])
  %1 = dojo.assemble fill(0xFF80 : bf16) (%x at [-2, 0]) : (tensor<8x4xbf16>) -> tensor<4x4xbf16>
  // CHECK: dojo.assemble fill(true) ()
  %2 = dojo.assemble fill(true) () : () -> tensor<2xi1>
  // CHECK: dojo.reshape %{{.*}} : tensor<8x4xbf16> -> tensor<32xbf16>
  %3 = dojo.reshape %x : tensor<8x4xbf16> -> tensor<32xbf16>
  return %0, %1, %2, %3 : tensor<10x4xbf16>, tensor<4x4xbf16>, tensor<2xi1>, tensor<32xbf16>
}

// CHECK-LABEL: func @layer
func.func @layer(%x: tensor<8x4xf32>) -> tensor<8x4xbf16> {
  // CHECK: dojo.layer "sum" ins(%{{.*}} : tensor<8x4xf32>) -> tensor<8x4xbf16>
  // CHECK-SAME: attributes {onnx = ["a", "b"], op = "Add"}
  %y = dojo.layer "sum" ins(%x : tensor<8x4xf32>) -> tensor<8x4xbf16>
      attributes {op = "Add", onnx = ["a", "b"]} {
  ^bb0(%in: tensor<8x4xf32>):
    %e = tensor.empty() : tensor<8x4xbf16>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x4xf32>) outs(%e : tensor<8x4xbf16>) {
    ^bb0(%a: f32, %o: bf16):
      %0 = arith.addf %a, %a : f32
      %1 = arith.truncf %0 : f32 to bf16
      linalg.yield %1 : bf16
    } -> tensor<8x4xbf16>
    dojo.yield %r : tensor<8x4xbf16>
  }
  return %y : tensor<8x4xbf16>
}
