// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strips: turns of a matrix loop that native code runs together, accumulator by accumulator. Hosts
// were measured to issue fewer multiply-adds beside stores of vectors (docs/rationale/emulator.md).
// So what a strip saves is stores: up to four accumulators at a time stay in registers for all
// turns, and of a vector register only the last value is written back. For that, steps on different
// accumulators change places; steps on one keep their order, so that all bits stay the same.
#ifndef DOJO_EMULATOR_NATIVESTRIP_H
#define DOJO_EMULATOR_NATIVESTRIP_H

#include "Block.h"

#include <vector>

namespace dojo::emu {

struct AccessPlan;

/// What a strip does in each of its turns, in the order in which it is written.
struct StripPlan {
  /// No strip if the block does anything but count, compute addresses, load whole registers and
  /// take matrix steps.
  StripPlan(const Block &block, const AccessPlan &accesses, bool counted, bool pairs);

  unsigned leastTurns = 0; // that are worth a strip; 0: there is none
  /// What a vector register holds for a time, or a memory operand.
  struct Value {
    int op = -1; // that loads it; -1: none in the loop
    unsigned reg = 0;
    bool before = false; // in the turn before
  };
  std::vector<Value> values;
  std::vector<unsigned> last; // values that registers hold at the end of a turn
  /// How multiply-adds take a value: each row's elements by themselves, those of pairs of rows
  /// together (MatrixForms.h), or as columns.
  enum class Form { RowElements, RowPairs, Columns };
  struct Operand {
    unsigned value;
    Form form;
    unsigned slot;   // where it lies in the frame, in bytes, if it does
    size_t firstUse; // a multiply-add
  };
  /// Adds to a pair of rows of an accumulator, or to a row of two accumulators.
  struct MultiplyAdd {
    unsigned sum = 0;              // register
    unsigned rows = 0, number = 0; // which row or pair of rows; which element along k
    bool zero = false;
    const Operand *of = nullptr;
    const Operand *columns[2] = {};
  };
  /// An accumulator in four registers, by pairs of rows; or two that take the same rows in eight,
  /// by rows.
  struct Member {
    std::vector<unsigned> accumulators;
    unsigned firstSum;
  };
  /// Accumulators that are in registers at a time.
  struct Group {
    std::vector<Member> members;
    std::vector<Operand> operands; // by first use
    std::vector<MultiplyAdd> adds;
    bool before = false; // takes values of the turn before
  };
  std::vector<Group> groups;
  unsigned frameBytes = 0;

  static constexpr unsigned mostTogether = 4; // accumulators
};

} // namespace dojo::emu

#endif
