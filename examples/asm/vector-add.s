# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# sum = x + y on 40 numbers: two whole vectors of 16 lanes and one with 8. Masks make the remainder
# the same code as the rest; masked-off lanes touch no memory.
#
#   dojo-as vector-add.s -o add.d1
#   dojo-run add.d1 --input x=random:1 --input y=random:2 --output-dir out

.target d1 1x1

.equ    x, 0x1000               # named numbers
.equ    y, 0x1100
.equ    sum, 0x1200
.equ    count, 40

.input  x f32 40 at @0:0 x      # the runtime puts graph inputs here before cycle 0
.input  y f32 40 at @0:0 y
.output sum f32 40 at @0:0 sum

.node @0:0
.org 0
.thread 0
main:
        li      x1, x
        li      x2, y
        li      x3, sum
        li      x4, count       # numbers that are left
        li      x5, 3           # vectors: 40 / 16, rounded up
next:   mlanes  m1, x4          # mask of the first min(x4, 16) lanes
        vld     v1, (x1)+64, w32, m1
        vld     v2, (x2)+64, w32, m1
        vfadd   v1, v1, v2      # waits until both loads are there: 6 cycles
        vst     v1, (x3)+64, w32, m1
        addi    x4, x4, -16
        loop    x5, next
        halt
