// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-allocate-sram -split-input-file | FileCheck %s
// RUN: dojo-opt %s --dojo-allocate-sram='barrier-per-layer=true' -split-input-file | FileCheck %s --check-prefix=EACH

// Small buffers lie side by side; no bytes are used twice, and there is no barrier.
// CHECK-LABEL: module attributes {dojo.machine = {{.*}}, dojo.sram = {data_end = 768 : i64, lower_bound = 768 : i64}}
// CHECK-DAG: dojo.buffer @{{.}} {address = 0 : i64
// CHECK-DAG: dojo.buffer @{{.}} {address = 256 : i64
// CHECK-DAG: dojo.buffer @{{.}} {address = 512 : i64
// CHECK-NOT: dojo.barrier
// With a barrier behind each layer but the last, @a and @c can share.
// EACH-LABEL: module attributes {dojo.machine = {{.*}}, dojo.sram = {data_end = 512 : i64, lower_bound = 512 : i64}}
// EACH-DAG: dojo.buffer @a {address = [[SHARED:[0-9]+]] : i64
// EACH-DAG: dojo.buffer @c {address = [[SHARED]] : i64
// EACH: dojo.barrier {after = 0 : i64}
// EACH-NEXT: dojo.barrier {after = 1 : i64}
// EACH-NEXT: }
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 2 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 2 : i64}
dojo.buffer @c {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 2 : i64, last = 2 : i64}
}

// -----

// Too much to be alive at once: one barrier, where it helps.
// CHECK-LABEL: module
// CHECK-DAG: dojo.buffer @weight {address = [[W:[0-9]+]] : i64{{.*}}kind = "weight"
// CHECK-DAG: dojo.buffer @a {address = [[SHARED:[0-9]+]] : i64
// CHECK-DAG: dojo.buffer @b {address = [[SHARED]] : i64
// CHECK: dojo.barrier {after = 0 : i64}
// CHECK-NOT: dojo.barrier
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.layer_info {layer = 1 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @weight {bytes = 500000 : i64, align = 64 : i64, kind = "weight", first = 0 : i64, last = 1 : i64}
dojo.buffer @a {bytes = 700032 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 700032 : i64, align = 64 : i64, kind = "tensor", first = 1 : i64, last = 1 : i64}
}
