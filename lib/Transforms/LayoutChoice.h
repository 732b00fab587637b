// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layouts in which a general structured op reads its operands and writes its results.

#ifndef LIB_TRANSFORMS_LAYOUTCHOICE_H
#define LIB_TRANSFORMS_LAYOUTCHOICE_H

#include "LayoutWishes.h"
#include "PhysicalGeneric.h"

namespace mlir::dojo {

/// One layout an operand and one a result of a linalg.generic; a LoopSplits accepts all together.
struct LayoutChoice {
  SmallVector<Layout> inputs, results;
};

/// Chooses for `op`: results follow the wish for them, else the largest operand that is not
/// row-major; operands stay as they are where the loops allow it; weights follow the results.
/// `formOf` tells how an operand lies in memory, weights excepted. `block` is that of images.
LayoutChoice chooseLayouts(linalg::GenericOp op, int64_t block, const LayoutWishes &wishes,
                           llvm::function_ref<const PhysicalValue &(Value)> formOf);

/// `shape` with the blocked dimensions of both layouts grown to whole blocks.
SmallVector<int64_t> wholeBlocks(const Layout &a, const Layout &b, ArrayRef<int64_t> shape);

/// Whether a tensor of this shape in memory can be brought to `layout` by views alone.
bool isView(const PhysicalValue &source, const Layout &layout, ArrayRef<int64_t> shape);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_LAYOUTCHOICE_H
