// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: sed 's|INPUTS|%S/Inputs|' %s | dojo-opt --dojo-route --split-input-file --verify-diagnostics

// expected-error@+1 {{names no machine (attribute dojo.machine); run dojo-place first}}
module {
}

// -----

module attributes {dojo.machine = {target = "INPUTS/silent.json", nodes = "2x2", dead = ["1:1"]}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  // expected-error@+1 {{sends to node 21, which the machine has not}}
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a], transfers = array<i64:
    0, 0, 1, 0, 0, 0, 0, 0, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535,
    0, 0, 21, 0, 0, 0, 0, 0, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "2x2", dead = []}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  // expected-error@+1 {{sends to a run that leaves the die}}
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a], transfers = array<i64:
    0, 2, 1, 0, 99, 0, 0, 0, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

// expected-error@+3 {{the mesh falls apart: 2 of 4 nodes cannot be reached from the others (row,column: 0,2 1,2), as routers that do not forward stand between}}
// expected-note@+2 {{these routers do not forward, or lie outside of the partition: 0,1 0,3 1,1 1,3 2,2}}
// expected-note@+1 {{give the smaller part up with --dead 0,2 --dead 1,2, or take another partition with --nodes}}
module attributes {dojo.machine = {target = "INPUTS/silent.json", nodes = "2x3", dead = ["0:1", "1:1"]}} {
}

// -----

// expected-error@+1 {{cannot route its transfers: no route from (0, 1) to (2, 1): it has 4 links}}
module attributes {dojo.machine = {target = "INPUTS/short-routes.json", nodes = "3x4", dead = ["1:1"]}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a], transfers = array<i64:
    20, 0, 22, 0, 0, 0, 0, 0, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 65535>}
}

// -----

// expected-error@+1 {{has the path "EX"; a path is a letter of E, W, S or N for each link}}
"dojo.routes"() {paths = ["EX"], signals = array<i32>, channels = array<i32>} : () -> ()

// -----

// expected-error@+1 {{signal 0 takes path 1 of 1}}
"dojo.routes"() {paths = ["E"], signals = array<i32: 0, 1, 1>, channels = array<i32>} : () -> ()

// -----

// expected-error@+1 {{has 2 numbers in signals, not a multiple of 3}}
"dojo.routes"() {paths = ["E"], signals = array<i32: 0, 1>, channels = array<i32>} : () -> ()

// -----

module attributes {dojo.machine = {target = "d1", nodes = "2x2", dead = []}} {
  dojo.layer_info {layer = 0 : i64, name = "relu", op = "Relu", onnx = ["relu"], macs = 0 : i64, cycles = 0 : i64, plan = ""}
  dojo.buffer @a {bytes = 64, align = 64, kind = "tensor", first = 0, last = 0}
  // expected-error@+1 {{takes route 3, which dojo.routes does not have}}
  dojo.exchange {after = -1 : i64, layer = 0 : i64, buffers = [@a], transfers = array<i64:
    0, 0, 1, 0, 0, 0, 0, 0, 0, 64, 1, 1, 1, 0, 0, 0, 0, 0, 0, 3>}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "2x2", dead = []}} {
  // expected-error@+1 {{numbers 2 links; the die has 1440}}
  dojo.routes {paths = [], signals = array<i32>, channels = array<i32: 0, 1>}
}
