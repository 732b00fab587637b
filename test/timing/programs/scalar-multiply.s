# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each product takes the one before.
#
#: measures scalar.multiply_latency
#: rule the result of a multiplication is ready so many cycles after its issue
#: each op = mul ; mulh
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 8)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 8
        {op}    x1, x1, x2
.endr
        loop    x31, top
        halt
