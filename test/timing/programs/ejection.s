# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Transfers of two neighbours to the node between them: together through its ejection port.
#
#: measures mesh.ejection
#: rule a node receives so many packets a cycle
#: machine 1x3
#: run short n=64
#: run long n=192
#: value 2 * 128 / (long - short)
#: change none

.node   @0:0 @0:2
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x10000 node=@0:1 remote=0x10000 bytes={64 * n}
        .descriptor end
.node   all
.org    0x10000
.space  0x8000
