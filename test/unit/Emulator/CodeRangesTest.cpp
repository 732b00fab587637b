// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a node's addresses are divided, against a look at every part for every address.
#include "runtime/emulator/CodeRanges.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace dojo::emu;

namespace {

constexpr uint32_t bytes = 600;

// Intervals without overlaps, some touching.
std::vector<Interval> intervals(std::mt19937 &engine) {
  std::vector<Interval> list;
  for (uint32_t at = engine() % 40; at < bytes;) {
    uint32_t end = std::min<uint32_t>(bytes, at + 4 + engine() % 90);
    list.push_back({at, end});
    at = end + (engine() % 3 ? 0 : engine() % 60);
  }
  return list;
}

TEST(CodeRanges, SayWhatHoldsForEachAddress) {
  Parameters p{};
  std::mt19937 engine(1);
  unsigned borders = 0;
  for (unsigned round = 0; round < 200; ++round) {
    CodeRanges::Parts parts;
    auto layers = std::make_shared<std::vector<PcRange>>();
    for (Interval i : intervals(engine)) {
      std::vector<uint8_t> content(i.end - i.begin);
      if (round % 4)
        parts.segments.push_back(
            {i.begin, i.end, std::make_shared<const CodeImage>(content, i.begin, p)});
    }
    for (Interval i : intervals(engine))
      layers->push_back({i.begin, i.end, static_cast<int32_t>(engine() % 5) - 2});
    if (round % 3)
      parts.layers = layers;
    for (Interval i : intervals(engine))
      if (round % 5)
        parts.declarations.push_back(
            std::make_shared<const Declaration>(Declaration{i.begin, i.end, {}, {}, {}}));
    CodeRanges ranges(parts);
    const CodeRange *current = &noCodeRange, *other = &noCodeRange;
    for (unsigned i = 0; i < 2000; ++i) {
      uint32_t pc = engine() % 8 ? engine() % (bytes + 20) : engine() % 0xFFFFFFFF;
      auto inside = [pc](const auto &part) { return pc >= part.begin && pc < part.end; };
      const CodeRange &range = ranges.find(pc, *current, *other);
      ASSERT_TRUE(range.holds(pc)) << pc;
      auto segment = std::find_if(parts.segments.begin(), parts.segments.end(), inside);
      EXPECT_EQ(range.image, segment == parts.segments.end() ? nullptr : segment->image.get());
      int32_t layer = -1;
      if (parts.layers)
        for (const PcRange &l : *parts.layers)
          if (inside(l))
            layer = l.layer;
      EXPECT_EQ(range.layer, layer);
      auto declaration = std::find_if(parts.declarations.begin(), parts.declarations.end(),
                                      [&](const auto &declared) { return inside(*declared); });
      EXPECT_EQ(range.declaration,
                declaration == parts.declarations.end() ? nullptr : declaration->get());
      borders += range.begin == pc;
      EXPECT_TRUE(range.next == &range || range.next->begin == range.end);
      other = std::exchange(current, &range);
    }
  }
  EXPECT_GT(borders, 1000u);
}

} // namespace
