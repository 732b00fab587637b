// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Discrete Fourier transforms as products with constant matrices.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_FOURIER_H
#define DOJO_LIB_IMPORT_ONNX_OPS_FOURIER_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// The cosine and the sine of `m` / `n` turns, n > 0, to the last bits of a double by IEEE
/// arithmetic alone, so that weights are the same wherever they are computed.
double cosOfTurn(int64_t m, int64_t n);
double sinOfTurn(int64_t m, int64_t n);

/// A constant of a float type with `values`, rounded.
Constant realConstant(int32_t elem, llvm::ArrayRef<double> values, Dims dims);

/// The length has a prime factor that is too large for a product with a matrix.
bool tooLongToTransform(int64_t n);

/// Transforms `x` [outer, c, n, inner], where c is 1 for real and 2 for complex numbers, along n,
/// by Cooley and Tukey's decomposition into lengths that are products with small matrices. With
/// `inverse` the other sign and division by n. The result is [outer, n, inner, 2].
Value fourierTransform(Lowering &l, Value x, int32_t elem, bool inverse);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_FOURIER_H
