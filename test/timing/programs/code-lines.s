# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Three passes through {n} lines, against two.
#
#: measures node.code_lines
#: rule a thread keeps so many lines
#: search n 2 512 1
#: run two n=n passes=2
#: run three n=n passes=3
#: value three - two < n

.node   all
.thread 0
        li      x31, {passes}
        j       line0
.align  64
.repeat i {n - 1}
line{i}:j       line{i+1}
.align  64
.endr
line{n-1}:loop    x31, line0
        halt
