// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(func.func(dojo-vectorize-kernels),convert-kernels-to-d1)' \
// RUN:   --split-input-file | FileCheck %s
// RUN: dojo-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dojo-vectorize-kernels{thread=1 threads=2}),convert-kernels-to-d1{thread=1 threads=2})' \
// RUN:   | FileCheck %s --check-prefix=SECOND

// 320 elements: 5 iterations of four vectors. Two pointers move by 4 x 16 elements of 2 and 4
// bytes; conversions are part of the accesses, the constant comes from a scalar register.
// CHECK-LABEL: d1.func @elementwise
// CHECK: %[[ALL:.*]] = d1.register : !d1.m<0>
// CHECK: %[[HALF:.*]] = d1.li 1056964608
// CHECK-DAG: %[[A:.*]] = d1.li.s 4096
// CHECK-DAG: %[[O:.*]] = d1.li.s 8192
// CHECK-DAG: %[[N:.*]] = d1.li.s 5
// CHECK: d1.repeat %[[N]](%[[A]], %[[O]])
// CHECK-NEXT: ^bb0(%[[P:.*]]: !d1.x, %[[Q:.*]]: !d1.x):
// CHECK-NEXT: %[[V:.*]] = d1.vld 0(%[[P]]), bf16, %[[ALL]]
// CHECK: d1.vld 96(%[[P]]), bf16
// CHECK: %[[R:.*]] = d1.vfmul.x %[[V]], %[[HALF]]
// CHECK: d1.vst %[[R]], 0(%[[Q]]), w32, %[[ALL]]
// CHECK: %[[P1:.*]] = d1.addi %[[P]], 128
// CHECK: %[[Q1:.*]] = d1.addi %[[Q]], 256
// CHECK: d1.yield %[[P1]], %[[Q1]]
// SECOND-LABEL: d1.func @elementwise
func.func @elementwise(%a: memref<8x40xbf16> {dojo.address = 4096 : i64},
    %o: memref<8x40xf32> {dojo.address = 8192 : i64}) attributes {dojo.kernel} {
  %h = arith.constant 0.5 : f32
  linalg.generic {indexing_maps = [affine_map<(n,c) -> (n,c)>, affine_map<(n,c) -> (n,c)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<8x40xbf16>) outs(%o : memref<8x40xf32>) {
  ^bb0(%x: bf16, %y: f32):
    %0 = arith.extf %x : bf16 to f32
    %1 = arith.mulf %0, %h : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// 16 input and 32 output channels, 8 x 8 pixels: rows of one block, 4 groups of 8 channels, of
// which the second of two threads has the last 4 rows in the upper accumulators. 36 steps in
// bodies of four channel groups (the planes are 800 bytes apart); the first one starts the sums.
// SECOND-LABEL: d1.func @conv
// SECOND: d1.repeat
// SECOND: d1.vld 0({{.*}}), w32
// SECOND: d1.vld 800({{.*}}), w32
// SECOND: d1.mm.vm 4, {{.*}}+64, 1, bf16
// SECOND: d1.mm.vm 7, {{.*}}+64, 1, bf16
// SECOND: d1.mm.vm 4, {{.*}}+64, 0, bf16
// SECOND: d1.repeat
// SECOND-COUNT-16: d1.mm.vm
// SECOND: d1.yield
// SECOND: d1.drain 4, 0
// SECOND: d1.vfadd
// SECOND: d1.vfmax.x
// SECOND: d1.vst {{.*}}, bf16
// SECOND: d1.drain 7, 3
// CHECK-LABEL: d1.func @conv
func.func @conv(%in: memref<1x4x10x10x4xbf16> {dojo.address = 4096 : i64},
    %w: memref<4x3x3x4x8x4xbf16> {dojo.address = 65536 : i64},
    %b: memref<8x4xf32> {dojo.address = 32768 : i64},
    %o: memref<1x8x8x8x4xbf16> {dojo.address = 262144 : i64}) attributes {dojo.kernel} {
  %z = arith.constant 0.0 : f32
  dojo.conv ins(%in, %w : memref<1x4x10x10x4xbf16>, memref<4x3x3x4x8x4xbf16>)
      extras(%b : memref<8x4xf32>) outs(%o : memref<1x8x8x8x4xbf16>)
      strides [1, 1] dilations [1, 1] extra_maps [affine_map<(n,c,y,x,f) -> (c,f)>] {
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    %1 = arith.maximumf %0, %z : f32
    %2 = arith.truncf %1 : f32 to bf16
    dojo.yield %2 : bf16
  }
  return
}

// -----

// A loop whose length is known at run time runs if there is something to do; a search goes on while
// its condition holds. What is read at a computed place has its address computed.
// CHECK-LABEL: d1.func @control
// CHECK: %[[RUNS:.*]] = d1.slt
// CHECK: d1.if %[[RUNS]]
// CHECK: d1.sub
// CHECK: d1.repeat
// CHECK: d1.slli
// CHECK: d1.lw
// CHECK: } else {
// CHECK: d1.while
// CHECK: d1.condition
// CHECK: } do {
// CHECK: d1.yield
// CHECK: d1.sw
func.func @control(%a: memref<64xi32> {dojo.address = 0 : i64}, %o: memref<1xi32> {dojo.address = 4096 : i64}) attributes {dojo.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %two = arith.constant 2 : i32
  %n = memref.load %a[%c0] : memref<64xi32>
  %end = arith.index_cast %n : i32 to index
  %sum = scf.for %i = %c0 to %end step %c1 iter_args(%s = %zero) -> i32 {
    %v = memref.load %a[%i] : memref<64xi32>
    %t = arith.addi %s, %v : i32
    scf.yield %t : i32
  }
  %r = scf.while (%x = %sum) : (i32) -> i32 {
    %more = arith.cmpi sgt, %x, %two : i32
    scf.condition(%more) %x : i32
  } do {
  ^bb0(%x: i32):
    %h = arith.divsi %x, %two : i32
    scf.yield %h : i32
  }
  memref.store %r, %o[%c0] : memref<1xi32>
  return
}

// -----

// The bits of a bfloat16 become a float16 without a conversion on the way.
// CHECK-LABEL: d1.func @bits
// CHECK: d1.vld {{.*}}i16
// CHECK: d1.vst {{.*}}i16
func.func @bits(%a: memref<16xbf16> {dojo.address = 0 : i64}, %o: memref<16xf16> {dojo.address = 4096 : i64}) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : memref<16xbf16>) outs(%o : memref<16xf16>) {
  ^bb0(%l: bf16, %r: f16):
    %0 = arith.bitcast %l : bf16 to f16
    linalg.yield %0 : f16
  }
  return
}
