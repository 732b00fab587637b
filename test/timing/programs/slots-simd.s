# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Six operations that do not need each other.
#
#: measures vector.simd_slots
#: rule so many operations of the SIMD unit issue in a cycle, all threads together; drains and fills are among them
#: each op = vfadd v{i + 1}, v10, v10 ; vfma v{i + 1}, v10, v11, v12 ; drain v{i + 1}, acc0, 0 ; fill acc0, 0, v{i + 1}
#: run short n=8
#: run long n=24
#: value 12 * 16 / (long - short)

.node   all
.thread 0
        li      x31, {n}
top0:
.repeat i 6
        {op}
.endr
        loop    x31, top0
        halt
.align  64
.thread 1
        li      x31, {n}
top1:
.repeat i 6
        {op}
.endr
        loop    x31, top1
        halt
