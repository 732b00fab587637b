# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The store waits for a load that crosses a line, or does not.
#
#: measures sram.line_crossing
#: rule a vector access that crosses a line is so many cycles later
#: run crossing o=2
#: run within o=0
#: value crossing - within

.node   all
.org    0x800
data:   .zero   256
.org    0
.thread 0
        li      x1, data
        vld     v1, {o}(x1), w32, m0
        vst     v1, 128(x1), w32, m0
        halt
