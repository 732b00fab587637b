# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Estimates that do not need each other.
#
#: measures vector.estimate_busy
#: rule the estimate unit takes one operation in so many cycles
#: each op = vrcpe ; vrsqrte ; vexp2e ; vlog2e
#: run short n=2
#: run long n=10
#: value (long - short) / (8 * 4)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 4
        {op}    v{i + 1}, v20
.endr
        loop    x31, top
        halt
