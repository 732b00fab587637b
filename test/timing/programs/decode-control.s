# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A thread that fills the ALU slots, alone and beside three threads made only of control instructions.
#
#: measures node.front_end_control
#: rule control instructions take no slot and no place among the threads of a cycle
#: run alone m=0 n=40
#: run beside m=1 n=40
#: value alone == beside
#: change none

.node   all
.thread 0
        li      x31, {n}
top0:   addi    x1, x9, 1
        addi    x2, x9, 1
        loop    x31, top0
        halt
.repeat k {3 * m}
.align  64
.thread {k+1}
        li      x31, {n}
top{k+1}:li      x1, 1
        nop
        pred    x0, 1
        loop    x31, top{k+1}
        halt
.endr
