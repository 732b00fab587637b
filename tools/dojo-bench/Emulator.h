// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The emulator beside the host's own kernels, measured in one process.
#ifndef DOJO_TOOLS_DOJOBENCH_EMULATOR_H
#define DOJO_TOOLS_DOJOBENCH_EMULATOR_H

#include "dojo/Emulator/Machine.h"

#include <string>
#include <vector>

namespace dojo::bench {

/// Host kernels on 1 and 2 threads: units a second.
struct HostRates {
  double matrixSteps[2] = {}, instructions[2] = {}, packets[2] = {};
};

/// One image, or one of the programs, at one setting; wall seconds of its fastest run.
struct Measured {
  std::string name;
  unsigned threads = 1;
  bool timing = true;
  double seconds = 0;
  emu::Counters counters;

  /// Seconds that the host's kernels take for the same counts on as many threads.
  double floor(const HostRates &host) const;
};

struct Results {
  HostRates host;
  std::string hostKernel;
  std::vector<Measured> runs;
  double seconds(const std::string &name, unsigned threads, bool timing) const; // 0: not measured
  const Measured *find(const std::string &name, unsigned threads, bool timing) const;
};

struct EmulatorOptions {
  std::vector<std::string> images;
  unsigned repetitions = 3;
  bool plain = false; // the plain engine
};

/// False with \p error if an image cannot be loaded or a run faults.
[[nodiscard]] bool measureEmulator(const EmulatorOptions &options, Results &out,
                                   std::string &error);

/// The table people read, and the same as JSON.
std::string table(const Results &results);
std::string json(const Results &results);

} // namespace dojo::bench

#endif
