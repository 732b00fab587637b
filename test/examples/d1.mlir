// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The d1 level: instructions. The kernel finds its buffers in x10 to x12 and returns to x1. The main
// programs are the same on all nodes; thread 0 reads from its table at 192 how many arrivals to wait
// for and where the kernel is.
//
// RUN: %python %S/Inputs/arrays.py %t
// RUN: dojo-opt %s --dojo-route -o %t/routed.mlir
// RUN: dojo-compile %t/routed.mlir -o %t/out.d1
// RUN: dojo-run %t/out.d1 --input x=%t/x.npy --expect y=%t/y.npy

module attributes {dojo.machine = {target = "d1", nodes = "1x2"},
                   dojo.sram = {data_end = 192 : i64, lower_bound = 192 : i64}} {
  dojo.buffer @x {bytes = 64 : i64, align = 64 : i64, kind = "input", first = 0 : i64, last = 0 : i64, address = 0 : i64}
  dojo.buffer @other {bytes = 64 : i64, align = 64 : i64, kind = "patch", first = 0 : i64, last = 0 : i64, address = 64 : i64}
  dojo.buffer @y {bytes = 64 : i64, align = 64 : i64, kind = "output", first = 0 : i64, last = 0 : i64, address = 128 : i64}
  dojo.port {kind = "input", name = "x", type = tensor<2x16xf32>, logical = tensor<2x16xf32>,
             buffer = @x, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0, 1>,
             los = array<i64: 0, 0, 1, 0>, sizes = array<i64: 1, 16, 1, 16>,
             strides = array<i64: 64, 4>, first = -1 : i64, last = 0 : i64}
  // Each node sends its row to the other: source, kind, to; from buffer and byte, to buffer and byte;
  // bytes of a run, three counts, strides at the source, strides at the destination, route.
  dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@x, @other], transfers = array<i64:
      0, 0, 1, 0, 0,  0, 0,  1, 0,  64, 1, 1, 1,  0, 0, 0,  0, 0, 0,  65535,
      1, 0, 0, 0, 0,  0, 0,  1, 0,  64, 1, 1, 1,  0, 0, 0,  0, 0, 0,  65535>}
  d1.func @sum.t0 attributes {thread = 0 : i32} {
    %x = d1.register : !d1.x<10>
    %other = d1.register : !d1.x<11>
    %y = d1.register : !d1.x<12>
    %back = d1.register : !d1.x<1>
    %all = d1.register : !d1.m<0>
    %a = d1.vld 0(%x), w32, %all : (!d1.x<10>, !d1.m<0>) -> !d1.v<0>
    %b = d1.vld 0(%other), w32, %all : (!d1.x<11>, !d1.m<0>) -> !d1.v<1>
    %s = d1.vfadd %a, %b : (!d1.v<0>, !d1.v<1>) -> !d1.v<2>
    d1.vst %s, 0(%y), w32, %all : (!d1.v<2>, !d1.x<12>, !d1.m<0>) -> ()
    d1.jr %back : (!d1.x<1>) -> ()
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
  d1.func @main.0 attributes {dojo.address = 448 : i64, thread = 0 : i32} {
    %table = d1.li 192 : () -> !d1.x<2>
    d1.label @layer0
    %prologue, %t1 = d1.lw (%table)+4 : (!d1.x<2>) -> (!d1.x<6>, !d1.x<2>)
    %arrivals, %t2 = d1.lw (%t1)+4 : (!d1.x<2>) -> (!d1.x<5>, !d1.x<2>)
    d1.waitx 8, %arrivals : (!d1.x<5>) -> ()
    %kernel, %t3 = d1.lw (%t2)+4 : (!d1.x<2>) -> (!d1.x<6>, !d1.x<2>)
    %x = d1.li 0 : () -> !d1.x<10>
    %other = d1.li 64 : () -> !d1.x<11>
    %y = d1.li 128 : () -> !d1.x<12>
    %back = d1.li 520 : () -> !d1.x<1>
    d1.jr %kernel : (!d1.x<6>) -> ()
    d1.label @done0
    d1.signal 2
    d1.label @end0
    d1.halt
  }
  d1.func @main.1 attributes {dojo.address = 576 : i64, thread = 1 : i32} {
    d1.label @end1
    d1.halt
  }
  d1.func @main.2 attributes {dojo.address = 640 : i64, thread = 2 : i32} {
    d1.list 256
    d1.halt
  }
}
