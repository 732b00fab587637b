# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Six loads that do not need each other.
#
#: measures scalar.agu_slots sram.operations sram.load_ports
#: rule so many loads issue in a cycle: address units, load ports and the limit of memory operations agree
#: each op = ld x{i + 1}, 0(x10) ; vld v{i + 1}, 0(x10), w32, m0 ; vldb v{i + 1}, 0(x10), bf16
#: run short n=8
#: run long n=24
#: value 6 * 16 / (long - short)

.node   all
.org    0x800
data:   .zero   64
.org    0
.thread 0
        li      x10, data
        li      x31, {n}
top:
.repeat i 6
        {op}
.endr
        loop    x31, top
        halt
