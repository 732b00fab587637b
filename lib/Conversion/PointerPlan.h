// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which memory accesses of a kernel share a pointer register, and how pointers move with the loops.
// An access whose address is linear in the induction variables of its loops reaches it by a 12-bit
// offset from a register that advances by a constant at the end of each loop's body. If that takes
// too many registers, offsets may be longer: they are added before the access.

#ifndef DOJO_LIB_CONVERSION_POINTERPLAN_H
#define DOJO_LIB_CONVERSION_POINTERPLAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace mlir::dojo {

/// Constant bounds of a loop.
struct LoopBounds {
  int64_t lower, step, trips;
};
std::optional<LoopBounds> getBounds(scf::ForOp loop);

/// constant + sum of factor * induction variable.
struct LinearExpr {
  int64_t constant = 0;
  /// Sorted from the outermost loop to the innermost, without factors of 0.
  SmallVector<std::pair<Operation *, int64_t>> terms;
};
/// Reads an index value; nothing if it is not linear.
std::optional<LinearExpr> linearize(Value index);

/// The memref and indices of a memory access; nothing for other operations.
struct MemoryOperand {
  Value memref;
  ValueRange indices;
};
std::optional<MemoryOperand> getMemoryOperand(Operation *op);

/// Bytes of an element in memory.
int64_t elementBytes(Type element);

class PointerPlan {
public:
  struct Pointer {
    LinearExpr start; // bytes; start.constant is where the register points at indices 0
    /// Loops in which the register moves, with those between them; outermost first.
    SmallVector<scf::ForOp> chain;

    bool startsAt(scf::ForOp loop) const { return !chain.empty() && chain.front() == loop; }
    bool movesIn(scf::ForOp loop) const { return llvm::is_contained(chain, loop); }
    /// Bytes to add at the end of the loop's body.
    int64_t advance(scf::ForOp loop) const;
    /// Address before the first iteration of the outermost loop of the chain.
    int64_t initial() const;
  };
  struct Place {
    unsigned pointer;
    int64_t offset;
  };

  /// Reports an error for a buffer without a known address or without static strides.
  LogicalResult build(func::FuncOp kernel);

  ArrayRef<Pointer> getPointers() const { return pointers; }
  /// Nothing if the address is not linear.
  std::optional<Place> find(Operation *access) const;
  /// True if the value only serves accesses that find() knows.
  bool onlyAddresses(Value index) const;
  /// Number of the set of arguments that may share memory with the one behind `memref`.
  int region(Value memref) const;

private:
  LogicalResult addAccess(Operation *op, MemoryOperand operand);

  /// Moving pointers that leave enough registers for everything else.
  static constexpr int maxPointers = 18;

  std::vector<Pointer> pointers;
  DenseMap<Operation *, Place> places;
  DenseMap<Value, int> regions;
  /// Accesses that move alike share a pointer if they are not further apart: what an offset of 12
  /// bits reaches to both sides.
  int64_t nearBytes = 2047;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_POINTERPLAN_H
