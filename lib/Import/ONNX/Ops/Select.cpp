// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops whose result is as long as the data has it. The length here is the one that the model
// declares for the result, or that constants tell: what is beyond is cut off, and where there is
// less, places are -1, elements and counts 0 (docs/rationale/indices.md).

#include "Index.h"
#include "Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// 1 where an element is not zero, as a vector.
Value onesOf(TensorBuilder &b, Value tensor) {
  Value flat = b.reshape(tensor, {cast<RankedTensorType>(tensor.getType()).getNumElements()});
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(flat);
  Type element = TensorBuilder::elementOf(tensor);
  return mapIndices(
      b, dims, b.getI32Type(), b.broadcast(flat, dims), [&](IndexBody &body, ValueRange v) {
        if (element.isInteger(1))
          return body.toInt(v[0], 32);
        Value zero = body.constant(scalarAttr(element, int64_t(0)));
        Value isOne =
            isa<FloatType>(element)
                ? arith::CmpFOp::create(body.b, body.loc, arith::CmpFPredicate::UNE, v[0], zero)
                      .getResult()
                : body.compare(arith::CmpIPredicate::ne, v[0], zero);
        return body.toInt(isOne, 32);
      });
}

/// A vector of i32 constants.
Value table(Lowering &l, ArrayRef<int64_t> values) {
  std::string bytes;
  for (int64_t value : values)
    appendElement(bytes, TensorProto::INT32, value);
  return l.materialise(Constant({TensorProto::INT32, {int64_t(values.size())}}, bytes));
}

LogicalResult nonZero(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0), out = l.resultDims();
  auto count = elementCount(dims);
  if (!count || *count > INT32_MAX || dims.empty() || out.size() != 2 ||
      out[0] != int64_t(dims.size()))
    return l.fail("the result must have a column for each dimension of the input");
  if (*count == 0 || out[1] == 0)
    return l.set(b.filled(out, b.getI64IntegerAttr(-1)));
  Value places = placesOfOnes(b, onesOf(b, l.in(0)), out[1]);
  return l.set(mapIndices(b, out, b.getI64Type(),
                          {b.along(places, {1}, 2), b.along(table(l, stridesOf(dims)), {0}, 2),
                           b.along(table(l, dims), {0}, 2)},
                          [&](IndexBody &body, ValueRange v) {
                            Value index = body.remainder(body.quotient(v[0], v[1]), v[2]);
                            Value exists = body.less(v[0], body.i32(*count));
                            return body.toInt(body.select(exists, index, body.i32(-1)), 64);
                          }));
}

struct AlongAxis {
  Value data;
  Dims dims;
  int64_t axis;
};

/// Operand 0 and the attribute `axis`; without that, the operand as a vector. Nothing after l.fail.
std::optional<AlongAxis> alongAxis(Lowering &l) {
  Value data = l.in(0);
  if (!l.node.hasAttr("axis")) {
    const Dims all{cast<RankedTensorType>(data.getType()).getNumElements()};
    return AlongAxis{l.b.reshape(data, all), all, 0};
  }
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), l.node.rank(0));
  if (!axis) {
    (void)l.fail("axis is outside the dimensions of the input");
    return std::nullopt;
  }
  return AlongAxis{data, Dims(l.node.dims(0)), *axis};
}

LogicalResult compress(Lowering &l) {
  TensorBuilder &b = l.b;
  auto input = alongAxis(l);
  if (!input)
    return failure();
  auto [data, dims, axis] = *input;
  if (l.node.rank(1) != 1 || l.node.dims(1)[0] > dims[axis])
    return l.fail("the condition must be a vector that is not longer than the axis");
  ArrayRef<int64_t> out = l.resultDims();
  if (const Constant *condition = l.node.constant(1)) {
    SmallVector<int64_t> indices;
    for (auto [i, value] : enumerate(condition->ints()))
      if (value)
        indices.push_back(i);
    return l.set(takeAlong(l, data, axis, indices));
  }
  Type element = l.elementType(0);
  const int64_t length = l.node.dims(1)[0];
  if (elementCount(out) == 0 || length == 0)
    return l.set(b.filled(out, scalarAttr(element, int64_t(0))));
  Value places = placesOfOnes(b, onesOf(b, l.in(1)), out[axis]);
  return l.set(mapIndices(
      b, out, element, b.along(places, {axis}, out.size()), [&](IndexBody &body, ValueRange v) {
        SmallVector<Value> at;
        for (int64_t d = 0; d < int64_t(dims.size()); ++d)
          at.push_back(d == axis ? body.inside(v[0], dims[d]) : body.loop(d));
        return body.select(body.less(v[0], body.i32(length)), body.read(data, at),
                           body.constant(scalarAttr(element, int64_t(0))));
      }));
}

//===----------------------------------------------------------------------===//
// Unique
//===----------------------------------------------------------------------===//

/// How many rows of `data` [rows, columns] are less than each, compared column by column: [rows].
Value rowRanks(Lowering &l, Value data, ElemClass kind) {
  TensorBuilder &b = l.b;
  Value keys = orderKeys(l, data, kind, /*largest=*/false, /*nanFirst=*/false);
  const int64_t rows = TensorBuilder::dimsOf(data)[0], columns = TensorBuilder::dimsOf(data)[1];
  // -1, 0, 1: row j is less than row i, equal so far, greater. The first difference decides.
  Value order =
      reduceLast(b, {rows, rows}, columns, {b.along(keys, {0, 2}, 3), b.along(keys, {1, 2}, 3)},
                 b.getI32IntegerAttr(0), [&](IndexBody &body, ValueRange v) {
                   Value less = body.toInt(body.less(v[0], v[1]), 32);
                   Value greater = body.toInt(body.less(v[1], v[0]), 32);
                   return body.select(body.equal(v[2], body.i32(0)), body.sub(greater, less), v[2]);
                 });
  return reduceLast(b, {rows}, rows, b.along(order, {0, 1}, 2), b.getI32IntegerAttr(0),
                    [&](IndexBody &body, ValueRange v) {
                      return body.add(v[1], body.toInt(body.less(v[0], body.i32(0)), 32));
                    });
}

LogicalResult unique(Lowering &l) {
  TensorBuilder &b = l.b;
  auto input = alongAxis(l);
  if (!input)
    return failure();
  auto [data, dims, axis] = *input;
  const int64_t rows = dims[axis];
  auto count = elementCount(dims);
  if (!count || *count == 0)
    return l.fail("an input without elements is not supported");
  const bool sorted = l.node.intAttr("sorted", 1) != 0;
  ArrayRef<int64_t> out = l.resultDims();
  if (out.size() != dims.size())
    return l.fail("the result does not fit the input");
  const int64_t length = out[axis];

  SmallVector<int64_t> perm{axis};
  for (int64_t d = 0; d < int64_t(dims.size()); ++d)
    if (d != axis)
      perm.push_back(d);
  Value matrix = b.reshape(dims.size() > 1 ? b.transpose(data, perm) : data, {rows, *count / rows});
  Value ranks = rowRanks(l, matrix, l.node.info(0).kind);
  Operand mine = b.along(ranks, {0}, 2), other = b.along(ranks, {1}, 2);
  Value firsts =
      reduceLast(b, {rows}, rows, {mine, other}, b.getI32IntegerAttr(INT32_MAX),
                 [&](IndexBody &body, ValueRange v) {
                   return body.min(v[2], body.select(body.equal(v[0], v[1]), body.loop32(1),
                                                     body.i32(INT32_MAX)));
                 });
  // Which of the values each is: those before it are first ones that are less, or come earlier.
  Operand myFirst = b.along(firsts, {0}, 2), otherFirst = b.along(firsts, {1}, 2);
  Value numbers = reduceLast(b, {rows}, rows, {mine, other, myFirst, otherFirst},
                             b.getI32IntegerAttr(0), [&](IndexBody &body, ValueRange v) {
                               Value isFirst = body.equal(v[3], body.loop32(1));
                               Value before =
                                   sorted ? body.less(v[1], v[0]) : body.less(v[3], v[2]);
                               return body.add(v[4], body.toInt(body.both(isFirst, before), 32));
                             });
  Operand number = b.along(numbers, {1}, 2);
  Value places = reduceLast(
      b, {length}, rows, {number, otherFirst}, b.getI32IntegerAttr(-1),
      [&](IndexBody &body, ValueRange v) {
        Value here = body.both(body.equal(v[0], body.loop32(0)), body.equal(v[1], body.loop32(1)));
        return body.max(v[2], body.select(here, body.loop32(1), body.i32(-1)));
      });
  auto widened = [&](Value tensor) {
    ArrayRef<int64_t> own = TensorBuilder::dimsOf(tensor);
    return mapIndices(b, own, b.getI64Type(), b.broadcast(tensor, own),
                      [](IndexBody &body, ValueRange v) { return body.toInt(v[0], 64); });
  };
  Type element = l.elementType(0);
  (void)l.set(mapIndices(
      b, out, element, b.along(places, {axis}, out.size()), [&](IndexBody &body, ValueRange v) {
        SmallVector<Value> at;
        for (int64_t d = 0; d < int64_t(dims.size()); ++d)
          at.push_back(d == axis ? body.inside(v[0], dims[d]) : body.loop(d));
        return body.select(body.less(v[0], body.i32(0)),
                           body.constant(scalarAttr(element, int64_t(0))), body.read(data, at));
      }));
  if (l.node.outputUsed(1))
    (void)l.set(widened(places), 1);
  if (l.node.outputUsed(2))
    (void)l.set(widened(numbers), 2);
  if (l.node.outputUsed(3))
    (void)l.set(widened(reduceLast(b, {length}, rows, number, b.getI32IntegerAttr(0),
                                   [&](IndexBody &body, ValueRange v) {
                                     Value here = body.equal(v[0], body.loop32(0));
                                     return body.add(v[1], body.toInt(here, 32));
                                   })),
                3);
  return success();
}

} // namespace

ArrayRef<OpEntry> selectOps() {
  static const OpEntry entries[] = {
      {"NonZero", 9, 13, nonZero},
      {"Compress", 9, 28, compress},
      {"Unique", 11, 28, unique},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
