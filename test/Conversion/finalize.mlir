// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(d1.func(d1-finalize))' --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: d1.func @nested
// CHECK-NEXT: %[[P:.*]] = d1.li.s 64 : () -> !d1.x<1>
// CHECK-NEXT: %[[N:.*]] = d1.li.s 4 : () -> !d1.x<2>
// CHECK-NEXT: d1.label @loop0
// CHECK-NEXT: %[[M:.*]] = d1.li.s 3 : () -> !d1.x<3>
// CHECK-NEXT: d1.label @loop1
// CHECK-NEXT: %[[Q:.*]] = d1.addi %[[P]], 8 : (!d1.x<1>) -> !d1.x<1>
// CHECK-NEXT: d1.loop %[[M]], @loop1 : (!d1.x<3>) -> !d1.x<3>
// CHECK-NEXT: d1.loop %[[N]], @loop0 : (!d1.x<2>) -> !d1.x<2>
// CHECK-NEXT: d1.sd %[[Q]], 0(%[[Q]])
// CHECK-NEXT: }
d1.func @nested attributes {thread = 0 : i32} {
  %p = d1.li.s 64 : () -> !d1.x<1>
  %n = d1.li.s 4 : () -> !d1.x<2>
  %r:2 = d1.repeat %n(%p) : (!d1.x<2>, !d1.x<1>) -> (!d1.x<2>, !d1.x<1>) {
  ^bb0(%a: !d1.x<1>):
    %m = d1.li.s 3 : () -> !d1.x<3>
    %i:2 = d1.repeat %m(%a) : (!d1.x<3>, !d1.x<1>) -> (!d1.x<3>, !d1.x<1>) {
    ^bb0(%b: !d1.x<1>):
      %c = d1.addi %b, 8 : (!d1.x<1>) -> !d1.x<1>
      d1.yield %c : !d1.x<1>
    }
    %same = d1.addi %i#1, 0 : (!d1.x<1>) -> !d1.x<1>
    d1.yield %same : !d1.x<1>
  }
  d1.sd %r#1, 0(%r#1) : (!d1.x<1>, !d1.x<1>) -> ()
}

// -----

d1.func @virtual attributes {thread = 0 : i32} {
  // expected-error @below {{has a virtual register; run d1-allocate-registers first}}
  %p = d1.li.s 64 : () -> !d1.x
}
