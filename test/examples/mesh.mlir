// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mesh level: buffers at one address on both nodes, what is sent between them, and the kernel
// that each runs on its own row and the other's.
//
// RUN: %python %S/Inputs/arrays.py %t
// RUN: dojo-opt %s --dojo-allocate-sram --dojo-route -o %t/allocated.mlir
// RUN: dojo-compile %t/allocated.mlir -o %t/out.d1
// RUN: dojo-run %t/out.d1 --input x=%t/x.npy --expect y=%t/y.npy

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
  dojo.buffer @x {bytes = 64 : i64, align = 64 : i64, kind = "input", first = 0 : i64, last = 0 : i64}
  dojo.buffer @other {bytes = 64 : i64, align = 64 : i64, kind = "patch", first = 0 : i64, last = 0 : i64}
  dojo.buffer @y {bytes = 64 : i64, align = 64 : i64, kind = "output", first = 0 : i64, last = 0 : i64}
  dojo.port {kind = "input", name = "x", type = tensor<2x16xf32>, logical = tensor<2x16xf32>,
             buffer = @x, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0, 1>,
             los = array<i64: 0, 0, 1, 0>, sizes = array<i64: 1, 16, 1, 16>,
             strides = array<i64: 64, 4>, first = -1 : i64, last = 0 : i64}
  // Each node sends its row to the other: source, kind, to; from buffer and byte, to buffer and byte;
  // bytes of a run, three counts, strides at the source, strides at the destination, route.
  dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@x, @other], transfers = array<i64:
      0, 0, 1, 0, 0,  0, 0,  1, 0,  64, 1, 1, 1,  0, 0, 0,  0, 0, 0,  65535,
      1, 0, 0, 0, 0,  0, 0,  1, 0,  64, 1, 1, 1,  0, 0, 0,  0, 0, 0,  65535>}
  func.func private @sum(%x: memref<16xf32, strided<[1]>>, %other: memref<16xf32, strided<[1]>>,
                         %y: memref<16xf32, strided<[1]>>) attributes {dojo.kernel} {
    linalg.add ins(%x, %other : memref<16xf32, strided<[1]>>, memref<16xf32, strided<[1]>>)
               outs(%y : memref<16xf32, strided<[1]>>)
    return
  }
  // The kernel reads 64 bytes of each operand and writes 64 of the result.
  dojo.launch {layer = 0 : i64, kernel = @sum, buffers = [@x, @other, @y],
               offsets = array<i64: 0, 0, 0>, accesses = array<i64:
      1, 0, 0,  0, 64, 1, 1, 1, 0, 0, 0,
      1, 0, 1,  0, 64, 1, 1, 1, 0, 0, 0,
      1, 1, 2,  0, 64, 1, 1, 1, 0, 0, 0>, nodes = array<i32: 0, 1>}
  dojo.layer_info {layer = 0 : i64, name = "sum", op = "Elementwise", onnx = [], macs = 0 : i64,
                   cycles = 200 : i64, plan = "1x2x1x1"}
  dojo.port {kind = "output", name = "y", type = tensor<2x16xf32>, logical = tensor<2x16xf32>,
             buffer = @y, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0, 1>,
             los = array<i64: 0, 0, 1, 0>, sizes = array<i64: 1, 16, 1, 16>,
             strides = array<i64: 64, 4>, first = 0 : i64, last = 0 : i64}
}
