// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small sound image that has something of everything.
#ifndef DOJO_TEST_UNIT_IMAGE_SAMPLEIMAGE_H
#define DOJO_TEST_UNIT_IMAGE_SAMPLEIMAGE_H

#include "dojo/Image/Builder.h"

#include <gtest/gtest.h>

namespace dojo::image {

inline Image sampleImage() {
  Target target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", target, error)) << error;
  EXPECT_TRUE(target.withPartition(2, 2, target, error)) << error;

  Builder builder(target);
  Image &image = builder.image();
  std::vector<uint8_t> code(64, 1), weights(100, 2), table(16, 3);
  for (int64_t node : target.usableNodes()) {
    builder.place(node, 0, code, true);
    builder.place(node, 1024, weights, false);
    table[0] = uint8_t(node);
    builder.place(node, 2048, table, false);
  }
  uint32_t all = builder.addNodeSet(target.usableNodes());
  uint32_t first = builder.addNodeSet(std::vector<int64_t>{0});
  uint32_t second = builder.addNodeSet(std::vector<int64_t>{1});

  image.producer = "a test";
  image.layers = {{{"conv", "relu"}, "Conv", "m=2 n=2", 1000, 12.5, 1.25, 60, "conv"}};
  image.entries = {{all, {0, -1, 32, -1}}};
  image.pcRanges = {{all, 0, 64, 0, builder.addSymbol("conv")}};
  Box left{first, 4096, {0, 0}, {2, 3}, {12, 4}}, right{second, 4096, {0, 3}, {2, 2}, {8, 4}};
  image.inputs = {{"x", "f32", {2, 5}, {2, 5}, -1, 1, {left, right}, -1, 0}};
  image.outputs = {{"y", "i64", {}, {}, -1, 1, {{first, 8192, {}, {}, {}}}, 0, 0}};
  Box blocked{all, 5000, {0, 0, 0}, {1, 5, 4}, {40, 8, 2}};
  image.tensors = {{"t", "bf16", {1, 5, 4}, {3, 5}, 0, 4, {blocked}, 0, 0}};
  image.buffers = {{"x", "input", all, 4096, 64, -1, 0}};
  image.segments = {{all, 0, 64, 0, {{4096, 24, {2, 1, 1}, {32, 0, 0}}}, {{8192, 8, {}, {}}}}};
  image.segments[0].writes[0].count = {1, 1, 1};
  image.segments[0].ignored = {{4200, 8, {1, 1, 1}, {}}};
  image.routes = {{Step::East, Step::South}};
  image.modelMacs = 1000;
  image.seed = 7;
  image.sramPeak = 9000, image.sramLowerBound = 8000, image.codeBytes = 64, image.tableBytes = 16;
  image.certificate = {{"cycle_free", true}};
  return builder.take();
}

} // namespace dojo::image

#endif
