# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Over a way that outlasts the sender's list: a wait for the packet, which goes on in the cycle after, against the end of a run in which nobody waits.
#
#: measures mesh.arrival
#: rule a transfer's far semaphore shows so many cycles after its last packet is written
#: machine 1x12
#: each packets = 1 ; 40
#: run waits n=1
#: run nobody n=0
#: value waits - nobody - 1

.node   @0:0
.thread 0
        list    table
        halt
.org    0x800
.repeat i {n}
table:  .descriptor push local=0x10000 node=@0:11 remote=0x10000 bytes={64 * {packets}} far=s0
        .descriptor end
.endr
.repeat i {1 - n}
table:  .descriptor push local=0x10000 node=@0:11 remote=0x10000 bytes={64 * {packets}}
        .descriptor end
.endr
.node   @0:11
.org    0
.thread 0
        wait    s0, {n}
        halt
.node   all
.org    0x10000
.space  0x8000
