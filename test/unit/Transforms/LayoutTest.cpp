// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/Layout.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::dojo;

namespace {

using Shape = SmallVector<int64_t>;

/// Row-major number in the logical tensor of each element in memory, -1 for padding.
std::vector<int64_t> elementsInMemory(const Layout &layout, ArrayRef<int64_t> shape) {
  Shape physical = layout.physicalShape(shape);
  int64_t count = 1;
  for (int64_t size : physical)
    count *= size;
  std::vector<int64_t> result;
  for (int64_t at = 0; at < count; ++at) {
    Shape index(physical.size()), logical(shape.size());
    int64_t rest = at;
    for (size_t d = physical.size(); d-- > 0; rest /= physical[d])
      index[d] = rest % physical[d];
    for (auto [position, dim] : llvm::enumerate(layout.order))
      logical[dim] =
          dim == layout.blockDim ? index[position] * layout.block + index.back() : index[position];
    int64_t number = 0;
    bool inside = true;
    for (auto [i, size] : llvm::zip_equal(logical, shape)) {
      inside &= i < size;
      number = number * size + i;
    }
    result.push_back(inside ? number : -1);
  }
  return result;
}

Layout randomLayout(int64_t rank, std::mt19937 &random) {
  Layout layout = Layout::plain(rank);
  if (random() % 2)
    std::shuffle(layout.order.begin(), layout.order.end(), random);
  if (rank > 0 && random() % 4) {
    layout.blockDim = random() % rank;
    layout.block = 4;
  }
  return layout;
}

TEST(Layout, PhysicalShapes) {
  EXPECT_EQ(Layout::blocked(4, 1, 4).physicalShape({1, 18, 5, 7}), (Shape{1, 5, 5, 7, 4}));
  Layout rows{{1, 0}, 1, 4};
  EXPECT_EQ(rows.physicalShape({6, 32}), (Shape{8, 6, 4}));
  EXPECT_TRUE(Layout::plain(3).isPlain());
  EXPECT_FALSE(rows.isPlain());
  EXPECT_TRUE(rows.isRagged({6, 30}));
  EXPECT_FALSE(rows.isRagged({6, 32}));
}

TEST(Layout, SameBytesOfVectors) {
  // One image of one pixel is its channels in order, if no padding follows them.
  EXPECT_TRUE(sameBytes(Layout::blocked(4, 1, 4), Layout::plain(4), {1, 64, 1, 1}));
  EXPECT_FALSE(sameBytes(Layout::blocked(4, 1, 4), Layout::plain(4), {1, 62, 1, 1}));
  EXPECT_FALSE(sameBytes(Layout::blocked(4, 1, 4), Layout::plain(4), {1, 64, 1, 2}));
}

TEST(Layout, ReshapesThatMoveNothing) {
  // Flattening an image of one pixel.
  EXPECT_EQ(reshapeLayout(Layout::blocked(4, 1, 4), {1, 64, 1, 1}, {1, 64}),
            Layout::blocked(2, 1, 4));
  // Pixels in a row, channels kept.
  EXPECT_EQ(reshapeLayout(Layout::blocked(4, 1, 4), {2, 30, 5, 6}, {2, 30, 30}),
            Layout::blocked(3, 1, 4));
  // Heads out of the channels of a matrix, and back.
  Layout rows{{0, 2, 1}, 2, 4}, heads{{0, 2, 3, 1}, 3, 4};
  EXPECT_EQ(reshapeLayout(rows, {2, 7, 24}, {2, 7, 3, 8}), heads);
  EXPECT_EQ(reshapeLayout(heads, {2, 7, 3, 8}, {2, 7, 24}), rows);
  // Channels and pixels cannot be one dimension.
  EXPECT_EQ(reshapeLayout(Layout::blocked(4, 1, 4), {1, 8, 2, 2}, {1, 32}), std::nullopt);
}

// A layout that reshapeLayout finds puts every element where it was, and sameBytes says equal of
// equal orders only.
TEST(Layout, PropertiesOfRandomLayouts) {
  unsigned found = 0, same = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    // Factors in a row, grouped in two ways.
    std::vector<int64_t> factors;
    for (unsigned n = 1 + random() % 5; n > 0; --n)
      factors.push_back(std::array{1, 2, 3, 4, 8}[random() % 5]);
    auto group = [&] {
      Shape shape{factors[0]};
      for (size_t i = 1; i < factors.size(); ++i) {
        if (random() % 2)
          shape.push_back(factors[i]);
        else
          shape.back() *= factors[i];
        if (random() % 4 == 0)
          shape.push_back(1);
      }
      return shape;
    };
    Shape from = group(), to = group();
    Layout layout = randomLayout(from.size(), random);
    std::vector<int64_t> elements = elementsInMemory(layout, from);
    if (std::optional<Layout> result = reshapeLayout(layout, from, to)) {
      ++found;
      ASSERT_EQ(elementsInMemory(*result, to), elements);
    }
    Layout other = randomLayout(from.size(), random);
    bool equal = elementsInMemory(other, from) == elements;
    bool said = sameBytes(layout, other, from);
    same += said;
    ASSERT_TRUE(equal || !said);
  }
  EXPECT_GT(found, 1000u);
  EXPECT_GT(same, 100u);
}

} // namespace
