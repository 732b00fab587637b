# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A copy within the node, of one run of {64 * n} bytes.
#
#: measures mesh.packet
#: rule packets carry so many bytes; a node's ports pass one a cycle, and read and write the SRAM beside the core
#: run short n=4096
#: run long n=12288
#: value 8192 / (long - short)
#: change none

.node   all
.thread 0
        list    table
        halt
.org    0x800
table:  .descriptor copy local=0x10000 node=@0:0 remote=0x20000 bytes={n}
        .descriptor end
.org    0x10000
.space  0x20000
