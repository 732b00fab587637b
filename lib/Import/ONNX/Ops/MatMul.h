// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of matrices as contractions.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_MATMUL_H
#define DOJO_LIB_IMPORT_ONNX_OPS_MATMUL_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// The product of `x` [batch..., m, k] and `y` [batch..., k, n] of one element type, as NumPy's
/// matmul does it: loops (batch..., [m], [n], k), where a vector operand has no m or n. Null, and
/// why in `error`, if the dimensions do not fit.
Value multiplyMatrices(TensorBuilder &b, Value x, Value y, ElemClass kind, std::string &error);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_MATMUL_H
