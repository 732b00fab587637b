// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/dojo-golden/Comparison.h"

#include "dojo/Npy/Elements.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace dojo;
using namespace dojo::golden;

namespace {

const image::ElementType &f32 = *image::findElementType("f32");
const image::ElementType &bf16 = *image::findElementType("bf16");
const image::ElementType &i32 = *image::findElementType("i32");

std::vector<uint8_t> store(const std::vector<double> &values, const image::ElementType &type) {
  std::vector<uint8_t> bytes(values.size() * type.bytes);
  for (size_t i = 0; i < values.size(); ++i)
    npy::storeFloat(values[i], type, bytes.data() + i * type.bytes);
  return bytes;
}

/// A tensor of one dimension, its halves on nodes 3 and 7.
struct Halves {
  image::TensorRef tensor;
  std::vector<Runtime::CapturedBox> boxes;

  Halves(const std::vector<double> &values, const image::ElementType &type) {
    int64_t half = int64_t(values.size()) / 2;
    tensor.type = type.name;
    tensor.shape = tensor.logicalShape = {2 * half};
    tensor.boxes = {{0, 0, {0}, {half}, {type.bytes}}, {0, 0, {half}, {half}, {type.bytes}}};
    std::vector<uint8_t> bytes = store(values, type);
    auto middle = bytes.begin() + int64_t(bytes.size() / 2);
    boxes = {{3, &tensor.boxes[0], {bytes.begin(), middle}},
             {7, &tensor.boxes[1], {middle, bytes.end()}}};
  }
  Comparison against(const std::vector<double> &expected, const Tolerance &tolerance) {
    const image::ElementType &type = *image::findElementType(tensor.type);
    return compare(tensor, boxes, store(expected, type), type, false, tolerance);
  }
};

} // namespace

TEST(GoldenCompare, FindsTheElementAndItsNode) {
  Halves halves({1, 2, 3, 4, 5, 6.5, 7, 8.5}, f32);
  Comparison c = halves.against({1, 2, 3, 4, 5, 6, 7, 8}, Tolerance::ofLayer(f32));
  EXPECT_FALSE(c.good);
  EXPECT_EQ(c.elements, 8);
  EXPECT_EQ(c.outside, 2);
  EXPECT_EQ(c.first.index, 5);
  EXPECT_EQ(c.first.node, 7);
  EXPECT_EQ(c.first.got, 6.5);
  EXPECT_EQ(c.first.expected, 6);
  EXPECT_EQ(c.worst.index, 5) << "the larger part of what it may be off";
  EXPECT_EQ(c.nodes, std::set<int64_t>{7});
  EXPECT_EQ(c.largest, 0.5 / 8);
  EXPECT_TRUE(halves.against({1, 2, 3, 4, 5, 6.5, 7, 8.5}, {}).good);
}

TEST(GoldenCompare, AllowsOneLastPlaceOfTheStoredType) {
  Tolerance tolerance = Tolerance::ofLayer(bf16);
  double next = 1 + std::ldexp(1.0, -7), second = 1 + std::ldexp(1.0, -6);
  EXPECT_TRUE(Halves({1, next}, bf16).against({1, 1}, tolerance).good);
  EXPECT_FALSE(Halves({1, second}, bf16).against({1, 1}, tolerance).good);
  // Not if most elements are off by it, as with another kind of rounding.
  std::vector<double> ones(1000, 1.0), off(1000, next);
  Comparison all = Halves(off, bf16).against(ones, tolerance);
  EXPECT_EQ(all.outside, 0);
  EXPECT_FALSE(all.normGood);
  EXPECT_FALSE(all.good);
  off.assign(1000, 1.0);
  off[17] = off[900] = next;
  EXPECT_TRUE(Halves(off, bf16).against(ones, tolerance).good);
  // The same in fp32, whose last place is finer.
  EXPECT_FALSE(Halves({1, next}, f32).against({1, 1}, Tolerance::ofLayer(f32)).good);
}

TEST(GoldenCompare, IntegersAreEqualOrNot) {
  EXPECT_FALSE(Tolerance::ofLayer(i32).relative > 0);
  Halves halves({0, 0}, i32);
  halves.boxes[1].bytes[0] = 1;
  EXPECT_FALSE(halves.against({0, 0}, Tolerance::ofLayer(i32)).good);
}

TEST(GoldenCompare, ValuesThatAreNotFinite) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  Tolerance tolerance = Tolerance::ofLayer(f32);
  EXPECT_TRUE(Halves({nan, inf}, f32).against({nan, inf}, tolerance).good);
  EXPECT_FALSE(Halves({1, inf}, f32).against({1, -inf}, tolerance).good);
  EXPECT_FALSE(Halves({1, nan}, f32).against({1, 2}, tolerance).good);
  EXPECT_FALSE(Halves({1, 3}, f32).against({1, inf}, tolerance).good);
  Comparison c = Halves({1, nan}, f32).against({1, 2}, Tolerance::accumulated(1e-1));
  EXPECT_FALSE(c.good);
  EXPECT_EQ(c.first.index, 1);
}

TEST(GoldenCompare, ANormAlone) {
  Comparison c = Halves({1, 0.9}, f32).against({1, 1}, Tolerance::accumulated(1e-1));
  EXPECT_TRUE(c.good);
  EXPECT_NEAR(c.relativeL2, 0.1 / std::sqrt(2), 1e-6);
  EXPECT_EQ(c.worst.index, 1);
  EXPECT_FALSE(Halves({1, 0.9}, f32).against({1, 1}, Tolerance::accumulated(1e-2)).good);
  EXPECT_TRUE(Halves({0, 0}, f32).against({0, 0}, Tolerance::accumulated(0)).good);
  EXPECT_FALSE(Halves({0, 1}, f32).against({0, 0}, Tolerance::accumulated(1e-1)).good);
}

TEST(GoldenCompare, EveryCopyCountsAndNoneMayBeMissing) {
  Halves halves({1, 2}, f32);
  halves.boxes.push_back({9, &halves.tensor.boxes[1], store({5}, f32)});
  Comparison c = halves.against({1, 2}, Tolerance::ofLayer(f32));
  EXPECT_EQ(c.elements, 3);
  EXPECT_EQ(c.nodes, std::set<int64_t>{9});
  halves.boxes = {halves.boxes[0]};
  c = halves.against({1, 2}, Tolerance::ofLayer(f32));
  EXPECT_EQ(c.missing, 1);
  EXPECT_FALSE(c.good);
}

TEST(GoldenCompare, BlocksOfChannels) {
  // 3 channels in blocks of 2 on 2 pixels: [2][2][2], the last lane padding.
  image::TensorRef tensor;
  tensor.type = "f32";
  tensor.logicalShape = {3, 2};
  tensor.shape = {2, 2, 2};
  tensor.blockDim = 0;
  tensor.blockSize = 2;
  EXPECT_EQ(logicalIndex(tensor, 0), 0);
  EXPECT_EQ(logicalIndex(tensor, 1), 2) << "channel 1, pixel 0";
  EXPECT_EQ(logicalIndex(tensor, 6), 5) << "channel 2, pixel 1";
  EXPECT_EQ(logicalIndex(tensor, 7), -1);
  EXPECT_EQ(elementText(tensor, 6), "[2,1]");
  EXPECT_EQ(elementText(tensor, 7), "block [1,1,1] (padding)");

  tensor.boxes = {{0, 0, {0, 0, 0}, {2, 2, 2}, {16, 8, 4}}};
  std::vector<double> physical = {1, 3, 2, 4, 5, 0, 6, 0}, logical = {1, 2, 3, 4, 5, 6};
  std::vector<Runtime::CapturedBox> boxes = {{0, &tensor.boxes[0], store(physical, f32)}};
  EXPECT_TRUE(compare(tensor, boxes, store(logical, f32), f32, true, {}).good);
  physical[7] = 1;
  boxes[0].bytes = store(physical, f32);
  EXPECT_TRUE(compare(tensor, boxes, store(logical, f32), f32, true, {}).good)
      << "padding is not in the model";
  Comparison c = compare(tensor, boxes, store({1, 3, 2, 4, 5, 0, 6, 0}, f32), f32, false, {});
  EXPECT_EQ(c.first.index, 7) << "but in memory";
}
