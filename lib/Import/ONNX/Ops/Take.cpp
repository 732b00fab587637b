// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Take.h"
#include "Index.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

// More pieces than this make a selection by a table of indices instead.
static constexpr size_t kMaxPieces = 512;

Value sliceAlong(TensorBuilder &b, Value tensor, int64_t axis, int64_t start, int64_t size,
                 int64_t step) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts[axis] = start;
  spec.sizes[axis] = size;
  spec.steps[axis] = size > 1 ? step : 1;
  return b.slice(tensor, spec);
}

Value select(TensorBuilder &b, Value data, int64_t axis, int64_t count, Operand indices,
             ArrayRef<int64_t> resultDims) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(data);
  return mapIndices(b, resultDims, TensorBuilder::elementOf(data), indices,
                    [&](IndexBody &body, ValueRange v) {
                      SmallVector<Value> at;
                      for (int64_t d = 0; d < int64_t(dims.size()); ++d)
                        at.push_back(d < axis    ? body.loop(d)
                                     : d == axis ? body.place(v[0], dims[d])
                                                 : body.loop(d + count - 1));
                      return body.read(data, at);
                    });
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
  return select(b, tensor, axis, 1, b.along(table, {axis}, dims.size()), dims);
}

} // namespace mlir::dojo::onnximport
