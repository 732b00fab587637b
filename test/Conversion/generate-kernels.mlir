// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --d1-generate-kernels | FileCheck %s
// RUN: dojo-opt %s --d1-generate-kernels='threads=1' | FileCheck %s --check-prefix=ONE

// Kernels end in a return to x1. Buffers come in x10 and x11.
// CHECK-NOT: func.func
// CHECK: d1.func @long.t0
// CHECK: d1.register : !d1.x<10>
// CHECK: d1.vfneg
// CHECK: %[[RET:.*]] = d1.register : !d1.x<1>
// CHECK-NEXT: d1.jr %[[RET]]
// Half of a long loop is for the second thread.
// CHECK: d1.func @long.t1 {{.*}}thread = 1
// CHECK: d1.jr
// One vector cannot be divided: nothing for the second thread.
// CHECK: d1.func @short.t0
// CHECK-NOT: d1.func @short.t1
// A kernel that differs in its name only is the same code.
// CHECK: d1.func @again.t0
// CHECK: d1.func @again.t1
// A prologue runs on one thread.
// CHECK: d1.func @fill.t0
// CHECK-NOT: d1.func
// ONE-COUNT-4: d1.func @{{.*}}.t0
// ONE-NOT: .t1
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
dojo.layer_info {layer = 0 : i64, name = "", op = "X", onnx = [], macs = 0 : i64, cycles = 1 : i64, plan = "1x1x1x1"}
dojo.buffer @a {bytes = 16384 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
dojo.buffer @b {bytes = 16384 : i64, align = 64 : i64, kind = "tensor", first = 0 : i64, last = 0 : i64}
func.func private @long(%in: memref<4096xf32, strided<[1]>>, %out: memref<4096xf32, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<4096xf32, strided<[1]>>) outs(%out : memref<4096xf32, strided<[1]>>) {
  ^bb0(%x: f32, %o: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}
func.func private @short(%in: memref<16xf32, strided<[1]>>, %out: memref<16xf32, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<16xf32, strided<[1]>>) outs(%out : memref<16xf32, strided<[1]>>) {
  ^bb0(%x: f32, %o: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}
func.func private @again(%in: memref<4096xf32, strided<[1]>>, %out: memref<4096xf32, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<4096xf32, strided<[1]>>) outs(%out : memref<4096xf32, strided<[1]>>) {
  ^bb0(%x: f32, %o: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}
func.func private @fill(%in: memref<4096xf32, strided<[1]>>, %out: memref<4096xf32, strided<[1]>>) attributes {dojo.kernel, dojo.layer = 0 : i64} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%in : memref<4096xf32, strided<[1]>>) outs(%out : memref<4096xf32, strided<[1]>>) {
  ^bb0(%x: f32, %o: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}
dojo.launch {layer = 0 : i64, kernel = @long, prologue = @fill, buffers = [@a, @b], offsets = array<i64: 0, 0>, accesses = array<i64>, nodes = array<i32: 0>}
}
