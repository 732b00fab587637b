// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Npy/Elements.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace dojo::npy {

using image::ElementKind;
using image::ElementType;

namespace {

// A binary float of up to 16 bits.
struct SmallFloat {
  const char *name;
  int exponentBits, mantissaBits, bias;
  // How the top of the range is used: as IEEE does; finite but for all ones ("fn"); finite with
  // the code of -0 as the only NaN ("fnuz"); or finite throughout.
  enum { Ieee, Fn, Fnuz, Finite } top;
};

constexpr SmallFloat smallFloats[] = {
    {"f16", 5, 10, 15, SmallFloat::Ieee},    {"bf16", 8, 7, 127, SmallFloat::Ieee},
    {"f8e4m3fn", 4, 3, 7, SmallFloat::Fn},   {"f8e4m3fnuz", 4, 3, 8, SmallFloat::Fnuz},
    {"f8e5m2", 5, 2, 15, SmallFloat::Ieee},  {"f8e5m2fnuz", 5, 2, 16, SmallFloat::Fnuz},
    {"f6e2m3", 2, 3, 1, SmallFloat::Finite}, {"f6e3m2", 3, 2, 3, SmallFloat::Finite},
    {"f4e2m1", 2, 1, 1, SmallFloat::Finite},
};

const SmallFloat *smallFloat(const ElementType &type) {
  for (const SmallFloat &format : smallFloats)
    if (std::strcmp(format.name, type.name) == 0)
      return &format;
  return nullptr;
}

double power(int exponent) { return std::ldexp(1.0, exponent); }

struct Limits {
  unsigned maxFinite, nan, infinity; // codes without sign; infinity is nan where there is none
};

Limits limits(const SmallFloat &f) {
  unsigned sign = 1u << (f.exponentBits + f.mantissaBits);
  unsigned top = ((1u << f.exponentBits) - 1) << f.mantissaBits;
  switch (f.top) {
  case SmallFloat::Ieee:
    return {top - 1, top | 1u << (f.mantissaBits - 1), top};
  case SmallFloat::Fn:
    return {sign - 2, sign - 1, sign - 1};
  case SmallFloat::Finite:
    return {sign - 1, 0, sign - 1};
  case SmallFloat::Fnuz:
    break;
  }
  return {sign - 1, sign, sign};
}

double decode(unsigned code, const SmallFloat &f) {
  unsigned signBit = 1u << (f.exponentBits + f.mantissaBits);
  Limits lim = limits(f);
  unsigned magnitude = code & (signBit - 1);
  bool negative = code & signBit;
  if (f.top == SmallFloat::Fnuz ? code == signBit : magnitude > lim.maxFinite)
    return f.top == SmallFloat::Ieee && magnitude == lim.infinity
               ? (negative ? -1 : 1) * std::numeric_limits<double>::infinity()
               : std::numeric_limits<double>::quiet_NaN();
  int exponent = int(magnitude >> f.mantissaBits);
  unsigned mantissa = magnitude & ((1u << f.mantissaBits) - 1);
  double value =
      exponent ? (mantissa + power(f.mantissaBits)) * power(exponent - f.bias - f.mantissaBits)
               : mantissa * power(1 - f.bias - f.mantissaBits);
  return negative ? -value : value;
}

unsigned encode(double value, const SmallFloat &f) {
  unsigned signBit = 1u << (f.exponentBits + f.mantissaBits);
  Limits lim = limits(f);
  if (std::isnan(value))
    return lim.nan;
  unsigned sign = std::signbit(value) ? signBit : 0;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return f.top == SmallFloat::Fnuz ? lim.nan : sign | lim.infinity;
  int exponent = magnitude == 0 ? 1 - f.bias : std::ilogb(magnitude);
  exponent = std::max(exponent, 1 - f.bias);
  // Exact, since it only scales; then to nearest, ties to even, by hand.
  double scaled = magnitude * power(f.mantissaBits - exponent);
  double low = std::floor(scaled), rest = scaled - low;
  auto units = uint64_t(low);
  units += rest > 0.5 || (rest == 0.5 && (units & 1));
  // Codes of the magnitudes in order: adding the units carries into the exponent where needed.
  uint64_t code = (uint64_t(exponent + f.bias - 1) << f.mantissaBits) + units;
  if (code > lim.maxFinite)
    return f.top == SmallFloat::Fnuz ? lim.nan : sign | lim.infinity;
  return f.top == SmallFloat::Fnuz && code == 0 ? 0 : sign | unsigned(code);
}

// float8e8m0: a power of two without a sign.
constexpr int powerBias = 127;
constexpr uint8_t powerNaN = 0xFF;

bool isPower(const ElementType &type) { return std::strcmp(type.name, "f8e8m0") == 0; }

uint8_t encodePower(double value) {
  if (!std::isfinite(value))
    return powerNaN;
  if (value == 0)
    return 0;
  int exponent = std::ilogb(value);
  exponent += std::fabs(value) >= 1.5 * power(exponent);
  return exponent > powerBias ? powerNaN : uint8_t(std::max(exponent + powerBias, 0));
}

template <class T> double load(const uint8_t *element) {
  T value;
  std::memcpy(&value, element, sizeof(T));
  return double(value);
}

uint64_t splitMix(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

double portableLog(double s) {
  int e;
  double m = std::frexp(s, &e);
  double z = (m - 1) / (m + 1), t = z * z, sum = 0;
  for (int k = 41; k >= 3; k -= 2)
    sum = t * (1.0 / k + sum);
  return e * 0x1.62e42fefa39efp-1 + 2 * z * (1 + sum);
}

} // namespace

bool descrFits(std::string_view descr, const ElementType &type) {
  if (descr == type.numpy)
    return true;
  if (type.numpy[0] != 'V' || descr.size() != 2 || descr[1] != type.numpy[1])
    return false;
  const bool isByteFloat = type.kind == ElementKind::Float && type.bytes == 1;
  return descr[0] == 'u' || (descr[0] == 'i' && type.kind == ElementKind::Signed) ||
         (descr[0] == 'f' && isByteFloat);
}

double elementValue(const uint8_t *element, const ElementType &type) {
  if (const SmallFloat *format = smallFloat(type)) {
    unsigned code = type.bytes == 2 ? unsigned(load<uint16_t>(element)) : *element;
    return decode(code & ((1u << type.bits) - 1), *format);
  }
  if (isPower(type))
    return *element == powerNaN ? std::numeric_limits<double>::quiet_NaN()
                                : power(int(*element) - powerBias);
  if (type.bits < 8 && type.kind != ElementKind::Boolean) {
    int code = *element & ((1 << type.bits) - 1), half = 1 << (type.bits - 1);
    return type.kind == ElementKind::Signed && code >= half ? code - 2 * half : code;
  }
  switch (type.kind) {
  case ElementKind::Float:
    return type.bytes == 8 ? load<double>(element) : load<float>(element);
  case ElementKind::Signed:
    switch (type.bytes) {
    case 1:
      return load<int8_t>(element);
    case 2:
      return load<int16_t>(element);
    case 4:
      return load<int32_t>(element);
    default:
      return load<int64_t>(element);
    }
  case ElementKind::Unsigned:
    switch (type.bytes) {
    case 1:
      return load<uint8_t>(element);
    case 2:
      return load<uint16_t>(element);
    case 4:
      return load<uint32_t>(element);
    default:
      return load<uint64_t>(element);
    }
  case ElementKind::Boolean:
    return *element != 0;
  }
  return 0;
}

void storeFloat(double value, const ElementType &type, uint8_t *element) {
  if (const SmallFloat *format = smallFloat(type)) {
    uint16_t code = uint16_t(encode(value, *format));
    std::memcpy(element, &code, type.bytes);
  } else if (isPower(type)) {
    *element = encodePower(value);
  } else if (type.bytes == 8) {
    std::memcpy(element, &value, 8);
  } else {
    float narrow = float(value);
    std::memcpy(element, &narrow, 4);
  }
}

std::vector<uint8_t> randomElements(uint64_t seed, std::string_view name, const ElementType &type,
                                    int64_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3u;
  uint64_t state = seed ^ hash;

  std::vector<uint8_t> bytes(count * type.bytes);
  double pending = 0;
  bool havePending = false;
  for (int64_t i = 0; i < count; ++i) {
    uint8_t *element = bytes.data() + i * type.bytes;
    if (type.kind == ElementKind::Boolean) {
      *element = uint8_t(splitMix(state) >> 63);
    } else if (type.kind != ElementKind::Float) {
      const int numberBits = int(type.bits) - (type.kind == ElementKind::Signed);
      const uint64_t numbers = numberBits < 4 ? uint64_t(1) << numberBits : 10;
      *element = uint8_t((splitMix(state) >> 32) * numbers >> 32); // the other bytes are zero
    } else if (havePending) {
      storeFloat(pending, type, element);
      havePending = false;
    } else {
      double u, v, s;
      do {
        u = double(splitMix(state) >> 11) * 0x1p-52 - 1;
        v = double(splitMix(state) >> 11) * 0x1p-52 - 1;
        s = u * u + v * v;
      } while (s == 0 || s >= 1);
      double f = std::sqrt(-2 * portableLog(s) / s);
      storeFloat(u * f, type, element);
      pending = v * f;
      havePending = true;
    }
  }
  return bytes;
}

} // namespace dojo::npy
