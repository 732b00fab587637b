# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# From the last instruction of a line into the next, which leads to the last of another line; against
# jumps straight from line to line.
#
#: measures node.code_next_line
#: rule the lines that follow a miss in sequence come one every so many cycles, until the next taken branch
#: run short n=4 through=1
#: run long n=20 through=1
#: run short_one n=4 through=0
#: run long_one n=20 through=0
#: value ((long - short) - (long_one - short_one)) / 16

.node   all
.thread 0
        j       last0
.repeat i {n}
.align  64
.zero   60
last{i}:
.repeat k {through}
        nop
.endr
        j       last{i+1}
.endr
.align  64
.zero   60
last{n}:halt
