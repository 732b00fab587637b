# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Waits for what is there already: the thread signals first.
#
#: rule a wait passes in the cycle of its issue if the value is there; the thread goes on in the next cycle
#: label X
#: run short n=2
#: run long n=18
#: value (long - short) / 16
#: expect 1

.node   all
.thread 0
.repeat i 20
        signal  s0
.endr
        li      x31, {n}
top:    wait    s0, 1
        loop    x31, top
        wait    s0, {20 - n}
        halt
