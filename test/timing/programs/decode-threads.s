# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Three threads, each with one operation a turn for a unit that takes one a cycle.
#
#: measures node.decode_threads
#: rule instructions of so many threads issue in a cycle
#: run short n=8
#: run long n=24
#: value 3 * 16 / (long - short)

.node   all
.org    0x800
data:   .space  8
.org    0
.thread 0
        li      x10, data
        li      x31, {n}
top0:   sd      x9, 0(x10)
        loop    x31, top0
        halt
.align  64
.thread 1
        li      x10, data
        li      x31, {n}
top1:   vfadd   v1, v2, v3
        loop    x31, top1
        halt
.align  64
.thread 2
        li      x10, data
        li      x31, {n}
top2:   mm      acc0, v2, v3, 0, bf16
        loop    x31, top2
        halt
