// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choosing elements along one dimension by indices.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_TAKE_H
#define DOJO_LIB_IMPORT_ONNX_OPS_TAKE_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// `size` elements from `start` on along `axis`, each `step` after the one before.
Value sliceAlong(TensorBuilder &b, Value tensor, int64_t axis, int64_t start, int64_t size,
                 int64_t step = 1);

/// `data` with its elements along `axis` chosen by `indices`, an operand with the loops of the
/// result, whose dimensions axis to axis + count - 1 take the place of `axis`. Negative indices
/// count from the end; what is outside is clamped to the data.
Value select(Lowering &l, Value data, int64_t axis, int64_t count, Operand indices,
             ArrayRef<int64_t> resultDims);

/// `tensor` with its elements along `axis` chosen by `indices`: slices of runs with one step each
/// put side by side, or if that takes too many a selection by a table.
Value takeAlong(Lowering &l, Value tensor, int64_t axis, ArrayRef<int64_t> indices);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_TAKE_H
