# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Four trains each of three neighbours block the ejection port of a node. Then 128 packets come to it
# from the fourth side, over two links, against over one: when the last of them leaves its sender
# differs by what the buffer behind one more link takes.
#
#: measures mesh.buffer
#: rule behind each link is a buffer of so many packets: a port or link is free again when what does not fit there has gone on
#: machine 3x5
#: run near column=2
#: run far column=1
#: value near - far

.layer  probe
.node   @1:{column}
.thread 0
        list    nothing
        list    table0
        wait    s0, 1
        halt
.org    0x800
table0: .descriptor push local=0x10000 node=@1:3 remote=0x20000 bytes=8192 own=s0
nothing:.descriptor end
.layer  others
.node   @0:3 @1:4 @2:3
.repeat t 4
.align  64
.thread {t}
        list    table1
        halt
.endr
.org    0x800
table1: .descriptor push local=0x10000 node=@1:3 remote=0x20000 bytes=1024
        .descriptor end
.node   all
.org    0x10000
.space  0x18000
