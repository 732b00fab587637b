# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `lih` takes the register that it changes; a load with post-increment takes the base of the one before.
#
#: measures node.control_latency
#: rule results of control instructions and bases of post-increments are ready so many cycles after the issue
#: each op = lih x1, 0 ; ld x2, (x1)+8
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 4)

.node   all
.org    0x800
data:   .zero   1024
.org    0
.thread 0
        li      x31, {n}
        li      x1, data
top:
.repeat i 4
        {op}
.endr
        loop    x31, top
        halt
