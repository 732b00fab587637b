// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Support/Transform.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace dojo;

namespace {

template <typename T>
std::vector<uint8_t> apply(const std::vector<T> &elements, const ArrayType &type,
                           std::vector<TransformStep> steps) {
  std::string error;
  auto result = applyTransform(reinterpret_cast<const uint8_t *>(elements.data()),
                               elements.size() * sizeof(T), type, steps, error);
  EXPECT_TRUE(result) << error;
  return result.value_or(std::vector<uint8_t>());
}

template <typename T> std::vector<T> as(const std::vector<uint8_t> &bytes) {
  std::vector<T> result(bytes.size() / sizeof(T));
  std::memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
  return result;
}

std::vector<int32_t> counting(int count) {
  std::vector<int32_t> result(count);
  for (int i = 0; i < count; ++i)
    result[i] = i;
  return result;
}

std::string errorOf(const ArrayType &type, std::vector<TransformStep> steps) {
  std::string error;
  EXPECT_FALSE(transformedType(type, steps, error));
  return error;
}

const ArrayType twoByThree{ElementType::I32, {2, 3}};

TEST(Transform, Pad) {
  EXPECT_EQ(as<int32_t>(apply(counting(6), twoByThree, {TransformStep::pad({3, 4})})),
            (std::vector<int32_t>{0, 1, 2, 0, 3, 4, 5, 0, 0, 0, 0, 0}));
}

TEST(Transform, Transpose) {
  EXPECT_EQ(as<int32_t>(apply(counting(6), twoByThree, {TransformStep::transpose({1, 0})})),
            (std::vector<int32_t>{0, 3, 1, 4, 2, 5}));
  // Dimension i of the result is dimension perm[i] of the operand: [2, 3, 4] becomes [4, 2, 3].
  ArrayType cube{ElementType::I32, {2, 3, 4}};
  std::string error;
  std::vector<TransformStep> steps{TransformStep::transpose({2, 0, 1})};
  EXPECT_EQ(transformedType(cube, steps, error)->shape, (std::vector<int64_t>{4, 2, 3}));
  std::vector<int32_t> result = as<int32_t>(apply(counting(24), cube, steps));
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        EXPECT_EQ(result[(c * 2 + a) * 3 + b], (a * 3 + b) * 4 + c);
}

TEST(Transform, Slice) {
  EXPECT_EQ(as<int32_t>(apply(counting(6), twoByThree, {TransformStep::slice({0, 2, 1, 2})})),
            (std::vector<int32_t>{1, 2, 4, 5}));
  EXPECT_TRUE(apply(counting(6), twoByThree, {TransformStep::slice({2, 0, 0, 3})}).empty());
}

// The order of the matrix unit: [F, C, KH, KW] to [F/8, KH, KW, C/4, 8, 4], padded.
TEST(Transform, ConvolutionKernel) {
  ArrayType type{ElementType::I32, {10, 3, 2, 2}};
  std::vector<int32_t> result = as<int32_t>(
      apply(counting(120), type,
            {TransformStep::pad({16, 4, 2, 2}), TransformStep::reshape({2, 8, 1, 4, 2, 2}),
             TransformStep::transpose({0, 4, 5, 2, 1, 3})}));
  ASSERT_EQ(result.size(), 2u * 2 * 2 * 1 * 8 * 4);
  for (int f = 0; f < 16; ++f)
    for (int c = 0; c < 4; ++c)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x) {
          int at = (((f / 8 * 2 + y) * 2 + x) * 8 + f % 8) * 4 + c;
          EXPECT_EQ(result[at], f < 10 && c < 3 ? ((f * 3 + c) * 2 + y) * 2 + x : 0);
        }
}

TEST(Transform, Errors) {
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::reshape({4})}),
            "reshape to another number of elements of an array 2x3xi32");
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::pad({1, 3})}),
            "pad to a smaller size of an array 2x3xi32");
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::transpose({0, 0})}),
            "transpose by what is not a permutation of an array 2x3xi32");
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::slice({0, 2, 2, 2})}),
            "slice outside of an array 2x3xi32");
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::pad({2, int64_t(1) << 60})}),
            "transform to too many elements of an array 2x3xi32");
  EXPECT_EQ(errorOf(twoByThree, {TransformStep::reshape({-2, -3})}),
            "a negative number in a transform step of an array 2x3xi32");
  std::string error;
  std::vector<int32_t> five = counting(5);
  EXPECT_FALSE(applyTransform(reinterpret_cast<uint8_t *>(five.data()), 20, twoByThree, {}, error));
  EXPECT_EQ(error, "an array 2x3xi32 takes 24 bytes, 20 are given");
}

TEST(Convert, BF16RoundsToNearestEven) {
  auto bits = [](uint32_t value) { return toBF16(std::bit_cast<float>(value)); };
  EXPECT_EQ(bits(0x3F800000), 0x3F80);
  // Halves go to the even neighbour: 0x3F80 and 0x3F82.
  EXPECT_EQ(bits(0x3F808000), 0x3F80);
  EXPECT_EQ(bits(0x3F818000), 0x3F82);
  EXPECT_EQ(bits(0x3F808001), 0x3F81);
  // The largest floats become infinity.
  EXPECT_EQ(bits(0x7F7FFFFF), 0x7F80);
  EXPECT_EQ(bits(0xFF800000), 0xFF80);
  EXPECT_EQ(bits(0x7F800001), 0x7FC0);
  EXPECT_EQ(bits(0xFFFFFFFF), 0x7FC0);
  // Denormals become zero with their sign.
  EXPECT_EQ(bits(0x007FFFFF), 0x0000);
  EXPECT_EQ(bits(0x80000001), 0x8000);
}

// Against an exact search over all values of the format.
TEST(Convert, F16IsNearestOfAll) {
  std::mt19937 random(3);
  std::vector<std::pair<double, uint16_t>> all;
  for (uint32_t bits = 0; bits < 0x7C00; ++bits)
    all.push_back({fromF16(bits), uint16_t(bits)});
  for (int i = 0; i < 20000; ++i) {
    float value = std::ldexp(float(random()) / 4294967296.0f + 0.5f, int(random() % 44) - 27);
    auto above = std::lower_bound(all.begin(), all.end(), std::pair<double, uint16_t>(value, 0));
    uint16_t expected;
    if (above == all.end()) {
      expected = value >= 65520 ? 0x7C00 : 0x7BFF;
    } else if (above == all.begin() || above->first == value) {
      expected = above->second;
    } else {
      double up = above->first - value, down = value - (above - 1)->first;
      expected =
          up < down || (up == down && above->second % 2 == 0) ? above->second : (above - 1)->second;
    }
    ASSERT_EQ(toF16(value), expected) << value;
    ASSERT_EQ(toF16(-value), expected | 0x8000) << -value;
  }
  EXPECT_EQ(toF16(std::numeric_limits<float>::quiet_NaN()), 0x7E00);
  EXPECT_TRUE(std::isinf(fromF16(0x7C00)));
}

TEST(Convert, BetweenTypes) {
  auto cast = [](std::vector<float> values, ElementType type) {
    return apply(values, {ElementType::F32, {int64_t(values.size())}}, {TransformStep::cast(type)});
  };
  float nan = std::numeric_limits<float>::quiet_NaN(), inf = INFINITY;
  // To integers: truncated, saturated, NaN is 0.
  EXPECT_EQ(as<int8_t>(cast({1.9f, -1.9f, 200, -200, nan, inf}, ElementType::I8)),
            (std::vector<int8_t>{1, -1, 127, -128, 0, 127}));
  EXPECT_EQ(as<uint8_t>(cast({-1, 255.5f, 256}, ElementType::U8)),
            (std::vector<uint8_t>{0, 255, 255}));
  EXPECT_EQ(as<int64_t>(cast({1e30f, -1e30f}, ElementType::I64)),
            (std::vector<int64_t>{INT64_MAX, INT64_MIN}));
  EXPECT_EQ(as<uint8_t>(cast({0, -0.0f, 0.5f, -3}, ElementType::I1)),
            (std::vector<uint8_t>{0, 0, 1, 1}));
  // Between integers: wrapped.
  std::vector<int32_t> wide{300, -1};
  EXPECT_EQ(
      as<uint8_t>(apply(wide, {ElementType::I32, {2}}, {TransformStep::cast(ElementType::U8)})),
      (std::vector<uint8_t>{44, 255}));
  EXPECT_EQ(elementByName("bf16"), ElementType::BF16);
  EXPECT_EQ(elementByName("f8"), std::nullopt);
}

} // namespace
