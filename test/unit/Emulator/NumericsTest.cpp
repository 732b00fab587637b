// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine's arithmetic against the host's library and, where there is one, the host's own
// flush-to-zero FMA and bfloat16 dot product.
#include "dojo/Emulator/Numerics.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace dojo::emu;

namespace {

const std::vector<uint32_t> &edges() {
  static const std::vector<uint32_t> values = [] {
    std::vector<uint32_t> v;
    for (uint32_t magnitude :
         {0x00000000u, 0x00000001u, 0x007FFFFFu, 0x00800000u, 0x00800001u, 0x00FFFFFFu,
          0x01000000u, 0x1A000000u, 0x20000000u, 0x33800000u, 0x33800001u, 0x3F000000u,
          0x3F7FFFFFu, 0x3F800000u, 0x3F800001u, 0x40490FDBu, 0x4B000000u, 0x4B000001u,
          0x4EFFFFFFu, 0x4F000000u, 0x4F7FFFFFu, 0x4F800000u, 0x5F800000u, 0x7F000000u,
          0x7F7FFFFFu, 0x7F800000u, 0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu})
      for (uint32_t sign : {0u, 0x80000000u})
        v.push_back(magnitude | sign);
    return v;
  }();
  return values;
}

// Random bits, half of them with exponents close to each other, a quarter near underflow.
struct Source {
  std::mt19937_64 engine;
  explicit Source(uint64_t seed) : engine(seed) {}
  uint32_t operator()() {
    uint64_t r = engine();
    uint32_t bits = static_cast<uint32_t>(r);
    switch ((r >> 32) & 3) {
    case 0:
      return bits;
    case 1:
    case 2:
      return (bits & 0x807FFFFF) | ((110 + ((r >> 40) & 31)) << 23);
    default:
      return (bits & 0x807FFFFF) | ((50 + ((r >> 40) & 31)) << 23);
    }
  }
};

// By the library's FMA. Near underflow a second one on operands scaled by 2^60, which rounds with
// the exponent unbounded in effect, says whether the result is denormal.
uint32_t referenceFma(uint32_t a, uint32_t b, uint32_t c) {
  float x = asFloat(flushDenormal(a)), y = asFloat(flushDenormal(b)), z = asFloat(flushDenormal(c));
  float result = std::fma(x, y, z);
  if (std::isnan(result))
    return quietNaN;
  float scaledX = x * 0x1p60f, scaledZ = z * 0x1p60f;
  if (std::fabs(result) > 0x1p-100f || std::isinf(scaledX) || std::isinf(scaledZ))
    return asBits(result);
  bool denormal = std::fabs(std::fma(scaledX, y, scaledZ)) < 0x1p-66f; // 2^-126 2^60
  return denormal ? asBits(result) & signBit : asBits(result);
}

TEST(Numerics, FmaMatchesTheLibraryOnEdges) {
  for (uint32_t a : edges())
    for (uint32_t b : edges())
      for (uint32_t c : edges())
        ASSERT_EQ(fmaF32(a, b, c), referenceFma(a, b, c))
            << std::hex << a << " * " << b << " + " << c;
}

TEST(Numerics, FmaMatchesTheLibraryOnRandomBits) {
  Source next(1);
  for (int i = 0; i < 3000000; ++i) {
    uint32_t a = next(), b = next(), c = next();
    ASSERT_EQ(fmaF32(a, b, c), referenceFma(a, b, c)) << std::hex << a << " * " << b << " + " << c;
  }
}

// Sums that cancel: c is the negated rounded product.
TEST(Numerics, FmaKeepsTheLowHalfOfTheProduct) {
  Source next(2);
  for (int i = 0; i < 1000000; ++i) {
    uint32_t a = next(), b = next();
    uint32_t c = mulF32(a, b) ^ signBit;
    ASSERT_EQ(fmaF32(a, b, c), referenceFma(a, b, c)) << std::hex << a << " * " << b << " + " << c;
  }
}

TEST(Numerics, AddSubtractMultiplyAreFmasWithOneAndZero) {
  Source next(3);
  auto check = [](uint32_t a, uint32_t b) {
    ASSERT_EQ(addF32(a, b), referenceFma(a, 0x3F800000, b)) << std::hex << a << " + " << b;
    ASSERT_EQ(subF32(a, b), referenceFma(a, 0x3F800000, b ^ signBit)) << std::hex << a << " " << b;
    uint32_t zero = (a ^ b) & signBit; // the zero that does not change the product's sign
    ASSERT_EQ(mulF32(a, b), referenceFma(a, b, zero)) << std::hex << a << " * " << b;
  };
  for (uint32_t a : edges())
    for (uint32_t b : edges())
      check(a, b);
  for (int i = 0; i < 1000000; ++i)
    check(next(), next());
}

TEST(Numerics, ResultsBelowTheLeastNormalAreZero) {
  uint32_t least = 0x00800000;
  EXPECT_EQ(mulF32(least, asBits(0.5f)), 0u);
  EXPECT_EQ(mulF32(least | signBit, asBits(0.5f)), signBit);
  // 2^-126 (1 - 2^-24) rounds to the denormal 2^-126 - 2^-150 with unbounded exponent.
  EXPECT_EQ(mulF32(asBits(0x1.fffffep-1f), least), 0u);
  // (1 + 2^-23)(1 - 2^-23) 2^-126 = 2^-126 (1 - 2^-46) rounds to 2^-126.
  EXPECT_EQ(mulF32(asBits(0x1.000002p-63f), asBits(0x1.fffffcp-64f)), least);
  EXPECT_EQ(addF32(0x00800001, 0x80800000), 0u);
  EXPECT_EQ(addF32(0x80800001, 0x00800000), signBit);
}

TEST(Numerics, MinMaxOrderZerosAndNaN) {
  EXPECT_EQ(minF32(signBit, 0), signBit);
  EXPECT_EQ(minF32(0, signBit), signBit);
  EXPECT_EQ(maxF32(signBit, 0), 0u);
  EXPECT_EQ(maxF32(0, signBit), 0u);
  for (uint32_t a : edges())
    for (uint32_t b : edges()) {
      float x = asFloat(flushDenormal(a)), y = asFloat(flushDenormal(b));
      if (std::isnan(x) || std::isnan(y)) {
        ASSERT_EQ(minF32(a, b), quietNaN);
        ASSERT_EQ(maxF32(a, b), quietNaN);
      } else if (x != y) {
        ASSERT_EQ(minF32(a, b), asBits(x < y ? x : y));
        ASSERT_EQ(maxF32(a, b), asBits(x < y ? y : x));
      }
    }
}

TEST(Numerics, RoundingMatchesTheLibrary) {
  Source next(4);
  auto check = [](uint32_t a) {
    float x = asFloat(flushDenormal(a));
    auto bits = [](float f) { return std::isnan(f) ? quietNaN : asBits(f); };
    ASSERT_EQ(floorF32(a), bits(std::floor(x))) << std::hex << a;
    ASSERT_EQ(ceilF32(a), bits(std::ceil(x))) << std::hex << a;
    ASSERT_EQ(truncF32(a), bits(std::trunc(x))) << std::hex << a;
    ASSERT_EQ(nearestEvenF32(a), bits(std::nearbyint(x))) << std::hex << a;
  };
  for (uint32_t a : edges())
    check(a);
  for (float f = -9; f <= 9; f += 0.25f)
    check(asBits(f));
  for (int i = 0; i < 500000; ++i) {
    uint32_t a = next();
    check(a);
    check((a & 0x807FFFFF) | ((126 + (a % 27)) << 23));
  }
}

TEST(Numerics, IntegerConversionsSaturate) {
  Source next(5);
  auto check = [](uint32_t a) {
    double x = asFloat(a);
    int32_t wantSigned = std::isnan(x)        ? 0
                         : x >= 2147483647.0  ? INT32_MAX
                         : x <= -2147483648.0 ? INT32_MIN
                                              : static_cast<int32_t>(x);
    uint32_t wantUnsigned = std::isnan(x) || x <= 0 ? 0
                            : x >= 4294967295.0     ? UINT32_MAX
                                                    : static_cast<uint32_t>(x);
    ASSERT_EQ(static_cast<int32_t>(toSigned(a)), wantSigned) << std::hex << a;
    ASSERT_EQ(toUnsigned(a), wantUnsigned) << std::hex << a;
    ASSERT_EQ(fromSigned(a), asBits(static_cast<float>(static_cast<int32_t>(a))));
    ASSERT_EQ(fromUnsigned(a), asBits(static_cast<float>(a)));
  };
  for (uint32_t a : edges())
    check(a);
  for (int i = 0; i < 500000; ++i)
    check(next());
}

TEST(Numerics, Bf16RoundsToTheNearest) {
  Source next(6);
  auto check = [](uint32_t a) {
    uint16_t h = toBf16(a);
    if (isNaN(a)) {
      ASSERT_EQ(h, 0x7FC0);
      return;
    }
    double x = asFloat(flushDenormal(a));
    if (x == 0) {
      ASSERT_EQ(h, (a & signBit) >> 16);
      return;
    }
    // The candidate and its neighbours in magnitude; infinity stands for 2^128.
    auto value = [](uint32_t bits) {
      return (bits & 0x7FFF) == 0x7F80 ? 0x1p128 : std::fabs(asFloat(fromBf16(bits)));
    };
    double error = std::fabs(value(h) - std::fabs(std::isinf(x) ? 0x1p128 : x));
    for (uint32_t other : {h - 1u, h + 1u})
      if ((other & 0x7FFF) <= 0x7F80 && (other & 0x7FFF) >= 0x80) {
        double otherError = std::fabs(value(other) - std::fabs(std::isinf(x) ? 0x1p128 : x));
        ASSERT_TRUE(error < otherError || (error == otherError && (h & 1) == 0)) << std::hex << a;
      }
    ASSERT_EQ(h >> 15, a >> 31);
  };
  for (uint32_t a : edges())
    check(a);
  for (int i = 0; i < 500000; ++i)
    check(next());
  EXPECT_EQ(toBf16(asBits(1.00390625f)), 0x3F80); // tie to even
  EXPECT_EQ(toBf16(asBits(1.01171875f)), 0x3F82); // tie to even
  EXPECT_EQ(toBf16(0x007FFFFF), 0);               // denormal input
  EXPECT_EQ(toBf16Saturating(0x7F7FFFFF), 0x7F7F);
  EXPECT_EQ(toBf16Saturating(0xFF800000), 0xFF7F);
  EXPECT_EQ(toBf16(0x7F7FFFFF), 0x7F80);
}

TEST(Numerics, F16RoundTripsAndRounds) {
  for (uint32_t h = 0; h < 65536; ++h) {
    uint32_t wide = fromF16(static_cast<uint16_t>(h));
    if ((h & 0x7FFF) > 0x7C00) {
      ASSERT_EQ(wide, quietNaN);
      ASSERT_EQ(toF16(wide), 0x7E00);
      continue;
    }
    ASSERT_EQ(toF16(wide), h);
    // Value by its definition.
    int exponent = (h >> 10) & 31;
    double fraction = h & 1023;
    double value = exponent == 31  ? INFINITY
                   : exponent == 0 ? std::ldexp(fraction, -24)
                                   : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(static_cast<double>(asFloat(wide)), (h & 0x8000) ? -value : value);
    if ((h & 0x7FFF) >= 0x7BFF)
      continue;
    // Midway to the next: to even; next above midway: up.
    double next = asFloat(fromF16(static_cast<uint16_t>(h + 1)));
    float middle = static_cast<float>((asFloat(wide) + next) / 2);
    ASSERT_EQ(toF16(asBits(middle)), (h & 1) ? h + 1 : h) << std::hex << h;
    ASSERT_EQ(toF16(asBits(middle) + 1), h + 1) << std::hex << h;
    ASSERT_EQ(toF16(asBits(middle) - 1), h) << std::hex << h;
  }
  EXPECT_EQ(toF16(asBits(65519.0f)), 0x7BFF);
  EXPECT_EQ(toF16(asBits(65520.0f)), 0x7C00);
  EXPECT_EQ(toF16Saturating(asBits(1e9f)), 0x7BFF);
  EXPECT_EQ(toF16Saturating(asBits(-1e9f)), 0xFBFF);
}

void checkEstimate(uint32_t got, long double want, uint32_t operand) {
  ASSERT_FALSE(isNaN(got)) << std::hex << operand;
  if (std::fabs(want) < 0x1p-126L) {
    ASSERT_LE(std::fabs(asFloat(got)), 0x1.0p-126f);
    return;
  }
  long double error = std::fabs((static_cast<long double>(asFloat(got)) - want) / want);
  ASSERT_LE(error, 0x1.0001p-13L) << std::hex << operand;
  ASSERT_EQ(got & 0x7FF, 0u) << "more than 12 fraction bits";
}

TEST(Numerics, EstimatesHaveTwelveBits) {
  Source next(7);
  for (int i = 0; i < 300000; ++i) {
    uint32_t a = next();
    if (isNaN(a) || (a & ~signBit) == infinityBits || flushDenormal(a) << 1 == 0)
      continue;
    long double x = asFloat(a);
    checkEstimate(reciprocalEstimate(a), 1 / x, a);
    uint32_t positive = a & ~signBit;
    checkEstimate(reciprocalSqrtEstimate(positive), 1 / std::sqrt(std::fabs(x)), positive);
    if (positive != 0x3F800000)
      checkEstimate(log2Estimate(positive), std::log2(std::fabs(x)), positive);
    if (x > -126 && x < 127.99L)
      checkEstimate(exp2Estimate(a), std::exp2(x), a);
  }
}

TEST(Numerics, EstimatesOfSpecialOperands) {
  uint32_t inf = infinityBits, minusInf = signBit | infinityBits;
  EXPECT_EQ(reciprocalEstimate(0), inf);
  EXPECT_EQ(reciprocalEstimate(signBit | 1), minusInf);
  EXPECT_EQ(reciprocalEstimate(minusInf), signBit);
  EXPECT_EQ(reciprocalEstimate(0x7F7FFFFF), 0u);
  EXPECT_EQ(reciprocalSqrtEstimate(signBit), minusInf);
  EXPECT_EQ(reciprocalSqrtEstimate(asBits(-1.0f)), quietNaN);
  EXPECT_EQ(reciprocalSqrtEstimate(inf), 0u);
  EXPECT_EQ(reciprocalSqrtEstimate(asBits(0.25f)), asBits(2.0f));
  EXPECT_EQ(exp2Estimate(asBits(128.0f)), inf);
  EXPECT_EQ(exp2Estimate(minusInf), 0u);
  EXPECT_EQ(exp2Estimate(inf), inf);
  for (int n = -126; n < 128; ++n) {
    EXPECT_EQ(exp2Estimate(asBits(static_cast<float>(n))), asBits(std::ldexp(1.0f, n)));
    EXPECT_EQ(log2Estimate(asBits(std::ldexp(1.0f, n))), asBits(static_cast<float>(n)));
  }
  EXPECT_EQ(log2Estimate(0), minusInf);
  EXPECT_EQ(log2Estimate(asBits(-2.0f)), quietNaN);
  for (auto *estimate : {reciprocalEstimate, reciprocalSqrtEstimate, exp2Estimate, log2Estimate})
    EXPECT_EQ(estimate(0xFF800001), quietNaN);
}

uint16_t randomBf16(std::mt19937_64 &engine, unsigned spread) {
  uint64_t r = engine();
  uint16_t exponent = static_cast<uint16_t>(127 - spread / 2 + (r >> 32) % (spread + 1));
  return static_cast<uint16_t>((r & 0x807F) | (exponent << 7));
}

// By the definition: one reference FMA per k in the order 1, 0, 3, 2.
void referenceStep(uint32_t acc[64], const uint16_t *a, const uint16_t *b, bool first) {
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned c = 0; c < 8; ++c) {
      uint32_t sum = first ? 0 : acc[8 * r + c];
      for (unsigned pair = 0; pair < 2; ++pair)
        for (unsigned k : {2 * pair + 1, 2 * pair})
          sum = referenceFma(uint32_t(a[4 * r + k]) << 16, uint32_t(b[4 * c + k]) << 16, sum);
      acc[8 * r + c] = sum;
    }
}

TEST(Numerics, MatrixStepIsFourFmasOddFirst) {
  std::mt19937_64 engine(8);
  for (int round = 0; round < 4000; ++round) {
    uint16_t a[32], b[32];
    uint32_t acc[64], want[64];
    unsigned spread = round % 4 == 0 ? 250 : round % 4 == 1 ? 120 : 8;
    for (unsigned i = 0; i < 32; ++i) {
      a[i] = round % 3 == 0 && i % 3 == 0 ? 0x8000 : randomBf16(engine, spread);
      b[i] = round % 5 == 0 ? static_cast<uint16_t>(engine()) : randomBf16(engine, spread);
    }
    for (unsigned i = 0; i < 64; ++i)
      acc[i] = want[i] = round % 7 == 0 ? static_cast<uint32_t>(engine())
                                        : uint32_t(randomBf16(engine, spread)) << 16;
    bool first = round % 2;
    matrixStep(acc, a, b, first);
    referenceStep(want, a, b, first);
    for (unsigned i = 0; i < 64; ++i)
      ASSERT_EQ(acc[i], want[i]) << "round " << round << " element " << i;
  }
}

#if defined(__x86_64__)

__attribute__((target("fma"))) uint32_t hardwareFma(uint32_t a, uint32_t b, uint32_t c) {
  unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040); // flush results, denormals are zero
  __m128 result =
      _mm_fmadd_ss(_mm_set_ss(asFloat(a)), _mm_set_ss(asFloat(b)), _mm_set_ss(asFloat(c)));
  _mm_setcsr(saved);
  return canonicalNaN(asBits(_mm_cvtss_f32(result)));
}

TEST(Numerics, FmaMatchesTheHostInFlushMode) {
  if (!__builtin_cpu_supports("fma"))
    GTEST_SKIP() << "the host has no FMA";
  for (uint32_t a : edges())
    for (uint32_t b : edges())
      for (uint32_t c : edges())
        ASSERT_EQ(fmaF32(a, b, c), hardwareFma(a, b, c))
            << std::hex << a << " * " << b << " + " << c;
  Source next(9);
  for (int i = 0; i < 3000000; ++i) {
    uint32_t a = next(), b = next(), c = next();
    if (i % 4 == 0) // products and sums about the least normal number
      b = (b & 0x807FFFFF) | ((128 - ((a >> 23) & 255) + (i & 3)) << 23), c &= 0x80FFFFFF;
    ASSERT_EQ(fmaF32(a, b, c), hardwareFma(a, b, c)) << std::hex << a << " * " << b << " + " << c;
  }
}

__attribute__((target("avx512f,avx512bf16"))) void hardwareStep(uint32_t acc[64], const uint16_t *a,
                                                                const uint16_t *b) {
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned half = 0; half < 2; ++half) {
      alignas(64) float lanes[16] = {};
      alignas(64) uint32_t left[16] = {}, right[16] = {};
      for (unsigned c = 0; c < 8; ++c) {
        lanes[c] = asFloat(acc[8 * r + c]);
        left[c] = a[4 * r + 2 * half] | uint32_t(a[4 * r + 2 * half + 1]) << 16;
        right[c] = b[4 * c + 2 * half] | uint32_t(b[4 * c + 2 * half + 1]) << 16;
      }
      __m512 result = _mm512_dpbf16_ps(_mm512_load_ps(lanes), (__m512bh)_mm512_load_si512(left),
                                       (__m512bh)_mm512_load_si512(right));
      _mm512_store_ps(lanes, result);
      for (unsigned c = 0; c < 8; ++c)
        acc[8 * r + c] = canonicalNaN(asBits(lanes[c]));
    }
}

TEST(Numerics, MatrixStepMatchesTheHostsDotProduct) {
  if (!__builtin_cpu_supports("avx512bf16"))
    GTEST_SKIP() << "the host has no bfloat16 dot product";
  std::mt19937_64 engine(10);
  for (int round = 0; round < 20000; ++round) {
    uint16_t a[32], b[32];
    uint32_t acc[64], want[64];
    unsigned spread = round % 3 == 0 ? 252 : 40;
    for (unsigned i = 0; i < 32; ++i) {
      a[i] = randomBf16(engine, spread);
      b[i] = round % 5 == 0 ? static_cast<uint16_t>(engine()) : randomBf16(engine, spread);
      if (round % 3 == 1) // products about the least normal number
        a[i] = static_cast<uint16_t>((a[i] & 0x807F) | (70 << 7)),
        b[i] = static_cast<uint16_t>((b[i] & 0x807F) | ((55 + i % 5) << 7));
    }
    for (unsigned i = 0; i < 64; ++i)
      acc[i] = want[i] = round % 3 == 1 ? static_cast<uint32_t>(engine()) & 0x81FFFFFF
                                        : static_cast<uint32_t>(engine());
    matrixStep(acc, a, b, false);
    hardwareStep(want, a, b);
    for (unsigned i = 0; i < 64; ++i)
      ASSERT_EQ(acc[i], want[i]) << "round " << round << " element " << i;
  }
}

#endif

} // namespace
