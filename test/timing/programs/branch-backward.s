# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A loop closed by an ordinary branch, against one closed by a counted loop.
#
#: rule a branch taken backward is guessed right
#: label X
#: run short n=8
#: run long n=40
#: value (long - short) / 32
#: expect scalar.add_latency

.node   all
.thread 0
        li      x1, {n}
top:    addi    x1, x1, -1
        bne     x1, x0, top
        halt
