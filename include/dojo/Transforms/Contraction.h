// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognises convolutions and matrix products among linalg.generic ops by their form.

#ifndef DOJO_TRANSFORMS_CONTRACTION_H
#define DOJO_TRANSFORMS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::dojo {

/// A generic with the body `yield out + a * b` (operands and products perhaps extended to a wider
/// type) over at least one reduction dimension. Which operand is the image and which the kernel
/// follows from the maps: the kernel is the one whose map has no sums; between two such, the one
/// made by a dojo.weight, else the second.
struct Contraction {
  linalg::GenericOp op;
  /// Operand numbers.
  unsigned image, kernel;
  // Loop dimensions by role, each list in order of the loops.
  SmallVector<unsigned> batch;   ///< parallel, in image, kernel and result: groups, matmul batches
  SmallVector<unsigned> rows;    ///< parallel, in image and result: images, pixels, matrix rows
  SmallVector<unsigned> columns; ///< parallel, in kernel and result: output channels
  SmallVector<unsigned> depth;   ///< reduction, on its own in the image's map: input channels
  SmallVector<unsigned> taps;    ///< reduction, in a sum in the image's map
};

/// Whether the body is a sum of products, whatever the maps.
bool isSumOfProducts(linalg::GenericOp op);

/// The roles of the dimensions; nothing if `op` is no sum of products, or a dimension has no role.
std::optional<Contraction> matchContraction(linalg::GenericOp op);

/// `expr` as sum of dimensions with factors, without a constant; nothing for any other expression.
std::optional<SmallVector<std::pair<unsigned, int64_t>>> matchSum(AffineExpr expr);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_CONTRACTION_H
