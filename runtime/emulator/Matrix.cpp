// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step. A product of two bfloat16 is exact in fp32 unless it leaves fp32's normal range;
// then one fp32 addition is the fused multiply-add.
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu {
namespace {

constexpr unsigned order[4] = {1, 0, 3, 2};

// Exponents of the operands that are neither zero (or denormal) nor special.
struct ExponentRange {
  unsigned least = 255, greatest = 0;
};

ExponentRange exponents(const uint16_t block[32]) {
  uint16_t least = 255, greatest = 0;
  for (unsigned i = 0; i < 32; ++i) {
    uint16_t e = (block[i] >> 7) & 255;
    uint16_t low = e == 0 ? 255 : e, high = e == 255 ? 0 : e;
    least = low < least ? low : least;
    greatest = high > greatest ? high : greatest;
  }
  return {least, greatest};
}

void exactStep(uint32_t acc[64], const uint16_t a[32], const uint16_t b[32]) {
  for (unsigned k : order)
    for (unsigned r = 0; r < 8; ++r)
      for (unsigned c = 0; c < 8; ++c)
        acc[8 * r + c] = fmaF32(fromBf16(a[4 * r + k]), fromBf16(b[4 * c + k]), acc[8 * r + c]);
}

} // namespace

void matrixStep(uint32_t acc[64], const uint16_t a[32], const uint16_t b[32], bool first) {
  if (first)
    for (unsigned i = 0; i < 64; ++i)
      acc[i] = 0;
  ExponentRange ra = exponents(a), rb = exponents(b);
  // Products are below 2^(ea + eb - 252) and at least 2^(ea + eb - 254).
  if (ra.least + rb.least < 128 || ra.greatest + rb.greatest > 380) {
    exactStep(acc, a, b);
    return;
  }
  float columns[4][8], rows[4][8];
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned c = 0; c < 8; ++c) {
      columns[k][c] = asFloat(flushDenormal(fromBf16(b[4 * c + k])));
      rows[k][c] = asFloat(flushDenormal(fromBf16(a[4 * c + k])));
    }
  for (unsigned r = 0; r < 8; ++r) {
    uint32_t sums[8];
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = flushDenormal(acc[8 * r + c]);
    for (unsigned k : order)
      for (unsigned c = 0; c < 8; ++c)
        sums[c] = flushDenormal(asBits(rows[k][r] * columns[k][c] + asFloat(sums[c])));
    for (unsigned c = 0; c < 8; ++c)
      acc[8 * r + c] = canonicalNaN(sums[c]);
  }
}

} // namespace dojo::emu
