# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The first program: one thread of one node copies a greeting, byte by byte, to where the runtime
# finds the output.
#
#   dojo-as hello.s -o hello.d1
#   dojo-run hello.d1 --output-dir out      # out/greeting.npy: 10 bytes, "Hello, D1!"
#   dojo-objdump hello.d1                   # the program as the machine sees it

.target d1 1x1                  # the machine, and the part of its die in use: one node

# A graph output: name, element type, shape, and where its bytes lie when the program has ended.
.output greeting u8 10 at @0:0 0x800

.node @0:0                      # what follows goes to the node in row 0, column 0
.org 0                          # at this SRAM address
.thread 0                       # thread 0 of four starts here, the others do not start

main:
        li      x1, message     # done in the front end: costs no slot
        li      x2, 0x800
        li      x3, 10
copy:   lbu     x4, (x1)+1      # load a byte, then add 1 to x1 (post-increment)
        sb      x4, (x2)+1
        loop    x3, copy        # x3 = x3 - 1, and on while it is not 0
        halt

# Code cannot be written, and data is not code: they are kept apart.
.org 0x400
message:
        .byte   72, 101, 108, 108, 111, 44, 32, 68, 49, 33
