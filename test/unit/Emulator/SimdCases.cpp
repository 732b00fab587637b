// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SemanticCases.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace dojo::emu {
namespace {

using S = SemanticState;
using Data = SemanticCase::Data;

Lanes broadcast(uint64_t x) {
  Lanes lanes;
  lanes.fill(static_cast<uint32_t>(x));
  return lanes;
}

Lanes fromMemory(const S &s, unsigned offset) {
  Lanes lanes;
  std::memcpy(lanes.data(), s.memory.data() + offset, 64);
  return lanes;
}

Lanes elementFromMemory(const S &s, unsigned offset) {
  uint32_t element;
  std::memcpy(&element, s.memory.data() + offset, 4);
  return broadcast(element);
}

template <typename F> Lanes zip(const Lanes &a, const Lanes &b, F f) {
  Lanes result;
  for (unsigned i = 0; i < 16; ++i)
    result[i] = f(a[i], b[i]);
  return result;
}

// The four forms of a binary operation.
template <typename F>
void addBinary(std::vector<SemanticCase> &cases, const std::string &m, Data data, F f) {
  cases.push_back({m + " v4, v1, v2", [f](S &s) { s.v4 = zip(s.v1, s.v2, f); }, data});
  cases.push_back({m + ".x v4, v1, x5", [f](S &s) { s.v4 = zip(s.v1, broadcast(s.x5), f); }, data});
  cases.push_back(
      {m + ".m v4, v1, 32(x11), w32", [f](S &s) { s.v4 = zip(s.v1, fromMemory(s, 32), f); }, data});
  cases.push_back({m + ".b v4, v1, 12(x11), w32",
                   [f](S &s) { s.v4 = zip(s.v1, elementFromMemory(s, 12), f); }, data});
}

template <typename F> SemanticCase unary(const std::string &m, Data data, F f) {
  return {m + " v4, v1",
          [f](S &s) {
            for (unsigned i = 0; i < 16; ++i)
              s.v4[i] = f(s.v1[i]);
          },
          data};
}

uint32_t fused(uint32_t a, uint32_t b, uint32_t c) {
  return floatLane(std::fma(laneFloat(a), laneFloat(b), laneFloat(c)));
}

Lanes fusedLanes(const Lanes &a, const Lanes &b, const Lanes &c, bool negate = false) {
  Lanes result;
  for (unsigned i = 0; i < 16; ++i)
    result[i] = negate ? fused(std::bit_cast<uint32_t>(-std::bit_cast<float>(a[i])), b[i], c[i])
                       : fused(a[i], b[i], c[i]);
  return result;
}

uint32_t lesser(uint32_t a, uint32_t b) {
  float x = laneFloat(a), y = laneFloat(b);
  if (std::isnan(x) || std::isnan(y))
    return 0x7FC00000;
  if (x == y)
    return std::bit_cast<uint32_t>(std::signbit(x) ? x : y);
  return std::bit_cast<uint32_t>(std::fmin(x, y));
}

uint32_t greater(uint32_t a, uint32_t b) {
  float x = laneFloat(a), y = laneFloat(b);
  if (std::isnan(x) || std::isnan(y))
    return 0x7FC00000;
  if (x == y)
    return std::bit_cast<uint32_t>(std::signbit(x) ? y : x);
  return std::bit_cast<uint32_t>(std::fmax(x, y));
}

// Integer results by way of 64-bit arithmetic.
int64_t s32(uint32_t v) { return static_cast<int32_t>(v); }
uint32_t low(int64_t v) { return static_cast<uint32_t>(static_cast<uint64_t>(v)); }

uint32_t twelveBits(long double exact) {
  // Nearest even at 12 fraction bits of the leading binary digit.
  if (exact == 0 || std::isnan(exact) || std::isinf(exact))
    return floatLane(static_cast<double>(exact));
  int exponent;
  std::frexp(exact, &exponent);
  long double unit = std::ldexp(1.0L, exponent - 13);
  return floatLane(static_cast<double>(std::nearbyint(exact / unit) * unit));
}

} // namespace

float laneFloat(uint32_t bits) {
  float value = std::bit_cast<float>(bits);
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

uint32_t floatLane(double value) {
  float f = static_cast<float>(value);
  if (std::isnan(f))
    return 0x7FC00000;
  return std::bit_cast<uint32_t>(laneFloat(std::bit_cast<uint32_t>(f)));
}

std::vector<SemanticCase> simdCases() {
  constexpr Data F = SemanticCase::Floats, I = SemanticCase::Integers;
  std::vector<SemanticCase> c;
  auto real = [](uint32_t a) { return static_cast<double>(laneFloat(a)); };
  addBinary(c, "vfadd", F,
            [=](uint32_t a, uint32_t b) { return floatLane(laneFloat(a) + laneFloat(b)); });
  addBinary(c, "vfsub", F,
            [=](uint32_t a, uint32_t b) { return floatLane(laneFloat(a) - laneFloat(b)); });
  addBinary(c, "vfmul", F, [=](uint32_t a, uint32_t b) { return floatLane(real(a) * real(b)); });
  addBinary(c, "vfmin", F, lesser);
  addBinary(c, "vfmax", F, greater);
  addBinary(c, "viadd", I, [](uint32_t a, uint32_t b) { return low(s32(a) + s32(b)); });
  addBinary(c, "visub", I, [](uint32_t a, uint32_t b) { return low(s32(a) - s32(b)); });
  addBinary(c, "vimul", I, [](uint32_t a, uint32_t b) { return low(s32(a) * s32(b)); });
  addBinary(c, "vimin", I, [](uint32_t a, uint32_t b) { return low(std::min(s32(a), s32(b))); });
  addBinary(c, "vimax", I, [](uint32_t a, uint32_t b) { return low(std::max(s32(a), s32(b))); });
  addBinary(c, "viminu", I, [](uint32_t a, uint32_t b) { return std::min(a, b); });
  addBinary(c, "vimaxu", I, [](uint32_t a, uint32_t b) { return std::max(a, b); });
  addBinary(c, "viand", I, [](uint32_t a, uint32_t b) { return ~(~a | ~b); });
  addBinary(c, "vior", I, [](uint32_t a, uint32_t b) { return ~(~a & ~b); });
  addBinary(c, "vixor", I, [](uint32_t a, uint32_t b) { return (a & ~b) | (~a & b); });
  addBinary(c, "vishl", I,
            [](uint32_t a, uint32_t b) { return low(int64_t(uint64_t(a) << (b % 32))); });
  addBinary(c, "vishr", I,
            [](uint32_t a, uint32_t b) { return low(int64_t(uint64_t(a) >> (b % 32))); });
  addBinary(c, "visra", I, [](uint32_t a, uint32_t b) { return low(s32(a) >> (b % 32)); });
  c.push_back({"vfsub.xr v4, v1, x5",
               [](S &s) {
                 for (unsigned i = 0; i < 16; ++i)
                   s.v4[i] = floatLane(laneFloat(uint32_t(s.x5)) - laneFloat(s.v1[i]));
               },
               F});
  c.push_back({"visub.xr v4, v1, x5", [](S &s) {
                 for (unsigned i = 0; i < 16; ++i)
                   s.v4[i] = low(s32(uint32_t(s.x5)) - s32(s.v1[i]));
               }});

  auto ternary = [&](const std::string &text, auto f) { c.push_back({text, f, F}); };
  ternary("vfma v4, v1, v2, v3", [](S &s) { s.v4 = fusedLanes(s.v1, s.v2, s.v3); });
  ternary("vfma.x v4, v1, x5, v3", [](S &s) { s.v4 = fusedLanes(s.v1, broadcast(s.x5), s.v3); });
  ternary("vfma.cx v4, v1, v2, x5", [](S &s) { s.v4 = fusedLanes(s.v1, s.v2, broadcast(s.x5)); });
  ternary("vfma.m v4, v1, 32(x11), v3, w32",
          [](S &s) { s.v4 = fusedLanes(s.v1, fromMemory(s, 32), s.v3); });
  ternary("vfma.b v4, v1, 12(x11), v3, w32",
          [](S &s) { s.v4 = fusedLanes(s.v1, elementFromMemory(s, 12), s.v3); });
  ternary("vfma.cm v4, v1, v2, 32(x11), w32",
          [](S &s) { s.v4 = fusedLanes(s.v1, s.v2, fromMemory(s, 32)); });
  ternary("vfnma v4, v1, v2, v3", [](S &s) { s.v4 = fusedLanes(s.v1, s.v2, s.v3, true); });
  ternary("vfnma.x v4, v1, x5, v3",
          [](S &s) { s.v4 = fusedLanes(s.v1, broadcast(s.x5), s.v3, true); });
  ternary("vfclamp v4, v1, v2, v3", [](S &s) {
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = lesser(greater(s.v1[i], s.v2[i]), s.v3[i]);
  });
  ternary("vfclamp.x v4, v1, x5, x6", [](S &s) {
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = lesser(greater(s.v1[i], uint32_t(s.x5)), uint32_t(s.x6));
  });

  c.push_back(unary("vmov", I, [](uint32_t a) { return a; }));
  c.push_back(unary("vnot", I, [](uint32_t a) { return 0xFFFFFFFF - a; }));
  c.push_back(unary("vfneg", F, [](uint32_t a) { return a + 0x80000000; }));
  c.push_back(unary("vfabs", F, [](uint32_t a) { return a % 0x80000000; }));
  c.push_back(unary("vffloor", F, [=](uint32_t a) { return floatLane(std::floor(real(a))); }));
  c.push_back(unary("vfceil", F, [=](uint32_t a) { return floatLane(std::ceil(real(a))); }));
  c.push_back(unary("vftrunc", F, [=](uint32_t a) { return floatLane(std::trunc(real(a))); }));
  c.push_back(unary("vfrint", F, [=](uint32_t a) { return floatLane(std::nearbyint(real(a))); }));
  c.push_back(unary("vcvt.f2i", F, [=](uint32_t a) {
    double v = real(a);
    return std::isnan(v) ? 0
                         : low(static_cast<int64_t>(std::fmax(-0x1p31, std::fmin(v, 0x7FFFFFFF))));
  }));
  c.push_back(unary("vcvt.f2u", F, [=](uint32_t a) {
    double v = real(a);
    return std::isnan(v) ? 0 : low(static_cast<int64_t>(std::fmax(0.0, std::fmin(v, 0xFFFFFFFF))));
  }));
  c.push_back(
      unary("vcvt.i2f", I, [](uint32_t a) { return floatLane(static_cast<double>(s32(a))); }));
  c.push_back(unary("vcvt.u2f", I, [](uint32_t a) { return floatLane(static_cast<double>(a)); }));
  constexpr Data P = SemanticCase::SmallFloats;
  using LD = long double;
  auto exactly = [](uint32_t a) { return static_cast<LD>(laneFloat(a)); };
  c.push_back(unary("vrcpe", P, [=](uint32_t a) { return twelveBits(1 / exactly(a)); }));
  c.push_back(unary("vrsqrte", P, [=](uint32_t a) {
    LD v = exactly(a);
    return v < 0 ? 0x7FC00000u : twelveBits(1 / std::sqrt(v));
  }));
  c.push_back(unary("vexp2e", P, [=](uint32_t a) { return twelveBits(std::exp2(exactly(a))); }));
  c.push_back(unary("vlog2e", P, [=](uint32_t a) {
    LD v = exactly(a);
    return v < 0 ? 0x7FC00000u : twelveBits(std::log2(v));
  }));
  return c;
}

} // namespace dojo::emu
