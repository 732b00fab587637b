# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Seven operations that are predicated off.
#
#: rule an instruction that is predicated off takes no slot, only a place among the thread's own
#: label D
#: run short n=8
#: run long n=40
#: value 9 * 32 / (long - short)
#: expect node.decode_per_thread

.node   all
.thread 0
        li      x31, {n}
top:    pred    x0, 7
.repeat i 7
        div     x{i + 1}, x9, x9
.endr
        loop    x31, top
        halt
