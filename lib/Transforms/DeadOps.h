// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LIB_TRANSFORMS_DEADOPS_H
#define LIB_TRANSFORMS_DEADOPS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::dojo {

/// Erases the ops of `block` whose results nothing reads, from its end to its beginning.
inline void eraseDeadOps(RewriterBase &rewriter, Block &block) {
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
}

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_DEADOPS_H
