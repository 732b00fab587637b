// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(d1.func(d1-allocate-registers))' --split-input-file \
// RUN:   --verify-diagnostics | FileCheck %s

// What a loop carries stays in one register; the counter is a register of its own; a value that is
// read after the loop that starts from it is copied (p into x3).
// CHECK-LABEL: d1.func @carried
// CHECK: %[[P:.*]] = d1.li.s 64 : () -> !d1.x<1>
// CHECK: %[[N:.*]] = d1.li.s 4 : () -> !d1.x<2>
// CHECK: %[[C:.*]] = d1.li.s 64 : () -> !d1.x<3>
// CHECK: d1.repeat %[[N]](%[[C]]) : (!d1.x<2>, !d1.x<3>) -> (!d1.x<2>, !d1.x<3>)
// CHECK: ^bb0(%{{.*}}: !d1.x<3>):
// CHECK: d1.addi {{.*}} : (!d1.x<3>) -> !d1.x<3>
d1.func @carried attributes {thread = 0 : i32} {
  %p = d1.li.s 64 : () -> !d1.x
  %n = d1.li.s 4 : () -> !d1.x
  %r:2 = d1.repeat %n(%p) : (!d1.x, !d1.x) -> (!d1.x, !d1.x) {
  ^bb0(%q: !d1.x):
    %q1 = d1.addi %q, 8 : (!d1.x) -> !d1.x
    d1.yield %q1 : !d1.x
  }
  d1.sd %r#1, 0(%p) : (!d1.x, !d1.x) -> ()
}

// -----

// Two values that change places need a third register.
// CHECK-LABEL: d1.func @exchanged
// CHECK: ^bb0(%[[A:.*]]: !d1.v<0>, %[[B:.*]]: !d1.v<1>):
// CHECK: %[[T:.*]] = d1.vmov %[[B]] : (!d1.v<1>) -> !d1.v<2>
// CHECK: d1.vmov %[[A]] : (!d1.v<0>) -> !d1.v<1>
// CHECK: d1.vmov %[[T]] : (!d1.v<2>) -> !d1.v<0>
// CHECK: d1.yield %{{.*}}, %{{.*}} : !d1.v<0>, !d1.v<1>
d1.func @exchanged attributes {thread = 0 : i32} {
  %all = d1.register : !d1.m<0>
  %p = d1.li.s 64 : () -> !d1.x
  %n = d1.li.s 4 : () -> !d1.x
  %a = d1.vld 0(%p), w32, %all : (!d1.x, !d1.m<0>) -> !d1.v
  %b = d1.vld 64(%p), w32, %all : (!d1.x, !d1.m<0>) -> !d1.v
  %r:3 = d1.repeat %n(%a, %b) : (!d1.x, !d1.v, !d1.v) -> (!d1.x, !d1.v, !d1.v) {
  ^bb0(%x: !d1.v, %y: !d1.v):
    d1.yield %y, %x : !d1.v, !d1.v
  }
  d1.vst %r#1, 0(%p), w32, %all : (!d1.v, !d1.x, !d1.m<0>) -> ()
  d1.vst %r#2, 64(%p), w32, %all : (!d1.v, !d1.x, !d1.m<0>) -> ()
}

// -----

// Eight masks in seven registers: constants are made again in front of their reader.
// CHECK-LABEL: d1.func @masks
// CHECK: d1.viota
// CHECK: d1.vst
// CHECK-NEXT: %[[M:.*]] = d1.mlanes.i 2 : () -> !d1.m<7>
// CHECK-NEXT: d1.vst {{.*}}, %[[M]]
// CHECK-NOT: !d1.m<8>
d1.func @masks attributes {thread = 0 : i32} {
  %p = d1.li.s 64 : () -> !d1.x
  %1 = d1.mlanes.i 1 : () -> !d1.m
  %2 = d1.mlanes.i 2 : () -> !d1.m
  %3 = d1.mlanes.i 3 : () -> !d1.m
  %4 = d1.mlanes.i 4 : () -> !d1.m
  %5 = d1.mlanes.i 5 : () -> !d1.m
  %6 = d1.mlanes.i 6 : () -> !d1.m
  %7 = d1.mlanes.i 7 : () -> !d1.m
  %8 = d1.mlanes.i 8 : () -> !d1.m
  %v = d1.viota : () -> !d1.v
  d1.vst %v, 0(%p), w32, %1 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %2 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %3 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %4 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %5 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %6 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %7 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %8 : (!d1.v, !d1.x, !d1.m) -> ()
  d1.vst %v, 0(%p), w32, %1 : (!d1.v, !d1.x, !d1.m) -> ()
}

// -----

// What two bodies yield is in the register of the result; a value from outside that is read later is
// copied. A loop's value stays in one register from the init to the result.
// CHECK-LABEL: d1.func @branches
// CHECK: %[[A:.*]] = d1.li.s 5 : () -> !d1.x<1>
// CHECK: %[[R:.*]] = d1.if %[[A]] : (!d1.x<1>) -> !d1.x<[[N:[0-9]+]]> {
// CHECK: d1.addi %[[A]], 0 : (!d1.x<1>) -> !d1.x<[[N]]>
// CHECK: } else {
// CHECK: d1.addi %[[A]], 3 : (!d1.x<1>) -> !d1.x<[[N]]>
// CHECK: d1.while(%[[R]]) : (!d1.x<[[N]]>) -> !d1.x<[[N]]> {
// CHECK: ^bb0(%{{.*}}: !d1.x<[[N]]>):
// CHECK: ^bb0(%{{.*}}: !d1.x<[[N]]>):
// CHECK: d1.sd
d1.func @branches attributes {thread = 0 : i32} {
  %a = d1.li.s 5 : () -> !d1.x
  %r = d1.if %a : (!d1.x) -> !d1.x {
    %c = d1.addi %a, 0 : (!d1.x) -> !d1.x
    d1.yield %c : !d1.x
  } else {
    %c = d1.addi %a, 3 : (!d1.x) -> !d1.x
    d1.yield %c : !d1.x
  }
  %s = d1.while (%r) : (!d1.x) -> !d1.x {
  ^bb0(%i: !d1.x):
    %more = d1.slti %i, 9 : (!d1.x) -> !d1.x
    d1.condition %more(%i) : !d1.x, !d1.x
  } do {
  ^bb0(%j: !d1.x):
    %k = d1.addi %j, 1 : (!d1.x) -> !d1.x
    d1.yield %k : !d1.x
  }
  d1.sd %s, 0(%a) : (!d1.x, !d1.x) -> ()
}
