// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What --check found in the runs of one command, and what it took.
#ifndef DOJO_TOOLS_DOJORUN_CHECKLOG_H
#define DOJO_TOOLS_DOJORUN_CHECKLOG_H

#include "Options.h"

#include "dojo/Runtime/Runtime.h"

#include <cstdio>

namespace dojo::run {

class CheckLog {
public:
  CheckLog() = default;
  explicit CheckLog(const Options &options);

  /// Adds the runtime's last run.
  void add(const Runtime &runtime);
  /// Empty without --check, or before a run. "checked 123456 accesses in 12.3 s, 310 MB of shadow
  /// memory: ...", a line.
  std::string summary(double seconds) const;
  /// Writes what was found.
  void print(std::FILE *to) const;

private:
  bool wanted = false;
  std::vector<std::string> reports;
  uint64_t runs = 0, accesses = 0, shadowBytes = 0, numReports = 0;
};

} // namespace dojo::run

#endif
