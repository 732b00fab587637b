// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-vectorize-kernels --split-input-file --verify-diagnostics

func.func @dynamic(%a: memref<?xf32>, %o: memref<?xf32>) attributes {dojo.kernel} {
  // expected-error @below {{loop extents of a kernel must be static}}
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>],
      iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%o : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

func.func @allocated(%o: memref<4xf32>) attributes {dojo.kernel} {
  %a = memref.alloc() : memref<4xf32>
  // expected-error @below {{operand 0 does not lead to an argument of the kernel}}
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>],
      iterator_types = ["parallel"]} ins(%a : memref<4xf32>) outs(%o : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

func.func @tensors(%a: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {dojo.kernel} {
  // expected-error @below {{kernels work on memrefs, not on tensors}}
  %0 = linalg.matmul ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

func.func @strides(%a: memref<4xf32, strided<[?]>>, %o: memref<4xf32>) attributes {dojo.kernel} {
  // expected-error @below {{has no static shape, strides and offset}}
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>],
      iterator_types = ["parallel"]} ins(%a : memref<4xf32, strided<[?]>>) outs(%o : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}
