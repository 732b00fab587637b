# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A list of {n} signals.
#
#: measures mesh.list_next
#: rule each descriptor of a list is ready so many cycles after the one before it is done
#: run short n=4
#: run long n=20
#: value (long - short) / 16

.node   all
.thread 0
        list    table
        wait    s0, {n}
        halt
.org    0x800
table:
.repeat i {n}
        .descriptor signal own=s0 amount=1
.endr
        .descriptor end
