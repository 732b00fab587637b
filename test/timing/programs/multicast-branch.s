# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A multicast to three nodes of a row. The port of the first is blocked by four trains each of two
# neighbours, or free; what is measured is when the last has its packets.
#
#: rule a branch of a multicast that waits for an ejection port does not delay the others
#: label X
#: only mesh.multicast
#: machine 3x4
#: run blocked threads=4
#: run free threads=0
#: value blocked - free
#: expect 0

.layer  probe
.node   @1:3
.thread 0
        wait    s0, 1
        halt
.layer  others
.node   @1:1 @1:2
.thread 0
        wait    s0, 1
        halt
.node   @1:0
.thread 0
        list    nothing
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x10000 row=1..3 remote=0x10000 bytes=1024 far=s0
nothing:.descriptor end
.node   @0:1 @2:1
.org    0x800
hog:    .descriptor push local=0x10000 node=@1:1 remote=0x20000 bytes=1024
        .descriptor end
.org    0
.repeat t {threads}
.align  64
.thread {t}
        list    hog
        halt
.endr
.node   all
.org    0x10000
.space  0x18000
