// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

using namespace dojo;

uint16_t dojo::toBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return 0x7FC0;
  if (magnitude < 0x00800000)
    return uint16_t(bits >> 16) & 0x8000;
  return uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float dojo::fromBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

uint16_t dojo::toF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = uint16_t(bits >> 16) & 0x8000;
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return 0x7E00;
  // 65520 is half way between the largest finite value and the next: it rounds to infinity.
  if (magnitude >= 0x477FF000)
    return sign | 0x7C00;
  uint32_t shift, mantissa;
  if (magnitude >= 0x38800000) {
    mantissa = magnitude - 0x38000000;
    shift = 13;
  } else {
    // Denormal result: the mantissa with its leading one, shifted to units of 2^-24.
    uint32_t exponent = magnitude >> 23;
    if (exponent < 102)
      return sign;
    mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    shift = 126 - exponent;
  }
  uint32_t result = mantissa >> shift;
  uint32_t rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
  if (rest > half || (rest == half && (result & 1)))
    ++result;
  return sign | uint16_t(result);
}

float dojo::fromF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0) {
    float magnitude = std::ldexp(float(mantissa), -24);
    return sign ? -magnitude : magnitude;
  }
  if (exponent == 31)
    return std::bit_cast<float>(mantissa ? 0x7FC00000u : sign | 0x7F800000);
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

namespace {

// The types through which conversions go: every integer fits one of the 64-bit ones, every float
// fits double exactly.
template <typename T> struct Plain {
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                  std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
  static Wide load(const uint8_t *p) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return Wide(value);
  }
  static T fromFloat(double value) {
    if constexpr (std::is_same_v<T, double>) {
      return value;
    } else if constexpr (std::is_same_v<T, float>) {
      return float(value);
    } else {
      if (std::isnan(value))
        return 0;
      value = std::trunc(value);
      // The upper limit as a power of two: it is exact in double, the largest integer is not.
      double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
      if (value >= end)
        return std::numeric_limits<T>::max();
      if (value < double(std::numeric_limits<T>::min()))
        return std::numeric_limits<T>::min();
      return T(value);
    }
  }
  template <typename From> static void store(uint8_t *p, From value) {
    T result;
    if constexpr (std::is_floating_point_v<From>)
      result = fromFloat(value);
    else
      result = T(value);
    std::memcpy(p, &result, sizeof(T));
  }
};

struct Bool : Plain<uint8_t> {
  template <typename From> static void store(uint8_t *p, From value) { *p = value != 0; }
};

template <uint16_t (*To)(float), float (*From)(uint16_t)> struct Half {
  static double load(const uint8_t *p) {
    uint16_t bits;
    std::memcpy(&bits, p, 2);
    return From(bits);
  }
  template <typename Wide> static void store(uint8_t *p, Wide value) {
    uint16_t bits = To(float(value));
    std::memcpy(p, &bits, 2);
  }
};

template <typename Function> void dispatch(ElementType type, Function &&function) {
  switch (type) {
  case ElementType::I1:
    return function(Bool());
  case ElementType::I8:
    return function(Plain<int8_t>());
  case ElementType::U8:
    return function(Plain<uint8_t>());
  case ElementType::I16:
    return function(Plain<int16_t>());
  case ElementType::U16:
    return function(Plain<uint16_t>());
  case ElementType::I32:
    return function(Plain<int32_t>());
  case ElementType::U32:
    return function(Plain<uint32_t>());
  case ElementType::I64:
    return function(Plain<int64_t>());
  case ElementType::U64:
    return function(Plain<uint64_t>());
  case ElementType::BF16:
    return function(Half<toBF16, fromBF16>());
  case ElementType::F16:
    return function(Half<toF16, fromF16>());
  case ElementType::F32:
    return function(Plain<float>());
  case ElementType::F64:
    return function(Plain<double>());
  }
}

} // namespace

void dojo::convertElements(const uint8_t *in, ElementType from, uint8_t *out, ElementType to,
                           uint64_t count) {
  unsigned inBytes = elementBytes(from), outBytes = elementBytes(to);
  if (from == to) {
    std::memcpy(out, in, count * inBytes);
    return;
  }
  dispatch(from, [&](auto source) {
    dispatch(to, [&](auto target) {
      for (uint64_t i = 0; i < count; ++i)
        decltype(target)::store(out + i * outBytes, decltype(source)::load(in + i * inBytes));
    });
  });
}
