# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Branches that are guessed right, their condition late: products that nothing waits for.
#
#: rule a branch taken backward or not taken forward, a jump and a counted loop cost their place among the thread's own instructions
#: label X
#: each pair = bne x1, x0, next ; j next ; jal x6, next
#: run short n=8
#: run long n=40
#: value 4 * 32 / (long - short)
#: expect node.decode_per_thread

.node   all
.thread 0
        li      x31, {n}
top:    nop
        {pair}
next:   nop
        loop    x31, top
        halt
