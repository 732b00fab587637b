// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run of a random program leaves, and how two runs may be compared.
#ifndef DOJO_TEST_SOAK_OUTCOME_H
#define DOJO_TEST_SOAK_OUTCOME_H

#include "Agreement.h"
#include "Program.h"

namespace dojo::emu {

struct Outcome {
  std::string fault;   // its whole message; empty: none
  std::string reports; // of checks, whole
  Counters counters;
  std::vector<uint64_t> registers; // of all nodes and threads; accumulators
  std::vector<uint8_t> memory;     // of all nodes: Program::memory
};

/// Runs the program on a machine of its own.
Outcome run(const Program &program, const RunOptions &options);

/// What differs first in b; empty: nothing. After a fault only the fault counts: how far other
/// nodes have come by then is not defined. `cycles`: they must be the same too.
std::string difference(const Outcome &a, const Outcome &b, bool cycles);

} // namespace dojo::emu

#endif
