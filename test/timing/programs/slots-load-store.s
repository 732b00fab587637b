# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Loads and stores by turns: together no more than there are address units.
#
#: rule a store takes an address unit like a load: one of each issues in a cycle
#: label I
#: run short n=8
#: run long n=24
#: value 6 * 16 / (long - short)
#: expect scalar.agu_slots

.node   all
.org    0x800
data:   .zero   384
.org    0
.thread 0
        li      x10, data
        li      x31, {n}
top:
.repeat i 3
        ld      x{i + 1}, 0(x10)
        sd      x9, {64 * i + 64}(x10)
.endr
        loop    x31, top
        halt
