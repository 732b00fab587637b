# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A pointer that points to itself.
#
#: measures scalar.load_latency
#: rule the result of a scalar load is ready so many cycles after its issue
#: each op = ld ; lw ; lhu
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 4)

.node   all
.org    0x800
self:   .quad   self
.org    0
.thread 0
        li      x1, self
        li      x31, {n}
top:
.repeat i 4
        {op}    x1, 0(x1)
.endr
        loop    x31, top
        halt
