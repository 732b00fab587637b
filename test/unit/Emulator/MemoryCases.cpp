// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SemanticCases.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace dojo::emu {
namespace {

using S = SemanticState;

struct ElementType {
  const char *name;
  unsigned bytes;
};
constexpr ElementType types[] = {{"w32", 4}, {"bf16", 2}, {"f16", 2}, {"i8", 1},
                                 {"u8", 1},  {"i16", 2},  {"u16", 2}};

uint32_t bitsOf(double value) { return std::bit_cast<uint32_t>(static_cast<float>(value)); }

// The 32-bit lane for an element, from the type's definition.
uint32_t widened(const std::string &type, const uint8_t *p) {
  uint32_t w = 0;
  unsigned bytes = 0;
  for (const ElementType &t : types)
    if (type == t.name)
      bytes = t.bytes;
  for (unsigned i = bytes; i-- > 0;)
    w = w * 256 + p[i];
  if (type == "bf16")
    return w * 65536;
  if (type == "i8")
    return w >= 128 ? w - 256 : w;
  if (type == "i16")
    return w >= 32768 ? w - 65536 : w;
  if (type != "f16")
    return w;
  double sign = w & 0x8000 ? -1 : 1;
  unsigned exponent = w / 1024 % 32, fraction = w % 1024;
  if (exponent == 31)
    return fraction ? 0x7FC00000 : bitsOf(sign * INFINITY);
  return bitsOf(sign * (exponent ? std::ldexp(1 + fraction / 1024.0, int(exponent) - 15)
                                 : std::ldexp(fraction, -24)));
}

// Nearest element to a lane: a search over all values of a 16-bit float type.
uint32_t nearest16(const std::string &type, uint32_t lane, bool saturate) {
  double value = laneFloat(lane);
  if (std::isnan(value))
    return type == "bf16" ? 0x7FC0 : 0x7E00;
  uint32_t sign = std::signbit(value) ? 0x8000 : 0, infinity = type == "bf16" ? 0x7F80 : 0x7C00;
  double magnitude = std::fabs(value);
  auto valueOf = [&](uint32_t h) {
    uint8_t bytes[2] = {static_cast<uint8_t>(h), static_cast<uint8_t>(h >> 8)};
    if (h == infinity) // where the next finite value would be
      return type == "bf16" ? 0x1p128 : 65536.0;
    return static_cast<double>(std::bit_cast<float>(widened(type, bytes)));
  };
  uint32_t least = type == "bf16" ? 0x80 : 1; // bf16 denormals are zero
  uint32_t low = 0, high = infinity;          // binary search for the greatest value not above
  while (low + 1 < high) {
    uint32_t middle = (low + high) / 2;
    double v = middle < least ? 0 : valueOf(middle);
    (v <= magnitude ? low : high) = middle;
  }
  double below = magnitude - (low < least ? 0 : valueOf(low)), above = valueOf(high) - magnitude;
  uint32_t result = low;
  if (magnitude >= valueOf(infinity) || above < below || (above == below && low % 2))
    result = high;
  if (result < least)
    result = 0;
  if (saturate && result == infinity)
    --result;
  return sign | result;
}

uint32_t narrowed(const std::string &type, uint32_t lane, bool saturate) {
  if (type == "bf16" || type == "f16")
    return nearest16(type, lane, saturate);
  if (!saturate || type == "w32")
    return lane;
  double value = static_cast<int32_t>(lane);
  double low = type == "i8" ? -128 : type == "i16" ? -32768 : 0;
  double high = type == "i8" ? 127 : type == "u8" ? 255 : type == "i16" ? 32767 : 65535;
  return static_cast<uint32_t>(static_cast<int32_t>(std::fmin(std::fmax(value, low), high)));
}

void storeReference(S &s, unsigned at, const ElementType &type, uint64_t mask, bool saturate) {
  for (unsigned i = 0; i < 16; ++i) {
    if (!(mask >> i & 1))
      continue;
    uint32_t element = narrowed(type.name, s.v1[i], saturate);
    for (unsigned b = 0; b < type.bytes; ++b)
      s.memory[at + i * type.bytes + b] = static_cast<uint8_t>(element >> (8 * b));
  }
}

} // namespace

std::vector<SemanticCase> memoryCases() {
  std::vector<SemanticCase> c;
  for (const ElementType &type : types) {
    std::string name = type.name;
    bool isFloat = name == "bf16" || name == "f16";
    for (bool masked : {false, true}) {
      std::string mask = masked ? ", m1" : ", m0";
      auto maskOf = [masked](const S &s) { return masked ? s.m1 : ~uint64_t(0); };
      c.push_back({"vld v4, 22(x11), " + name + mask, [=](S &s) {
                     for (unsigned i = 0; i < 16; ++i)
                       s.v4[i] = maskOf(s) >> i & 1
                                     ? widened(type.name, s.memory.data() + 22 + i * type.bytes)
                                     : 0;
                   }});
      for (bool saturate : {false, true})
        c.push_back({(saturate ? "vst.sat v1, 26(x11), " : "vst v1, 26(x11), ") + name + mask,
                     [=](S &s) { storeReference(s, 26, type, maskOf(s), saturate); },
                     isFloat ? SemanticCase::Floats : SemanticCase::Integers});
    }
    c.push_back({"vldb v4, 38(x11), " + name,
                 [=](S &s) { s.v4.fill(widened(type.name, s.memory.data() + 38)); }});
    // Typed memory operands of an operation that keeps bits.
    c.push_back({"vior.m v4, v1, 6(x11), " + name, [=](S &s) {
                   for (unsigned i = 0; i < 16; ++i)
                     s.v4[i] = s.v1[i] | widened(type.name, s.memory.data() + 6 + i * type.bytes);
                 }});
    c.push_back({"vior.b v4, v1, 6(x11), " + name, [=](S &s) {
                   for (unsigned i = 0; i < 16; ++i)
                     s.v4[i] = s.v1[i] | widened(type.name, s.memory.data() + 6);
                 }});
  }
  for (unsigned bytes : {8u, 16u})
    c.push_back({"vgather" + std::to_string(bytes) + " v4, x11, v2, m1", [=](S &s) {
                   uint8_t out[64] = {};
                   for (unsigned g = 0; g < 64 / bytes; ++g)
                     if (s.m1 >> g & 1)
                       std::memcpy(out + g * bytes, s.memory.data() + (s.v2[g] & 0xFFFF), bytes);
                   std::memcpy(s.v4.data(), out, 64);
                 }});
  return c;
}

} // namespace dojo::emu
