// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-guard-division | FileCheck %s

// CHECK-LABEL: func.func @unsigned(
// CHECK-SAME: %[[A:.*]]: i32, %[[B:.*]]: i32)
// CHECK: %[[ZERO:.*]] = arith.cmpi eq, %[[B]], %c0_i32 : i32
// CHECK: %[[SAFE:.*]] = arith.select %[[ZERO]], %c1_i32, %[[B]] : i32
// CHECK: arith.divui %[[A]], %[[SAFE]] : i32
func.func @unsigned(%a: i32, %b: i32) -> i32 {
  %q = arith.divui %a, %b : i32
  return %q : i32
}

// CHECK-LABEL: func.func @signed(
// CHECK-SAME: %[[A:.*]]: i8, %[[B:.*]]: i8)
// CHECK-DAG: %[[ZERO:.*]] = arith.cmpi eq, %[[B]], %c0_i8 : i8
// CHECK-DAG: %[[ONES:.*]] = arith.cmpi eq, %[[B]], %c-1_i8 : i8
// CHECK-DAG: %[[LEAST:.*]] = arith.cmpi eq, %[[A]], %c-128_i8 : i8
// CHECK: %[[WRAPS:.*]] = arith.andi %[[ONES]], %[[LEAST]] : i1
// CHECK: %[[TRAPS:.*]] = arith.ori %[[ZERO]], %[[WRAPS]] : i1
// CHECK: %[[SAFE:.*]] = arith.select %[[TRAPS]], %c1_i8, %[[B]] : i8
// CHECK: arith.remsi %[[A]], %[[SAFE]] : i8
func.func @signed(%a: i8, %b: i8) -> i8 {
  %q = arith.remsi %a, %b : i8
  return %q : i8
}

// Only a signed division by -1 can trap with a known divisor that is not 0.
// CHECK-LABEL: func.func @known(
// CHECK-SAME: %[[A:.*]]: i32)
// CHECK: arith.divsi %[[A]], %c3_i32 : i32
// CHECK-NEXT: arith.divui %[[A]], %c-1_i32 : i32
// CHECK: %[[SAFE:.*]] = arith.select
// CHECK: arith.divsi %[[A]], %[[SAFE]] : i32
func.func @known(%a: i32) -> (i32, i32, i32) {
  %three = arith.constant 3 : i32
  %ones = arith.constant -1 : i32
  %q = arith.divsi %a, %three : i32
  %r = arith.divui %a, %ones : i32
  %s = arith.divsi %a, %ones : i32
  return %q, %r, %s : i32, i32, i32
}
