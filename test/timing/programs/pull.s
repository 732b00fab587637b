# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A packet pulled over one link and waited for, against a packet pushed over three links to one who waits: as many hops.
#
#: measures mesh.pull_answer
#: rule the far node of a pull sends the answer so many cycles after the request has arrived
#: machine 1x4
#: run pulled n=1
#: run pushed n=0
#: value pulled - pushed

.node   @0:0
.thread 0
        list    table
        wait    s0, {n}
        halt
.org    0x800
.repeat i {n}
table:  .descriptor pull local=0x10000 node=@0:1 remote=0x10000 bytes=64 own=s0
        .descriptor end
.endr
.repeat i {1 - n}
table:  .descriptor push local=0x10000 node=@0:3 remote=0x10000 bytes=64 far=s0
        .descriptor end
.endr
.node   @0:3
.thread 0
        wait    s0, {1 - n}
        halt
.node   all
.org    0x10000
.space  64
