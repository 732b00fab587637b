# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The program of the fuzzer of snapshots: threads in every state that a snapshot can hold.
.target d1 1x2
.layer first
.node @0:0
.thread 0                               # uses slots
        li      x1, 0x1000
        li      x3, 40
again:
        vld     v1, 64(x1), w32, m0
        vfadd   v2, v2, v1
        mm      acc0, v1, v2, 0, bf16
        loop    x3, again
        wait    s1, 1
.layer second
        drain   v3, acc0, 0
        vst     v3, 0x200(x1), w32, m0
        pred    x3, 2                   # passed over
        add     x4, x3, x1
        add     x4, x4, x1
        wait    s2, 2
        halt
.thread 1                               # apart, waits in turn with thread 2
        wait    s8, 1
        li      x5, 0
        wait    s3, 1
        signal  s10
        halt
.thread 2
        list    lists
        wait    s3, 1
        halt
.org 0x4000
lists:
        .descriptor push local=0x1000 node=@0:1 remote=0x3000 bytes=4096 far=s0 own=s1
        .descriptor pull local=0x1400 node=@0:1 remote=0x3000 bytes=2048 far=s1 own=s2
        .descriptor copy local=0x1240 remote=0x1300 bytes=640 own=s2
        .descriptor signal own=s8 amount=1
        .descriptor signal own=s3 amount=1
        .descriptor wait own=s4 amount=1
        .descriptor wait own=s10 amount=1
        .descriptor end
.node @0:1
.thread 0
        wait    s0, 1
        li      x1, 0
        signalr x1, s4
        signalr x1, s3
        wait    s1, 1
        halt
