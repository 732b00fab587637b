// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the emulator is held to: quantities of a measurement that mean something on any host, what
// they must and should be, and marks from a file that they must not leave.
#ifndef DOJO_TOOLS_DOJOBENCH_MARKS_H
#define DOJO_TOOLS_DOJOBENCH_MARKS_H

#include "Emulator.h"

#include <map>

namespace dojo::bench {

/// One of the emulator's aims.
struct Quantity {
  std::string what; ///< for people
  std::string unit; ///< "x", "MIPS", "M/s", "s", "GB/s", "MB"
  double value = 0;
  bool least = false; ///< the more the better
  double must = 0, aim = 0;

  bool meets(double bound) const { return least ? value >= bound : value <= bound; }
};

/// Those of them that were measured: of resnet50, ppocr-cls, digits and the two programs.
std::vector<Quantity> quantities(const Results &results);

/// A mark: the greatest value a quantity may have is `value` times `margin`. Quantities are ratios:
///   SETTING (settingName)     wall time over the floor
///   NAME/timing:on-over-off   time with timing on over that without, on 2 threads
///   NAME/peak-over-placed     peak resident memory over bytes placed
struct Mark {
  double value = 0, margin = 1;
};
using Marks = std::map<std::string, Mark>;

/// Reads {"margin": M, "marks": {"QUANTITY": VALUE or {"value": V, "margin": M}, ...}}. False with
/// \p error that names the file.
[[nodiscard]] bool readMarks(const std::string &path, Marks &out, std::string &error);

/// What has to be timed for the marks.
std::set<std::string> settings(const Marks &marks);

/// A marked quantity of a measurement; false if it was not measured.
bool measured(const Results &results, const std::string &quantity, double &out);

/// Measures up to three times, until every quantity, at its best, is within its mark: a busy host
/// disturbs a measurement, but rarely the same part of three. `report`: the table. False with
/// \p error if something could not be measured; `met` says whether all marks are.
[[nodiscard]] bool holdToMarks(EmulatorOptions options, const Marks &marks, Results &last,
                               bool &met, std::string &report, std::string &error);

} // namespace dojo::bench

#endif
