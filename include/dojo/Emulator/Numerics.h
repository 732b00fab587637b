// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine's arithmetic on 32-bit lanes, to the bit, with nothing but IEEE +, -, * and
// conversions of the host (round to nearest even, no contraction, no flush modes): the same bits on
// every host.
//
// fp32: round to nearest even, denormal inputs and results are zero of the same sign, NaN results
// are 0x7FC00000. A result is denormal if it is below 2^-126 after rounding to 24 bits with
// unbounded exponent. A lane is passed as its bits.
#ifndef DOJO_EMULATOR_NUMERICS_H
#define DOJO_EMULATOR_NUMERICS_H

#include <bit>
#include <cstdint>

namespace dojo::emu {

inline constexpr uint32_t quietNaN = 0x7FC00000;
inline constexpr uint32_t signBit = 0x80000000;
inline constexpr uint32_t infinityBits = 0x7F800000;

/// The least magnitude that rounds to a normal fp32: 2^-126 - 2^-151.
inline constexpr double leastNormalResult = 0x1.ffffffp-127;

inline float asFloat(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t asBits(float value) { return std::bit_cast<uint32_t>(value); }

/// A denormal becomes zero of its sign.
inline uint32_t flushDenormal(uint32_t bits) {
  return (bits & infinityBits) ? bits : (bits & signBit);
}

inline bool isNaN(uint32_t bits) { return (bits & ~signBit) > infinityBits; }

inline uint32_t canonicalNaN(uint32_t bits) { return isNaN(bits) ? quietNaN : bits; }

/// The fp32 result for a double \p value that rounds to fp32 as the exact result does.
inline uint32_t roundResult(double value) {
  uint32_t bits = asBits(static_cast<float>(value));
  double magnitude = value < 0 ? -value : value;
  bits = magnitude < leastNormalResult ? (bits & signBit) : bits;
  return canonicalNaN(bits);
}

inline uint32_t addF32(uint32_t a, uint32_t b) {
  // A sum of two normal numbers that is denormal is exact, so no double rounding can occur.
  float sum = asFloat(flushDenormal(a)) + asFloat(flushDenormal(b));
  return canonicalNaN(flushDenormal(asBits(sum)));
}

inline uint32_t subF32(uint32_t a, uint32_t b) { return addF32(a, b ^ signBit); }

inline uint32_t mulF32(uint32_t a, uint32_t b) {
  return roundResult(static_cast<double>(asFloat(flushDenormal(a))) *
                     static_cast<double>(asFloat(flushDenormal(b))));
}

/// a * b + c with one rounding. The product is exact in double; the sum is rounded to odd, so that
/// the rounding to fp32 after it is that of the exact sum (Boldo and Melquiond, 2008).
inline uint32_t fmaF32(uint32_t a, uint32_t b, uint32_t c) {
  double product = static_cast<double>(asFloat(flushDenormal(a))) *
                   static_cast<double>(asFloat(flushDenormal(b)));
  double addend = static_cast<double>(asFloat(flushDenormal(c)));
  double sum = product + addend;
  // Knuth's two-sum: sum + error is exact.
  double back = sum - product;
  double error = (product - (sum - back)) + (addend - back);
  uint64_t bits = std::bit_cast<uint64_t>(sum);
  bool finite = (bits & 0x7FF0000000000000u) != 0x7FF0000000000000u;
  bool even = (bits & 1) == 0;
  bool inexact = error != 0.0;
  uint64_t outward = (error > 0.0) == (sum > 0.0) ? 1 : ~uint64_t(0);
  bits += (finite && even && inexact) ? outward : 0;
  return roundResult(std::bit_cast<double>(bits));
}

/// NaN if either operand is; -0 is less than +0.
inline uint32_t minF32(uint32_t a, uint32_t b) {
  a = flushDenormal(a), b = flushDenormal(b);
  // Sign-magnitude to two's complement order.
  int32_t ka =
      static_cast<int32_t>(a ^ (static_cast<uint32_t>(static_cast<int32_t>(a) >> 31) >> 1));
  int32_t kb =
      static_cast<int32_t>(b ^ (static_cast<uint32_t>(static_cast<int32_t>(b) >> 31) >> 1));
  uint32_t least = ka < kb ? a : b;
  return isNaN(a) || isNaN(b) ? quietNaN : least;
}

inline uint32_t maxF32(uint32_t a, uint32_t b) {
  a = flushDenormal(a), b = flushDenormal(b);
  int32_t ka =
      static_cast<int32_t>(a ^ (static_cast<uint32_t>(static_cast<int32_t>(a) >> 31) >> 1));
  int32_t kb =
      static_cast<int32_t>(b ^ (static_cast<uint32_t>(static_cast<int32_t>(b) >> 31) >> 1));
  uint32_t greatest = ka > kb ? a : b;
  return isNaN(a) || isNaN(b) ? quietNaN : greatest;
}

/// Rounding to an integral value; zero results keep the sign of the operand.
uint32_t floorF32(uint32_t a);
uint32_t ceilF32(uint32_t a);
uint32_t truncF32(uint32_t a);
uint32_t nearestEvenF32(uint32_t a);

/// Truncating, saturating; NaN gives 0.
uint32_t toSigned(uint32_t a);
uint32_t toUnsigned(uint32_t a);
/// Nearest even.
uint32_t fromSigned(uint32_t a);
uint32_t fromUnsigned(uint32_t a);

/// To bfloat16, nearest even; denormals flush, a NaN is 0x7FC0.
inline uint16_t toBf16(uint32_t a) {
  a = flushDenormal(a);
  uint32_t rounded = (a + 0x7FFF + ((a >> 16) & 1)) >> 16;
  return static_cast<uint16_t>(isNaN(a) ? 0x7FC0 : rounded);
}
/// As toBf16, but what exceeds the greatest finite value, infinity included, becomes that value.
inline uint16_t toBf16Saturating(uint32_t a) {
  uint16_t h = toBf16(a);
  return (h & 0x7FFF) == 0x7F80 ? static_cast<uint16_t>((h & 0x8000) | 0x7F7F) : h;
}
inline uint32_t fromBf16(uint16_t h) { return static_cast<uint32_t>(h) << 16; }

/// To IEEE binary16, nearest even with gradual denormals; a NaN is 0x7E00.
uint16_t toF16(uint32_t a);
uint16_t toF16Saturating(uint32_t a);
/// Exact; a NaN is 0x7FC00000.
uint32_t fromF16(uint16_t h);

/// Estimates: evaluated in double as written in Estimates.cpp, then rounded to nearest even at 12
/// fraction bits (relative error at most 2^-13 + 2^-30). Results below 2^-126 are zero.
/// 1/x: 1/±0 = ±inf, 1/±inf = ±0.
uint32_t reciprocalEstimate(uint32_t a);
/// 1/sqrt(x): ±0 gives ±inf, negative NaN, inf gives 0.
uint32_t reciprocalSqrtEstimate(uint32_t a);
/// 2^x: exact for integers; at least 128 gives inf, below -126 gives 0.
uint32_t exp2Estimate(uint32_t a);
/// log2(x): ±0 gives -inf, negative NaN, inf gives inf; exact for powers of two.
uint32_t log2Estimate(uint32_t a);

/// One matrix step: acc[8r + c] = sum over k of a[4r + k] * b[4c + k] + acc[8r + c] in the order of
/// k = 1, 0, 3, 2, each an fmaF32. Operands are bfloat16 bits, 8 rows of 4. With \p first the
/// accumulator is taken as +0. Accumulators are fp32 bits.
void matrixStep(uint32_t acc[64], const uint16_t a[32], const uint16_t b[32], bool first);

} // namespace dojo::emu

#endif
