# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Two neighbours send to each other, against one that sends.
#
#: rule the two directions of a link, and a node's injection and ejection, do not share
#: label D
#: machine 1x2
#: run one n=128 m=0
#: run both n=128 m=128
#: value both - one
#: expect 0

.node   @0:0
.thread 0
        list    table0
        halt
.org    0x800
table0: .descriptor push local=0x10000 node=@0:1 remote=0x20000 bytes={64 * n}
        .descriptor end
.node   @0:1
.thread 0
        list    table1
        halt
.org    0x800
table1: .descriptor push local=0x10000 node=@0:0 remote=0x20000 bytes=64 count={m},1,1
        .descriptor end
.node   all
.org    0x10000
.space  0x18000
