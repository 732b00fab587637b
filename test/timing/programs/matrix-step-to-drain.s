# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A drain of the accumulator that was stepped, against one of another.
#
#: measures matrix.step_to_drain
#: rule a drain waits so many cycles for the last step on its accumulator; steps with memory operands take as long
#: each op = mm acc0, v1, v2, 0, bf16 ; mm.vm acc0, v1, 0(x1), 0, bf16 ; mm.mm acc0, 0(x1), 0(x2), 0, bf16
#: run taken acc=0
#: run not_taken acc=1
#: value taken - not_taken

.node   all
.org    0x800
data:   .zero   128
.org    0
.thread 0
        li      x1, data
        li      x2, data
        vmov.x  v20, x1
        fill    acc1, 0, v20
        fill    acc0, 0, v20
        {op}
        drain   v3, acc{acc}, 0
        halt
