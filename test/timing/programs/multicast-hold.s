# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# 128 packets to three nodes of a row, against the same to the first of them. Four trains each of two neighbours
# block its port; what is measured is when the last packet leaves the sender.
#
#: rule a link that leads to several branches is free again when the latest of them has room
#: label X
#: only mesh.multicast
#: machine 3x4
#: run several n=1
#: run first n=0
#: value several - first
#: expect 0

.layer  probe
.node   @1:0
.thread 0
        list    nothing
        list    table
        wait    s0, 1
        halt
.org    0x800
.repeat i {n}
table:  .descriptor push local=0x10000 row=1..3 remote=0x10000 bytes=8192 own=s0
.endr
.repeat i {1 - n}
table:  .descriptor push local=0x10000 node=@1:1 remote=0x10000 bytes=8192 own=s0
.endr
nothing:.descriptor end
.layer  others
.node   @0:1 @2:1
.repeat t 4
.align  64
.thread {t}
        list    hog
        halt
.endr
.org    0x800
hog:    .descriptor push local=0x10000 node=@1:1 remote=0x20000 bytes=1024
        .descriptor end
.node   all
.org    0x10000
.space  0x18000
