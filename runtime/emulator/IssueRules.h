// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an instruction waits for before it issues, which slots and ports it takes, and what waits
// for it then. Both engines ask here: the plain one in cycles of the run, the fast one in cycles of
// a block.
#ifndef DOJO_EMULATOR_ISSUERULES_H
#define DOJO_EMULATOR_ISSUERULES_H

#include "Code.h"

#include <algorithm>
#include <span>

namespace dojo::emu {

/// Of which an instruction takes one slot in the cycle it issues in.
enum class Unit : uint8_t { Alu, Simd, Matrix, None };
inline constexpr unsigned numUnits = 3;

inline Unit unitOf(isa::TimingClass timing) {
  switch (timing) {
  case isa::TimingClass::Alu:
  case isa::TimingClass::Mul:
  case isa::TimingClass::Div:
    return Unit::Alu;
  case isa::TimingClass::Simd:
  case isa::TimingClass::Estimate:
  case isa::TimingClass::Drain:
  case isa::TimingClass::Fill:
    return Unit::Simd;
  case isa::TimingClass::Matrix:
    return Unit::Matrix;
  default:
    return Unit::None;
  }
}

inline constexpr unsigned maxPorts = 8;

/// No register or unit is busy for as many cycles.
inline constexpr uint64_t longestWait = 1 << 24;

/// What the threads of a node share: the cycle from which each is free, or ready.
template <typename Cycle> struct UnitTimes {
  Cycle agu[maxPorts], store[maxPorts];
  Cycle divider, estimator;
  Cycle stepReady[maxAccumulators], fillReady[maxAccumulators], drained[maxAccumulators];

  static constexpr size_t size = 2 * maxPorts + 2 + 3 * maxAccumulators;
  std::span<Cycle, size> all() { return std::span<Cycle, size>(agu, size); }
};

/// Cycles that crossing a line costs each memory operand.
using Crossings = uint64_t[2];

/// The rules for a thread whose registers are ready from `ready`, by place in the scoreboard.
template <typename Cycle> struct IssueRules {
  const Parameters &p;
  Cycle *ready;
  UnitTimes<Cycle> &units;

  /// The cycle from which `op` has what it needs but slots and ports.
  uint64_t readyCycle(const Op &op) const {
    // A branch does not wait for its condition, nor a counted loop for its counter.
    if (op.control == ControlKind::Branch || op.control == ControlKind::JumpRegister ||
        op.control == ControlKind::Loop)
      return 0;
    uint64_t from = std::max(std::max(ready[op.sources[0]], ready[op.sources[1]]),
                             std::max(ready[op.sources[2]], ready[op.sources[3]]));
    // The pending write of the destination is ready no later than the own result.
    from = std::max(from, before(ready[op.destination], op.latency));
    switch (op.timing) {
    case isa::TimingClass::Div:
      return std::max<uint64_t>(from, units.divider);
    case isa::TimingClass::Estimate:
      return std::max<uint64_t>(from, units.estimator);
    case isa::TimingClass::Matrix:
      return std::max<uint64_t>({from, units.fillReady[op.acc], units.drained[op.acc]});
    case isa::TimingClass::Drain:
      return std::max<uint64_t>({from, units.fillReady[op.acc], units.stepReady[op.acc]});
    case isa::TimingClass::Fill:
      return std::max(from, before(units.stepReady[op.acc], op.latency));
    default:
      return from;
    }
  }

  /// Whether it gets its ports in `cycle`.
  bool portsFree(const Op &op, uint64_t cycle) const {
    unsigned accesses = op.timing == isa::TimingClass::Gather ? 1 : op.numMemory;
    return areFree(units.agu, p.aguSlots, accesses, cycle) &&
           (!op.writesMemory || areFree(units.store, p.storePorts, 1, cycle));
  }

  struct Issued {
    uint64_t done;   // the result is there
    uint64_t latest; // of all that has been noted
  };

  /// It issues in `cycle`; no control instruction.
  Issued issue(const Op &op, uint64_t cycle, const Crossings &extra) {
    Issued out{cycle + op.latency + std::max(extra[0], extra[1]), 0};
    auto note = [&](Cycle &place, uint64_t from) {
      place = static_cast<Cycle>(from);
      out.latest = std::max(out.latest, from);
    };
    if (op.access != isa::MemAccess::None) {
      uint64_t busy = op.timing == isa::TimingClass::Gather ? p.gatherBusy : 1;
      note(freePort(units.agu, cycle), cycle + busy + extra[0]);
      if (op.numMemory == 2)
        note(freePort(units.agu, cycle), cycle + busy + extra[1]);
      if (op.writesMemory)
        note(freePort(units.store, cycle), cycle + 1 + extra[0]);
    }
    for (unsigned i = 0; i < op.numMemory; ++i)
      if (op.memory[i].postIncrement && op.memory[i].base)
        note(ready[score::x + op.memory[i].base], cycle + p.controlLatency);
    note(ready[op.destination], out.done);
    ready[score::sink] = 0;
    switch (op.timing) {
    case isa::TimingClass::Div:
      note(units.divider, cycle + p.divideBusy);
      break;
    case isa::TimingClass::Estimate:
      note(units.estimator, cycle + p.estimateBusy);
      break;
    case isa::TimingClass::Matrix:
      note(units.stepReady[op.acc], std::max<uint64_t>(units.stepReady[op.acc], out.done));
      break;
    case isa::TimingClass::Drain:
      note(units.drained[op.acc], cycle + 1);
      break;
    case isa::TimingClass::Fill:
      note(units.fillReady[op.acc], std::max<uint64_t>(units.fillReady[op.acc], out.done));
      break;
    default:
      break;
    }
    return out;
  }

  struct ControlIssued {
    uint64_t done;
    uint64_t latest;   // of all that has been noted
    uint64_t goesOnAt; // if its branch was guessed wrong
  };

  /// A control instruction issues in `cycle`.
  ControlIssued issueControl(const Op &op, uint64_t cycle) {
    uint64_t sources = std::max(ready[op.sources[0]], ready[op.sources[1]]);
    uint64_t known = std::max(cycle, sources);
    // A counted loop does not wait for its counter, but the new count comes after the old one.
    uint64_t result = (op.control == ControlKind::Loop ? known : cycle) + p.controlLatency;
    ready[op.destination] = static_cast<Cycle>(result);
    ready[score::sink] = 0;
    return {cycle + p.controlLatency, op.destination == score::sink ? 0 : result,
            known + p.branchPenalty};
  }

private:
  /// The first cycle from which what takes `latency` is done no earlier than `end`.
  static uint64_t before(uint64_t end, uint64_t latency) {
    return end > latency ? end - latency : 0;
  }
  static bool areFree(const Cycle *freeFrom, unsigned ports, unsigned count, uint64_t cycle) {
    for (unsigned i = 0; i < ports && count; ++i)
      count -= freeFrom[i] <= cycle;
    return count == 0;
  }
  static Cycle &freePort(Cycle *freeFrom, uint64_t cycle) {
    while (*freeFrom > cycle)
      ++freeFrom;
    return *freeFrom;
  }
};

/// Whether the guess where a branch goes is wrong: a branch back is taken, one forward is
/// not, a jump to a register is never guessed.
inline bool guessedWrong(const Op &op, bool taken) {
  return op.control == ControlKind::JumpRegister ||
         (op.control == ControlKind::Branch && taken != (op.target <= 0));
}

} // namespace dojo::emu

#endif
