// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The emulator beside the host's own kernels, measured in one process.
#ifndef DOJO_TOOLS_DOJOBENCH_EMULATOR_H
#define DOJO_TOOLS_DOJOBENCH_EMULATOR_H

#include "dojo/Emulator/Machine.h"

#include <set>
#include <string>
#include <vector>

namespace dojo::bench {

/// Host kernels on 1 and 2 threads: units a second, if nothing else is said.
struct HostRates {
  double matrixSteps[2] = {}, instructions[2] = {}, packets[2] = {};
  double leastRoundTrip = 0, mostRoundTrip = 0; ///< seconds, of all rounds (HostKernels.h)
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

/// What it costs to bring an image onto the die.
struct Loaded {
  std::string name;
  double seconds = 0;      ///< reading, checking and decoding; the fastest of some loads
  double placeSeconds = 0; ///< placing data on the nodes; the fastest
  uint64_t placedBytes = 0;
  uint64_t peakBytes = 0; ///< resident memory of a process that loads and runs it, at most
};

struct Results {
  HostRates host;
  std::string hostKernel;
  std::vector<Measured> runs;
  std::vector<Loaded> loads;
  double seconds(const std::string &name, unsigned threads, bool timing) const; // 0: not measured
  const Measured *find(const std::string &name, unsigned threads, bool timing) const;
};

struct EmulatorOptions {
  std::vector<std::string> images;
  unsigned repetitions = 12; // rounds of all settings
  bool plain = false;        // the plain engine
  /// What to time, as "NAME/threads:N/timing:on"; empty: all.
  std::set<std::string> only;
};

/// "resnet50/threads:2/timing:on".
std::string settingName(const std::string &name, unsigned threads, bool timing);
/// The programs that are timed beside the images.
std::vector<std::string> programNames();
/// Of an image's file: up to the first dot.
std::string imageName(const std::string &path);

/// False with \p error if an image cannot be loaded or a run faults.
[[nodiscard]] bool measureEmulator(const EmulatorOptions &options, Results &out,
                                   std::string &error);

/// Times what `options` names. Measures peak memory in processes of its own: call it before there
/// are threads.
[[nodiscard]] bool measureLoads(const EmulatorOptions &options, std::vector<Loaded> &out,
                                std::string &error);

/// The table people read, and the same as JSON.
std::string table(const Results &results);
std::string json(const Results &results);

} // namespace dojo::bench

#endif
