# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A packet along the row, down the column, and both.
#
#: measures mesh.hop
#: rule a packet needs so many cycles for each link and for each port at the ends of its way
#: machine 10x12
#: each down = 0 ; 8 ; 4
#: each across = 8 ; 0 ; 4
#: run near row=1 column=1
#: run far row=1+{down} column=1+{across}
#: value (far - near) / 8

.node   @0:0
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x1000 node=@{row}:{column} remote=0x1000 bytes=64 far=s0
        .descriptor end
.node   @{row}:{column}
.thread 0
        wait    s0, 1
        halt
.node   all
.org    0x1000
.space  64
