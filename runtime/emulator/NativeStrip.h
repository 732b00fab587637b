// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strips: turns of a matrix loop that native code runs together. A host that issues two fused
// multiply-adds in a cycle was measured to issue fewer beside stores of vectors
// (docs/rationale/emulator.md). So what a strip saves is stores: an accumulator is brought to
// registers once for all its steps in the strip, and of a vector register only the last value is
// written back. For that, steps on different accumulators change places; steps on one keep their
// order, so that all bits stay the same.
#ifndef DOJO_EMULATOR_NATIVESTRIP_H
#define DOJO_EMULATOR_NATIVESTRIP_H

#include "Block.h"

#include <vector>

namespace dojo::emu {

struct AccessPlan;

/// What a strip does, in the order in which it is written.
struct StripPlan {
  /// No strip (no turns) if the block does anything but count, compute addresses, load whole
  /// registers and take matrix steps, or if accumulators have too few steps to gain by it.
  StripPlan(const Block &block, const AccessPlan &accesses, bool counted, bool pairs);

  unsigned turns = 0;
  /// What a vector register holds for a time, or a memory operand.
  struct Value {
    unsigned turn = 0;
    int op = -1; // that loads it; -1: it is there before
    unsigned reg = 0;
  };
  std::vector<Value> values;
  std::vector<unsigned> last; // values that registers hold at the end
  /// A value as rows or columns of matrix steps.
  struct Operand {
    unsigned value, role;
    unsigned slot;   // where its elements lie in the frame, in bytes
    size_t firstUse; // a multiply-add
  };
  std::vector<Operand> operands; // by first use
  struct MultiplyAdd {
    unsigned sum; // register
    unsigned acc, quarter, element;
    unsigned operands[2]; // rows, columns
    bool zero, load, store;
  };
  std::vector<MultiplyAdd> adds;
  std::vector<unsigned> accumulators;
  unsigned frameBytes = 0;

  static constexpr unsigned together = 4; // accumulators in registers at a time
};

} // namespace dojo::emu

#endif
