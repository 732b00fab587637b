// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps of optimisers (ai.onnx.preview.training). Operands are the learning rate R, the count of
// updates T, and for each optimised tensor itself, its gradient and its state, each kind together.

#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// `fn` makes the new tensors from R, T, the tensor, its gradient and its state; R and T are of the
/// tensor's type.
using StepFn = SmallVector<Value> (*)(const Node &, Scalars &, Value rate, Value count,
                                      ValueRange v);

template <StepFn fn, unsigned states> LogicalResult step(Lowering &l) {
  const unsigned kinds = 2 + states;
  if (l.node.inputs.size() < 2 + kinds || (l.node.inputs.size() - 2) % kinds != 0)
    return l.fail("the operands do not come in groups of " + Twine(kinds));
  for (unsigned i = 0; i < l.node.inputs.size(); ++i)
    if (!l.node.has(i))
      return l.fail("an operand is missing");
  if (elementCount(l.node.dims(0)) != 1 || elementCount(l.node.dims(1)) != 1)
    return l.fail("R and T must be scalars");
  const unsigned tensors = (l.node.inputs.size() - 2) / kinds;
  Value rate = l.b.reshape(l.in(0), {}), count = l.b.reshape(l.in(1), {});
  for (unsigned t = 0; t < tensors; ++t) {
    Dims dims(l.node.dims(2 + t));
    const int32_t elem = l.node.elem(2 + t);
    SmallVector<Operand> operands{l.b.broadcast(rate, dims), l.b.broadcast(count, dims)};
    for (unsigned k = 0; k < kinds; ++k) {
      const unsigned i = 2 + k * tensors + t;
      if (l.node.dims(i) != ArrayRef<int64_t>(dims) || l.node.elem(i) != elem)
        return l.fail("a tensor, its gradient and its state must have one type");
      operands.push_back(l.b.broadcast(l.in(i), dims));
    }
    // The new tensor and its new states: one op for each that is used.
    for (unsigned k = 0; k <= states; ++k) {
      const unsigned output = k * tensors + t;
      if (!l.node.outputUsed(output))
        continue;
      (void)l.set(l.b.elementwise(dims, l.elementType(2 + t), operands,
                                  [&](OpBuilder &b, Location loc, ValueRange v) {
                                    Scalars s(b, loc, ElemClass::Float);
                                    Value r = castScalar(b, loc, v[0], l.node.elem(0), elem);
                                    Value n = castScalar(b, loc, v[1], l.node.elem(1), elem);
                                    return fn(l.node, s, r, n, v.slice(2, kinds))[k];
                                  }),
                  output);
    }
  }
  return success();
}

Value scaled(const Node &n, Scalars &s, StringRef name, float otherwise, Value x) {
  return s.mul(x, s.constant(x.getType(), n.floatAttr(name, otherwise)));
}

/// The gradient with that of half the squared norm of `x`, times norm_coefficient.
Value regularised(const Node &n, Scalars &s, Value x, Value gradient) {
  return s.add(scaled(n, s, "norm_coefficient", 0.0f, x), gradient);
}

SmallVector<Value> adagrad(const Node &n, Scalars &s, Value rate, Value count, ValueRange v) {
  Type type = v[0].getType();
  Value decay = scaled(n, s, "decay_factor", 0.0f, count);
  Value r = s.div(rate, s.add(s.constant(type, 1), decay));
  Value gradient = regularised(n, s, v[0], v[1]);
  Value squares = s.add(v[2], s.mul(gradient, gradient));
  Value adaptive =
      s.add(s.math<math::SqrtOp>(squares), s.constant(type, n.floatAttr("epsilon", 0.0f)));
  return {s.sub(v[0], s.div(s.mul(r, gradient), adaptive)), squares};
}

SmallVector<Value> momentum(const Node &n, Scalars &s, Value rate, Value count, ValueRange v) {
  Type type = v[0].getType();
  Value gradient = regularised(n, s, v[0], v[1]);
  // The first iteration takes the gradient as it is.
  Value beta = s.select(s.less(s.constant(type, 0), count),
                        s.constant(type, n.floatAttr("beta", 1.0f)), s.constant(type, 1));
  Value moved = s.add(scaled(n, s, "alpha", 0.0f, v[2]), s.mul(beta, gradient));
  Value direction = n.stringAttr("mode", "") == "nesterov"
                        ? s.add(gradient, scaled(n, s, "alpha", 0.0f, moved))
                        : moved;
  return {s.sub(v[0], s.mul(rate, direction)), moved};
}

LogicalResult momentumStep(Lowering &l) {
  StringRef mode = l.node.stringAttr("mode", "");
  if (mode != "standard" && mode != "nesterov")
    return l.fail("mode must be standard or nesterov");
  return step<momentum, 1>(l);
}

SmallVector<Value> adam(const Node &n, Scalars &s, Value rate, Value count, ValueRange v) {
  Type type = v[0].getType();
  const double alpha = n.floatAttr("alpha", 0.9f), beta = n.floatAttr("beta", 0.999f);
  Value one = s.constant(type, 1);
  Value gradient = regularised(n, s, v[0], v[1]);
  auto averaged = [&](double keep, Value history, Value fresh) {
    return s.add(s.mul(s.constant(type, keep), history), s.mul(s.constant(type, 1 - keep), fresh));
  };
  Value mean = averaged(alpha, v[2], gradient);
  Value squares = averaged(beta, v[3], s.mul(gradient, gradient));
  Value root = s.add(s.math<math::SqrtOp>(squares), s.constant(type, n.floatAttr("epsilon", 0.0f)));
  auto rest = [&](double base) -> Value {
    Value power = math::PowFOp::create(s.b, s.loc, s.constant(type, base), count,
                                       arith::FastMathFlags::contract);
    return s.sub(one, power);
  };
  Value corrected = s.div(s.mul(rate, s.math<math::SqrtOp>(rest(beta))), rest(alpha));
  Value adjusted = s.select(s.less(s.constant(type, 0), count), corrected, rate);
  Value moved = s.sub(v[0], s.div(s.mul(adjusted, mean), root));
  const double after = 1.0 - n.floatAttr("norm_coefficient_post", 0.0f);
  return {s.mul(moved, s.constant(type, after)), mean, squares};
}

} // namespace

ArrayRef<OpEntry> trainingOps() {
  static constexpr StringLiteral domain = "ai.onnx.preview.training";
  static const OpEntry entries[] = {
      {"Adagrad", 1, 1, step<adagrad, 1>, domain},
      {"Momentum", 1, 1, momentumStep, domain},
      {"Adam", 1, 1, step<adam, 2>, domain},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
