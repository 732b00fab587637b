# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Two transfers of one node to neighbours on two sides: together through its injection port.
#
#: measures mesh.injection
#: rule a node sends so many packets a cycle
#: machine 1x3
#: run short n=64
#: run long n=192
#: value 2 * 128 / (long - short)
#: change none

.node   @0:1
.thread 0
        list    left
        halt
.align  64
.thread 1
        list    right
        halt
.org    0x800
left:   .descriptor push local=0x10000 node=@0:0 remote=0x10000 bytes={64 * n}
        .descriptor end
right:  .descriptor push local=0x10000 node=@0:2 remote=0x10000 bytes={64 * n}
        .descriptor end
.node   all
.org    0x10000
.space  0x8000
