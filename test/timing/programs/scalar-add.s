# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each operation takes the result of the one before.
#
#: measures scalar.add_latency
#: rule the result of a scalar or mask operation is ready so many cycles after its issue
#: each op = addi x1, x1, 1 ; sub x1, x1, x2 ; xor x1, x1, x2 ; sra x1, x1, x2 ; sltu x1, x1, x2 ; max x1, x1, x2 ; sel x1, x2, x1, x3 ; addi.l x1, x1, 100000 ; mand m1, m1, m2
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 8)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 8
        {op}
.endr
        loop    x31, top
        halt
