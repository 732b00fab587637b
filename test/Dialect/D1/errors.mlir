// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --verify-diagnostics --split-input-file

func.func @immediate(%a: !d1.x) {
  // expected-error @+1 {{'d1.addi' op 'imm' = 2048 is not in -2048 to 2047}}
  %0 = d1.addi %a, 2048 : (!d1.x) -> !d1.x
  return
}

// -----

func.func @offset(%p: !d1.x) {
  // expected-error @+1 {{'d1.lw' op 'off' = 4096 is not in -2048 to 2047}}
  %0 = d1.lw 4096(%p) : (!d1.x) -> !d1.x
  return
}

// -----

func.func @accumulator(%a: !d1.v) {
  // expected-error @+1 {{'d1.mm' op 'acc' = 8 is not in 0 to 7}}
  d1.mm 8, %a, %a, 0, bf16 : (!d1.v, !d1.v) -> ()
  return
}

// -----

func.func @reserved_format(%a: !d1.v) {
  // expected-error @+1 {{'d1.mm' op 'fmt' has a value that is undefined here}}
  d1.mm 0, %a, %a, 0, cf8a : (!d1.v, !d1.v) -> ()
  return
}

// -----

func.func @reserved_type(%p: !d1.x) {
  // expected-error @+1 {{'d1.vldb' op 'etype' has a value that is undefined here}}
  %0 = d1.vldb 0(%p), cf16 : (!d1.x) -> !d1.v
  return
}

// -----

func.func @condition(%a: !d1.v) {
  // expected-error @+1 {{'d1.vicmp' op 'cond' has a value that is undefined here}}
  %0 = d1.vicmp %a, %a, uno : (!d1.v, !d1.v) -> !d1.m
  return
}

// -----

func.func @tied(%v: !d1.v<3>, %x: !d1.x) {
  // expected-error @+1 {{'d1.vinsert' op vd is read as '!d1.v<3>' and written as '!d1.v<4>'; both must be the same register}}
  %0 = d1.vinsert %v, %x, 0 : (!d1.v<3>, !d1.x) -> !d1.v<4>
  return
}

// -----

func.func @new_base_is_missing(%p: !d1.x) {
  // expected-error @+1 {{'d1.lw' op lacks the result for the new base of a post-increment}}
  %0 = d1.lw (%p)+4 : (!d1.x) -> !d1.x
  return
}

// -----

func.func @new_base_without_increment(%p: !d1.x) {
  // expected-error @+1 {{'d1.lw' op has a result for a new base but no post-increment}}
  %0:2 = d1.lw 4(%p) : (!d1.x) -> (!d1.x, !d1.x)
  return
}

// -----

func.func @new_base_elsewhere(%p: !d1.x<4>) {
  // expected-error @+1 {{the base of a post-increment is read as '!d1.x<4>' and written as '!d1.x<5>'}}
  %0:2 = d1.lw (%p)+4 : (!d1.x<4>) -> (!d1.x, !d1.x<5>)
  return
}

// -----

// expected-error @+1 {{register index 32 is not in 0 to 31}}
func.func private @index(!d1.v<32>)

// -----

// expected-error @+1 {{register index 8 is not in 0 to 7}}
func.func private @index(!d1.m<8>)

// -----

func.func @signs(%p: !d1.x) {
  // expected-error @+1 {{two signs}}
  %0:2 = d1.lw (%p)+-4 : (!d1.x) -> (!d1.x, !d1.x)
  return
}

// -----

func.func @no_offset(%p: !d1.x) {
  // expected-error @+1 {{expected a post-increment as in '(%base)+8'}}
  %0 = d1.lw (%p) : (!d1.x) -> !d1.x
  return
}
