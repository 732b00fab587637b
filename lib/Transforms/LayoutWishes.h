// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layouts in which the consumers of a tensor would like to have it.

#ifndef LIB_TRANSFORMS_LAYOUTWISHES_H
#define LIB_TRANSFORMS_LAYOUTWISHES_H

#include "dojo/Transforms/Layout.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::dojo {

class AssembleOp;
class ReshapeOp;

/// Wishes of a function on logical tensors, found from its end to its beginning: convolutions wish
/// for blocked images, what is returned for row-major order, and ops that can work in many layouts
/// pass on the wish for their result. Of several consumers the first in the function counts.
class LayoutWishes {
public:
  /// `block` is that of blocked images; `matrixUnit`: convolutions of bf16 become `dojo.conv`.
  LayoutWishes(func::FuncOp function, int64_t block, bool matrixUnit);

  /// Null if no consumer has a wish.
  const Layout *find(Value value) const {
    auto it = wishes.find(value);
    return it == wishes.end() ? nullptr : &it->second;
  }

private:
  void visit(linalg::GenericOp op);
  void visit(AssembleOp op);
  void visit(ReshapeOp op);
  /// Wishes for the inputs of `op` that suit the loops in this order in memory.
  void wishInputs(linalg::GenericOp op, ArrayRef<unsigned> loopOrder,
                  std::optional<unsigned> blockLoop, OpOperand *except);

  int64_t block;
  bool matrixUnit;
  DenseMap<Value, Layout> wishes;
};

/// The loop over the last dimension of the operand, if that is long and all that the op reduces:
/// rows better lie in one piece each. None if there is one row only.
std::optional<unsigned> reducedRow(linalg::GenericOp op, OpOperand *input);

/// Whether pieces with `layout` can be put together, or cut, in that layout: whole blocks of the
/// blocked dimension at block boundaries, and no padding but zeros.
bool canAssemble(AssembleOp op, const Layout &layout);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_LAYOUTWISHES_H
