// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sliding windows of convolution and pooling.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_WINDOW_H
#define DOJO_LIB_IMPORT_ONNX_OPS_WINDOW_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// A window over the spatial dimensions, one entry for each.
struct Window {
  Dims kernel, strides, dilations;
  Dims low, high; ///< padding, by the attributes; not negative
  Dims slack;     ///< more padding on the high side that the last window of ceil_mode reaches
  Dims in, out;   ///< positions

  int64_t extent(size_t d) const { return (kernel[d] - 1) * dilations[d] + 1; }
};

/// Reads strides, dilations, pads, auto_pad and ceil_mode for windows of `kernel` over `in`.
/// Operand `x` of the node is what they slide over. Nothing, and why in `error`, if they do not
/// fit.
std::optional<Window> windowOf(const Node &node, llvm::ArrayRef<int64_t> kernel,
                               llvm::ArrayRef<int64_t> in, std::string &error, unsigned x = 0);

/// `input` [n, c, spatial...] padded so that every window lies in it.
Value padWindow(Lowering &l, Value input, const Window &window, TypedAttr value);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_WINDOW_H
