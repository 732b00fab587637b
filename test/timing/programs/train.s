# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How long a packet of thread 1 waits when thread 0 begins a transfer of 64 packets at the same time.
#
#: measures mesh.train
#: rule a transfer goes as trains of so many packets; trains of one cycle go in the order of their threads
#: machine 1x3
#: run alone n=0
#: run behind n=64
#: value behind - alone

.layer  probe
.node   @0:1
.thread 1
        list    right
        wait    s0, 1
        halt
.layer  other
.align  64
.thread 0
        list    left
        halt
.org    0x800
left:   .descriptor push local=0x10000 node=@0:0 remote=0x10000 bytes=64 count={n},1,1 local_stride=64,0,0 remote_stride=64,0,0
        .descriptor end
right:  .descriptor push local=0x10000 node=@0:2 remote=0x10000 bytes=64 own=s0
        .descriptor end
.node   all
.org    0x10000
.space  0x8000
