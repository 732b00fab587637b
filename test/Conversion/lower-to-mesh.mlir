// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=2x2' --dojo-lower-to-mesh --dojo-allocate-sram | FileCheck %s

// Four nodes, two rows of the result each. A patch has 4 rows of 10 pixels of 8 bytes (320 bytes,
// and 256 behind them); the result two planes of 2 x 8 pixels, rounded up to 24 with room for the
// rest of a block (384 bytes, and 256).
// CHECK: dojo.buffer @in.x {{.*}}bytes = 384 : i64{{.*}}kind = "input"
// CHECK: dojo.buffer @conv {{.*}}bytes = 640 : i64{{.*}}kind = "tensor"
// CHECK: dojo.buffer @conv.patch0 {{.*}}bytes = 576 : i64{{.*}}kind = "patch"
// CHECK: dojo.buffer @conv.const1 {{.*}}bytes = 576 : i64{{.*}}kind = "weight"
// CHECK: dojo.exchange {after = -1 : i64, buffers = [@in.x, @conv.patch0], layer = 0 : i64
// One kernel for all; the prologues differ in the sides that are padding.
// CHECK: func.func private @conv.kernel0(
// CHECK: func.func private @conv.fill0(
// CHECK: func.func private @conv.fill1(
// CHECK: func.func private @conv.fill2(
// CHECK: dojo.launch {{.*}}kernel = @conv.kernel0{{.*}}nodes = array<i32: 0>{{.*}}prologue = @conv.fill0
// CHECK: dojo.launch {{.*}}kernel = @conv.kernel0{{.*}}nodes = array<i32: 1, 20>{{.*}}prologue = @conv.fill1
// CHECK: dojo.launch {{.*}}kernel = @conv.kernel0{{.*}}nodes = array<i32: 21>{{.*}}prologue = @conv.fill2
// CHECK: dojo.layer_info {{.*}}macs = 18432 : i64

func.func @main(%x: tensor<1x1x8x8x4xbf16> {dojo.name = "x"}) -> (tensor<1x2x8x8x4xbf16> {dojo.name = "y"}) {
  %w = dojo.weight blob<"w.bin", 0, 576> : tensor<1x3x3x1x8x4xbf16>
  %b = dojo.weight inline dense<1.0> : tensor<2x4xf32> : tensor<2x4xf32>
  %p = dojo.assemble fill(0.0 : bf16) (%x at [0, 0, 1, 1, 0]) : (tensor<1x1x8x8x4xbf16>) -> tensor<1x1x10x10x4xbf16>
  %y = dojo.layer "conv" ins(%p, %w, %b : tensor<1x1x10x10x4xbf16>, tensor<1x3x3x1x8x4xbf16>, tensor<2x4xf32>) -> tensor<1x2x8x8x4xbf16> attributes {op = "Conv", onnx = ["conv"], macs = 18432 : i64} {
  ^bb0(%in: tensor<1x1x10x10x4xbf16>, %wt: tensor<1x3x3x1x8x4xbf16>, %bias: tensor<2x4xf32>):
    %e = tensor.empty() : tensor<1x2x8x8x4xbf16>
    %r = dojo.conv ins(%in, %wt : tensor<1x1x10x10x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
         extras(%bias : tensor<2x4xf32>) outs(%e : tensor<1x2x8x8x4xbf16>) strides [1, 1] dilations [1, 1]
         extra_maps [affine_map<(n, fq, y, x, f4) -> (fq, f4)>] {
    ^bb0(%acc: f32, %bb: f32):
      %0 = arith.addf %acc, %bb : f32
      %1 = arith.truncf %0 : f32 to bf16
      dojo.yield %1 : bf16
    } -> tensor<1x2x8x8x4xbf16>
    dojo.yield %r : tensor<1x2x8x8x4xbf16>
  }
  return %y : tensor<1x2x8x8x4xbf16>
}
