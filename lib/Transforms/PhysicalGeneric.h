// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites a linalg.generic on whole logical tensors to their physical layouts.

#ifndef LIB_TRANSFORMS_PHYSICALGENERIC_H
#define LIB_TRANSFORMS_PHYSICALGENERIC_H

#include "dojo/Transforms/Layout.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {

/// A tensor in memory.
struct PhysicalValue {
  Value value;
  Layout layout;
  /// The padding of the last block is zero. False after something else was placed there.
  bool zeroPadding = true;
};

/// The loops that blocked layouts divide: loop dimension -> block.
class LoopSplits {
public:
  explicit LoopSplits(linalg::GenericOp op)
      : maps(op.getIndexingMapsArray()), ranges(op.getStaticLoopRanges()),
        operands(op->getOperands()), blocks(ranges.size(), 0) {}

  /// Whether operand number `operand` may have `layout` beside those added: its blocked dimension
  /// is indexed by one loop, which is divided by the same block or not at all, and no sum depends
  /// on that loop unless the block divides its range.
  bool accepts(unsigned operand, const Layout &layout) const;
  void add(unsigned operand, const Layout &layout);
  /// Block of a loop, 0 if it is whole.
  int64_t block(unsigned loop) const { return blocks[loop]; }
  bool isRagged(unsigned loop) const;

private:
  /// The loop that indexes the blocked dimension; nothing if it is no loop, or constant.
  std::optional<unsigned> loopOf(unsigned operand, const Layout &layout) const;

  SmallVector<AffineMap> maps;
  SmallVector<int64_t> ranges;
  SmallVector<Value> operands;
  SmallVector<int64_t> blocks;
};

/// Makes the physical form of `op` at the insertion point. `inputs` are its operands in their
/// layouts, `results` the layouts of its results; all are accepted together by a LoopSplits.
/// `adapt` translates values that the body captures. Returns the results: of the physical type of
/// their layout, with zero padding. A plain result of a loop divided with a remainder is computed
/// with padding, which a view cuts off.
SmallVector<Value> makePhysicalGeneric(RewriterBase &rewriter, linalg::GenericOp op,
                                       ArrayRef<PhysicalValue> inputs, ArrayRef<Layout> results,
                                       llvm::function_ref<Value(Value)> adapt);

/// Copies the constants that the body of `op` takes from outside into it.
void sinkConstants(RewriterBase &rewriter, linalg::GenericOp op);

/// The value that the `result`-th operand of the terminator of `body` has if its arguments have the
/// given constants (null: unknown); null if it is not constant. Used to show that padding stays
/// zero.
Attribute evaluateBody(Block &body, ArrayRef<Attribute> arguments, unsigned result);

/// Whether a constant is +0 or -0 or integer 0.
bool isZero(Attribute value);

/// `value` grown at its end with zeros to the given shape, by a view or in its weight.
Value padTo(RewriterBase &rewriter, Value value, ArrayRef<int64_t> shape);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_PHYSICALGENERIC_H
