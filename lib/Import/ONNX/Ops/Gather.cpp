// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops whose result reads its input at indices known at run time. Negative indices count from the
// end; what is outside is clamped to the data.

#include "Index.h"
#include "Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// result[outer..., indices..., inner...] = data[outer..., index, inner...].
LogicalResult gather(Lowering &l) {
  TensorBuilder &b = l.b;
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), l.node.rank(0));
  if (!axis)
    return l.fail("axis is outside the dimensions of the data");
  ArrayRef<int64_t> dims = l.node.dims(0);
  const int64_t extent = dims[*axis];
  if (const Constant *constant = l.node.constant(1)) {
    SmallVector<int64_t> indices;
    for (int64_t index : constant->ints()) {
      auto normal = normaliseAxis(index, extent);
      if (!normal)
        return l.fail("index " + Twine(index) + " is outside the dimension of " + Twine(extent));
      indices.push_back(*normal);
    }
    return l.set(b.reshape(takeAlong(l, l.in(0), *axis, indices), l.resultDims()));
  }
  const int64_t indexRank = l.node.rank(1);
  SmallVector<int64_t> indexLoops = llvm::to_vector(seq<int64_t>(*axis, *axis + indexRank));
  ArrayRef<int64_t> out = l.resultDims();
  if (int64_t(out.size()) != int64_t(dims.size()) - 1 + indexRank || extent == 0)
    return l.fail("data and indices do not fit the result");
  return l.set(select(l, l.in(0), *axis, indexRank, b.along(l.in(1), indexLoops, out.size()), out));
}

LogicalResult gatherElements(Lowering &l) {
  const int64_t rank = l.node.rank(0);
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), rank);
  if (!axis || l.node.rank(1) != rank)
    return l.fail("data and indices must have the same rank, and axis be one of its dimensions");
  ArrayRef<int64_t> out = l.resultDims(), dims = l.node.dims(0);
  for (int64_t d = 0; d < rank; ++d)
    if (d != *axis && out[d] > dims[d])
      return l.fail("the indices have more places than the data");
  if (dims[*axis] == 0 && elementCount(out) != 0)
    return l.fail("data without elements has none to gather");
  Value data = l.in(0);
  return l.set(mapIndices(l.b, out, l.elementType(0), l.b.broadcast(l.in(1), out),
                          [&](IndexBody &body, ValueRange v) {
                            SmallVector<Value> at;
                            for (int64_t d = 0; d < rank; ++d)
                              at.push_back(d == *axis ? body.place(v[0], dims[d]) : body.loop(d));
                            return body.read(data, at);
                          }));
}

/// Operands for the `count` numbers in the last dimension of `indices`, whose other dimensions are
/// the first loops.
SmallVector<Operand> indexTuple(TensorBuilder &b, Value indices, int64_t count, int64_t loops) {
  const int64_t rank = TensorBuilder::dimsOf(indices).size();
  SmallVector<Operand> operands;
  for (int64_t k = 0; k < count; ++k) {
    SmallVector<AffineExpr> exprs;
    for (int64_t d = 0; d + 1 < rank; ++d)
      exprs.push_back(b.getAffineDimExpr(d));
    exprs.push_back(b.getAffineConstantExpr(k));
    operands.push_back({indices, AffineMap::get(loops, 0, exprs, b.getContext()), {}});
  }
  return operands;
}

LogicalResult gatherND(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0), indexDims = l.node.dims(1), out = l.resultDims();
  const int64_t batch = l.node.intAttr("batch_dims", 0);
  if (indexDims.empty() || batch < 0 || batch >= int64_t(indexDims.size()))
    return l.fail("batch_dims does not fit the indices");
  const int64_t count = indexDims.back(), indexRank = indexDims.size() - 1;
  if (batch + count > int64_t(dims.size()) ||
      int64_t(out.size()) != indexRank + int64_t(dims.size()) - batch - count)
    return l.fail("data and indices do not fit the result");
  if (elementCount(dims) == 0 && elementCount(out) != 0)
    return l.fail("data without elements has none to gather");
  Value data = l.in(0);
  return l.set(mapIndices(b, out, l.elementType(0), indexTuple(b, l.in(1), count, out.size()),
                          [&](IndexBody &body, ValueRange v) {
                            SmallVector<Value> at;
                            for (int64_t d = 0; d < int64_t(dims.size()); ++d) {
                              if (d < batch)
                                at.push_back(body.loop(d));
                              else if (d < batch + count)
                                at.push_back(body.place(v[d - batch], dims[d]));
                              else
                                at.push_back(body.loop(indexRank + d - batch - count));
                            }
                            return body.read(data, at);
                          }));
}

LogicalResult reverseSequence(Lowering &l) {
  const int64_t rank = l.node.rank(0);
  auto batch = normaliseAxis(l.node.intAttr("batch_axis", 1), rank);
  auto time = normaliseAxis(l.node.intAttr("time_axis", 0), rank);
  if (!batch || !time || batch == time)
    return l.fail("batch_axis and time_axis must be two dimensions of the input");
  ArrayRef<int64_t> dims = l.node.dims(0);
  if (l.node.rank(1) != 1 || l.node.dims(1)[0] != dims[*batch])
    return l.fail("there must be one length for each sequence");
  Value data = l.in(0);
  return l.set(mapIndices(l.b, dims, l.elementType(0), l.b.along(l.in(1), {*batch}, rank),
                          [&](IndexBody &body, ValueRange v) {
                            Value length = body.toIndex(v[0]), at = body.loop(*time);
                            Value mirrored = body.sub(body.sub(length, body.index(1)), at);
                            Value from = body.select(body.less(at, length), mirrored, at);
                            SmallVector<Value> place;
                            for (int64_t d = 0; d < rank; ++d)
                              place.push_back(d == *time ? body.inside(from, dims[d])
                                                         : body.loop(d));
                            return body.read(data, place);
                          }));
}

/// Columns of the last dimension.
LogicalResult arrayFeatureExtractor(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  if (dims.empty() || dims.back() == 0)
    return l.fail("the input must have features");
  auto count = elementCount(l.node.dims(1));
  if (!count)
    return l.fail("the indices are too many");
  Dims out(dims);
  out.back() = *count;
  Value indices = b.reshape(l.in(1), {*count});
  Value taken = select(l, l.in(0), dims.size() - 1, 1,
                       b.along(indices, {int64_t(dims.size()) - 1}, dims.size()), out);
  return l.set(b.reshape(taken, l.resultDims()));
}

/// The cache with `update` in its place from the index of each sequence on.
LogicalResult tensorScatter(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0), update = l.node.dims(1);
  const int64_t rank = dims.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", -2), rank);
  StringRef mode = l.node.stringAttr("mode", "linear");
  if (!axis || *axis == 0 || int64_t(update.size()) != rank || update[*axis] == 0)
    return l.fail("the axis must be one of the cache behind the first, and the update have it");
  if (mode != "linear" && mode != "circular")
    return l.fail("the mode '" + mode + "' is not supported");
  Value updates = l.in(1);
  SmallVector<Operand> operands{b.broadcast(l.in(0), dims)};
  if (l.node.has(2))
    operands.push_back(b.along(l.in(2), {0}, rank));
  return l.set(mapIndices(b, dims, l.elementType(0), operands, [&](IndexBody &body, ValueRange v) {
    Value from = body.loop(*axis), zero = body.index(0);
    if (l.node.has(2))
      from = body.sub(from, body.inside(v[1], dims[*axis]));
    if (mode == "circular")
      from = body.select(body.less(from, zero), body.add(from, body.index(dims[*axis])), from);
    Value here = body.compare(arith::CmpIPredicate::ult, from, body.index(update[*axis]));
    SmallVector<Value> place;
    for (int64_t d = 0; d < rank; ++d)
      place.push_back(d == *axis ? body.inside(from, update[d]) : body.loop(d));
    return body.select(here, body.read(updates, place), v[0]);
  }));
}

} // namespace

ArrayRef<OpEntry> gatherOps() {
  static const OpEntry entries[] = {
      {"Gather", 1, 13, gather},
      {"GatherElements", 11, 13, gatherElements},
      {"GatherND", 11, 13, gatherND},
      {"ReverseSequence", 10, 28, reverseSequence},
      {"ArrayFeatureExtractor", 1, 1, arrayFeatureExtractor, "ai.onnx.ml"},
      {"TensorScatter", 24, 24, tensorScatter},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
