# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A step on the accumulator that is drained, against one on another.
#
#: rule a step may write an accumulator in the cycle after an earlier drain of it
#: label X
#: run taken acc=0
#: run not_taken acc=1
#: value taken - not_taken
#: expect 1

.node   all
.thread 0
        drain   v1, acc0, 0
        mm      acc{acc}, v3, v4, 0, bf16
        halt
