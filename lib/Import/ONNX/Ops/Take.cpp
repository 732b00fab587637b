// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Take.h"

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
  const int64_t loops = resultDims.size(), extent = dims[axis];
  // The loops of the result, then the one over all places along the axis.
  SmallVector<int64_t> dataLoops;
  for (int64_t d = 0; d < int64_t(dims.size()); ++d)
    dataLoops.push_back(d < axis ? d : d == axis ? loops : d + count - 1);
  indices.map = AffineMap::get(loops + 1, 0, indices.map.getResults(), b.getContext());
  AffineMap identity = b.getMultiDimIdentityMap(loops);
  identity = AffineMap::get(loops + 1, 0, identity.getResults(), b.getContext());
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Type element = TensorBuilder::elementOf(data);
  auto op = b.generic(
      {indices, b.along(data, dataLoops, loops + 1)},
      b.filled(resultDims, scalarAttr(element, int64_t(0))), identity, iterators,
      [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
        Scalars s(ob, loc, ElemClass::Signed);
        Type type = v[0].getType();
        Value wrapped = s.select(s.less(v[0], s.constant(type, 0)),
                                 s.add(v[0], s.constant(type, double(extent))), v[0]);
        Value safe =
            s.min(s.max(wrapped, s.constant(type, 0)), s.constant(type, double(extent - 1)));
        Value place =
            arith::IndexCastOp::create(ob, loc, type, linalg::IndexOp::create(ob, loc, loops));
        return s.select(s.equal(place, safe), v[1], v[2]);
      });
  return op.getResult(0);
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
