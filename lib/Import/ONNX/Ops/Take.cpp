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

// A table of which a node would need more than kTableBytes for 16 neighbours of an element is
// divided into kChunks, as many as sums may be divided into.
static constexpr int64_t kTableBytes = 256 << 10, kChunks = 8;

/// select() as a sum over chunks of the axis, of which one has the element: nodes may share it.
static Value selectFromChunks(Lowering &l, Value data, int64_t axis, int64_t count, Operand indices,
                              ArrayRef<int64_t> resultDims) {
  TensorBuilder &b = l.b;
  Dims dims(TensorBuilder::dimsOf(data));
  const int64_t extent = dims[axis], size = divideCeil(extent, kChunks), rank = dims.size();
  Type element = TensorBuilder::elementOf(data);
  TypedAttr zero = scalarAttr(element, int64_t(0));
  Dims low(rank, 0), high(rank, 0), split(dims);
  high[axis] = kChunks * size - extent;
  split[axis] = kChunks;
  split.insert(split.begin() + axis + 1, size);
  Value chunks = b.reshape(b.pad(data, low, high, zero), split);
  std::string bytes;
  for (int64_t chunk = 0; chunk < kChunks; ++chunk)
    appendElement(bytes, TensorProto::INT32, chunk);
  Value numbers = l.materialise(Constant({TensorProto::INT32, {kChunks}}, bytes));
  const int64_t loops = resultDims.size();
  indices.map = AffineMap::get(loops + 1, 0, indices.map.getResults(), b.getContext());
  return reduceLast(b, resultDims, kChunks, {indices, b.along(numbers, {loops}, loops + 1)}, zero,
                    [&](IndexBody &body, ValueRange v) {
                      Value place = body.toInt(body.place(v[0], extent), 32);
                      Value chunk = body.quotient(place, body.i32(size));
                      Value inside = body.toIndex(body.remainder(place, body.i32(size)));
                      SmallVector<Value> at;
                      for (int64_t d = 0; d < rank; ++d) {
                        at.push_back(body.loop(d < axis ? d : d == axis ? loops : d + count - 1));
                        if (d == axis)
                          at.push_back(inside);
                      }
                      Value taken = body.select(body.equal(chunk, v[1]), body.read(chunks, at),
                                                body.constant(zero));
                      return arith::AddFOp::create(body.b, body.loc, v[2], taken).getResult();
                    });
}

Value select(Lowering &l, Value data, int64_t axis, int64_t count, Operand indices,
             ArrayRef<int64_t> resultDims) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(data);
  const int64_t neighbours =
      axis + 1 < int64_t(dims.size()) ? std::min<int64_t>(dims.back(), 16) : 1;
  if (TensorBuilder::elementOf(data).isF32() && dims[axis] * neighbours * 4 > kTableBytes)
    return selectFromChunks(l, data, axis, count, indices, resultDims);
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
  return select(l, tensor, axis, 1, b.along(table, {axis}, dims.size()), dims);
}

} // namespace mlir::dojo::onnximport
