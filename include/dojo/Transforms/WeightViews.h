// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rearrangements of weights, done on their bytes when the image is written.

#ifndef DOJO_TRANSFORMS_WEIGHTVIEWS_H
#define DOJO_TRANSFORMS_WEIGHTVIEWS_H

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {

/// The weight with `steps` after its own. They must fit its type. Steps without effect are left
/// out; two casts or reshapes in a row become one.
Value transformWeight(RewriterBase &rewriter, WeightOp weight,
                      ArrayRef<::dojo::TransformStep> steps);

/// The weight that a transposing copy of a weight makes; null if `op` is nothing of the kind.
Value foldTransposeOfWeight(RewriterBase &rewriter, linalg::GenericOp op);

/// Replaces reshapes, slices and zero padding (behind the elements) of weights by weights.
void foldViewsOfWeights(RewriterBase &rewriter, Operation *function);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_WEIGHTVIEWS_H
