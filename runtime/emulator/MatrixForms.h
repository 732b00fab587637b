// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step on 512-bit registers. A register of the accumulator is a quarter (accWord): four
// rows, a 128-bit lane each, of four columns. A step along k adds to every quarter the product of
// an operand made of A, in whose lanes one element of the lane's row stands four times, and one
// made of B, in all of whose lanes the same four columns stand.
//
// There are two forms with the same bits. In one an element is a pair of bfloat16, as it stands in
// the block: vdpbf16ps adds the product of the odd one first, then that of the even one, each as a
// fused multiply-add, and flushes denormals, which is the machine's own order within a pair. In the
// other an element is an fp32, and fused multiply-adds do the same in two steps. Which is faster
// depends on the host: one vdpbf16ps does the work of two, but hosts issue 0.45 to 2 in a cycle.
//
// Pairs are first put in order by the tables below. Of A's, a load that duplicates (vmovsldup for
// pair 0, vmovshdup for pair 1) makes an operand; of B's, a load that broadcasts 128 bits.
#ifndef DOJO_EMULATOR_MATRIXFORMS_H
#define DOJO_EMULATOR_MATRIXFORMS_H

#include <cstdint>

namespace dojo::emu {

/// Which pair of a block stands in each place.
struct MatrixOrder {
  alignas(64) uint32_t rows[2][16]; // by half of the rows: in the lane of a row its pairs, twice
  alignas(64) uint32_t columns[16]; // pair 0 of the eight columns, then pair 1
};

constexpr MatrixOrder matrixOrder = {{{0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7},
                                      {8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 15, 14, 15}},
                                     {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15}};

/// Of a pair, the bits of the odd element; the even one becomes an fp32 by a shift of 16.
constexpr uint32_t oddElement = 0xFFFF0000;

} // namespace dojo::emu

#endif
