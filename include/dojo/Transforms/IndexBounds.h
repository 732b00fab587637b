// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparisons in the body of a linalg.generic that say whether loop indices lie before an end:
// `sum of scaled linalg.index < constant`. Masks of blocks that a dimension does not fill are made
// of them. Most tiles and most iterations lie before the end altogether, and need no comparison.

#ifndef DOJO_TRANSFORMS_INDEXBOUNDS_H
#define DOJO_TRANSFORMS_INDEXBOUNDS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::dojo {

/// The comparison holds where `offset + sum(strides[d] * i_d) < limit`; nothing is negative.
struct IndexBound {
  Value compare; ///< result of an arith.cmpi
  int64_t offset = 0, limit = 0;
  SmallVector<int64_t> strides; ///< per loop

  /// Whether it holds for all loop indices up to `last` inclusive.
  bool holdsUpTo(ArrayRef<int64_t> last) const;
};

/// The bounds of a body, and the operations that only they need: linalg.index and sums of it.
struct IndexBounds {
  SmallVector<IndexBound> bounds;
  DenseSet<Operation *> onlyForBounds;
};
IndexBounds findIndexBounds(linalg::GenericOp op);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_INDEXBOUNDS_H
