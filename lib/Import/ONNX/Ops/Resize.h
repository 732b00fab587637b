// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How Resize maps elements of the result to the input.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_RESIZE_H
#define DOJO_LIB_IMPORT_ONNX_OPS_RESIZE_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// How to resize one dimension.
struct AxisSpec {
  int64_t in, out;
  double scale;
  double
      width; ///< in * scale before it was made whole; what align_corners maps to the last element
  double roiStart = 0, roiEnd = 1; ///< of tf_crop_and_resize, if known
};

struct ResizeSpec {
  llvm::SmallVector<AxisSpec> axes;
  llvm::StringRef mode, coordinates, rounding;
  double cubicA = -0.75;
  float extrapolation = 0;
  bool antialias = false;
  bool excludeOutside = false;
  bool ceilWhenShrinking = false; ///< opset 10
  bool crop = false;              ///< tf_crop_and_resize
};

/// `tensor` with elements of another type; integers are rounded to even and saturate.
Value convertRounding(Lowering &l, Value tensor, int32_t from, int32_t to);

/// tf_crop_and_resize of operand 0 of the node to a region along `axes` that operand 1 tells at run
/// time: the start along each, then the end along each.
LogicalResult cropAtRunTime(Lowering &l, const ResizeSpec &spec, llvm::ArrayRef<int64_t> axes);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_RESIZE_H
