// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The 12-bit estimates. Each function below is the definition: IEEE double operations in the order
// written, then one rounding to 12 fraction bits. Series are cut where their error is below 2^-34.
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu {
namespace {

constexpr double ln2 = 0x1.62e42fefa39efp-1;
constexpr double twoOverLn2 = 0x1.71547652b82fep+1;

double scaleByPowerOf2(double value, int exponent) {
  return value * std::bit_cast<double>(static_cast<uint64_t>(1023 + exponent) << 52);
}

// Rounds to nearest even at 12 fraction bits, then to fp32: overflow is infinity, underflow zero.
uint32_t roundTo12(double value) {
  constexpr unsigned dropped = 52 - 12;
  uint64_t bits = std::bit_cast<uint64_t>(value);
  bits += (uint64_t(1) << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
  bits &= ~((uint64_t(1) << dropped) - 1);
  value = std::bit_cast<double>(bits);
  uint32_t sign = static_cast<uint32_t>(bits >> 32) & signBit;
  double magnitude = value < 0 ? -value : value;
  if (magnitude >= 0x1p128)
    return sign | infinityBits;
  if (magnitude < 0x1p-126)
    return sign;
  return asBits(static_cast<float>(value));
}

} // namespace

uint32_t reciprocalEstimate(uint32_t a) {
  a = flushDenormal(a);
  if (isNaN(a))
    return quietNaN;
  if ((a & ~signBit) == 0)
    return a | infinityBits;
  if ((a & ~signBit) == infinityBits)
    return a & signBit;
  return roundTo12(1.0 / static_cast<double>(asFloat(a)));
}

uint32_t reciprocalSqrtEstimate(uint32_t a) {
  a = flushDenormal(a);
  if (isNaN(a))
    return quietNaN;
  if ((a & ~signBit) == 0)
    return a | infinityBits;
  if (a & signBit)
    return quietNaN;
  if (a == infinityBits)
    return 0;
  // x = m * 4^h with m in [1, 4).
  int exponent = static_cast<int>(a >> 23) - 127;
  int half = (exponent - (exponent & 1)) / 2;
  double m = scaleByPowerOf2(static_cast<double>(asFloat(a)), -2 * half);
  // Newton from a linear start (relative error below 0.13): each round squares the error.
  double y = 1.03 - 0.15 * m;
  for (int round = 0; round < 5; ++round)
    y = y * (1.5 - (0.5 * m) * (y * y));
  return roundTo12(scaleByPowerOf2(y, -half));
}

uint32_t exp2Estimate(uint32_t a) {
  a = flushDenormal(a);
  if (isNaN(a))
    return quietNaN;
  float x = asFloat(a);
  if (x >= 128.0f)
    return infinityBits;
  if (x < -126.0f)
    return 0;
  int whole = static_cast<int>(x + 128.5f) - 128; // nearest integer, halves up: x + 128.5 > 0
  double t = (static_cast<double>(x) - whole) * ln2;
  double sum = 1.0;
  for (int k = 11; k >= 1; --k)
    sum = 1.0 + (t / k) * sum;
  return roundTo12(scaleByPowerOf2(sum, whole));
}

uint32_t log2Estimate(uint32_t a) {
  a = flushDenormal(a);
  if (isNaN(a))
    return quietNaN;
  if ((a & ~signBit) == 0)
    return signBit | infinityBits;
  if (a & signBit)
    return quietNaN;
  if (a == infinityBits)
    return infinityBits;
  int exponent = static_cast<int>(a >> 23) - 127;
  double m = asFloat((a & 0x007FFFFF) | 0x3F800000); // [1, 2)
  if (m > 1.4142135623730951) {
    m = m * 0.5;
    exponent += 1;
  }
  double s = (m - 1.0) / (m + 1.0), square = s * s;
  double series = 1.0 / 15.0;
  for (int k = 13; k >= 1; k -= 2)
    series = series * square + 1.0 / k;
  double value = static_cast<double>(exponent) + twoOverLn2 * (s * series);
  return value == 0.0 ? 0 : roundTo12(value);
}

} // namespace dojo::emu
