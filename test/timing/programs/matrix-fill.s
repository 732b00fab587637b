# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A step on the accumulator that was filled, against one on another.
#
#: measures matrix.fill_latency
#: rule a step follows a fill of its accumulator so many cycles later, also one that takes it as zero
#: each first = 0 ; 1
#: run taken acc=0
#: run not_taken acc=1
#: value taken - not_taken

.node   all
.thread 0
        fill    acc0, 0, v1
        mm      acc{acc}, v1, v2, {first}, bf16
        halt
