// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

// More pieces than this make a gather by a table of indices instead.
static constexpr size_t kMaxPieces = 64;

Value sliceAlong(TensorBuilder &b, Value tensor, int64_t axis, int64_t start, int64_t size,
                 int64_t step) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts[axis] = start;
  spec.sizes[axis] = size;
  spec.steps[axis] = size > 1 ? step : 1;
  return b.slice(tensor, spec);
}

Value takeAlong(Lowering &l, Value tensor, int64_t axis, ArrayRef<int64_t> indices) {
  TensorBuilder &b = l.b;
  struct Run {
    int64_t start, size, step;
  };
  SmallVector<Run> runs;
  for (int64_t index : indices) {
    if (!runs.empty()) {
      Run &run = runs.back();
      const int64_t step = index - (run.start + (run.size - 1) * run.step);
      if (step != 0 && (run.size == 1 || step == run.step)) {
        run.step = step;
        ++run.size;
        continue;
      }
    }
    runs.push_back({index, 1, 1});
  }
  if (!runs.empty() && runs.size() <= kMaxPieces) {
    SmallVector<Value> parts;
    for (const Run &run : runs)
      parts.push_back(sliceAlong(b, tensor, axis, run.start, run.size, run.step));
    return b.concat(parts, axis);
  }
  Dims dims(TensorBuilder::dimsOf(tensor));
  dims[axis] = indices.size();
  if (indices.empty())
    return b.empty(dims, TensorBuilder::elementOf(tensor));
  std::string bytes;
  for (int64_t index : indices)
    appendElement(bytes, TensorProto::INT32, index);
  Value table = l.materialise(Constant({TensorProto::INT32, {int64_t(indices.size())}}, bytes));
  return b.elementwise(dims, TensorBuilder::elementOf(tensor), b.along(table, {axis}, dims.size()),
                       [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                         SmallVector<Value> at;
                         for (size_t d = 0; d < dims.size(); ++d)
                           at.push_back(linalg::IndexOp::create(ob, loc, d));
                         at[axis] = arith::IndexCastOp::create(ob, loc, ob.getIndexType(), v[0]);
                         return tensor::ExtractOp::create(ob, loc, tensor, at);
                       });
}

} // namespace mlir::dojo::onnximport
