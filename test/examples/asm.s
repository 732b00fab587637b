# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Assembly: both nodes run the same text. Thread 2 sends the node's row to the other node, whose
# semaphore 8 counts the arrival; thread 0 waits for it, adds and stores. The lists differ in where
# they send to.
#
# RUN: %python %S/Inputs/arrays.py %t
# RUN: dojo-as %s -o %t/out.d1
# RUN: dojo-run %t/out.d1 --input x=%t/x.npy --expect y=%t/y.npy
.target d1 1x2
.equ x, 0
.equ other, 64
.equ y, 128
.equ arrived, 192
.layer sum
.node all
.org 0x180
.thread 0
        wait s8, 1
        li x10, x
        vld v0, 0(x10), w32, m0
        vld v1, 64(x10), w32, m0
        vfadd v2, v0, v1
        vst v2, 128(x10), w32, m0
        halt
.thread 2
        list arrived
        halt
.node @0:0
.org arrived
        .descriptor push node=@0:1 local=x remote=other bytes=64 far=s8
        .descriptor end
.node @0:1
.org arrived
        .descriptor push node=@0:0 local=x remote=other bytes=64 far=s8
        .descriptor end
.input x f32 2x16 part 0,0 1x16 at @0:0 x
.input x f32 2x16 part 1,0 1x16 at @0:1 x
.output y f32 2x16 part 0,0 1x16 at @0:0 y
.output y f32 2x16 part 1,0 1x16 at @0:1 y
