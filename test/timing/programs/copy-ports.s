# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A copy within a node beside a transfer to its neighbour, and beside one from there.
#
#: rule a copy within a node takes the injection port and the ejection port
#: label X
#: machine 1x2
#: each out = 1 ; 0
#: each in = 0 ; 1
#: run short n=64
#: run long n=192
#: value (long - short) / 128
#: expect 2

.node   @0:0
.thread 0
        list    copy
        halt
.repeat i {out}
.align  64
.thread 1
        list    push
        halt
.endr
.org    0x800
copy:   .descriptor copy local=0x10000 node=@0:0 remote=0x20000 bytes={64 * n}
        .descriptor end
push:   .descriptor push local=0x10000 node=@0:1 remote=0x20000 bytes={64 * n}
        .descriptor end
.repeat i {in}
.node   @0:1
.thread 0
        list    push
        halt
.org    0x800
push:   .descriptor push local=0x10000 node=@0:0 remote=0x20000 bytes={64 * n}
        .descriptor end
.endr
.node   all
.org    0x10000
.space  0x18000
