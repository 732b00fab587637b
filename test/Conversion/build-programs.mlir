// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --d1-build-programs | FileCheck %s

// Three programs at one address on all nodes: behind data (1024 bytes), tables of two layers (24
// bytes for thread 0, 4 for thread 1) and the longest list (a push, two waits and the signals of a
// barrier, the end).
// CHECK: d1.func @main.0 attributes {dojo.address = [[#%u,FIRST:]] : i64, thread = 0 : i32}
// CHECK-NEXT: d1.li 1024
// Layer 0: a prologue, no arrivals, no second thread. Each call passes the buffers in x10 and x11 and
// returns behind itself.
// CHECK: d1.label @layer0
// CHECK-NEXT: %[[P:.*]] = d1.register : !d1.x<2>
// CHECK-NEXT: d1.lw
// CHECK: d1.li 0 : () -> !d1.x<10>
// CHECK: d1.li 576 : () -> !d1.x<11>
// CHECK: d1.li {{[0-9]+}} : () -> !d1.x<1>
// CHECK: d1.jr
// CHECK-NOT: d1.waitx
// CHECK: d1.jr
// CHECK: d1.signal 2
// Layer 1: behind the barrier, waits for what is sent to it, shares the kernel with thread 1.
// CHECK: d1.label @layer1
// CHECK-NEXT: d1.wait 3, 1
// CHECK: d1.waitx 8
// CHECK: d1.signal 0
// CHECK: d1.jr
// CHECK: d1.wait 1, 1
// CHECK-NEXT: d1.label @done1
// CHECK-NEXT: d1.signal 2
// CHECK: d1.label @end0
// CHECK-NEXT: d1.halt
// CHECK: d1.func @main.1 attributes {dojo.address = {{[0-9]+}} : i64, thread = 1 : i32}
// CHECK-NEXT: d1.li 1048
// CHECK-NOT: @layer0
// CHECK: d1.label @layer1
// CHECK: d1.wait 0, 1
// CHECK: d1.signal 1
// CHECK: d1.halt
// The third thread starts its list and ends.
// CHECK: d1.func @main.2
// CHECK-NEXT: d1.list 1088
// CHECK-NEXT: d1.halt
// CHECK-NEXT: }
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}, dojo.sram = {data_end = 1024 : i64, lower_bound = 1024 : i64}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 1 : i64, address = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 1 : i64, address = 512 : i64}
dojo.barrier {after = 0 : i64}
d1.func @k.t0 attributes {thread = 0 : i32} {
  %0 = d1.register : !d1.x<1>
  d1.jr %0 : (!d1.x<1>) -> ()
}
d1.func @shared.t0 attributes {thread = 0 : i32} {
  %0 = d1.register : !d1.x<1>
  d1.jr %0 : (!d1.x<1>) -> ()
}
d1.func @shared.t1 attributes {thread = 1 : i32} {
  %0 = d1.register : !d1.x<1>
  d1.jr %0 : (!d1.x<1>) -> ()
}
d1.func @fill.t0 attributes {thread = 0 : i32} {
  %0 = d1.register : !d1.x<1>
  d1.jr %0 : (!d1.x<1>) -> ()
}
dojo.launch {layer = 0 : i64, kernel = @k, prologue = @fill, buffers = [@a, @b], offsets = array<i64: 0, 64>, accesses = array<i64>, nodes = array<i32: 0>}
dojo.launch {layer = 1 : i64, kernel = @shared, buffers = [@a, @b], offsets = array<i64: 0, 0>, accesses = array<i64>, nodes = array<i32: 0, 1>}
dojo.exchange {layer = 1 : i64, after = 0 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}
