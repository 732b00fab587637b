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

// -----

// Branches: over the first body to the second, over the second to the end.
// CHECK-LABEL: d1.func @branches
// CHECK: %[[C:.*]] = d1.li.s 1 : () -> !d1.x<1>
// CHECK: %[[Z:.*]] = d1.register : !d1.x<0>
// CHECK-NEXT: d1.beq %[[C]], %[[Z]], @else0
// CHECK-NEXT: d1.li.s 5 : () -> !d1.x<2>
// CHECK-NEXT: d1.j @end0
// CHECK-NEXT: d1.label @else0
// CHECK-NEXT: d1.li.s 6 : () -> !d1.x<2>
// CHECK-NEXT: d1.label @end0
// CHECK-NEXT: d1.label @while1
// CHECK-NEXT: %[[MORE:.*]] = d1.slti
// CHECK: d1.beq %[[MORE]], %{{.*}}, @done1
// CHECK-NEXT: d1.addi
// CHECK-NEXT: d1.j @while1
// CHECK-NEXT: d1.label @done1
// CHECK-NEXT: d1.sd
d1.func @branches attributes {thread = 0 : i32} {
  %c = d1.li.s 1 : () -> !d1.x<1>
  %a = d1.if %c : (!d1.x<1>) -> !d1.x<2> {
    %t = d1.li.s 5 : () -> !d1.x<2>
    d1.yield %t : !d1.x<2>
  } else {
    %e = d1.li.s 6 : () -> !d1.x<2>
    d1.yield %e : !d1.x<2>
  }
  %r = d1.while (%a) : (!d1.x<2>) -> !d1.x<2> {
  ^bb0(%i: !d1.x<2>):
    %more = d1.slti %i, 9 : (!d1.x<2>) -> !d1.x<3>
    d1.condition %more(%i) : !d1.x<3>, !d1.x<2>
  } do {
  ^bb0(%j: !d1.x<2>):
    %k = d1.addi %j, 1 : (!d1.x<2>) -> !d1.x<2>
    d1.yield %k : !d1.x<2>
  }
  d1.sd %r, 0(%r) : (!d1.x<2>, !d1.x<2>) -> ()
}
