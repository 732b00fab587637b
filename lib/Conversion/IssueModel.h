// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the scheduler knows of an instruction: when its results are ready, what it needs to issue,
// what memory and accumulators it touches.

#ifndef DOJO_LIB_CONVERSION_ISSUEMODEL_H
#define DOJO_LIB_CONVERSION_ISSUEMODEL_H

#include "dialects/D1/D1Ops.h"
#include "dojo/Target/Target.h"

namespace mlir::dojo {

/// Places in a cycle. Every instruction takes one of Decode.
enum Slot { Decode, Alu, Agu, Simd, Matrix, numSlots };

struct MemoryRange {
  Value base;
  int64_t offset, bytes; // bytes < 0: unknown
};

struct IssueInfo {
  int latency = 1;
  std::array<int8_t, numSlots> slots{};
  bool reads = false, writes = false;
  /// Set of buffers that may share memory; -1: any.
  int region = -1;
  SmallVector<MemoryRange, 1> ranges;
  /// Accumulator; -1: none.
  int accumulator = -1;
  bool step = false, drain = false, fill = false;
  /// New bases of post-incremented memory operands.
  SmallVector<Value, 2> moved;
  /// Operands that the instruction overwrites.
  SmallVector<Value, 2> overwritten;
};

class IssueModel {
public:
  explicit IssueModel(const ::dojo::Target &target) : target(target) {}

  /// Nothing for operations that stay where they are: control, loops, labels.
  std::optional<IssueInfo> describe(Operation *op) const;

  /// Cycles from the issue of an instruction to that of one that reads its result `v`.
  int resultLatency(const IssueInfo &info, Value v) const {
    return llvm::is_contained(info.moved, v) ? int(target.controlLatency) : info.latency;
  }
  /// Cycles from a write to an accumulator to the next instruction that uses it.
  int accumulatorLatency(const IssueInfo &write, const IssueInfo &use) const;
  std::array<int, numSlots> slotsPerCycle() const;

private:
  const ::dojo::Target &target;
};

/// True if both may touch one byte and one of them writes.
bool conflict(const IssueInfo &a, const IssueInfo &b);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_ISSUEMODEL_H
