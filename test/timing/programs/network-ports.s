# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A copy within the node, beside a thread that loads or stores in every cycle, against the copy alone.
#
#: measures sram.network_reads sram.network_writes
#: rule the network reads and writes so many packets a cycle beside the loads and stores of the core
#: each access = vst v1, 0(x10), w32, m0 ; vld v1, 0(x10), w32, m0
#: run short n=64
#: run long n=192
#: value 128 / (long - short)
#: change none

.layer  probe
.node   all
.thread 0
        list    table
        halt
.layer  core
.align  64
.thread 1
        li      x10, 0x30000
        li      x31, 400
top:    {access}
        loop    x31, top
        halt
.org    0x800
table:  .descriptor copy local=0x10000 node=@0:0 remote=0x20000 bytes={64 * n}
        .descriptor end
.org    0x10000
.space  0x28000
