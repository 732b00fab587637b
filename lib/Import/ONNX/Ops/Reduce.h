// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reductions, normalisations and losses are made of.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_REDUCE_H
#define DOJO_LIB_IMPORT_ONNX_OPS_REDUCE_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// Combines elements v with an accumulator: combine(accumulator, map(v)).
using MapFn = llvm::function_ref<Value(Scalars &, ValueRange)>;
using CombineFn = Value (*)(Scalars &, Value, Value);

/// Reduces `operands` with loops `dims` over `axes`, without the reduced dimensions in the result.
/// `map` is applied to the elements before they are combined.
Value reduceBy(TensorBuilder &b, ElemClass kind, ArrayRef<int64_t> dims, ArrayRef<int64_t> axes,
               ArrayRef<Operand> operands, TypedAttr init, MapFn map, CombineFn combine);

Value sumOf(Scalars &s, Value x, Value y);
Value maxOf(Scalars &s, Value x, Value y);
Value firstOf(Scalars &s, ValueRange v);

/// `tensor`, which lacks the dimensions `axes` of `dims`, as operand for the loops `dims`.
Operand withoutAxes(TensorBuilder &b, Value tensor, ArrayRef<int64_t> dims, ArrayRef<int64_t> axes);

/// Applies `fn` to every element of tensors of the same dimensions; the result has the type of the
/// first.
Value mapElements(TensorBuilder &b, ElemClass kind, ArrayRef<Value> tensors, MapFn fn);

/// The softmax over `axes` together, and its logarithms.
Value softmaxOver(TensorBuilder &b, Value x, ArrayRef<int64_t> axes);
Value logSoftmaxOver(TensorBuilder &b, Value x, ArrayRef<int64_t> axes);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_REDUCE_H
