// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RecurrentActivation.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

using ActivationFn = Value (*)(Scalars &, Value x, Value alpha, Value beta);

Value one(Scalars &s, Value x) { return s.constant(x.getType(), 1); }
Value zero(Scalars &s, Value x) { return s.constant(x.getType(), 0); }

Value tanhOf(Scalars &s, Value x, Value, Value) { return s.math<math::TanhOp>(x); }
Value sigmoid(Scalars &s, Value x, Value, Value) {
  return s.div(one(s, x), s.add(one(s, x), s.math<math::ExpOp>(s.neg(x))));
}
Value relu(Scalars &s, Value x, Value, Value) { return s.max(x, zero(s, x)); }
Value affine(Scalars &s, Value x, Value alpha, Value beta) { return s.add(s.mul(x, alpha), beta); }
Value leakyRelu(Scalars &s, Value x, Value alpha, Value) {
  return s.select(s.less(x, zero(s, x)), s.mul(x, alpha), x);
}
Value thresholdedRelu(Scalars &s, Value x, Value alpha, Value) {
  return s.select(s.less(alpha, x), x, zero(s, x));
}
Value scaledTanh(Scalars &s, Value x, Value alpha, Value beta) {
  return s.mul(alpha, s.math<math::TanhOp>(s.mul(beta, x)));
}
Value hardSigmoid(Scalars &s, Value x, Value alpha, Value beta) {
  return s.min(s.max(s.add(s.mul(x, alpha), beta), zero(s, x)), one(s, x));
}
Value elu(Scalars &s, Value x, Value alpha, Value) {
  Value below = s.mul(alpha, s.sub(s.math<math::ExpOp>(s.min(x, zero(s, x))), one(s, x)));
  return s.select(s.less(zero(s, x), x), x, below);
}
Value softsign(Scalars &s, Value x, Value, Value) { return s.div(x, s.add(one(s, x), s.abs(x))); }
Value softplus(Scalars &s, Value x, Value, Value) {
  Value tail = s.math<math::Log1pOp>(s.math<math::ExpOp>(s.neg(s.abs(x))));
  return s.add(s.max(x, zero(s, x)), tail);
}

struct Entry {
  StringLiteral name; // in lower case
  ActivationFn make;
  bool takesAlpha, takesBeta;
  float alpha, beta; // by default
};

constexpr Entry kFunctions[] = {
    {"tanh", tanhOf, false, false, 0, 0},
    {"sigmoid", sigmoid, false, false, 0, 0},
    {"relu", relu, false, false, 0, 0},
    {"affine", affine, true, true, 1, 0},
    {"leakyrelu", leakyRelu, true, false, 0.01f, 0},
    {"thresholdedrelu", thresholdedRelu, true, false, 1, 0},
    {"scaledtanh", scaledTanh, true, true, 1, 1},
    {"hardsigmoid", hardSigmoid, true, true, 0.2f, 0.5f},
    {"elu", elu, true, false, 1, 0},
    {"softsign", softsign, false, false, 0, 0},
    {"softplus", softplus, false, false, 0, 0},
};

const Entry *find(StringRef name) {
  for (const Entry &entry : kFunctions)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

} // namespace

SmallVector<Activation> readActivations(const Node &node, int64_t directions, unsigned count,
                                        std::string &error) {
  SmallVector<std::string> names;
  if (const auto *attribute = node.attr("activations"))
    names.assign(attribute->strings().begin(), attribute->strings().end());
  const size_t needed = size_t(directions) * count;
  if (names.empty())
    for (size_t i = 0; i < needed; ++i)
      names.push_back(count > 1 && i % count == 0 ? "sigmoid" : "tanh");
  if (names.size() < needed) {
    error = "activations must name " + std::to_string(needed) + " functions";
    return {};
  }
  auto floats = [&](StringRef name) {
    const auto *attribute = node.attr(name);
    return attribute ? SmallVector<float>(attribute->floats().begin(), attribute->floats().end())
                     : SmallVector<float>();
  };
  SmallVector<float> alphas = floats("activation_alpha"), betas = floats("activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<Activation> list;
  for (size_t i = 0; i < needed; ++i) {
    const std::string name = StringRef(names[i]).lower();
    const Entry *entry = find(name);
    if (!entry) {
      error = "the activation '" + names[i] + "' is not known";
      return {};
    }
    Activation &made = list.emplace_back(Activation{name, entry->alpha, entry->beta});
    if (entry->takesAlpha && nextAlpha < alphas.size())
      made.alpha = alphas[nextAlpha++];
    if (entry->takesBeta && nextBeta < betas.size())
      made.beta = betas[nextBeta++];
  }
  return list;
}

Value applyActivation(Scalars &s, const Activation &activation, std::optional<double> clip,
                      Value x) {
  Type type = x.getType();
  if (clip)
    x = s.min(s.max(x, s.constant(type, -*clip)), s.constant(type, *clip));
  return find(activation.name)
      ->make(s, x, s.constant(type, activation.alpha), s.constant(type, activation.beta));
}

} // namespace mlir::dojo::onnximport
