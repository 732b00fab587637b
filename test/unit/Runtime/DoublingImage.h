// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hand-made program: y = x + x for fp32 x of 2 x 16, a row on each of two nodes, and n = k for an
// int64 scalar on the first.
#ifndef DOJO_TEST_UNIT_RUNTIME_DOUBLINGIMAGE_H
#define DOJO_TEST_UNIT_RUNTIME_DOUBLINGIMAGE_H

#include "dojo/ISA/ISA.h"
#include "dojo/Image/Builder.h"

#include <gtest/gtest.h>

namespace dojo {

inline std::vector<uint8_t> assemble(const std::vector<std::string> &lines) {
  std::vector<uint8_t> code;
  for (const std::string &line : lines) {
    isa::Inst inst;
    std::string error;
    EXPECT_TRUE(isa::parseInst(line, code.size(), {}, inst, &error)) << line << ": " << error;
    EXPECT_TRUE(isa::encode(inst, code, &error)) << line << ": " << error;
  }
  return code;
}

inline image::Image doublingImage() {
  Target target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", target, error)) << error;
  EXPECT_TRUE(target.withPartition(1, 2, target, error)) << error;
  image::Builder builder(target);
  std::vector<uint8_t> code =
      assemble({"li x1, 4096", "li x2, 8192", "vld v1, 0(x1), w32, m0", "vfadd v1, v1, v1",
                "vst v1, 0(x2), w32, m0", "ld x3, 128(x1)", "sd x3, 128(x2)", "halt"});
  for (int64_t node : {0, 1})
    builder.place(node, 0, code, true);
  uint32_t both = builder.addNodeSet(std::vector<int64_t>{0, 1});
  uint32_t first = builder.addNodeSet(std::vector<int64_t>{0});
  uint32_t second = builder.addNodeSet(std::vector<int64_t>{1});

  image::Image &image = builder.image();
  image.producer = "a test";
  image.layers = {{{"twice"}, "Add", "by hand", 0, 30, 1}};
  image.entries = {{both, {0, -1, -1, -1}}};
  image.pcRanges = {{both, 0, uint32_t(code.size()), 0, builder.addSymbol("twice")}};
  auto rows = [&](uint32_t address) {
    return std::vector<image::Box>{{first, address, {0, 0}, {1, 16}, {64, 4}},
                                   {second, address, {1, 0}, {1, 16}, {64, 4}}};
  };
  image.inputs = {{"x", "f32", {2, 16}, {2, 16}, -1, 1, rows(4096), -1, 0},
                  {"k", "i64", {}, {}, -1, 1, {{first, 4096 + 128, {}, {}, {}}}, -1, 0}};
  image.outputs = {{"y/0", "f32", {2, 16}, {2, 16}, -1, 1, rows(8192), 0, 0},
                   {"n", "i64", {}, {}, -1, 1, {{first, 8192 + 128, {}, {}, {}}}, 0, 0}};
  image.modelMacs = 1000;
  image.sramPeak = 8192 + 136;
  image.codeBytes = code.size();
  return builder.take();
}

} // namespace dojo

#endif
