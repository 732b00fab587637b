// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops whose result is chosen by where an element is.

#include "Index.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

LogicalResult oneHot(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> out = l.resultDims();
  const int64_t rank = out.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", -1), rank);
  if (!axis || l.node.rank(0) + 1 != rank || elementCount(l.node.dims(2)) != 2)
    return l.fail("axis, indices and the two values do not fit the result");
  SmallVector<int64_t> loops;
  for (int64_t d = 0; d < rank; ++d)
    if (d != *axis)
      loops.push_back(d);
  Value values = b.reshape(l.in(2), {2});
  auto value = [&](int64_t i) {
    return Operand{values, AffineMap::get(rank, 0, b.getAffineConstantExpr(i)), {}};
  };
  const int32_t elem = l.node.elem(0);
  return l.set(mapIndices(
      b, out, l.resultElement(), {b.along(l.in(0), loops, rank), value(0), value(1)},
      [&](IndexBody &body, ValueRange v) {
        Value index = castScalar(body.b, body.loc, v[0], elem, TensorProto::INT64);
        Value here = body.equal(body.wrapped(index, out[*axis]), body.toInt(body.loop(*axis), 64));
        return body.select(here, v[2], v[1]);
      }));
}

LogicalResult eyeLike(Lowering &l) {
  ArrayRef<int64_t> dims = l.resultDims();
  if (dims.size() != 2)
    return l.fail("the input must have two dimensions");
  const int64_t k = l.node.intAttr("k", 0);
  if (k < INT32_MIN / 2 || k > INT32_MAX / 2)
    return l.fail("k is too large");
  const int32_t elem = l.node.outputs[0].elem;
  TypedAttr one = storedAttr(l.b.getContext(), elem, 1),
            zero = storedAttr(l.b.getContext(), elem, 0);
  return l.set(mapIndices(l.b, dims, l.resultElement(), {}, [&](IndexBody &body, ValueRange) {
    Value here = body.equal(body.sub(body.loop32(1), body.loop32(0)), body.i32(k));
    return body.select(here, body.constant(one), body.constant(zero));
  }));
}

LogicalResult trilu(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0);
  const int64_t rank = dims.size();
  if (rank < 2)
    return l.fail("the input must have two dimensions");
  const bool upper = l.node.intAttr("upper", 1) != 0;
  SmallVector<Operand> operands{b.broadcast(l.in(0), dims)};
  if (l.node.has(1)) {
    if (elementCount(l.node.dims(1)) != 1)
      return l.fail("k must be one number");
    operands.push_back(b.broadcast(b.reshape(l.in(1), {}), dims));
  }
  Type element = l.elementType(0);
  return l.set(mapIndices(b, dims, element, operands, [&](IndexBody &body, ValueRange v) {
    Value diagonal = body.sub(body.loop32(rank - 1), body.loop32(rank - 2));
    Value k = body.i32(0);
    if (l.node.has(1)) {
      Value limit = body.same(v[1], INT32_MAX / 2), lowest = body.same(v[1], -INT32_MAX / 2);
      k = body.toInt(body.min(body.max(v[1], lowest), limit), 32);
    }
    Value kept =
        body.compare(upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle, diagonal, k);
    return body.select(kept, v[0], body.constant(scalarAttr(element, int64_t(0))));
  }));
}

template <bool product> LogicalResult cumulative(Lowering &l) {
  const Constant *constant = l.node.constant(1);
  if (!constant || constant->count() != 1)
    return l.fail("an axis that is not constant is not supported");
  auto axis = normaliseAxis(constant->asInt(0), l.node.rank(0));
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0);
  Type element = l.elementType(0);
  Value input = l.in(0);
  // Sums of narrow floats are kept in fp32 on the way.
  const bool narrow = isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
  if (narrow)
    input = b.elementwise(dims, b.getF32Type(), b.broadcast(input, dims),
                          [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                            return arith::ExtFOp::create(ob, loc, ob.getF32Type(), v[0]);
                          });
  Value result = cumulate(b, l.node.info(0).kind, input, *axis, l.node.intAttr("exclusive", 0) != 0,
                          l.node.intAttr("reverse", 0) != 0, product);
  if (narrow)
    result = b.elementwise(dims, element, b.broadcast(result, dims),
                           [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                             return arith::TruncFOp::create(ob, loc, element, v[0]);
                           });
  return l.set(result);
}

} // namespace

ArrayRef<OpEntry> maskOps() {
  static const OpEntry entries[] = {
      {"OneHot", 9, 28, oneHot},
      {"EyeLike", 9, 22, eyeLike},
      {"Trilu", 14, 14, trilu},
      {"CumSum", 11, 14, cumulative<false>},
      {"CumProd", 26, 26, cumulative<true>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
