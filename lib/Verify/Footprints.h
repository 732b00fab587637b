// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs of kernels, each done once: the same code with the same values in the registers it uses does
// the same on every node.
#ifndef DOJO_LIB_VERIFY_FOOTPRINTS_H
#define DOJO_LIB_VERIFY_FOOTPRINTS_H

#include "ImageIndex.h"
#include "KernelRun.h"

#include <map>
#include <tuple>
#include <vector>

namespace dojo::verify {

class Footprints {
public:
  explicit Footprints(const image::Image &image)
      : image(image), runner(image.target.sramBytes, image.target.vectorAlignment) {}

  /// What the code of a load does from `pc` until it leaves [begin, end). Exits are relative to the
  /// load's address. Check Footprint::known.
  uint32_t find(const Placed &load, int64_t pc, int64_t begin, int64_t end,
                const ScalarRegisters &x);
  const Footprint &operator[](uint32_t index) const { return runs[index].footprint; }
  /// Of its writes those without a defined value, if the parts `missing` of its reads are
  /// undefined. \p defined must say of all its reads which are.
  const std::vector<Interval> &undefined(uint32_t index, const std::vector<Interval> &missing,
                                         const Bitmap &defined);

private:
  using Where = std::tuple<uint32_t, int64_t, int64_t, int64_t>; // blob; pc, begin, end in it
  struct Run {
    Where where;
    ScalarRegisters x; // at the start
    Footprint footprint;
  };
  Footprint run(const Where &where, const ScalarRegisters &x, const Bitmap *defined);

  const image::Image &image;
  KernelRun runner;
  std::vector<Run> runs;
  std::map<Where, std::vector<uint32_t>> runsAt;
  std::map<std::pair<uint32_t, std::vector<Interval>>, std::vector<Interval>> spoiled;
  uint64_t steps = 0; // of all runs
};

} // namespace dojo::verify

#endif
