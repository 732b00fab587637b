# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Loads of 32 bytes that end {n} bytes after the begin of a line.
#
#: measures sram.line
#: rule lines of the SRAM have so many bytes
#: search n 34 512 2
#: run ends o=n-32
#: run within o=0
#: value ends == within
#: change none

.node   all
.org    0x800
data:   .zero   1024
.org    0
.thread 0
        li      x1, data
        vld     v1, {o}(x1), bf16, m0
        vst     v1, 512(x1), w32, m0
        halt
