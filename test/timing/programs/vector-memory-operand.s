# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each operation takes the result of the one before and an operand from memory.
#
#: rule a memory operand takes an AGU slot and adds the load latency
#: label X
#: each op = vfadd.m v1, v1, 0(x1), w32 ; vfmul.b v1, v1, 0(x1), bf16 ; vfma.cm v1, v1, v2, 0(x1), w32
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 4)
#: expect vector.load_latency + vector.latency

.node   all
.org    0x800
data:   .zero   64
.org    0
.thread 0
        li      x1, data
        li      x31, {n}
top:
.repeat i 4
        {op}
.endr
        loop    x31, top
        halt
