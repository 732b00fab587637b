# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# An addition that takes the quotient, against one that does not and so issues beside the division.
#
#: measures scalar.divide_latency
#: rule the result of a division is ready so many cycles after its issue
#: each op = div ; divu ; rem ; remu
#: run taken source=3
#: run not_taken source=4
#: value taken - not_taken

.node   all
.thread 0
        {op}    x3, x1, x2
        addi    x5, x{source}, 1
        halt
