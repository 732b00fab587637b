# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Six operations that do not need each other.
#
#: measures scalar.alu_slots
#: rule so many scalar operations, mask operations and multiplications issue in a cycle
#: each op = addi x{i + 1}, x10, 1 ; mul x{i + 1}, x10, x10 ; mand m{i + 1}, m0, m0
#: run short n=8
#: run long n=24
#: value 6 * 16 / (long - short)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 6
        {op}
.endr
        loop    x31, top
        halt
