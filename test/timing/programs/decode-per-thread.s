# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Instructions that need nothing.
#
#: measures node.decode_per_thread
#: rule so many instructions of a thread issue in a cycle, in program order
#: each op = nop ; li x1, 5
#: run short n=10
#: run long n=40
#: value 8 * 30 / (long - short)

.node   all
.thread 0
        li      x31, {n}
top:
.repeat i 7
        {op}
.endr
        loop    x31, top
        halt
