# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Loads that cross a line, against loads that do not.
#
#: measures sram.line_crossing
#: rule it takes its AGU slot, a store its store port, so many cycles longer
#: each op = vld v{i + 1} ; vst v9
#: run short n=2 o=2
#: run long n=18 o=2
#: run short_within n=2 o=0
#: run long_within n=18 o=0
#: value (long - short) / (long_within - short_within) - 1

.node   all
.org    0x800
data:   .zero   256
.org    0
.thread 0
        li      x1, data
        li      x31, {n}
top:
.repeat i 4
        {op},   {o}(x1), w32, m0
.endr
        loop    x31, top
        halt
