# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# c = a x b, all 8x8: two steps of the matrix unit. A step multiplies a block of 8 rows and 4 columns
# of a by a block of 4 rows and 8 columns of b, and adds to one of the node's 8x8 accumulators.
#
# Both operand blocks are 64 bytes: 8 rows of 4 consecutive k (the dimension summed over), each row 8
# bytes of bf16. So b is given transposed, bt[column][k].
#
#   dojo-as product-8x8.s -o product.d1
#   dojo-run product.d1 --input a=random:1 --input bt=random:2 --output-dir out

.target d1 1x1

.equ    a, 0x1000
.equ    bt, 0x1080
.equ    c, 0x1100

.input  a bf16 8x8 at @0:0 a
.input  bt bf16 8x8 at @0:0 bt
.output c f32 8x8 at @0:0 c

.layer product macs=512         # for the counters: 8 * 8 outputs, 8 products each

.node @0:0
.org 0
.thread 0
main:
        li      x1, a
        li      x2, bt
        # A row of a is 16 bytes, the block wants 8 of them: gather 8 granules of 8 bytes, granule i
        # at the base plus lane i of v1, that is 16 i.
        viota   v1
        li      x3, 4
        vishl.x v1, v1, x3
        vgather8 v2, x1, v1, m0         # a, columns 0 to 3
        vgather8 v3, x2, v1, m0         # b, rows 0 to 3
        addi    x1, x1, 8
        addi    x2, x2, 8
        vgather8 v4, x1, v1, m0         # a, columns 4 to 7
        vgather8 v5, x2, v1, m0         # b, rows 4 to 7

        mm      acc0, v2, v3, 1, bf16   # 1: the accumulator counts as zero before
        mm      acc0, v4, v5, 0, bf16

        # An accumulator leaves in quarters of 4 rows and 4 columns, row after row in 16 lanes:
        # 0 top left, 1 bottom left, 2 top right, 3 bottom right.
        drain   v10, acc0, 0
        drain   v11, acc0, 1
        drain   v12, acc0, 2
        drain   v13, acc0, 3

        # Groups of 4 lanes, left and right half of a row each time:
        vtrnlo  v20, v10, v12, 2        # rows 0 and 2
        vtrnhi  v21, v10, v12, 2        # rows 1 and 3
        vtrnlo  v22, v11, v13, 2        # rows 4 and 6
        vtrnhi  v23, v11, v13, 2        # rows 5 and 7
        # Groups of 8 lanes, that is whole rows:
        vtrnlo  v24, v20, v21, 3        # rows 0 and 1
        vtrnhi  v25, v20, v21, 3        # rows 2 and 3
        vtrnlo  v26, v22, v23, 3
        vtrnhi  v27, v22, v23, 3

        li      x4, c
        vst     v24, (x4)+64, w32, m0
        vst     v25, (x4)+64, w32, m0
        vst     v26, (x4)+64, w32, m0
        vst     v27, (x4)+64, w32, m0
        halt
