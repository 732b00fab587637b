// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that order elements. What comes first is told by integers in the order of the elements, so
// that all types, zeros and NaN are compared alike.

#include "Index.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The greatest key along `axis` in every row, and where it is first (last): i32 without `axis`.
Value placeOfBest(TensorBuilder &b, Value keys, int64_t axis, bool last) {
  Dims dims(TensorBuilder::dimsOf(keys));
  SmallVector<int64_t> kept;
  for (int64_t d = 0; d < int64_t(dims.size()); ++d)
    if (d != axis)
      kept.push_back(d);
  Type type = TensorBuilder::elementOf(keys);
  Value best = b.reduce(
      dims, {axis}, b.broadcast(keys, dims), extremeAttr(type, false, false),
      [](OpBuilder &ob, Location loc, ValueRange v) { return IndexBody(ob, loc).max(v[1], v[0]); });
  return b.reduce(dims, {axis}, {b.broadcast(keys, dims), b.along(best, kept, dims.size())},
                  b.getI32IntegerAttr(last ? -1 : INT32_MAX),
                  [&](OpBuilder &ob, Location loc, ValueRange v) {
                    IndexBody body(ob, loc);
                    Value place = body.select(body.equal(v[0], v[1]), body.loop32(axis),
                                              body.i32(last ? -1 : INT32_MAX));
                    return last ? body.max(v[2], place) : body.min(v[2], place);
                  });
}

/// i32 numbers as int64.
Value widened(TensorBuilder &b, Value places) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(places);
  return mapIndices(b, dims, b.getI64Type(), b.broadcast(places, dims),
                    [](IndexBody &body, ValueRange v) { return body.toInt(v[0], 64); });
}

template <bool greatest> LogicalResult argBest(Lowering &l) {
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), l.node.rank(0));
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  if (l.node.dims(0)[*axis] == 0)
    return l.fail("an empty dimension has no greatest or smallest element");
  Value keys = orderKeys(l, l.in(0), l.node.info(0).kind, greatest, /*nanFirst=*/true);
  Value places = placeOfBest(l.b, keys, *axis, l.node.intAttr("select_last_index", 0) != 0);
  return l.set(l.b.reshape(widened(l.b, places), l.resultDims()));
}

/// 1 at the first of the greatest elements. Before version 13 all dimensions from the axis on are
/// one.
LogicalResult hardmax(Lowering &l) {
  TensorBuilder &b = l.b;
  const bool old = l.node.since < 13;
  auto axis = normaliseAxis(l.node.intAttr("axis", old ? 1 : -1), l.node.rank(0));
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  Dims dims(l.node.dims(0));
  Value input = l.in(0);
  if (elementCount(dims) == 0)
    return l.set(input);
  if (old) {
    dims = {*elementCount(ArrayRef(dims).take_front(*axis)),
            *elementCount(ArrayRef(dims).drop_front(*axis))};
    input = b.reshape(input, dims);
    axis = 1;
  }
  Value keys = orderKeys(l, input, l.node.info(0).kind, true, /*nanFirst=*/true);
  Value places = placeOfBest(b, keys, *axis, false);
  SmallVector<int64_t> kept;
  for (int64_t d = 0; d < int64_t(dims.size()); ++d)
    if (d != *axis)
      kept.push_back(d);
  Type element = l.elementType(0);
  Value result = mapIndices(
      b, dims, element, b.along(places, kept, dims.size()), [&](IndexBody &body, ValueRange v) {
        Value here = body.equal(v[0], body.loop32(*axis));
        return body.select(here, body.constant(scalarAttr(element, int64_t(1))),
                           body.constant(scalarAttr(element, int64_t(0))));
      });
  return l.set(b.reshape(result, l.resultDims()));
}

LogicalResult topK(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0), out = l.resultDims();
  const int64_t rank = dims.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", -1), rank);
  if (!axis || out.size() != dims.size() || out[*axis] > dims[*axis])
    return l.fail("axis and k do not fit the input");
  Value data = l.in(0);
  Value keys = orderKeys(l, data, l.node.info(0).kind, l.node.intAttr("largest", 1) != 0,
                         /*nanFirst=*/false);
  Value places = sortedPlaces(b, keys, *axis, out[*axis]);
  if (l.node.outputUsed(0))
    (void)l.set(mapIndices(b, out, l.elementType(0), b.broadcast(places, out),
                           [&](IndexBody &body, ValueRange v) {
                             SmallVector<Value> at;
                             for (int64_t d = 0; d < rank; ++d)
                               at.push_back(d == *axis ? body.inside(v[0], dims[d]) : body.loop(d));
                             return body.read(data, at);
                           }));
  if (l.node.outputUsed(1))
    (void)l.set(widened(b, places), 1);
  return success();
}

} // namespace

ArrayRef<OpEntry> sortOps() {
  static const OpEntry entries[] = {
      {"ArgMax", 1, 13, argBest<true>},
      {"ArgMin", 1, 13, argBest<false>},
      {"Hardmax", 1, 13, hardmax},
      {"TopK", 1, 24, topK},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
