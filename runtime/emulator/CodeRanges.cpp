// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CodeRanges.h"

#include <algorithm>

namespace dojo::emu {

CodeRanges::CodeRanges(const Parts &parts) {
  std::vector<uint32_t> borders{0, ~uint32_t(0)};
  auto add = [&borders](uint32_t begin, uint32_t end) {
    borders.push_back(begin);
    borders.push_back(end);
  };
  for (const CodeSegment &segment : parts.segments)
    add(segment.begin, segment.end);
  if (parts.layers)
    for (const PcRange &range : *parts.layers)
      add(range.begin, range.end);
  for (const auto &declaration : parts.declarations)
    add(declaration->begin, declaration->end);
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  for (size_t i = 0; i + 1 < borders.size(); ++i)
    ranges.push_back({.begin = borders[i], .end = borders[i + 1]});
  for (size_t i = 0; i < ranges.size(); ++i)
    ranges[i].next = &ranges[std::min(i + 1, ranges.size() - 1)];
  begins.assign(borders.begin(), std::prev(borders.end()));

  // Every border is one of theirs, so each of them is a run of whole ranges.
  auto forRanges = [this](uint32_t begin, uint32_t end, auto f) {
    for (size_t i = search(begin); i < ranges.size() && ranges[i].begin < end; ++i)
      f(ranges[i]);
  };
  for (const CodeSegment &segment : parts.segments)
    forRanges(segment.begin, segment.end, [&](CodeRange &r) { r.image = segment.image.get(); });
  if (parts.layers)
    for (const PcRange &range : *parts.layers)
      forRanges(range.begin, range.end, [&](CodeRange &r) { r.layer = range.layer; });
  for (const auto &declaration : parts.declarations)
    forRanges(declaration->begin, declaration->end,
              [&](CodeRange &r) { r.declaration = declaration.get(); });
}

size_t CodeRanges::search(uint32_t pc) const {
  auto next = std::upper_bound(begins.begin(), begins.end(), pc);
  return static_cast<size_t>(next - begins.begin()) - 1;
}

} // namespace dojo::emu
