// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along axes.

#include "Reduce.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The axes to reduce; nothing after l.fail. Empty: the node hands on its operand.
std::optional<SmallVector<int64_t>> reductionAxes(Lowering &l) {
  const int64_t rank = l.node.rank(0);
  if (l.node.isDynamic(1)) {
    (void)l.fail("axes that are not constant are not supported");
    return std::nullopt;
  }
  auto axes = l.node.ints("axes", 1);
  if (!axes || axes->empty()) {
    if (l.node.intAttr("noop_with_empty_axes", 0))
      return SmallVector<int64_t>();
    return llvm::to_vector(seq<int64_t>(0, rank));
  }
  auto normal = normaliseAxes(*axes, rank);
  if (!normal)
    (void)l.fail("axes are outside the dimensions of the input or named twice");
  return normal;
}

enum class Kind { Sum, Mean, Max, Min, Prod, L1, L2, SumSquare, LogSum, LogSumExp };

Value logSumExp(TensorBuilder &b, Operand in, ArrayRef<int64_t> dims, ArrayRef<int64_t> axes,
                Type element) {
  const ElemClass kind = ElemClass::Float;
  Value greatest =
      reduceBy(b, kind, dims, axes, in, extremeAttr(element, kind, false), firstOf, maxOf);
  // A row of nothing but -inf has the sum 0; subtracting its greatest element would make NaN.
  Value shift = mapElements(b, kind, greatest, [&](Scalars &s, ValueRange v) {
    Value lowest = arith::ConstantOp::create(s.b, s.loc, extremeAttr(element, kind, false));
    return s.select(s.equal(v[0], lowest), s.constant(element, 0), v[0]);
  });
  Value sum = reduceBy(
      b, kind, dims, axes, {in, withoutAxes(b, shift, dims, axes)}, scalarAttr(element, int64_t(0)),
      [](Scalars &s, ValueRange v) { return s.math<math::ExpOp>(s.sub(v[0], v[1])); }, sumOf);
  return mapElements(b, kind, {sum, shift}, [](Scalars &s, ValueRange v) {
    return s.add(s.math<math::LogOp>(v[0]), v[1]);
  });
}

/// The greatest integer whose square is not greater than `x`, which is not negative.
Value integerRoot(Scalars &s, Value x, int32_t elem) {
  Scalars f(s.b, s.loc, ElemClass::Float);
  Value root = f.math<math::SqrtOp>(castScalar(s.b, s.loc, x, elem, TensorProto::FLOAT));
  Value first = castScalar(s.b, s.loc, root, TensorProto::FLOAT, elem);
  // In single precision it may be one off.
  Value one = s.constant(x.getType(), 1), next = s.add(first, one);
  Value up = s.select(s.lessOrEqual(s.mul(next, next), x), next, first);
  return s.select(s.less(x, s.mul(first, first)), s.sub(first, one), up);
}

template <Kind reduction> LogicalResult reduce(Lowering &l) {
  constexpr bool logarithmic = reduction == Kind::LogSum || reduction == Kind::LogSumExp;
  auto axes = reductionAxes(l);
  if (!axes)
    return failure();
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  ElemClass kind = l.node.info(0).kind;
  Type element = l.elementType(0);
  Value x = l.in(0);
  // Logarithms of integers are cut to integers at the end.
  const bool asFloat = kind != ElemClass::Float && logarithmic;
  if (asFloat) {
    const int32_t elem = l.node.elem(0);
    kind = ElemClass::Float;
    element = b.getF32Type();
    x = b.elementwise(dims, element, l.operand(0, dims),
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        return castScalar(ob, loc, v[0], elem, TensorProto::FLOAT);
                      });
  }
  const bool isFloat = kind == ElemClass::Float;
  Operand in = b.broadcast(x, dims);
  auto map = [](Scalars &s, ValueRange v) -> Value {
    if (reduction == Kind::L1)
      return s.abs(v[0]);
    if (reduction == Kind::L2 || reduction == Kind::SumSquare)
      return s.mul(v[0], v[0]);
    return v[0];
  };
  Value result;
  switch (reduction) {
  case Kind::LogSumExp:
    result = logSumExp(b, in, dims, *axes, element);
    break;
  case Kind::Max:
  case Kind::Min: {
    TypedAttr init = extremeAttr(element, kind, reduction == Kind::Min);
    result = reduceBy(
        b, kind, dims, *axes, in, init, map,
        reduction == Kind::Max ? maxOf : [](Scalars &s, Value x, Value y) { return s.min(x, y); });
    break;
  }
  case Kind::Prod:
    result = reduceBy(b, kind, dims, *axes, in, scalarAttr(element, kind, 1.0), map,
                      [](Scalars &s, Value x, Value y) { return s.mul(x, y); });
    break;
  default:
    result = reduceBy(b, kind, dims, *axes, in, scalarAttr(element, int64_t(0)), map, sumOf);
  }
  int64_t count = 1;
  for (int64_t axis : *axes)
    count *= dims[axis];
  if (reduction == Kind::Mean)
    result = mapElements(b, kind, result, [&](Scalars &s, ValueRange v) {
      if (s.isDouble(v[0]))
        return s.div(v[0], s.constant(element, double(count)));
      if (isFloat)
        return s.mul(v[0], s.constant(element, 1.0 / double(count)));
      return s.div(v[0], s.constant(element, double(std::max<int64_t>(count, 1))));
    });
  else if (reduction == Kind::L2)
    result = mapElements(b, kind, result, [&](Scalars &s, ValueRange v) {
      return isFloat ? s.math<math::SqrtOp>(v[0]) : integerRoot(s, v[0], l.node.elem(0));
    });
  else if (reduction == Kind::LogSum)
    result = mapElements(b, kind, result,
                         [](Scalars &s, ValueRange v) { return s.math<math::LogOp>(v[0]); });
  if (asFloat) {
    ArrayRef<int64_t> own = TensorBuilder::dimsOf(result);
    result = b.elementwise(own, l.elementType(0), b.broadcast(result, own),
                           [&](OpBuilder &ob, Location loc, ValueRange v) {
                             return castScalar(ob, loc, v[0], TensorProto::FLOAT, l.node.elem(0));
                           });
  }
  return l.set(b.reshape(result, l.resultDims()));
}

} // namespace

ArrayRef<OpEntry> reductionOps() {
  static const OpEntry entries[] = {
      {"ReduceSum", 1, 13, reduce<Kind::Sum>},
      {"ReduceMean", 1, 18, reduce<Kind::Mean>},
      {"ReduceMax", 1, 20, reduce<Kind::Max>},
      {"ReduceMin", 1, 20, reduce<Kind::Min>},
      {"ReduceProd", 1, 18, reduce<Kind::Prod>},
      {"ReduceL1", 1, 18, reduce<Kind::L1>},
      {"ReduceL2", 1, 18, reduce<Kind::L2>},
      {"ReduceSumSquare", 1, 18, reduce<Kind::SumSquare>},
      {"ReduceLogSum", 1, 28, reduce<Kind::LogSum>},
      {"ReduceLogSumExp", 1, 28, reduce<Kind::LogSumExp>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
