# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each operation takes the result of the one before.
#
#: measures vector.latency
#: rule the result of a SIMD operation is ready so many cycles after its issue
#: each op = vfadd v1, v1, v2 ; vfma v1, v1, v2, v3 ; vfma.x v1, v2, x1, v1 ; vfmax v1, v1, v2 ; vfclamp v1, v1, v2, v3 ; vfabs v1, v1 ; vffloor v1, v1 ; viand v1, v1, v2 ; vishl v1, v1, v2 ; vsel v1, m1, v1, v2 ; vcvt.f2i v1, v1 ; vperm v1, v1, v2 ; vslide v1, v1, 3 ; vtrnlo v1, v1, v2, 1 ; vpack.bf16 v1, v1, v2 ; vinsert v1, x1, 3
#: run short n=8
#: run long n=24
#: value (long - short) / (16 * 4)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 4
        {op}
.endr
        loop    x31, top
        halt
