// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scores.h"
#include "MatMul.h"
#include "Reduce.h"
#include <numbers>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

SmallVector<float> floatsAttr(const Node &node, StringRef name) {
  const auto *attribute = node.attr(name);
  if (!attribute)
    return {};
  return SmallVector<float>(attribute->floats().begin(), attribute->floats().end());
}

SmallVector<int64_t> intsOf(const Node &node, StringRef name) {
  return node.intsAttr(name).value_or(SmallVector<int64_t>());
}

Value featureRows(Lowering &l, int32_t elem) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  if (dims.empty() || dims.size() > 2) {
    (void)l.fail("the input must be a matrix");
    return {};
  }
  Value x = l.in(0);
  if (l.node.elem(0) != elem)
    x = b.elementwise(dims, runtimeType(b.getContext(), elem), l.operand(0, dims),
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        return castScalar(ob, loc, v[0], l.node.elem(0), elem);
                      });
  return dims.size() == 2 ? x : b.reshape(x, {1, dims[0]});
}

Value weightedSums(Lowering &l, Value x, const Constant &weights, ArrayRef<float> shifts) {
  TensorBuilder &b = l.b;
  std::string error;
  Value sums = multiplyMatrices(b, x, l.materialise(weights), ElemClass::Float, error);
  if (!sums) {
    (void)l.fail(error);
    return {};
  }
  if (shifts.empty())
    return sums;
  Dims dims(TensorBuilder::dimsOf(sums));
  Operand shift = l.constantOperand(Constant::ofFloats(shifts, {dims[1]}), dims, 1);
  return b.elementwise(dims, b.getF32Type(), {b.broadcast(sums, dims), shift},
                       [](OpBuilder &ob, Location loc, ValueRange v) {
                         return Scalars(ob, loc, ElemClass::Float).add(v[0], v[1]);
                       });
}

static Value logistic(Scalars &s, ValueRange v) {
  Value one = s.constant(v[0].getType(), 1);
  return s.div(one, s.add(one, s.math<math::ExpOp>(s.neg(v[0]))));
}

/// sqrt(2) times the inverse of erf at 2 p - 1, by the approximation that the standard's reference
/// has: S. Winitzki, "A handy approximation for the error function and its inverse", 2008.
static Value probit(Scalars &s, ValueRange v) {
  Type type = v[0].getType();
  auto constant = [&](double value) { return s.constant(type, value); };
  Value one = constant(1), zero = constant(0);
  Value x = s.sub(s.mul(v[0], constant(2)), one);
  Value rest = s.mul(s.sub(one, x), s.add(one, x));
  Value log = s.math<math::LogOp>(rest);
  Value a = s.add(s.mul(log, constant(0.5)), constant(2 / (std::numbers::pi * 0.147)));
  Value root = s.math<math::SqrtOp>(s.sub(s.mul(a, a), s.mul(log, constant(1 / 0.147))));
  Value magnitude = s.math<math::SqrtOp>(s.sub(root, a));
  Value inverse = s.select(s.less(x, zero), s.neg(magnitude), magnitude);
  return s.mul(s.select(s.equal(rest, zero), zero, inverse), constant(1.41421356));
}

/// Softmax in which scores of zero stay near zero.
static Value softmaxZero(TensorBuilder &b, Value scores) {
  Dims dims(TensorBuilder::dimsOf(scores));
  Type type = TensorBuilder::elementOf(scores);
  const ElemClass kind = ElemClass::Float;
  Value greatest = reduceBy(b, kind, dims, {1}, b.broadcast(scores, dims),
                            extremeAttr(type, kind, false), firstOf, maxOf);
  auto rows = [&](Value x, Value perRow, MapFn fn) {
    return b.elementwise(dims, type, {b.broadcast(x, dims), withoutAxes(b, perRow, dims, {1})},
                         [&](OpBuilder &ob, Location loc, ValueRange v) {
                           Scalars s(ob, loc, kind);
                           return fn(s, v);
                         });
  };
  Value parts = rows(scores, greatest, [&](Scalars &s, ValueRange v) {
    Value small = s.mul(v[0], s.math<math::ExpOp>(s.neg(v[1])));
    Value large = s.math<math::ExpOp>(s.sub(v[0], v[1]));
    return s.select(s.less(s.constant(type, 1e-7), s.abs(v[0])), large, small);
  });
  Value sum = reduceBy(b, kind, dims, {1}, b.broadcast(parts, dims), scalarAttr(type, int64_t(0)),
                       firstOf, sumOf);
  return rows(parts, sum, [&](Scalars &s, ValueRange v) {
    return s.select(s.equal(v[1], s.constant(type, 0)), s.constant(type, 0.5), s.div(v[0], v[1]));
  });
}

Value postTransformed(Lowering &l, Value scores, StringRef transform) {
  TensorBuilder &b = l.b;
  if (transform == "NONE")
    return scores;
  if (transform == "LOGISTIC")
    return mapElements(b, ElemClass::Float, scores, logistic);
  if (transform == "PROBIT")
    return mapElements(b, ElemClass::Float, scores, probit);
  if (transform == "SOFTMAX")
    return softmaxOver(b, scores, {1});
  if (transform == "SOFTMAX_ZERO")
    return softmaxZero(b, scores);
  (void)l.fail("the post_transform '" + transform + "' is not supported");
  return {};
}

Value greatestPlace(TensorBuilder &b, Value scores) {
  Dims dims(TensorBuilder::dimsOf(scores));
  Type index = b.getI32Type();
  Value greatest = reduceBy(b, ElemClass::Float, dims, {1}, b.broadcast(scores, dims),
                            extremeAttr(b.getF32Type(), false, false), firstOf, maxOf);
  const int64_t last = dims[1] - 1;
  return b.reduce(
      dims, {1}, {b.broadcast(scores, dims), b.along(greatest, {0}, 2)}, scalarAttr(index, last),
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
        Value own = arith::IndexCastOp::create(ob, loc, index, linalg::IndexOp::create(ob, loc, 1));
        return i.min(v[2], i.select(s.equal(v[0], v[1]), own, i.constant(index, double(last))));
      });
}

int64_t classCount(const Node &node, StringRef integers) {
  if (const auto *strings = node.attr("classlabels_strings"); strings && strings->strings_size())
    return strings->strings_size();
  return intsOf(node, integers).size();
}

static Value labelsAt(Lowering &l, Value places, ArrayRef<int64_t> labels) {
  TensorBuilder &b = l.b;
  const Dims dims{TensorBuilder::dimsOf(places)[0], int64_t(labels.size())};
  Value table = l.materialise(Constant::ofInts(labels));
  return b.reduce(dims, {1}, {b.along(places, {0}, 2), b.along(table, {1}, 2)},
                  scalarAttr(b.getI64Type(), int64_t(0)),
                  [](OpBuilder &ob, Location loc, ValueRange v) {
                    Scalars s(ob, loc, ElemClass::Signed);
                    Value own = arith::IndexCastOp::create(ob, loc, v[0].getType(),
                                                           linalg::IndexOp::create(ob, loc, 1));
                    return s.select(s.equal(own, v[0]), v[1], v[2]);
                  });
}

void setLabels(Lowering &l, Value places, StringRef integers) {
  if (l.node.outputUsed(0))
    (void)l.set(l.b.reshape(labelsAt(l, places, intsOf(l.node, integers)), l.resultDims(0)), 0);
}

} // namespace mlir::dojo::onnximport
