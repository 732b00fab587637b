// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --convert-kernels-to-d1 --split-input-file --verify-diagnostics

func.func @f64(%a: memref<4xf64> {dojo.address = 0 : i64}) attributes {dojo.kernel} {
  %c = arith.constant 0 : index
  // expected-error @below {{there is no D1 code for memref.load}}
  %0 = memref.load %a[%c] : memref<4xf64>
  memref.store %0, %a[%c] : memref<4xf64>
  return
}

// -----

func.func @whole_program(%a: memref<4xf32> {dojo.address = 0 : i64}) attributes {dojo.kernel} {
  %c = arith.constant 0 : index
  %0 = memref.load %a[%c] : memref<4xf32>
  // expected-error @below {{there is no D1 code for func.call on ('f32')}}
  func.call @other(%0) : (f32) -> ()
  return
}
func.func private @other(f32)

// -----

func.func @weights(%in: memref<1x2x1x8x4xbf16> {dojo.address = 0 : i64},
    %w: memref<1x1x1x2x8x4xbf16, strided<[512, 512, 512, 64, 4, 1]>> {dojo.address = 4096 : i64},
    %o: memref<1x2x1x8x4xbf16> {dojo.address = 8192 : i64}) attributes {dojo.kernel} {
  // expected-error @below {{needs the weights of a group of output channels in one piece}}
  dojo.conv ins(%in, %w : memref<1x2x1x8x4xbf16>, memref<1x1x1x2x8x4xbf16, strided<[512, 512, 512, 64, 4, 1]>>)
      outs(%o : memref<1x2x1x8x4xbf16>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    %2 = arith.truncf %acc : f32 to bf16
    dojo.yield %2 : bf16
  }
  return
}
