// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reduce.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

Value reduceBy(TensorBuilder &b, ElemClass kind, ArrayRef<int64_t> dims, ArrayRef<int64_t> axes,
               ArrayRef<Operand> operands, TypedAttr init, MapFn map, CombineFn combine) {
  return b.reduce(dims, axes, operands, init, [&](OpBuilder &ob, Location loc, ValueRange v) {
    Scalars s(ob, loc, kind);
    return combine(s, v.back(), map(s, v));
  });
}

Value sumOf(Scalars &s, Value x, Value y) { return s.add(x, y); }
Value maxOf(Scalars &s, Value x, Value y) { return s.max(x, y); }
Value firstOf(Scalars &, ValueRange v) { return v[0]; }

Operand withoutAxes(TensorBuilder &b, Value tensor, ArrayRef<int64_t> dims,
                    ArrayRef<int64_t> axes) {
  SmallVector<int64_t> loops;
  for (size_t d = 0; d < dims.size(); ++d)
    if (!is_contained(axes, int64_t(d)))
      loops.push_back(d);
  return b.along(tensor, loops, dims.size());
}

Value mapElements(TensorBuilder &b, ElemClass kind, ArrayRef<Value> tensors, MapFn fn) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensors[0]);
  SmallVector<Operand> operands;
  for (Value tensor : tensors)
    operands.push_back(b.broadcast(tensor, dims));
  return b.elementwise(dims, TensorBuilder::elementOf(tensors[0]), operands,
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, kind);
                         return fn(s, v);
                       });
}

} // namespace mlir::dojo::onnximport
