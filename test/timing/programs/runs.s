# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# {n} runs of {bytes} bytes each.
#
#: rule runs of a transfer are not packed together: each begins a packet, an incomplete one costs a whole
#: label X
#: machine 1x2
#: each bytes = 4 ; 64 ; 65
#: each packets = 1 ; 1 ; 2
#: run short n=16
#: run long n=48
#: value (long - short) / (32 * {packets})
#: expect 1

.node   @0:0
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor push local=0x10000 node=@0:1 remote=0x10000 bytes={bytes} count={n},1,1 local_stride=128,0,0 remote_stride=128,0,0
        .descriptor end
.node   all
.org    0x10000
.space  0x8000
