# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The wrong guess is found out when the condition is there.
#
#: rule the stop begins when the condition of the branch is ready; the branch itself does not wait for it
#: label X
#: run short n=8
#: run long n=24
#: value (long - short) / 16
#: expect scalar.multiply_latency + node.branch_penalty

.node   all
.thread 0
        li      x1, 1
        li      x31, {n}
top:    mul     x1, x1, x1
        bne     x1, x0, next
next:   loop    x31, top
        halt
