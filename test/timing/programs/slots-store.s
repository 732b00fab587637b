# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Six stores to different lines.
#
#: measures sram.store_ports
#: rule so many stores issue in a cycle
#: each op = sd x1, {64 * i}(x10) ; vst v1, {64 * i}(x10), w32, m0
#: run short n=8
#: run long n=24
#: value 6 * 16 / (long - short)

.node   all
.org    0x800
data:   .space  384
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
