# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Pairs of operations that hand their result over by a scalar or mask register.
#
#: rule results in scalar and mask registers take as long, and so do broadcasts of scalars
#: label X
#: each first = vextract x1, v1, 0 ; vfcmp m1, v1, v2, lt
#: each second = vmov.x v1, x1 ; vsel v1, m1, v1, v2
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 2)
#: expect vector.latency

.node   all
.thread 0
        li      x31, {n}
top:    {first}
        {second}
        loop    x31, top
        halt
