// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Live ranges of the values of a structured d1 program, and sets of values that are one register.

#ifndef DOJO_LIB_CONVERSION_REGISTERWEBS_H
#define DOJO_LIB_CONVERSION_REGISTERWEBS_H

#include "dialects/D1/D1Ops.h"
#include "dialects/D1/D1StructureOps.h"

namespace mlir::dojo {

/// Positions from `begin` up to but not including `end`. Operation k reads at 2k and writes at
/// 2k + 1, so a result may take the register of an operand that ends there.
struct Segment {
  int begin, end;
};

/// Values that are in one register, and when the register holds one of them.
struct Web {
  SmallVector<Value> values;
  SmallVector<Segment> segments; // sorted, disjoint

  int begin() const { return segments.front().begin; }
  int end() const { return segments.back().end; }
  bool overlaps(ArrayRef<Segment> other) const;
};

/// An operand that must be in the register of a result or block argument.
struct Tie {
  OpOperand *operand;
  Value target;
};

class RegisterWebs {
public:
  /// Numbers the program and puts every virtual register into a web of its own.
  explicit RegisterWebs(d1::FuncOp program);

  /// Merges the webs of all ties that allow it; returns the others.
  SmallVector<Tie> coalesce();

  ArrayRef<Web> getWebs() const { return webs; }
  int positionOf(Operation *op) const { return 2 * positions.lookup(op).first; }
  /// Number of loops around the operation.
  static int depth(Operation *op);

private:
  void number(Block &block);
  void addValue(Value v, int def);
  void addTies(Operation *op);
  int lastUse(Value v, int def);
  unsigned find(Value v);
  /// False if the two are needed at the same time.
  bool merge(Value a, Value b);

  int next = 0;
  DenseMap<Operation *, std::pair<int, int>> positions; // begin and, for loops, end
  SmallVector<std::pair<Value, int>> defs;
  SmallVector<Tie> ties;
  SmallVector<std::pair<Value, Value>> resultTies;
  std::vector<Web> webs;
  std::vector<unsigned> parent;
  DenseMap<Value, unsigned> webOf;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_REGISTERWEBS_H
