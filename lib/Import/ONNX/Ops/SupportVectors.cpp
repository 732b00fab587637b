// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Support vector machines (ai.onnx.ml): each row of features is compared with every support vector
// by a kernel; weighted sums of that are scores of targets, or of pairs of classes.

#include "Index.h"
#include "Reduce.h"
#include "Scores.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

constexpr ElemClass kFloat = ElemClass::Float;

/// Classes whose probabilities are kept in registers at once.
constexpr int64_t kMaxCoupled = 12;
/// The logarithm of the odds of a probability of 1e-7, the least that a pair has.
constexpr double kMaxOdds = 16.11809555;

struct Kernel {
  StringRef type;
  float gamma = 0, shift = 0, degree = 0;
};

/// The kernel that the node names; nothing after l.fail.
std::optional<Kernel> kernelOf(Lowering &l) {
  Kernel kernel{l.node.stringAttr("kernel_type", "LINEAR")};
  SmallVector<float> params = floatsAttr(l.node, "kernel_params");
  if (!is_contained({"LINEAR", "POLY", "RBF", "SIGMOID"}, kernel.type)) {
    (void)l.fail("the kernel_type '" + kernel.type + "' is not supported");
    return std::nullopt;
  }
  if (!params.empty() && params.size() != 3) {
    (void)l.fail("kernel_params must be gamma, coef0 and degree");
    return std::nullopt;
  }
  if (params.size() == 3) {
    kernel.gamma = params[0];
    kernel.shift = params[1];
    kernel.degree = params[2];
  }
  return kernel;
}

Value power(Scalars &s, Value x, float degree) {
  if (degree < 0 || degree > 64 || degree != std::floor(degree))
    return math::PowFOp::create(s.b, s.loc, x, s.constant(x.getType(), degree),
                                arith::FastMathFlags::contract);
  Value result, square = x;
  for (int rest = int(degree); rest; rest /= 2) {
    if (rest % 2)
      result = result ? s.mul(result, square) : square;
    if (rest > 1)
      square = s.mul(square, square);
  }
  return result ? result : s.constant(x.getType(), 1);
}

/// The kernel of each row of x and each of the `count` support vectors: [rows, count]. Null after
/// l.fail.
Value similarities(Lowering &l, Value x, const Kernel &kernel, int64_t count) {
  TensorBuilder &b = l.b;
  const int64_t rows = TensorBuilder::dimsOf(x)[0], features = TensorBuilder::dimsOf(x)[1];
  SmallVector<float> vectors = floatsAttr(l.node, "support_vectors");
  if (int64_t(vectors.size()) != saturatedProduct({count, features})) {
    (void)l.fail("support_vectors does not fit the features");
    return {};
  }
  if (kernel.type == "RBF") {
    Value table = l.materialise(Constant::ofFloats(vectors, {count, features}));
    Value distances = reduceBy(
        b, kFloat, {rows, count, features}, {2}, {b.along(x, {0, 2}, 3), b.along(table, {1, 2}, 3)},
        scalarAttr(b.getF32Type(), int64_t(0)),
        [](Scalars &s, ValueRange v) {
          Value difference = s.sub(v[0], v[1]);
          return s.mul(difference, difference);
        },
        sumOf);
    return mapElements(b, kFloat, distances, [&](Scalars &s, ValueRange v) {
      return s.math<math::ExpOp>(s.mul(v[0], s.constant(v[0].getType(), -double(kernel.gamma))));
    });
  }
  std::vector<float> transposed(vectors.size());
  for (int64_t i = 0; i < count; ++i)
    for (int64_t f = 0; f < features; ++f)
      transposed[f * count + i] = vectors[i * features + f];
  Value products = weightedSums(l, x, Constant::ofFloats(transposed, {features, count}), {});
  if (!products || kernel.type == "LINEAR")
    return products;
  return mapElements(b, kFloat, products, [&](Scalars &s, ValueRange v) {
    Type type = v[0].getType();
    Value scaled =
        s.add(s.mul(v[0], s.constant(type, kernel.gamma)), s.constant(type, kernel.shift));
    return kernel.type == "POLY" ? power(s, scaled, kernel.degree) : s.math<math::TanhOp>(scaled);
  });
}

LogicalResult regressor(Lowering &l) {
  TensorBuilder &b = l.b;
  Value x = featureRows(l);
  auto kernel = kernelOf(l);
  if (!x || !kernel)
    return failure();
  const int64_t count = l.node.intAttr("n_supports", 0), targets = l.node.intAttr("n_targets", 1);
  SmallVector<float> coefficients = floatsAttr(l.node, "coefficients");
  SmallVector<float> rho = floatsAttr(l.node, "rho");
  if (targets != 1 || rho.size() != 1)
    return l.fail("there must be one target, and one number in rho");
  // Without support vectors the features have the weights.
  Value terms = count > 0 ? similarities(l, x, *kernel, count) : x;
  if (!terms)
    return failure();
  const int64_t columns = TensorBuilder::dimsOf(terms)[1];
  if (count < 0 || int64_t(coefficients.size()) != columns)
    return l.fail("there must be one coefficient for each support vector, or for each feature");
  Value sums = weightedSums(l, terms, Constant::ofFloats(coefficients, {columns, 1}), rho);
  if (!sums)
    return failure();
  if (l.node.intAttr("one_class", 0))
    sums = mapElements(b, kFloat, sums, [](Scalars &s, ValueRange v) {
      Type type = v[0].getType();
      Value positive = s.less(s.constant(type, 0), v[0]);
      return s.select(positive, s.constant(type, 1), s.constant(type, -1));
    });
  else
    sums = postTransformed(l, sums, l.node.stringAttr("post_transform", "NONE"));
  return sums ? l.set(b.reshape(sums, l.resultDims())) : failure();
}

/// The pairs (i, j) of classes, i < j, in order.
SmallVector<std::pair<int64_t, int64_t>> pairsOf(int64_t classes) {
  SmallVector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t i = 0; i < classes; ++i)
    for (int64_t j = i + 1; j < classes; ++j)
      pairs.push_back({i, j});
  return pairs;
}

/// Scores of the pairs, positive for the first: [rows, pairs]. Null after l.fail.
Value pairScores(Lowering &l, Value x, const Kernel &kernel, ArrayRef<int64_t> perClass) {
  const int64_t classes = perClass.size();
  SmallVector<float> coefficients = floatsAttr(l.node, "coefficients");
  SmallVector<float> rho = floatsAttr(l.node, "rho");
  SmallVector<int64_t> starts;
  int64_t count = 0;
  for (int64_t own : perClass) {
    starts.push_back(count);
    if (own < 0 || own > int64_t(coefficients.size()) - count) {
      (void)l.fail("vectors_per_class does not fit the coefficients");
      return {};
    }
    count += own;
  }
  auto pairs = pairsOf(classes);
  if (int64_t(coefficients.size()) != (classes - 1) * count || rho.size() != pairs.size()) {
    (void)l.fail("coefficients and rho do not fit the pairs of classes");
    return {};
  }
  Value terms = similarities(l, x, kernel, count);
  if (!terms)
    return {};
  // A vector has one weight for each other class; the scores of pairs without its class leave it
  // out.
  const int64_t width = pairs.size();
  std::vector<float> weights(count * width, 0.0f);
  for (auto [p, pair] : enumerate(pairs)) {
    auto [i, j] = pair;
    for (int64_t v = starts[i]; v < starts[i] + perClass[i]; ++v)
      weights[v * width + p] = coefficients[(j - 1) * count + v];
    for (int64_t v = starts[j]; v < starts[j] + perClass[j]; ++v)
      weights[v * width + p] = coefficients[i * count + v];
  }
  return weightedSums(l, terms, Constant::ofFloats(weights, {count, width}), rho);
}

/// In how many pairs each class wins: [rows, classes].
Value votesOf(Lowering &l, Value scores, int64_t classes) {
  TensorBuilder &b = l.b;
  auto pairs = pairsOf(classes);
  const int64_t rows = TensorBuilder::dimsOf(scores)[0], width = pairs.size();
  std::string first, second;
  for (auto [i, j] : pairs) {
    appendElement(first, TensorProto::INT32, i);
    appendElement(second, TensorProto::INT32, j);
  }
  auto column = [&](const std::string &bytes) {
    return b.along(l.materialise(Constant({TensorProto::INT32, {width}}, bytes)), {2}, 3);
  };
  return reduceLast(b, {rows, classes}, width,
                    {b.along(scores, {0, 2}, 3), column(first), column(second),
                     b.along(b.empty({classes}, b.getI32Type()), {1}, 3)},
                    scalarAttr(b.getF32Type(), int64_t(0)), [](IndexBody &body, ValueRange v) {
                      Scalars s(body.b, body.loc, kFloat);
                      Type type = v[0].getType();
                      Value winner = s.select(s.less(s.constant(type, 0), v[0]), v[1], v[2]);
                      Value won = body.equal(winner, body.loop32(1));
                      return s.add(v.back(),
                                   s.select(won, s.constant(type, 1), s.constant(type, 0)));
                    });
}

/// r[row, i, j]: the probability of class i where it can only be i or j; 0 for i = j.
Value pairProbabilities(Lowering &l, Value scores, int64_t classes) {
  TensorBuilder &b = l.b;
  const int64_t rows = TensorBuilder::dimsOf(scores)[0], width = TensorBuilder::dimsOf(scores)[1];
  const Dims dims{rows, width};
  auto column = [&](StringRef name) {
    return l.constantOperand(Constant::ofFloats(floatsAttr(l.node, name), {width}), dims, 1);
  };
  // The logarithm of the odds against the first of each pair.
  Value odds = b.elementwise(
      dims, b.getF32Type(), {b.broadcast(scores, dims), column("prob_a"), column("prob_b")},
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, kFloat);
        auto constant = [&](double value) { return s.constant(v[0].getType(), value); };
        Value own = s.add(s.mul(v[0], v[1]), v[2]);
        return s.min(s.max(own, constant(-kMaxOdds)), constant(kMaxOdds));
      });
  std::string places(classes * classes * sizeof(int32_t), '\0');
  for (auto [p, pair] : enumerate(pairsOf(classes))) {
    const int32_t place = p;
    for (int64_t at : {pair.first * classes + pair.second, pair.second * classes + pair.first})
      std::memcpy(&places[at * sizeof place], &place, sizeof place);
  }
  Value table = l.materialise(Constant({TensorProto::INT32, {classes, classes}}, places));
  return mapIndices(b, {rows, classes, classes}, b.getF32Type(), b.along(table, {1, 2}, 3),
                    [&](IndexBody &body, ValueRange v) {
                      Scalars s(body.b, body.loc, kFloat);
                      Value i = body.loop(1), j = body.loop(2);
                      Value own = body.read(odds, {body.loop(0), body.inside(v[0], width)});
                      Value against = s.select(body.less(i, j), own, s.neg(own));
                      Value one = s.constant(own.getType(), 1);
                      Value either = s.div(one, s.add(one, s.math<math::ExpOp>(against)));
                      return s.select(body.equal(i, j), s.constant(own.getType(), 0), either);
                    });
}

/// Probabilities of the classes that fit those of the pairs best: [rows, classes]. By Wu, Lin and
/// Weng, "Probability estimates for multi-class classification by pairwise coupling", 2004, the
/// second of their methods with the steps and the limits that LIBSVM has.
Value coupled(TensorBuilder &b, Value pairs) {
  Dims cube(TensorBuilder::dimsOf(pairs));
  const int64_t rows = cube[0], classes = cube[1];
  Type type = b.getF32Type();
  Value squares = reduceBy(
      b, kFloat, cube, {1}, b.broadcast(pairs, cube), scalarAttr(type, int64_t(0)),
      [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); }, sumOf);
  Value q = mapIndices(
      b, cube, type,
      {b.broadcast(pairs, cube), b.along(pairs, {0, 2, 1}, 3), b.along(squares, {0, 1}, 3)},
      [](IndexBody &body, ValueRange v) {
        Scalars s(body.b, body.loc, kFloat);
        return s.select(body.equal(body.loop(1), body.loop(2)), v[2], s.neg(s.mul(v[0], v[1])));
      });
  const int64_t most = std::max<int64_t>(100, classes);
  const double limit = 0.005 / double(classes);
  return mapIndices(b, {rows, classes}, type, {}, [&](IndexBody &body, ValueRange) {
    Value row = body.loop(0), zero = body.index(0), one = body.index(1);
    Value count = body.index(classes);
    auto number = [&](OpBuilder &ob, double value) {
      return Scalars(ob, body.loc, kFloat).constant(type, value);
    };
    auto at = [&](IndexBody &in, ValueRange values, Value place) {
      Value result = values[0];
      for (int64_t i = 1; i < classes; ++i)
        result = in.select(in.equal(place, in.index(i)), values[i], result);
      return result;
    };
    // Entry t of q times the probabilities: registers hold these alone.
    auto product = [&](IndexBody &in, Value t, ValueRange p) {
      Scalars s(in.b, in.loc, kFloat);
      Value sum = number(in.b, 0);
      for (int64_t i = 0; i < classes; ++i)
        sum = s.add(sum, s.mul(in.read(q, {row, t, in.index(i)}), p[i]));
      return sum;
    };
    // Carried: the steps, whether to go on, the probabilities.
    SmallVector<Value> start{zero, body.constant(body.b.getBoolAttr(true))};
    start.append(classes, number(body.b, 1.0 / double(classes)));
    auto steps = scf::WhileOp::create(
        body.b, body.loc, TypeRange(ValueRange(start)), start,
        [&](OpBuilder &ob, Location loc, ValueRange v) {
          IndexBody in(ob, loc);
          Value more = in.both(v[1], in.less(v[0], in.index(most)));
          scf::ConditionOp::create(ob, loc, more, v);
        },
        [&](OpBuilder &ob, Location loc, ValueRange v) {
          ValueRange p = v.drop_front(2);
          auto overClasses = [&](Value from, auto step) {
            return scf::ForOp::create(ob, loc, zero, count, one, from,
                                      [&](OpBuilder &nb, Location, Value t, ValueRange w) {
                                        IndexBody in(nb, loc);
                                        Scalars s(nb, loc, kFloat);
                                        Value next = step(in, s, t, product(in, t, p), w[0]);
                                        scf::YieldOp::create(nb, loc, next);
                                      })
                .getResult(0);
          };
          Value all = overClasses(number(ob, 0),
                                  [&](IndexBody &in, Scalars &s, Value t, Value sum, Value before) {
                                    return s.add(before, s.mul(at(in, p, t), sum));
                                  });
          Value error = overClasses(number(ob, 0),
                                    [&](IndexBody &, Scalars &s, Value, Value sum, Value before) {
                                      return s.max(before, s.abs(s.sub(sum, all)));
                                    });
          IndexBody in(ob, loc);
          Value done = Scalars(ob, loc, kFloat).less(error, number(ob, limit));
          SmallVector<Value> state{all};
          append_range(state, p);
          auto update = scf::ForOp::create(
              ob, loc, zero, in.select(done, zero, count), one, state,
              [&](OpBuilder &nb, Location, Value t, ValueRange w) {
                IndexBody inner(nb, loc);
                Scalars s(nb, loc, kFloat);
                ValueRange own = w.drop_front();
                Value diagonal = inner.read(q, {row, t, t}), sum = product(inner, t, own);
                Value step = s.div(s.sub(w[0], sum), diagonal);
                Value unit = s.add(number(nb, 1), step);
                Value slope = s.add(s.mul(step, diagonal), s.mul(number(nb, 2), sum));
                Value grown = s.add(w[0], s.mul(step, slope));
                SmallVector<Value> next{s.div(s.div(grown, unit), unit)};
                for (int64_t i = 0; i < classes; ++i) {
                  Value here = inner.equal(t, inner.index(i));
                  next.push_back(s.div(s.select(here, s.add(own[i], step), own[i]), unit));
                }
                scf::YieldOp::create(nb, loc, next);
              });
          Value yes = in.constant(ob.getBoolAttr(true)), no = in.constant(ob.getBoolAttr(false));
          SmallVector<Value> next{in.add(v[0], one), in.select(done, no, yes)};
          append_range(next, update.getResults().drop_front());
          scf::YieldOp::create(ob, loc, next);
        });
    return at(body, steps.getResults().drop_front(2), body.loop(1));
  });
}

LogicalResult classifier(Lowering &l) {
  TensorBuilder &b = l.b;
  Value x = featureRows(l);
  auto kernel = kernelOf(l);
  if (!x || !kernel)
    return failure();
  const int64_t classes = classCount(l.node, "classlabels_ints");
  if (classes < 2)
    return l.fail("there must be at least two classes");
  SmallVector<int64_t> perClass = intsOf(l.node, "vectors_per_class");
  const size_t pairs = classes * (classes - 1) / 2;
  SmallVector<float> slopes = floatsAttr(l.node, "prob_a"), shifts = floatsAttr(l.node, "prob_b");
  StringRef transform = l.node.stringAttr("post_transform", "NONE");
  Value scores, ranked;
  if (all_of(perClass, [](int64_t own) { return own == 0; })) {
    // Without support vectors the features have the weights.
    SmallVector<float> coefficients = floatsAttr(l.node, "coefficients");
    SmallVector<float> rho = floatsAttr(l.node, "rho");
    const int64_t features = TensorBuilder::dimsOf(x)[1];
    if (int64_t(coefficients.size()) != saturatedProduct({classes, features}) || rho.empty())
      return l.fail("coefficients and rho do not fit the features");
    std::vector<float> transposed(coefficients.size());
    for (int64_t c = 0; c < classes; ++c)
      for (int64_t f = 0; f < features; ++f)
        transposed[f * classes + c] = coefficients[c * features + f];
    scores = ranked = weightedSums(l, x, Constant::ofFloats(transposed, {features, classes}),
                                   SmallVector<float>(classes, rho[0]));
    if (!scores)
      return failure();
  } else {
    if (int64_t(perClass.size()) != classes)
      return l.fail("vectors_per_class must have a number for each class");
    scores = pairScores(l, x, *kernel, perClass);
    if (!scores)
      return failure();
    ranked = votesOf(l, scores, classes);
    if (!slopes.empty() || !shifts.empty()) {
      if (slopes.size() != pairs || shifts.size() != pairs)
        return l.fail("prob_a and prob_b must have a number for each pair of classes");
      if (classes > kMaxCoupled)
        return l.fail("probabilities of more than " + Twine(kMaxCoupled) + " classes are too large",
                      Category::TooLarge);
      scores = coupled(b, pairProbabilities(l, scores, classes));
    } else if (classes == 2) {
      // One score, which counts for the second class.
      if (transform == "PROBIT")
        return l.fail("the post_transform 'PROBIT' of one score is not supported");
      Value negative =
          mapElements(b, kFloat, scores, [](Scalars &s, ValueRange v) { return s.neg(v[0]); });
      scores = b.concat({negative, scores}, 1);
    }
  }
  Value result = postTransformed(l, scores, transform);
  if (!result)
    return failure();
  setLabels(l, greatestPlace(b, ranked), "classlabels_ints");
  if (l.node.outputUsed(1))
    (void)l.set(b.reshape(result, l.resultDims(1)), 1);
  return success();
}

} // namespace

ArrayRef<OpEntry> supportVectorOps() {
  static const OpEntry entries[] = {
      {"SVMRegressor", 1, 1, regressor, kMachineLearning},
      {"SVMClassifier", 1, 1, classifier, kMachineLearning},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
