# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Transfers of two nodes to two others over one link between them.
#
#: measures mesh.link_packets
#: rule a link carries so many packets a cycle in each direction
#: machine 1x4
#: run short n=64
#: run long n=192
#: value 2 * 128 / (long - short)
#: change none

.node   @0:0
.thread 0
        list    table0
        halt
.org    0x800
table0: .descriptor push local=0x10000 node=@0:2 remote=0x10000 bytes={64 * n}
        .descriptor end
.node   @0:1
.thread 0
        list    table1
        halt
.org    0x800
table1: .descriptor push local=0x10000 node=@0:3 remote=0x10000 bytes={64 * n}
        .descriptor end
.node   all
.org    0x10000
.space  0x8000
