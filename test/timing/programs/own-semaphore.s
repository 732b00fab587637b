# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A thread that waits for the own semaphore of a transfer, against the one whose list it is: there `end` is ready
# only some cycles after the transfer is done.
#
#: rule a transfer's own semaphore shows in the cycle after its last packet has left
#: label X
#: machine 1x2
#: run waits m=1
#: run sends m=0
#: value sends - waits
#: expect mesh.list_next - 1

.repeat i {m}
.layer  probe
.endr
.node   @0:0
.thread 1
        wait    s0, 1
        halt
.layer  rest
.align  64
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x10000 node=@0:1 remote=0x10000 bytes=640 own=s0
        .descriptor end
.node   all
.org    0x10000
.space  640
