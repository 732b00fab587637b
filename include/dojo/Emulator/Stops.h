// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a session is to stop before a cycle is reached, and where it has (Session::setStops).
#ifndef DOJO_EMULATOR_STOPS_H
#define DOJO_EMULATOR_STOPS_H

#include <cstdint>
#include <optional>
#include <vector>

namespace dojo::emu {

/// Before the instruction at `pc` issues. Not where a predicate passes over it.
struct Breakpoint {
  std::vector<uint32_t> nodes; ///< ascending; empty: all
  int thread = -1;             ///< -1: any
  uint32_t pc = 0;
  unsigned number = 0; ///< the caller's name for it
};

/// After the cycle in which any of these bytes are written, whether they change or not: by a store,
/// or by a train, whose bytes count as written when it is committed.
struct Watchpoint {
  uint32_t node = 0, address = 0, bytes = 0;
  unsigned number = 0; ///< the caller's name for it
};

/// Before the instruction that comes `instructions` after the thread's next, those passed over
/// counted; or when the thread ends.
struct Step {
  uint32_t node = 0;
  unsigned thread = 0;
  uint64_t instructions = 1;
};

struct StopConditions {
  std::vector<Breakpoint> breakpoints;
  std::vector<Watchpoint> watchpoints;
  std::optional<Step> step;
  bool empty() const { return breakpoints.empty() && watchpoints.empty() && !step; }
};

struct Stop {
  enum class Kind : uint8_t { Breakpoint, Step, Ended, Watchpoint };
  Kind kind = Kind::Breakpoint;
  unsigned number = 0; ///< of the breakpoint or watchpoint
  uint32_t node = 0;   ///< whose thread stands there, or whose memory was written
  uint64_t cycle = 0;
  // The thread, and its instruction. Of a watchpoint: that stored, or whose transfer it is.
  uint32_t threadNode = 0;
  unsigned thread = 0;
  uint32_t pc = 0; ///< of the `list` for a transfer
  // Watchpoint: what was written.
  uint32_t address = 0, bytes = 0;
  bool byTransfer = false;
};

} // namespace dojo::emu

#endif
