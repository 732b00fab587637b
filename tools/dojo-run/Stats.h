// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The --stats file and the lines printed after a run.
#ifndef DOJO_TOOLS_DOJORUN_STATS_H
#define DOJO_TOOLS_DOJORUN_STATS_H

#include "Compare.h"
#include "Options.h"

#include "dojo/Runtime/Runtime.h"

#include <map>

namespace dojo::run {

struct RunRecord {
  double loadSeconds = 0, wallSeconds = 0;
  int64_t runs = 0;
  std::map<std::string, std::string> outputFiles; // output to file; empty without --output-dir
  std::vector<std::pair<std::string, Comparison>> comparisons;
};

/// Counters are those of the last run; wall_seconds is of all runs. Cycle keys are null with timing
/// off.
image::Json statistics(const Runtime &runtime, const Options &options, const RunRecord &record);

/// Cycles, time on the machine, utilisation and comparisons, a line each.
std::string summary(const Runtime &runtime, const Options &options, const RunRecord &record);

} // namespace dojo::run

#endif
