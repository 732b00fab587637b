// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding and conversion.
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu {
namespace {

// From this exponent on (2^23) every fp32 is integral.
constexpr uint32_t integralBits = 0x4B000000;

// |a| is below 2^23: the value without its fraction, by way of int32. The sign of zero is lost.
float truncated(float a) { return static_cast<float>(static_cast<int32_t>(a)); }

uint32_t withSign(float magnitudeOrZero, uint32_t signOf) {
  uint32_t bits = asBits(magnitudeOrZero);
  return bits == 0 ? (signOf & signBit) : bits;
}

bool integral(uint32_t a) { return (a & ~signBit) >= integralBits; }

} // namespace

uint32_t floorF32(uint32_t a) {
  a = flushDenormal(a);
  if (integral(a))
    return canonicalNaN(a);
  float value = asFloat(a), whole = truncated(value);
  return withSign(whole > value ? whole - 1.0f : whole, a);
}

uint32_t ceilF32(uint32_t a) {
  a = flushDenormal(a);
  if (integral(a))
    return canonicalNaN(a);
  float value = asFloat(a), whole = truncated(value);
  return withSign(whole < value ? whole + 1.0f : whole, a);
}

uint32_t truncF32(uint32_t a) {
  a = flushDenormal(a);
  if (integral(a))
    return canonicalNaN(a);
  return withSign(truncated(asFloat(a)), a);
}

uint32_t nearestEvenF32(uint32_t a) {
  a = flushDenormal(a);
  if (integral(a))
    return canonicalNaN(a);
  float value = asFloat(a);
  int32_t whole = static_cast<int32_t>(value);
  float rest = value - static_cast<float>(whole);
  if (rest > 0.5f || (rest == 0.5f && (whole & 1)))
    ++whole;
  else if (rest < -0.5f || (rest == -0.5f && (whole & 1)))
    --whole;
  return withSign(static_cast<float>(whole), a);
}

uint32_t toSigned(uint32_t a) {
  float value = asFloat(a);
  if (isNaN(a))
    return 0;
  if (value >= 0x1p31f)
    return 0x7FFFFFFF;
  if (value < -0x1p31f)
    return 0x80000000;
  return static_cast<uint32_t>(static_cast<int32_t>(value));
}

uint32_t toUnsigned(uint32_t a) {
  float value = asFloat(a);
  if (isNaN(a) || value <= -1.0f)
    return 0;
  if (value >= 0x1p32f)
    return 0xFFFFFFFF;
  return static_cast<uint32_t>(static_cast<int64_t>(value));
}

uint32_t fromSigned(uint32_t a) { return asBits(static_cast<float>(static_cast<int32_t>(a))); }

uint32_t fromUnsigned(uint32_t a) { return asBits(static_cast<float>(a)); }

uint16_t toF16(uint32_t a) {
  a = flushDenormal(a);
  uint32_t sign = (a >> 16) & 0x8000, magnitude = a & ~signBit;
  if (isNaN(a))
    return 0x7E00;
  if (magnitude >= 0x47800000) // 2^16 and above, infinity
    return static_cast<uint16_t>(sign | 0x7C00);
  uint32_t exponent = magnitude >> 23;
  if (exponent >= 113) { // normal in binary16; a carry may reach infinity
    uint32_t rounded = magnitude - (112u << 23);
    rounded = (rounded + 0xFFF + ((rounded >> 13) & 1)) >> 13;
    return static_cast<uint16_t>(sign | rounded);
  }
  if (exponent < 102) // below half of the least denormal
    return static_cast<uint16_t>(sign);
  uint32_t significand = (magnitude & 0x7FFFFF) | 0x800000;
  uint32_t shift = 126 - exponent; // 14 to 24; the unit is 2^-24
  uint32_t quotient = significand >> shift;
  uint32_t rest = significand & ((1u << shift) - 1), half = 1u << (shift - 1);
  quotient += rest > half || (rest == half && (quotient & 1));
  return static_cast<uint16_t>(sign | quotient);
}

uint16_t toF16Saturating(uint32_t a) {
  uint16_t h = toF16(a);
  return (h & 0x7FFF) == 0x7C00 ? static_cast<uint16_t>((h & 0x8000) | 0x7BFF) : h;
}

uint32_t fromF16(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  uint32_t exponent = (h >> 10) & 31, fraction = h & 0x3FF;
  if (exponent == 31)
    return fraction ? quietNaN : sign | infinityBits;
  if (exponent == 0)
    return sign | asBits(static_cast<float>(fraction) * 0x1p-24f);
  return sign | ((exponent + 112) << 23) | (fraction << 13);
}

} // namespace dojo::emu
