# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Steps of two threads, on one accumulator and on different ones.
#
#: measures vector.matrix_slots
#: rule so many matrix steps issue in a cycle, all threads together, any accumulator every cycle
#: each op = mm acc0, v1, v2, 0, bf16 ; mm acc{i % 4}, v1, v2, 0, bf16 ; mm acc0, v1, v2, 1, bf16
#: run short n=8
#: run long n=24
#: value 12 * 16 / (long - short)

.node   all
.thread 0
        li      x31, {n}
top0:
.repeat i 6
        {op}
.endr
        loop    x31, top0
        halt
.align  64
.thread 1
        li      x31, {n}
top1:
.repeat i 6
        {op}
.endr
        loop    x31, top1
        halt
