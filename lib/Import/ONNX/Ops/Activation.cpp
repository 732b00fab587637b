// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one element.

#include "../Lowering.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using UnaryFn = Value (*)(const Node &, Scalars &, Value);

/// An op that maps each element of its first operand by `fn` of the node's attributes.
template <UnaryFn fn> LogicalResult unary(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const ElemClass kind = l.node.info(0).kind;
  return l.set(l.b.elementwise(dims, l.resultElement(), l.operand(0, dims),
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, kind);
                                 return fn(l.node, s, v[0]);
                               }));
}

template <typename Op> Value viaMath(const Node &, Scalars &s, Value x) { return s.math<Op>(x); }

Value zero(Scalars &s, Value x) { return s.constant(x.getType(), 0); }
Value one(Scalars &s, Value x) { return s.constant(x.getType(), 1); }
Value clampUnit(Scalars &s, Value x) { return s.min(s.max(x, zero(s, x)), one(s, x)); }

Value relu(const Node &, Scalars &s, Value x) { return s.max(x, zero(s, x)); }

Value negate(const Node &, Scalars &s, Value x) { return s.neg(x); }
Value absolute(const Node &, Scalars &s, Value x) { return s.abs(x); }
Value reciprocal(const Node &, Scalars &s, Value x) { return s.div(one(s, x), x); }

/// floor, ceil and round leave integers alone.
template <typename Op> Value integral(const Node &, Scalars &s, Value x) {
  return s.isFloat() ? s.math<Op>(x) : x;
}

Value sign(const Node &, Scalars &s, Value x) {
  Value up = s.select(s.less(zero(s, x), x), one(s, x), s.isFloat() ? x : zero(s, x));
  if (s.isUnsigned())
    return up;
  return s.select(s.less(x, zero(s, x)), s.constant(x.getType(), -1), up);
}

Value sigmoidOf(Scalars &s, Value x) {
  return s.div(one(s, x), s.add(one(s, x), s.math<math::ExpOp>(s.neg(x))));
}
Value sigmoid(const Node &, Scalars &s, Value x) { return sigmoidOf(s, x); }

Value swish(const Node &n, Scalars &s, Value x) {
  const float alpha = n.floatAttr("alpha", 1.0f);
  Value scaled = alpha == 1.0f ? x : s.mul(x, s.constant(x.getType(), alpha));
  return s.mul(x, sigmoidOf(s, scaled));
}

/// alpha * x below zero, x above.
Value leaky(Scalars &s, Value x, Value slope) {
  return s.select(s.less(x, zero(s, x)), s.mul(x, slope), x);
}
Value leakyRelu(const Node &n, Scalars &s, Value x) {
  return leaky(s, x, s.constant(x.getType(), n.floatAttr("alpha", 0.01f)));
}

Value hardSigmoidOf(Scalars &s, Value x, double alpha, double beta) {
  Type type = x.getType();
  return clampUnit(s, s.add(s.mul(x, s.constant(type, alpha)), s.constant(type, beta)));
}
Value hardSigmoid(const Node &n, Scalars &s, Value x) {
  return hardSigmoidOf(s, x, n.floatAttr("alpha", 0.2f), n.floatAttr("beta", 0.5f));
}
Value hardSwish(const Node &, Scalars &s, Value x) {
  return s.mul(x, hardSigmoidOf(s, x, 1.0f / 6.0f, 0.5f));
}

Value gelu(const Node &n, Scalars &s, Value x) {
  Type type = x.getType();
  Value inner;
  if (n.stringAttr("approximate", "none") == "tanh") {
    Value cube = s.mul(s.mul(x, x), x);
    Value sum = s.add(x, s.mul(cube, s.constant(type, 0.044715)));
    inner = s.math<math::TanhOp>(s.mul(sum, s.constant(type, std::sqrt(2.0 / M_PI))));
  } else {
    inner = s.math<math::ErfOp>(s.mul(x, s.constant(type, std::sqrt(0.5))));
  }
  return s.mul(s.mul(x, s.constant(type, 0.5)), s.add(one(s, x), inner));
}

/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)).
Value softplusOf(Scalars &s, Value x) {
  Value tail = s.math<math::Log1pOp>(s.math<math::ExpOp>(s.neg(s.abs(x))));
  return s.add(s.max(x, zero(s, x)), tail);
}
Value softplus(const Node &, Scalars &s, Value x) { return softplusOf(s, x); }
Value softsign(const Node &, Scalars &s, Value x) { return s.div(x, s.add(one(s, x), s.abs(x))); }
Value mish(const Node &, Scalars &s, Value x) {
  return s.mul(x, s.math<math::TanhOp>(softplusOf(s, x)));
}

/// gamma * x above zero, gamma * alpha * (exp(x * rate) - 1) below.
Value eluOf(Scalars &s, Value x, double alpha, double gamma, double rate) {
  Type type = x.getType();
  // The exponent is clamped so that the branch that is not taken cannot overflow.
  Value low = s.min(x, zero(s, x));
  if (rate != 1)
    low = s.mul(low, s.constant(type, rate));
  Value below = s.mul(s.sub(s.math<math::ExpOp>(low), one(s, x)), s.constant(type, alpha * gamma));
  Value above = gamma == 1 ? x : s.mul(x, s.constant(type, gamma));
  return s.select(s.less(zero(s, x), x), above, below);
}
Value elu(const Node &n, Scalars &s, Value x) {
  return eluOf(s, x, n.floatAttr("alpha", 1.0f), 1, 1);
}
Value selu(const Node &n, Scalars &s, Value x) {
  return eluOf(s, x, n.floatAttr("alpha", 1.67326319217681884765625f),
               n.floatAttr("gamma", 1.05070102214813232421875f), 1);
}
Value celu(const Node &n, Scalars &s, Value x) {
  const float alpha = n.floatAttr("alpha", 1.0f);
  return eluOf(s, x, alpha, 1, 1.0 / alpha);
}
Value thresholdedRelu(const Node &n, Scalars &s, Value x) {
  Value threshold = s.constant(x.getType(), n.floatAttr("alpha", 1.0f));
  return s.select(s.less(threshold, x), x, zero(s, x));
}

/// x moved by `bias` towards zero where it is farther from it than `lambd`, zero elsewhere.
Value shrink(const Node &n, Scalars &s, Value x) {
  const double lambd = n.floatAttr("lambd", 0.5f), bias = n.floatAttr("bias", 0.0f);
  Type type = s.isFloat() ? x.getType() : Type(s.b.getF32Type());
  Scalars f(s.b, s.loc, ElemClass::Float);
  Value number = s.isFloat() ? x : castScalar(s.b, s.loc, x, n.elem(0), TensorProto::FLOAT);
  Value shift = f.constant(type, bias);
  Value up =
      f.select(f.less(f.constant(type, lambd), number), f.sub(number, shift), zero(f, number));
  Value moved = f.select(f.less(number, f.constant(type, -lambd)), f.add(number, shift), up);
  return s.isFloat() ? moved : castScalar(s.b, s.loc, moved, TensorProto::FLOAT, n.elem(0));
}

Value isNaN(const Node &, Scalars &s, Value x) {
  if (!s.isDouble(x))
    return arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::UNO, x, x);
  Value one = arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(true));
  return arith::XOrIOp::create(s.b, s.loc, s.equal(x, x), one);
}

Value isInf(const Node &n, Scalars &s, Value x) {
  auto is = [&](bool positive) {
    Value infinity =
        arith::ConstantOp::create(s.b, s.loc, extremeAttr(x.getType(), s.kind, positive));
    return s.equal(x, infinity);
  };
  const bool positive = n.intAttr("detect_positive", 1), negative = n.intAttr("detect_negative", 1);
  if (positive && negative)
    return arith::OrIOp::create(s.b, s.loc, is(true), is(false));
  if (positive || negative)
    return is(positive);
  return arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(false));
}

LogicalResult prelu(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0), slope = l.node.dims(1);
  SmallVector<Operand> operands{l.operand(0, dims)};
  if (l.node.since < 7 && slope.size() == 1 && dims.size() > 1) {
    // One slope for each channel, or one for all.
    if (slope[0] != 1 && slope[0] != dims[1])
      return l.fail("there must be one slope, or one for each channel");
    SmallVector<AffineExpr> channel{slope[0] == 1 ? l.b.getAffineConstantExpr(0)
                                                  : l.b.getAffineDimExpr(1)};
    operands.push_back({l.in(1), AffineMap::get(dims.size(), 0, channel, l.b.getContext()), {}});
  } else {
    if (broadcastDims(dims, slope) != Dims(dims))
      return l.fail("the slope does not broadcast to the input");
    operands.push_back(l.operand(1, dims));
  }
  const ElemClass kind = l.node.info(0).kind;
  return l.set(l.b.elementwise(dims, l.resultElement(), operands,
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, kind);
                                 return leaky(s, v[0], v[1]);
                               }));
}

LogicalResult clip(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const ElemClass kind = l.node.info(0).kind;
  SmallVector<Operand> operands{l.operand(0, dims)};
  // The bounds are attributes up to version 6 and scalar operands from 11 on.
  bool bounded[2] = {false, false};
  for (unsigned i : {0u, 1u}) {
    if (l.node.since < 11) {
      if (const auto *bound = l.node.attr(i == 0 ? "min" : "max")) {
        operands.push_back({{}, {}, scalarAttr(l.resultElement(), kind, double(bound->f()))});
        bounded[i] = true;
      }
    } else if (l.node.has(i + 1)) {
      if (elementCount(l.node.dims(i + 1)) != 1)
        return l.fail("the bounds must be scalars");
      if (l.node.rank(i + 1) > int64_t(dims.size()))
        return l.fail("the bounds must be scalars");
      operands.push_back(l.operand(i + 1, dims));
      bounded[i] = true;
    }
  }
  return l.set(l.b.elementwise(dims, l.resultElement(), operands,
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, kind);
                                 Value x = v[0];
                                 if (bounded[0])
                                   x = s.max(x, v[1]);
                                 if (bounded[1])
                                   x = s.min(x, v[bounded[0] ? 2 : 1]);
                                 return x;
                               }));
}

} // namespace

ArrayRef<OpEntry> activationOps() {
  static const OpEntry entries[] = {
      {"Relu", 1, 14, unary<relu>},
      {"LeakyRelu", 1, 16, unary<leakyRelu>},
      {"PRelu", 1, 16, prelu},
      {"Clip", 1, 13, clip},
      {"Sigmoid", 1, 13, unary<sigmoid>},
      {"Swish", 24, 24, unary<swish>},
      {"Tanh", 1, 13, unary<viaMath<math::TanhOp>>},
      {"HardSigmoid", 1, 22, unary<hardSigmoid>},
      {"HardSwish", 14, 22, unary<hardSwish>},
      {"Gelu", 20, 20, unary<gelu>},
      {"Erf", 9, 13, unary<viaMath<math::ErfOp>>},
      {"Elu", 1, 22, unary<elu>},
      {"Selu", 1, 22, unary<selu>},
      {"Celu", 12, 28, unary<celu>},
      {"Mish", 18, 22, unary<mish>},
      {"ThresholdedRelu", 10, 22, unary<thresholdedRelu>},
      {"Softplus", 1, 22, unary<softplus>},
      {"Softsign", 1, 22, unary<softsign>},
      {"Neg", 1, 13, unary<negate>},
      {"Abs", 1, 13, unary<absolute>},
      {"Sign", 9, 13, unary<sign>},
      {"Reciprocal", 1, 13, unary<reciprocal>},
      {"Floor", 1, 13, unary<integral<math::FloorOp>>},
      {"Ceil", 1, 13, unary<integral<math::CeilOp>>},
      {"Round", 11, 22, unary<integral<math::RoundEvenOp>>},
      {"Sqrt", 1, 13, unary<viaMath<math::SqrtOp>>},
      {"Exp", 1, 13, unary<viaMath<math::ExpOp>>},
      {"Log", 1, 13, unary<viaMath<math::LogOp>>},
      {"Sin", 7, 22, unary<viaMath<math::SinOp>>},
      {"Cos", 7, 22, unary<viaMath<math::CosOp>>},
      {"Tan", 7, 22, unary<viaMath<math::TanOp>>},
      {"Asin", 7, 22, unary<viaMath<math::AsinOp>>},
      {"Acos", 7, 22, unary<viaMath<math::AcosOp>>},
      {"Atan", 7, 22, unary<viaMath<math::AtanOp>>},
      {"Sinh", 9, 22, unary<viaMath<math::SinhOp>>},
      {"Cosh", 9, 22, unary<viaMath<math::CoshOp>>},
      {"Asinh", 9, 22, unary<viaMath<math::AsinhOp>>},
      {"Acosh", 9, 22, unary<viaMath<math::AcoshOp>>},
      {"Atanh", 9, 22, unary<viaMath<math::AtanhOp>>},
      {"Shrink", 9, 9, unary<shrink>},
      {"IsNaN", 9, 20, unary<isNaN>},
      {"IsInf", 10, 20, unary<isInf>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
