// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CheckLog.h"

#include <algorithm>

namespace dojo::run {

CheckLog::CheckLog(const Options &options) : wanted(options.checks.any()) {}

void CheckLog::add(const Runtime &runtime) {
  const emu::CheckResult &found = runtime.checks();
  ++runs;
  accesses += found.accesses;
  shadowBytes = std::max(shadowBytes, found.shadowBytes);
  numReports += found.numReports;
  for (const emu::CheckReport &report : found.reports)
    reports.push_back(runtime.describe(report));
}

void CheckLog::print(std::FILE *to) const {
  for (const std::string &report : reports)
    std::fprintf(to, "dojo-run: %s\n", report.c_str());
}

std::string CheckLog::summary(double seconds) const {
  if (!wanted || !runs)
    return "";
  char line[160];
  std::snprintf(line, sizeof line,
                "checked %llu accesses in %.3g s, %.3g MB of shadow memory: %llu report%s\n",
                static_cast<unsigned long long>(accesses), seconds, double(shadowBytes) / 1e6,
                static_cast<unsigned long long>(numReports), numReports == 1 ? "" : "s");
  return line;
}

} // namespace dojo::run
