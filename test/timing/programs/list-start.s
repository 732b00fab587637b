# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Lists of nothing. The thread goes on in the cycle after their end.
#
#: measures mesh.list_start
#: rule the first descriptor of a list is ready so many cycles after the list starts
#: run short n=4
#: run long n=20
#: value (long - short) / 16 - 1

.node   all
.thread 0
        li      x31, {n}
top:    list    table
        loop    x31, top
        halt
.org    0x800
table:  .descriptor end
