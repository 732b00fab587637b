# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Two threads with four instructions a cycle each, every class once or twice.
#
#: measures node.decode
#: rule so many instructions decode in a cycle: two ALU, two memory, one SIMD, one matrix and control beside them
#: change none
#: run short n=8
#: run long n=24
#: value 8 * 16 / (long - short)

.node   all
.org    0x800
data:   .zero   8
.org    0
.thread 0
        li      x10, data
        li      x31, {n}
top0:   addi    x1, x9, 1
        addi    x2, x9, 1
        ld      x3, 0(x10)
        loop    x31, top0
        halt
.align  64
.thread 1
        li      x10, data
        li      x31, {n}
top1:   vfadd   v1, v2, v3
        mm      acc0, v2, v3, 0, bf16
        ld      x3, 0(x10)
        loop    x31, top1
        halt
