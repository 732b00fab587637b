// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each node and thread did with its cycles: counted on request (RunOptions::nodeCounters).
// docs/tracing.md says how to read them.
#ifndef DOJO_EMULATOR_NODECOUNTERS_H
#define DOJO_EMULATOR_NODECOUNTERS_H

#include "dojo/ISA/ISA.h"

#include <array>
#include <cstdint>

namespace dojo::emu {

/// What a thread does in one cycle. A cycle in which it issues (or passes over) an instruction
/// counts as Issue; any other by what its next instruction waits for.
enum class Activity : uint8_t {
  Issue,
  Operand,   ///< a register that is not yet ready
  Unit,      ///< the divider, the estimate unit or an accumulator
  Place,     ///< two other threads were asked before
  Port,      ///< an ALU, SIMD or matrix slot, an AGU or the store port
  CodeLine,  ///< a code line that is on its way
  Branch,    ///< a wrong guess
  Semaphore, ///< a wait, in code or in a list
  List,      ///< list start, descriptors
  Mesh,      ///< its train has not left the injection port
  Idle,      ///< not started, or ended
};
constexpr unsigned numActivities = 11;
const char *name(Activity activity);

/// A name for statistics, as in "vector_load".
const char *name(isa::TimingClass timing);

struct ThreadCounters {
  std::array<uint64_t, numActivities> cycles = {};       ///< sum to the cycles of the run
  std::array<uint64_t, isa::numTimingClass> issued = {}; ///< instructions, by class
  uint64_t passedOver = 0;                               ///< under a predicate that was off
};

struct NodeCounters {
  uint32_t node = 0;
  std::array<ThreadCounters, 4> threads;
  uint64_t sentPackets = 0;     ///< through its injection port
  uint64_t receivedPackets = 0; ///< through its ejection port
  uint64_t sendWait = 0;        ///< cycles from the issue of trains to their start, summed
  /// Packets on the links that leave it: east, west, south, north.
  std::array<uint64_t, 4> linkPackets = {};
};

} // namespace dojo::emu

#endif
