// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step. Three ways to the same bits, from the most common operands to any:
//
//   plain    A product of two bfloat16 is exact in fp32 unless it leaves fp32's range, so one fp32
//            addition is the fused multiply-add. If the accumulator and all products are zero or
//            multiples of 2^-126, so is every sum: none is denormal, nothing is flushed. If all are
//            small enough, no sum overflows and there is no NaN.
//   flushing Products are still exact, but sums may be denormal, infinite or NaN.
//   exact    Fused multiply-adds.
#include "dojo/Emulator/Numerics.h"

#include <cstring>

namespace dojo::emu {
namespace {

constexpr unsigned order[4] = {1, 0, 3, 2};

// Exponent fields of the operands that are neither zero nor special.
struct Exponents {
  unsigned least, greatest;
  bool odd; // there are denormals, infinities or NaNs
};

Exponents exponents(const uint16_t block[32]) {
  int16_t least = 255, greatest = 0, odd = 0;
  for (unsigned i = 0; i < 32; ++i) {
    int16_t magnitude = block[i] & 0x7FFF;
    int16_t e = magnitude >> 7;
    odd |= static_cast<int16_t>((e == 0) & (magnitude != 0));
    int16_t low = magnitude == 0 ? int16_t(255) : e;
    least = low < least ? low : least;
    greatest = e > greatest ? e : greatest;
  }
  return {static_cast<unsigned>(least), static_cast<unsigned>(greatest),
          odd != 0 || greatest == 255};
}

// Every element is zero, or at least 2^-103 (a multiple of 2^-126) and at most 2^125.
bool isPlain(const uint32_t acc[64]) {
  constexpr int32_t least = 24 << 23, range = (252 << 23) - least;
  int32_t bad = 0;
  for (unsigned i = 0; i < 64; ++i) {
    int32_t magnitude = static_cast<int32_t>(acc[i] & 0x7FFFFFFF);
    int32_t above = magnitude - least;
    bad |= (magnitude != 0 && above < 0) | (above > range);
  }
  return bad == 0;
}

// The operands as fp32: b by k and column, a by row and k.
struct Operands {
  float a[8][4], b[4][8];
};

void convert(const uint16_t block[32], uint32_t even[16], uint32_t odd[16]) {
  for (unsigned i = 0; i < 16; ++i) {
    even[i] = static_cast<uint32_t>(block[2 * i]) << 16;
    odd[i] = static_cast<uint32_t>(block[2 * i + 1]) << 16;
  }
}

void convert(const uint16_t a[32], const uint16_t b[32], Operands &out) {
  for (unsigned i = 0; i < 32; ++i)
    (&out.a[0][0])[i] = asFloat(static_cast<uint32_t>(a[i]) << 16);
  uint32_t even[16], odd[16];
  convert(b, even, odd);
  for (unsigned pair = 0; pair < 2; ++pair)
    for (unsigned c = 0; c < 8; ++c) {
      out.b[2 * pair][c] = asFloat(even[2 * c + pair]);
      out.b[2 * pair + 1][c] = asFloat(odd[2 * c + pair]);
    }
}

void plainStep(uint32_t acc[64], const Operands &x) {
  for (unsigned r = 0; r < 8; ++r) {
    float sums[8];
    std::memcpy(sums, acc + 8 * r, sizeof sums);
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = x.a[r][1] * x.b[1][c] + sums[c];
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = x.a[r][0] * x.b[0][c] + sums[c];
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = x.a[r][3] * x.b[3][c] + sums[c];
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = x.a[r][2] * x.b[2][c] + sums[c];
    std::memcpy(acc + 8 * r, sums, sizeof sums);
  }
}

void flushingStep(uint32_t acc[64], const Operands &x) {
  for (unsigned r = 0; r < 8; ++r) {
    uint32_t sums[8];
    for (unsigned c = 0; c < 8; ++c)
      sums[c] = flushDenormal(acc[8 * r + c]);
    for (unsigned k : order) {
      float a = asFloat(flushDenormal(asBits(x.a[r][k])));
      for (unsigned c = 0; c < 8; ++c) {
        float b = asFloat(flushDenormal(asBits(x.b[k][c])));
        sums[c] = flushDenormal(asBits(a * b + asFloat(sums[c])));
      }
    }
    for (unsigned c = 0; c < 8; ++c)
      acc[8 * r + c] = canonicalNaN(sums[c]);
  }
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
    std::memset(acc, 0, 64 * sizeof acc[0]);
  Exponents ea = exponents(a), eb = exponents(b);
  // A product is a multiple of 2^(sum of fields - 268), at least 2^(sum - 254) and below
  // 2^(sum - 252).
  unsigned least = ea.least + eb.least, greatest = ea.greatest + eb.greatest;
  Operands x;
  convert(a, b, x);
  if (!ea.odd && !eb.odd && least >= 142 && greatest <= 377 && isPlain(acc))
    plainStep(acc, x);
  else if (least >= 128 && greatest <= 380 && ea.least > 0 && eb.least > 0)
    flushingStep(acc, x);
  else
    exactStep(acc, a, b);
}

} // namespace dojo::emu
