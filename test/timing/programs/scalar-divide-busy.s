# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Divisions that do not need each other.
#
#: measures scalar.divide_busy
#: rule the divider takes one operation in so many cycles
#: run short n=2
#: run long n=6
#: value (long - short) / (4 * 4)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 4
        div     x{i + 3}, x1, x2
.endr
        loop    x31, top
        halt
