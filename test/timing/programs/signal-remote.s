# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A signal to and fro between two nodes, three links apart; each wait's thread goes on one cycle later.
#
#: rule a signal to another node is a packet: it shows after its way and the arrival
#: label X
#: machine 1x8
#: run short n=4
#: run long n=20
#: value (long - short) / 32
#: expect (3 + 1) * mesh.hop + mesh.arrival + 1

.node   @0:0
.thread 0
        li      x1, @0:3
        li      x31, {n}
top0:   signalr x1, s0
        wait    s0, 1
        loop    x31, top0
        halt
.node   @0:3
.thread 0
        li      x1, @0:0
        li      x31, {n}
top1:   wait    s0, 1
        signalr x1, s0
        loop    x31, top1
        halt
