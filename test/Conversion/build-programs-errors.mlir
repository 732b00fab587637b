// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --d1-build-programs -split-input-file -verify-diagnostics -o /dev/null

// Layers of one epoch wait on semaphores of their own. 300 of them are more than a node has.
// RUN: %python -c "print('module attributes {dojo.machine = {target = \"d1\"}} {'); [print('dojo.layer_info {layer = %%d : i64, name = \"\", op = \"X\", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = \"1x1x1x1\"}' %% i) for i in range(300)]; print('}')" > %t.mlir
// RUN: not dojo-opt %t.mlir --d1-build-programs -o /dev/null 2>&1 | FileCheck %s --check-prefix=MANY
// MANY: error: needs more semaphores than the 256 a node has; allocate SRAM with more barriers

// expected-error@+1 {{names no machine (attribute dojo.machine); run dojo-place first}}
module {
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{has no address; run dojo-allocate-sram first}}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64, address = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64, address = 256 : i64}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0>}
// expected-error@+1 {{has other buffers than another launch of its layer}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@b], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 1>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64, address = 0 : i64}
// expected-error@+1 {{has a name that is kept for the main programs}}
d1.func @main.1 attributes {thread = 1 : i32} {
  %0 = d1.register : !d1.x<1>
  d1.jr %0 : (!d1.x<1>) -> ()
}
}
