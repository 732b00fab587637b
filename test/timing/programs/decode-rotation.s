# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Thread 0 wants both ALU slots in every cycle; so do the threads 1 to {others}, which run longer.
#
#: rule threads are asked in the order p, p+1, p+2, p+3; p becomes one more than the last thread served, so threads that want the same slots take turns
#: label X
#: each others = 1 ; 2 ; 3
#: run short n=8
#: run long n=24
#: value (long - short) / 16 - {others}
#: expect 1

.layer  probe
.node   all
.thread 0
        li      x31, {n}
top0:   addi    x1, x9, 1
        addi    x2, x9, 1
        loop    x31, top0
        halt
.layer  others
.repeat k {others}
.align  64
.thread {k+1}
        li      x31, {2 * n}
top{k+1}:addi    x1, x9, 1
        addi    x2, x9, 1
        loop    x31, top{k+1}
        halt
.endr
