// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step on 512-bit registers. A register of the accumulator is a pair of rows (accWord):
// the eight columns in order, of each first the even row's element, then the odd row's. A step
// along k adds to every pair of rows the product of an operand made of A, in which one element of
// each of the two rows stands eight times, and one made of B, in which one element of every column
// stands twice.
//
// There are two forms with the same bits. In one an element is a pair of bfloat16, as it stands in
// the block: vdpbf16ps adds the product of the odd one first, then that of the even one, each as a
// fused multiply-add, and flushes denormals, which is the machine's own order within a pair. In the
// other an element is an fp32, and fused multiply-adds do the same in two steps. Which is faster
// depends on the host: one vdpbf16ps does the work of two, but hosts issue 0.45 to 2 in a cycle.
//
// B's operands are the block loaded with duplication: vmovsldup for pair 0, vmovshdup for pair 1. A
// is put in order once: of two rows first the elements of pair 0, then those of pair 1; a load that
// broadcasts 64 bits makes an operand of it.
#ifndef DOJO_EMULATOR_MATRIXFORMS_H
#define DOJO_EMULATOR_MATRIXFORMS_H

#include <cstdint>

namespace dojo::emu {

/// Which of four elements of A (two rows by two pairs) stands in each place: for vpshufd.
constexpr uint8_t rowPairOrder = 0 | 2 << 2 | 1 << 4 | 3 << 6;

/// Of a pair, the bits of the odd element; the even one becomes an fp32 by a shift of 16.
constexpr uint32_t oddElement = 0xFFFF0000;

} // namespace dojo::emu

#endif
