// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sed 's|INPUTS|%S/Inputs|' %s | dojo-opt --dojo-route --split-input-file | FileCheck %s
// RUN: sed 's|INPUTS|%S/Inputs|' %s | dojo-opt --dojo-route --dojo-route --split-input-file | FileCheck %s

// Three rows of four nodes, numbers 20 * row + column; the one in the middle of the left, (1, 1), is
// dead and its router silent.
module attributes {dojo.machine = {target = "INPUTS/silent.json", nodes = "3x4", dead = ["1:1"]}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  dojo.buffer @b {bytes = 64, align = 64, kind = "patch", first = 0, last = 0}
  // CHECK: dojo.exchange
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a, @b], transfers = array<i64:
    // (1, 0) to (1, 2) cannot go along the row; over row 0, which costs two links more.
    // CHECK-SAME: array<i64: 20, 0, 22, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, [[TO12:[0-9]+]],
    20, 0, 22, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    // (1, 0) to the run of its row from column 2 to 3: two copies.
    // CHECK-SAME: 20, 0, 22, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, [[TO12]],
    // CHECK-SAME: 20, 0, 23, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, [[TO13:[0-9]+]],
    20, 1, 2, 3, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    // A run of column 2 is free, turn and all, and so is the way from (0, 0) to (1, 3).
    // CHECK-SAME: 0, 2, 2, 0, 2, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    0, 2, 2, 0, 2, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    // CHECK-SAME: 0, 0, 23, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    0, 0, 23, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    // (0, 1) to (2, 1): past the silent router on its left.
    // CHECK-SAME: 1, 0, 41, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, [[DOWN:[0-9]+]],
    1, 0, 41, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    // What stays on its node goes nowhere.
    // CHECK-SAME: 22, 3, 0, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>
    22, 3, 0, 0, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
  // Numbers for links in use, -1 for the others; a signal of the barrier tree has a path as well.
  // CHECK: dojo.routes
  // CHECK-SAME: channels = array<i32: {{[0-9]+}}, -1,
  // CHECK-SAME: paths = [
  // CHECK-SAME: "NEES"
  // CHECK-SAME: signals = array<i32: {{[0-9]+}}, {{[0-9]+}}, {{[0-9]+}}
}

// -----

// Where all routers forward there are no explicit routes, but the proof.
// CHECK: dojo.exchange
// CHECK-SAME: 20, 1, 2, 3, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>
// CHECK: dojo.routes {channels = array<i32: -1, -1, {{[0-9]+}}, {{.*}}>, paths = [], signals = array<i32>}
module attributes {dojo.machine = {target = "d1", nodes = "3x4", dead = ["1:1"]}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  dojo.buffer @b {bytes = 64, align = 64, kind = "patch", first = 0, last = 0}
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a, @b], transfers = array<i64:
    20, 1, 2, 3, 0, 0, 0, 1, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}
