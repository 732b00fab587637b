# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# 40 packets to a run of nodes, against the same to the last of them.
#
#: rule a multicast takes as long as the transfer to its last receiver, which waits for no other's port
#: label X
#: only mesh.multicast
#: machine 5x5
#: each run = row=1..4 ; column=2:0..4 ; column=2:1..3
#: each last = 0:4 ; 4:2 ; 3:2
#: run all n=1
#: run one n=0
#: value all - one
#: expect 0

.node   @0:0
.thread 0
        list    table
        halt
.org    0x800
.repeat i {n}
table:  .descriptor push local=0x10000 {run} remote=0x10000 bytes=2560
        .descriptor end
.endr
.repeat i {1 - n}
table:  .descriptor push local=0x10000 node=@{last} remote=0x10000 bytes=2560
        .descriptor end
.endr
.node   all
.org    0x10000
.space  2560
