// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions as contractions.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H
#define DOJO_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H

#include "Window.h"

namespace mlir::dojo::onnximport {

/// Weights [filters, channels / groups, window...], a constant or else a value.
struct Filters {
  Dims dims;
  const Constant *constant;
  Value value;
  /// With other dimensions of the same product.
  Value as(Lowering &l, llvm::ArrayRef<int64_t> shape) const;
};

/// Operand `i` of the node.
Filters filtersOf(Lowering &l, unsigned i);

/// Checks operands `x`, `w` and `bias` of a convolution and reads its windows. Nothing, and why in
/// `error`, if they do not fit.
std::optional<Window> convWindow(Lowering &l, unsigned x, unsigned w, unsigned bias,
                                 std::string &error);

/// Convolves `input` [n, c, padded...] with the strides, dilations and positions of `window`; the
/// result is [n, filters, positions...] and has the element type of `input` and the weights.
Value convolve(Lowering &l, Value input, const Filters &filter, int64_t groups,
               const Window &window, ElemClass kind);

/// Adds operand `i` of the node, if it is there, to the channels of `result` [n, c, ...].
Value addBias(Lowering &l, Value result, unsigned i);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_CONVOLUTION_H
