// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every pass below the mesh form checks before it works on IR that may come from a file.
// RUN: dojo-opt %s --dojo-allocate-sram -split-input-file -verify-diagnostics -o /dev/null
// RUN: dojo-opt %s --d1-generate-kernels -split-input-file -verify-diagnostics -o /dev/null
// RUN: dojo-opt %s --d1-build-programs -split-input-file -verify-diagnostics -o /dev/null

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{is out of order: layers are numbered from 0}}
dojo.layer_info {layer = 2 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
// expected-error@+1 {{has a negative count}}
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = -1 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{has 2000000 bytes; a node has 1310720}}
dojo.buffer @a {bytes = 2000000 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{lives from layer 0 to 3; there are 1 layers}}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 3 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{lives from layer -1 to 0; there are 1 layers}}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = -1 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{does not lie in the SRAM}}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64, address = 1310656 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{names @c, which is no buffer}}
dojo.place @c {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names node 2, which the machine has not}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 2>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names node -1, which the machine has not}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: -1>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{which is no tensor that memory holds}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = f32, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{which is no tensor that memory holds}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<?xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a box of another rank than the constant}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0, 0>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a box that leaves its tensor}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 1>, size = array<i64: 4>, strides = array<i64: 4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a bad stride}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: -4>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a box that leaves the buffer @a}}
dojo.place @a {blob = dense<1.0> : tensor<4xf32>, source = tensor<4xf32>, type = tensor<4xf32>, lo = array<i64: 0>, size = array<i64: 4>, strides = array<i64: 400>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{is for layer 1, which has no layer_info}}
dojo.exchange {layer = 1 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{is sent after layer 0 for layer 0}}
dojo.exchange {layer = 0 : i64, after = 0 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names @c, which is no buffer}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @c], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a transfer with a number out of range}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 1099511627776, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a transfer with a number out of range}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 70000>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{sends from node 360, which the machine has not}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 360, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{sends to node 2, which the machine has not}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 2, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{sends to a run that leaves the die}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 1, 1, 20, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{sends to a run that leaves the die}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 2, 1, 0, 18, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1-pessimistic", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{sends to a run of nodes, which the machine cannot}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 1, 1, 1, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a transfer of no bytes}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a transfer of no bytes}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 1, 0, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{reads what leaves the buffer @a}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 1, 1, 0, 64, 4, 1, 1, 64, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{writes what leaves the buffer @b}}
dojo.exchange {layer = 0 : i64, after = -1 : i64, buffers = [@a, @b], transfers = array<i64: 0, 0, 1, 0, 0, 0, 0, 1, 0, 64, 4, 1, 1, 0, 0, 0, -64, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{is for layer 7, which has no layer_info}}
dojo.launch {layer = 7 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names node 20, which the machine has not}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0, 20>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0>}
// expected-error@+1 {{starts a second kernel on node 0 in one layer}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{passes 23 buffers; registers pass 22}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a, @a], offsets = array<i64: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, accesses = array<i64>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names @c, which is no buffer}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@c], offsets = array<i64: 0>, accesses = array<i64>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{passes an offset outside of @a}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 257>, accesses = array<i64>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{declares an access that makes no sense}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64: 2, 0, 0, 0, 4, 1, 1, 1, 0, 0, 0>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{declares an access that makes no sense}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64: 1, 0, 1, 0, 4, 1, 1, 1, 0, 0, 0>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{declares an access that makes no sense}}
dojo.launch {layer = 0 : i64, kernel = @k, buffers = [@a], offsets = array<i64: 0>, accesses = array<i64: 1, 0, 0, 0, 4, 0, 1, 1, 0, 0, 0>, nodes = array<i32: 0>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{is of unknown kind 'both'}}
dojo.port {kind = "both", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names @c, which is no buffer}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @c, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{which is no tensor that memory holds}}
dojo.port {kind = "output", name = "y", type = i32, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{which is no tensor that memory holds}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xcomplex<f32>>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{names node 9, which the machine has not}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 9>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has boxes of another rank than the tensor}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0, 1>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has boxes of another rank than the tensor}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4, 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a number out of range}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1099511627776 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a box that leaves its tensor}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 5>, strides = array<i64: 4>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has a box that leaves the buffer @a}}
dojo.port {kind = "output", name = "y", type = tensor<4xf32>, logical = tensor<4xf32>, buffer = @a, blockDim = -1 : i64, block = 1 : i64, nodes = array<i32: 0>, los = array<i64: 0>, sizes = array<i64: 4>, strides = array<i64: 128>, first = 0 : i64, last = 0 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
// expected-error@+1 {{stands after layer 1, which has no layer_info}}
dojo.barrier {after = 1 : i64}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.barrier {after = 0 : i64}
// expected-error@+1 {{is the second after layer 0}}
dojo.barrier {after = 0 : i64}
}

// -----

// expected-error@+1 {{has a dojo.sram without sizes; run dojo-allocate-sram again}}
module attributes {dojo.machine = {target = "d1"}, dojo.sram = {data_end = "x"}} {
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @c {bytes = 1 : i64, align = 64 : i64, kind = "condition", first = 0 : i64, last = 1 : i64}
// expected-error@+1 {{repeats layers 0 to 1; a layer must stand before and behind them}}
dojo.repeat {first = 0 : i64, last = 1 : i64, condition = @c}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 2 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 3 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @c {bytes = 1 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 1 : i64}
// expected-error@+1 {{asks the buffer @c, which is not of kind 'condition'}}
dojo.repeat {first = 1 : i64, last = 2 : i64, condition = @c}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 2 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 3 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 4 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @c {bytes = 1 : i64, align = 64 : i64, kind = "condition", first = 0 : i64, last = 1 : i64}
// expected-error@+1 {{overlaps layers 2 to 3 of another dojo.repeat}}
dojo.repeat {first = 1 : i64, last = 2 : i64, condition = @c}
dojo.repeat {first = 2 : i64, last = 3 : i64, condition = @c}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 2 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 3 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @c {bytes = 1 : i64, align = 64 : i64, kind = "condition", first = 0 : i64, last = 1 : i64}
dojo.barrier {after = 0 : i64}
dojo.barrier {after = 1 : i64}
// expected-error@+1 {{has no barrier after layer 2}}
dojo.repeat {first = 1 : i64, last = 2 : i64, condition = @c}
}
