# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Ring all-reduce on 4 nodes: each starts with a row of 64 numbers and ends with the sum of all four
# rows. The row is cut into 4 chunks of 16; chunks travel round the ring
#
#       place 0 @0:0  ->  place 1 @0:1
#            ^                 |
#            |                 v
#       place 3 @1:0  <-  place 2 @1:1
#
# Three steps of reduction: in step s, place i sends chunk i - s to the next place and adds what
# arrives to chunk i - s - 1 (mod 4). Then place i holds the sum of chunk i + 1. Three steps of
# distribution: in step s, place i sends chunk i + 1 - s, which lands where it belongs.
#
# All nodes run the same code; what differs lies in tables: the lists of what to send, and the
# addresses of the chunks to add to.
#
#   dojo-as ring-allreduce.s -o ring.d1
#   dojo-run ring.d1 --input x=random:1 --output-dir out    # out/sum.npy: four equal rows

.target d1 2x2

.equ    row, 0x1000             # 4 chunks of 64 bytes, input and output
.equ    slots, 0x1100           # what arrives in the three steps of reduction
.equ    lists, 0x2000           # 6 lists of 2 descriptors, 128 bytes each
.equ    targets, 0x2400         # 3 words: chunks to add to

.input  x f32 4x64 part 0,0 1x64 at @0:0 row
.input  x f32 4x64 part 1,0 1x64 at @0:1 row
.input  x f32 4x64 part 2,0 1x64 at @1:1 row
.input  x f32 4x64 part 3,0 1x64 at @1:0 row
.output sum f32 4x64 part 0,0 1x64 at @0:0 row
.output sum f32 4x64 part 1,0 1x64 at @0:1 row
.output sum f32 4x64 part 2,0 1x64 at @1:1 row
.output sum f32 4x64 part 3,0 1x64 at @1:0 row

.node all                       # one copy of this text, placed on all four nodes
.org 0
.thread 0
main:
        li      x1, targets
        li      x2, slots
        # Every step has its own semaphore, so that a neighbour that is ahead is not mistaken.
        # `list` runs a transfer list and goes on when its last packet has left; `wait s, 1` stops
        # until semaphore s is at least 1 and takes 1 off. Semaphores are 0 again at the end.
        list    lists + 0
        wait    s0, 1
        lw      x3, (x1)+4              # the chunk
        vld     v1, 0(x3), w32, m0
        vfadd.m v1, v1, (x2)+64, w32    # plus what arrived: one operand comes from memory
        vst     v1, 0(x3), w32, m0
        list    lists + 128
        wait    s1, 1
        lw      x3, (x1)+4              # the chunk
        vld     v1, 0(x3), w32, m0
        vfadd.m v1, v1, (x2)+64, w32    # plus what arrived: one operand comes from memory
        vst     v1, 0(x3), w32, m0
        list    lists + 256
        wait    s2, 1
        lw      x3, (x1)+4              # the chunk
        vld     v1, 0(x3), w32, m0
        vfadd.m v1, v1, (x2)+64, w32    # plus what arrived: one operand comes from memory
        vst     v1, 0(x3), w32, m0
        list    lists + 384
        wait    s3, 1
        list    lists + 512
        wait    s4, 1
        list    lists + 640
        wait    s5, 1
        halt

.node @0:0                      # place 0 sends to @0:1
.org lists
        .descriptor push local=row+0 node=@0:1 remote=slots+0 bytes=64 far=s0
        .descriptor end
        .descriptor push local=row+192 node=@0:1 remote=slots+64 bytes=64 far=s1
        .descriptor end
        .descriptor push local=row+128 node=@0:1 remote=slots+128 bytes=64 far=s2
        .descriptor end
        .descriptor push local=row+64 node=@0:1 remote=row+64 bytes=64 far=s3
        .descriptor end
        .descriptor push local=row+0 node=@0:1 remote=row+0 bytes=64 far=s4
        .descriptor end
        .descriptor push local=row+192 node=@0:1 remote=row+192 bytes=64 far=s5
        .descriptor end
.org targets
        .word   row + 192, row + 128, row + 64

.node @0:1                      # place 1 sends to @1:1
.org lists
        .descriptor push local=row+64 node=@1:1 remote=slots+0 bytes=64 far=s0
        .descriptor end
        .descriptor push local=row+0 node=@1:1 remote=slots+64 bytes=64 far=s1
        .descriptor end
        .descriptor push local=row+192 node=@1:1 remote=slots+128 bytes=64 far=s2
        .descriptor end
        .descriptor push local=row+128 node=@1:1 remote=row+128 bytes=64 far=s3
        .descriptor end
        .descriptor push local=row+64 node=@1:1 remote=row+64 bytes=64 far=s4
        .descriptor end
        .descriptor push local=row+0 node=@1:1 remote=row+0 bytes=64 far=s5
        .descriptor end
.org targets
        .word   row + 0, row + 192, row + 128

.node @1:1                      # place 2 sends to @1:0
.org lists
        .descriptor push local=row+128 node=@1:0 remote=slots+0 bytes=64 far=s0
        .descriptor end
        .descriptor push local=row+64 node=@1:0 remote=slots+64 bytes=64 far=s1
        .descriptor end
        .descriptor push local=row+0 node=@1:0 remote=slots+128 bytes=64 far=s2
        .descriptor end
        .descriptor push local=row+192 node=@1:0 remote=row+192 bytes=64 far=s3
        .descriptor end
        .descriptor push local=row+128 node=@1:0 remote=row+128 bytes=64 far=s4
        .descriptor end
        .descriptor push local=row+64 node=@1:0 remote=row+64 bytes=64 far=s5
        .descriptor end
.org targets
        .word   row + 64, row + 0, row + 192

.node @1:0                      # place 3 sends to @0:0
.org lists
        .descriptor push local=row+192 node=@0:0 remote=slots+0 bytes=64 far=s0
        .descriptor end
        .descriptor push local=row+128 node=@0:0 remote=slots+64 bytes=64 far=s1
        .descriptor end
        .descriptor push local=row+64 node=@0:0 remote=slots+128 bytes=64 far=s2
        .descriptor end
        .descriptor push local=row+0 node=@0:0 remote=row+0 bytes=64 far=s3
        .descriptor end
        .descriptor push local=row+192 node=@0:0 remote=row+192 bytes=64 far=s4
        .descriptor end
        .descriptor push local=row+128 node=@0:0 remote=row+128 bytes=64 far=s5
        .descriptor end
.org targets
        .word   row + 128, row + 64, row + 0
