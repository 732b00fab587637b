// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(d1.func(d1-schedule))' --split-input-file | FileCheck %s

// The loads go first, the longer chain before the shorter; stores to other bytes of the same buffer
// and of another one may pass loads, a store to bytes that were loaded may not.
// CHECK-LABEL: d1.func @chains
// CHECK: d1.vld 0(
// CHECK-NEXT: d1.vld 64(
// CHECK-COUNT-3: d1.vfadd
// CHECK: d1.vst {{.*}} 64(
// CHECK: d1.vst {{.*}} 0(
d1.func @chains attributes {thread = 0 : i32} {
  %all = d1.register : !d1.m<0>
  %p = d1.li.s 64 : () -> !d1.x
  %q = d1.li.s 2000 : () -> !d1.x
  %a = d1.vld 0(%p), w32, %all {region = 0 : i32} : (!d1.x, !d1.m<0>) -> !d1.v
  %b = d1.vfadd %a, %a : (!d1.v, !d1.v) -> !d1.v
  %c = d1.vfadd %b, %b : (!d1.v, !d1.v) -> !d1.v
  d1.vst %c, 0(%p), w32, %all {region = 0 : i32} : (!d1.v, !d1.x, !d1.m<0>) -> ()
  %d = d1.vld 64(%p), w32, %all {region = 0 : i32} : (!d1.x, !d1.m<0>) -> !d1.v
  %e = d1.vfadd %d, %d : (!d1.v, !d1.v) -> !d1.v
  d1.vst %e, 64(%q), w32, %all {region = 1 : i32} : (!d1.v, !d1.x, !d1.m<0>) -> ()
}

// -----

// A drain comes 10 cycles after the last step of its accumulator, the next step after the drain.
// CHECK-LABEL: d1.func @accumulators
// CHECK: d1.mm 0
// CHECK: d1.mm 1
// CHECK: d1.drain 0, 0
// CHECK: d1.mm 0
d1.func @accumulators attributes {thread = 0 : i32} {
  %all = d1.register : !d1.m<0>
  %p = d1.li.s 64 : () -> !d1.x
  %a = d1.vld 0(%p), w32, %all {region = 0 : i32} : (!d1.x, !d1.m<0>) -> !d1.v
  d1.mm 0, %a, %a, 1, bf16 : (!d1.v, !d1.v) -> ()
  %d = d1.drain 0, 0 : () -> !d1.v
  d1.mm 0, %a, %a, 1, bf16 : (!d1.v, !d1.v) -> ()
  d1.mm 1, %a, %a, 1, bf16 : (!d1.v, !d1.v) -> ()
  d1.vst %d, 64(%p), w32, %all {region = 0 : i32} : (!d1.v, !d1.x, !d1.m<0>) -> ()
}
