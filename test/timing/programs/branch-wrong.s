# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Taken forward, which is guessed wrong, against not taken. `jr` is always wrong.
#
#: measures node.branch_penalty
#: rule a branch taken forward or not taken backward, and every `jr`, stops its thread so many cycles
#: each branch = beq x0, x0, next ; bge x1, x0, next ; jr x5 ; bne x0, x0, top
#: run short n=8
#: run long n=24
#: value (long - short) / 16

.node   all
.thread 0
        li      x5, next
        li      x31, {n}
top:    {branch}
next:   loop    x31, top
        halt
