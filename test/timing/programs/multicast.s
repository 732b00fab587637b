# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Can the network copy a transfer to several nodes?
#
#: measures mesh.multicast
#: rule one transfer can go to a run of a row or of a column
#: machine 1x4
#: run sent
#: value sent is not None

.node   @0:0
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x10000 row=1..3 remote=0x10000 bytes=64
        .descriptor end
.node   all
.org    0x10000
.space  64
