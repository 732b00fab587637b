// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Npy/Elements.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

using namespace dojo;
using namespace dojo::npy;

static const image::ElementType &type(const char *name) { return *image::findElementType(name); }

static unsigned stored(double value, const char *name) {
  uint8_t bytes[8] = {};
  storeFloat(value, type(name), bytes);
  return bytes[0] | bytes[1] << 8;
}

TEST(Elements, DescrsThatFitATypeNumPyLacks) {
  EXPECT_TRUE(descrFits("f4", type("f32")));
  EXPECT_FALSE(descrFits("f8", type("f32")));
  EXPECT_TRUE(descrFits("V2", type("bf16")));
  EXPECT_TRUE(descrFits("u2", type("bf16")));
  EXPECT_FALSE(descrFits("f2", type("bf16")));
  EXPECT_TRUE(descrFits("u1", type("f8e5m2")));
  EXPECT_TRUE(descrFits("f1", type("f8e5m2")));
  EXPECT_TRUE(descrFits("V1", type("i4")));
  EXPECT_TRUE(descrFits("i1", type("i4")));
  EXPECT_FALSE(descrFits("i1", type("u4")));
  EXPECT_FALSE(descrFits("u2", type("i16")));
}

TEST(Elements, SmallFloatsRoundToNearestEven) {
  EXPECT_EQ(stored(1.0 / 3, "f16"), 13653u); // numpy.float16
  EXPECT_EQ(stored(65519, "f16"), 31743u);
  EXPECT_EQ(stored(65520, "f16"), 31744u); // infinity
  EXPECT_EQ(stored(1e-8, "f16"), 0u);
  EXPECT_EQ(stored(6e-8, "f16"), 1u);
  EXPECT_EQ(stored(1.0 + 0x1p-8, "bf16"), 0x3f80u); // a tie, to even
  EXPECT_EQ(stored(1.0 + 0x1.8p-7, "bf16"), 0x3f82u);
  EXPECT_EQ(stored(-2, "bf16"), 0xc000u);
  EXPECT_EQ(stored(448, "f8e4m3fn"), 0x7eu);
  EXPECT_EQ(stored(1000, "f8e4m3fn"), 0x7fu);
  EXPECT_EQ(stored(240, "f8e4m3fnuz"), 0x7fu);
  EXPECT_EQ(stored(-0.0, "f8e4m3fnuz"), 0u);
  EXPECT_EQ(stored(1000, "f8e4m3fnuz"), 0x80u);
  EXPECT_EQ(stored(std::numeric_limits<double>::infinity(), "f8e5m2"), 0x7cu);
  EXPECT_EQ(stored(5, "f4e2m1"), 6u);
  EXPECT_EQ(stored(-100, "f4e2m1"), 0xfu);
  EXPECT_EQ(stored(7.5, "f6e2m3"), 0x1fu);
  EXPECT_EQ(stored(28, "f6e3m2"), 0x1fu);
  EXPECT_EQ(stored(-3, "f8e8m0"), 129u);
  EXPECT_EQ(stored(0x1p200, "f8e8m0"), 0xffu);
}

TEST(Elements, IntegersOfAFewBits) {
  const uint8_t codes[] = {0x0f, 0x08, 0x07, 0xff, 0x02};
  EXPECT_EQ(elementValue(codes, type("i4")), -1);
  EXPECT_EQ(elementValue(codes + 1, type("i4")), -8);
  EXPECT_EQ(elementValue(codes + 2, type("i4")), 7);
  EXPECT_EQ(elementValue(codes + 3, type("u4")), 15);
  EXPECT_EQ(elementValue(codes + 4, type("i2")), -2);
  EXPECT_EQ(elementValue(codes + 4, type("u2")), 2);
}

TEST(Elements, EverySmallFloatComesBack) {
  for (const char *name : {"f16", "bf16", "f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz",
                           "f8e8m0", "f6e2m3", "f6e3m2", "f4e2m1"}) {
    const image::ElementType &t = type(name);
    for (unsigned code = 0; code < 1u << t.bits; ++code) {
      uint8_t bytes[2] = {uint8_t(code), uint8_t(code >> 8)}, back[2] = {};
      double value = elementValue(bytes, t);
      storeFloat(value, t, back);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(elementValue(back, t))) << name << " " << code;
      } else {
        EXPECT_EQ(unsigned(back[0] | back[1] << 8), code) << name;
      }
    }
  }
}

TEST(Elements, IntegersAndBooleans) {
  int64_t wide = -5;
  uint8_t bytes[8];
  std::memcpy(bytes, &wide, 8);
  EXPECT_EQ(elementValue(bytes, type("i64")), -5);
  EXPECT_EQ(elementValue(bytes, type("i8")), -5);
  EXPECT_EQ(elementValue(bytes, type("u8")), 251);
  EXPECT_EQ(elementValue(bytes, type("u32")), 4294967291.0);
  EXPECT_EQ(elementValue(bytes, type("bool")), 1);
}

// The values come from the algorithm in Elements.h written in Python.
TEST(Elements, RandomIsTheDocumentedSequence) {
  std::vector<uint8_t> bytes = randomElements(7, "x", type("f64"), 5);
  std::vector<double> values(5);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  EXPECT_EQ(values,
            (std::vector<double>{0x1.0c33791cccbc1p-1, 0x1.709a80fafc370p-1, 0x1.22c3297562d29p+1,
                                 0x1.2162c869cd191p-1, 0x1.01bebe1871f1cp+1}));
  EXPECT_NE(randomElements(7, "y", type("f64"), 5), bytes);
  EXPECT_NE(randomElements(8, "x", type("f64"), 5), bytes);
  EXPECT_TRUE(randomElements(7, "x", type("f32"), 0).empty());
}

TEST(Elements, RandomHasTheDocumentedDistribution) {
  const int64_t n = 100000;
  std::vector<uint8_t> normal = randomElements(1, "x", type("f32"), n);
  double sum = 0, squares = 0, fourth = 0;
  for (int64_t i = 0; i < n; ++i) {
    double v = elementValue(normal.data() + 4 * i, type("f32"));
    sum += v, squares += v * v, fourth += v * v * v * v;
  }
  // Standard errors: 0.003, 0.0045, 0.03.
  EXPECT_NEAR(sum / n, 0, 0.015);
  EXPECT_NEAR(squares / n, 1, 0.02);
  EXPECT_NEAR(fourth / n, 3, 0.15);

  int counts[10] = {}, ones = 0;
  for (uint8_t v : randomElements(1, "x", type("i8"), n))
    ++counts[v];
  for (int count : counts)
    EXPECT_NEAR(count, n / 10, 500);
  for (uint8_t v : randomElements(1, "x", type("bool"), n))
    ones += v;
  EXPECT_NEAR(ones, n / 2, 800);
}
