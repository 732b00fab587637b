// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer whose sum is divided between nodes, as two layers.

#ifndef DOJO_CONVERSION_MESH_SPLITREDUCTION_H
#define DOJO_CONVERSION_MESH_SPLITREDUCTION_H

#include "dialects/Dojo/DojoDialect.h"

namespace mlir::dojo {

struct SplitLayers {
  /// Partial sums in fp32. Its root has the loops of the original's, the divided one being shorter,
  /// and the parts as one more, the last.
  LayerOp partial;
  /// Adds the parts in order and does what followed the sum. Has the name of the original.
  LayerOp sum;
};

/// Replaces `layer`, whose loop `loop` is a reduction that may be divided (LayerAccess), by two
/// layers; `parts` divides the loop's extent.
SplitLayers splitReduction(LayerOp layer, unsigned loop, int64_t parts);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_SPLITREDUCTION_H
