// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Footprints.h"

#include <algorithm>

namespace dojo::verify {

/// Instructions of one run and of all together; a network's kernels have some ten million.
static constexpr uint64_t maxSteps = 10000000, maxStepsOfAll = 200000000;

Footprint Footprints::run(const Where &where, const ScalarRegisters &x, const Bitmap *defined) {
  const auto &[blob, pc, begin, end] = where;
  Footprint f = runner.run(image.content(image.blobs[blob]), 0, pc, begin, end, x, defined,
                           std::min(maxSteps, maxStepsOfAll - steps));
  steps += f.steps;
  return f;
}

uint32_t Footprints::find(const Placed &load, int64_t pc, int64_t begin, int64_t end,
                          const ScalarRegisters &x) {
  Where where{load.blob, pc - load.begin, begin - load.begin, end - load.begin};
  std::vector<uint32_t> &list = runsAt[where];
  for (uint32_t index : list) {
    const Run &other = runs[index];
    bool same = true;
    for (int r = 1; r < 32 && same; ++r)
      same = !(other.footprint.used >> r & 1) ||
             (other.x.get(r) == x.get(r) && other.x.isSet(r) == x.isSet(r));
    if (same)
      return index;
  }
  uint32_t index = uint32_t(runs.size());
  runs.push_back({where, x, run(where, x, nullptr)});
  list.push_back(index);
  return index;
}

const std::vector<Interval> &
Footprints::undefined(uint32_t index, const std::vector<Interval> &missing, const Bitmap &defined) {
  if (missing.empty())
    return runs[index].footprint.undefined;
  auto [it, added] = spoiled.try_emplace({index, missing});
  if (added) {
    Footprint f = run(runs[index].where, runs[index].x, &defined);
    // Longer than allowed: nothing it writes counts as defined.
    it->second = f.known ? f.undefined : runs[index].footprint.writes;
  }
  return it->second;
}

} // namespace dojo::verify
