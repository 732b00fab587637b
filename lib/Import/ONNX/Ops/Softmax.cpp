// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reduce.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

/// fn(elements of `operands`) for the loops `dims`.
Value combined(TensorBuilder &b, ArrayRef<int64_t> dims, Type element, ArrayRef<Operand> operands,
               MapFn fn) {
  return b.elementwise(dims, element, operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
    Scalars s(ob, loc, ElemClass::Float);
    return fn(s, v);
  });
}

/// The greatest element over `axes`, as operand for the loops of `x`.
Operand greatestOf(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(x);
  TypedAttr lowest = extremeAttr(TensorBuilder::elementOf(x), ElemClass::Float, false);
  return withoutAxes(
      b, reduceBy(b, ElemClass::Float, dims, axes, b.broadcast(x, dims), lowest, firstOf, maxOf),
      dims, axes);
}

Value shifted(Scalars &s, ValueRange v) { return s.sub(v[0], v[1]); }

/// Over one axis, or before version 13 over all axes from the given one on.
template <Value (*fn)(TensorBuilder &, Value, ArrayRef<int64_t>)>
LogicalResult softmax(Lowering &l) {
  const bool old = l.node.since < 13;
  const int64_t rank = l.node.rank(0);
  int64_t axis = l.node.intAttr("axis", old ? 1 : -1);
  if (axis < 0)
    axis += rank;
  if (axis < 0 || axis > rank || (!old && axis == rank))
    return l.fail("axis is outside the dimensions of the input");
  return l.set(fn(l.b, l.in(0),
                  old ? llvm::to_vector(seq<int64_t>(axis, rank)) : SmallVector<int64_t>{axis}));
}

} // namespace

Value softmaxOver(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  Dims dims(TensorBuilder::dimsOf(x));
  Type element = TensorBuilder::elementOf(x);
  Value exponentials =
      combined(b, dims, element, {b.broadcast(x, dims), greatestOf(b, x, axes)},
               [](Scalars &s, ValueRange v) { return s.math<math::ExpOp>(s.sub(v[0], v[1])); });
  Value sum = reduceBy(b, ElemClass::Float, dims, axes, b.broadcast(exponentials, dims),
                       scalarAttr(element, int64_t(0)), firstOf, sumOf);
  return combined(b, dims, element,
                  {b.broadcast(exponentials, dims), withoutAxes(b, sum, dims, axes)},
                  [](Scalars &s, ValueRange v) { return s.div(v[0], v[1]); });
}

Value logSoftmaxOver(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  Dims dims(TensorBuilder::dimsOf(x));
  Type element = TensorBuilder::elementOf(x);
  Value difference =
      combined(b, dims, element, {b.broadcast(x, dims), greatestOf(b, x, axes)}, shifted);
  Value sum = reduceBy(
      b, ElemClass::Float, dims, axes, b.broadcast(difference, dims),
      scalarAttr(element, int64_t(0)),
      [](Scalars &s, ValueRange v) { return s.math<math::ExpOp>(v[0]); }, sumOf);
  Value logSum = mapElements(b, ElemClass::Float, sum,
                             [](Scalars &s, ValueRange v) { return s.math<math::LogOp>(v[0]); });
  return combined(b, dims, element,
                  {b.broadcast(difference, dims), withoutAxes(b, logSum, dims, axes)}, shifted);
}

ArrayRef<OpEntry> softmaxOps() {
  static const OpEntry entries[] = {
      {"Softmax", 1, 13, softmax<softmaxOver>},
      {"LogSoftmax", 1, 13, softmax<logSoftmaxOver>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
