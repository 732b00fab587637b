// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What --until, --dump-registers and --dump-memory print.
#ifndef DOJO_TOOLS_DOJORUN_DUMP_H
#define DOJO_TOOLS_DOJORUN_DUMP_H

#include "Options.h"

#include "dojo/Runtime/Runtime.h"

namespace dojo::run {

/// The nodes and bytes to dump, checked against the target.
struct DumpPlan {
  std::vector<uint32_t> registers;
  struct Memory {
    uint32_t node, address, bytes;
  };
  std::vector<Memory> memory;
};

/// False with \p error if the options name what the target does not have.
[[nodiscard]] bool planDumps(const Options &options, const Target &target, DumpPlan &out,
                             std::string &error);

/// "waits for s3 >= 1 since cycle 70, at pc 0x1040".
std::string describe(const emu::ThreadStatus &status);

/// Where a node's threads are, and registers that are not zero.
void dumpNode(const emu::Machine &machine, uint32_t node, unsigned threads, std::string &out);

/// How many threads are where, as after a run that --until stopped.
std::string describeThreads(Runtime &runtime);

/// Registers that are not zero and the bytes asked for, as the last run left them.
std::string dumps(Runtime &runtime, const DumpPlan &plan);

} // namespace dojo::run

#endif
