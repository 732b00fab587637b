// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of dojo-run.
#ifndef DOJO_TOOLS_DOJORUN_OPTIONS_H
#define DOJO_TOOLS_DOJORUN_OPTIONS_H

#include "dojo/Emulator/Checks.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dojo::run {

/// Exit statuses of the tools; 2 (bad model) does not occur here.
enum Status { Ok = 0, Usage = 1, BadInput = 3, MachineFault = 4, OutputsDiffer = 5 };

/// NAME=VALUE, split at the last '='.
struct Binding {
  std::string name, value;
};

struct Options {
  bool help = false;
  std::string image;
  std::vector<Binding> inputs; // value: a file, or random:SEED
  std::vector<Binding> expected;
  std::string outputDir, stats, trace; // empty: none
  std::optional<double> rtol, atol, maxRelL2;
  unsigned threads = 0; // 0: as many as the host has
  bool plain = false;   // the plain engine
  bool timing = true;
  std::optional<uint64_t> jitter, maxCycles;
  std::string traceNodes;              // a list as in NodeList.h; empty: all
  uint64_t traceBytes = 256ull << 20;  // the trace has no more
  std::optional<uint64_t> until;       // stop the run there
  bool debug = false;                  // commands from the standard input
  std::vector<std::string> breaks;     // places as in Symbols.h: stop the run there
  std::string snapshot, resume;        // files; empty: none
  std::optional<uint64_t> every;       // cycles between snapshots
  std::string dumpRegisters;           // a list of nodes; empty: none
  std::vector<std::string> dumpMemory; // NODE:ADDRESS:BYTES each
  emu::CheckOptions checks;
  bool statsNodes = false; // counters of each node in the statistics
};

/// False with \p error if the arguments are not a legal command line.
[[nodiscard]] bool parseOptions(const std::vector<std::string> &arguments, Options &out,
                                std::string &error);

/// What --help prints.
extern const char *const helpText;

} // namespace dojo::run

#endif
