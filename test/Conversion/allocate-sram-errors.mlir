// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-allocate-sram -split-input-file -verify-diagnostics -o /dev/null
// RUN: not dojo-opt %s --dojo-allocate-sram='code-bytes=-1' -split-input-file 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: cannot keep -1 bytes for code
// RUN: not dojo-opt %s --dojo-allocate-sram='code-bytes=1310720' -split-input-file 2>&1 | FileCheck %s --check-prefix=ALL
// ALL: error: needs {{[0-9]+}} bytes for code and tables on every node, 1310720 is all a node has
// RUN: not dojo-opt %s --dojo-allocate-sram='code-bytes=9999999' -split-input-file 2>&1 | FileCheck %s --check-prefix=MUCH
// MUCH: error: cannot keep 9999999 bytes for code

// The memory map says which buffers of which layers are alive together.
// RUN: not dojo-opt %s --dojo-allocate-sram -split-input-file 2>&1 | FileCheck %s --check-prefix=MAP
// MAP: note: SRAM of a node: 1,310,720 bytes; {{.*}} missing
// MAP: fullest epoch 0: 1,300,000 bytes in 1 layers
// MAP: X: 1,300,000 bytes (a 1,300,000)

// expected-error@+1 {{names no machine (attribute dojo.machine); run dojo-place first}}
module {
}

// -----

// expected-error@+2 {{does not fit into the SRAM of the nodes}}
// expected-note@+1 {{a}}
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 1300000 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
}

// -----

// expected-error@+1 {{has barriers: its SRAM is allocated already}}
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.barrier {after = 0 : i64}
}
