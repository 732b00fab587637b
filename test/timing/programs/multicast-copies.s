# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# 16 packets to {n} receivers with a semaphore each; the sender's own semaphore does not depend on them.
#
#: rule a multicast leaves its sender once, whatever the number of receivers
#: label X
#: only mesh.multicast
#: machine 1x12
#: run few n=2
#: run many n=11
#: value many - few
#: expect 0

.layer  probe
.node   @0:0
.thread 0
        list    table
        wait    s0, 1
        halt
.org    0x800
table:  .descriptor push local=0x10000 row=1..{n} remote=0x10000 bytes=1024 own=s0
        .descriptor end
.layer  rest
.node   @0:1
.thread 0
        halt
.node   all
.org    0x10000
.space  1024
