// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --d1-generate-kernels -split-input-file -verify-diagnostics -o /dev/null
// RUN: not dojo-opt %s --d1-generate-kernels='threads=3' -split-input-file 2>&1 | FileCheck %s --check-prefix=THREADS
// THREADS: error: kernels run on 1 or 2 threads, not 3

// All kernels at fault are named, not only the first.
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
func.func private @one(%in: memref<16xf64, strided<[1]>>, %out: memref<16xf64, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  // expected-error@+1 {{there is no D1 code for memref.load on ('memref<16xf64>'}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<16xf64, strided<[1]>>) outs(%out : memref<16xf64, strided<[1]>>) {
  ^bb0(%x: f64, %o: f64):
    %0 = arith.negf %x : f64
    linalg.yield %0 : f64
  }
  return
}
func.func private @two(%in: memref<16xf64, strided<[1]>>, %out: memref<16xf64, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  // expected-error@+1 {{there is no D1 code for memref.load on ('memref<16xf64>'}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<16xf64, strided<[1]>>) outs(%out : memref<16xf64, strided<[1]>>) {
  ^bb0(%x: f64, %o: f64):
    %0 = arith.negf %x : f64
    linalg.yield %0 : f64
  }
  return
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{is no kernel: it needs a body of one block}}
func.func private @k(memref<16xf32>) attributes {dojo.kernel}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 256 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
// expected-error@+1 {{has more operands than registers pass}}
func.func private @k(%a0: memref<16xf32>, %a1: memref<16xf32>, %a2: memref<16xf32>, %a3: memref<16xf32>, %a4: memref<16xf32>, %a5: memref<16xf32>, %a6: memref<16xf32>, %a7: memref<16xf32>, %a8: memref<16xf32>, %a9: memref<16xf32>, %a10: memref<16xf32>, %a11: memref<16xf32>, %a12: memref<16xf32>, %a13: memref<16xf32>, %a14: memref<16xf32>, %a15: memref<16xf32>, %a16: memref<16xf32>, %a17: memref<16xf32>, %a18: memref<16xf32>, %a19: memref<16xf32>, %a20: memref<16xf32>, %a21: memref<16xf32>, %a22: memref<16xf32>) attributes {dojo.kernel} {
  return
}
}

// -----

// expected-error@+1 {{names no machine (attribute dojo.machine); run dojo-place first}}
module {
}
