// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TreeEnsemble and the older regressor and classifier (ai.onnx.ml): attributes to a Forest.

#include "Forest.h"
#include "Reduce.h"
#include "Scores.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The numbers of a tensor attribute; empty if the node lacks it or they cannot be read.
SmallVector<double> tensorAttr(const Node &node, StringRef name) {
  SmallVector<double> values;
  const auto *attribute = node.attr(name);
  if (!attribute || !attribute->has_t())
    return values;
  FileStore none;
  auto constant = Constant::fromTensor(attribute->t(), none, "");
  if (!constant) {
    consumeError(constant.takeError());
    return values;
  }
  const ElemClass kind = elemInfo(constant->elem()).kind;
  for (int64_t i = 0; i < constant->count(); ++i)
    if (kind == ElemClass::Float)
      values.push_back(constant->asDouble(i));
    else if (kind == ElemClass::Signed || kind == ElemClass::Unsigned)
      values.push_back(double(constant->asInt(i)));
  return values;
}

/// Numbers that are a list of floats or, from version 3 on, a tensor.
SmallVector<double> numbers(const Node &node, const Twine &name) {
  if (node.hasAttr((name + "_as_tensor").str()))
    return tensorAttr(node, (name + "_as_tensor").str());
  SmallVector<float> values = floatsAttr(node, name.str());
  return SmallVector<double>(values.begin(), values.end());
}

LogicalResult treeEnsemble(Lowering &l) {
  const Node &n = l.node;
  Forest forest;
  forest.elem = n.elem(0) == TensorProto::DOUBLE ? n.elem(0) : int32_t(TensorProto::FLOAT);
  Value x = featureRows(l, forest.elem);
  if (!x)
    return failure();
  SmallVector<int64_t> features = intsOf(n, "nodes_featureids");
  SmallVector<int64_t> next[2] = {intsOf(n, "nodes_truenodeids"), intsOf(n, "nodes_falsenodeids")};
  SmallVector<int64_t> isLeaf[2] = {intsOf(n, "nodes_trueleafs"), intsOf(n, "nodes_falseleafs")};
  SmallVector<int64_t> missing = intsOf(n, "nodes_missing_value_tracks_true");
  SmallVector<double> modes = tensorAttr(n, "nodes_modes"), splits = tensorAttr(n, "nodes_splits");
  SmallVector<double> members = tensorAttr(n, "membership_values");
  SmallVector<double> leafWeights = tensorAttr(n, "leaf_weights");
  SmallVector<int64_t> leafTargets = intsOf(n, "leaf_targetids");
  const size_t count = features.size(), leaves = leafWeights.size();
  for (size_t size : {next[0].size(), next[1].size(), isLeaf[0].size(), isLeaf[1].size(),
                      modes.size(), splits.size(), missing.empty() ? count : missing.size()})
    if (size != count)
      return l.fail("the lists of nodes have different lengths");
  if (leafTargets.size() != leaves)
    return l.fail("the lists of leaves have different lengths");

  forest.targets = n.intAttr("n_targets", 0);
  const int64_t aggregate = n.intAttr("aggregate_function", Forest::Sum);
  if (aggregate < 0 || aggregate > Forest::Max)
    return l.fail("the aggregate_function does not exist");
  forest.aggregate = Forest::Aggregate(aggregate);
  forest.missingIsUnequal = true;
  forest.nodes.resize(count);
  forest.weights.resize(count);
  for (size_t i = 0; i < leaves; ++i)
    forest.weights[forest.addLeaf()].push_back({leafTargets[i], leafWeights[i]});
  size_t member = 0;
  for (size_t i = 0; i < count; ++i) {
    int64_t to[2];
    for (int side : {0, 1}) {
      if (next[side][i] < 0 || next[side][i] >= int64_t(isLeaf[side][i] ? leaves : count))
        return l.fail("a node leads to one that does not exist");
      to[side] = next[side][i] + (isLeaf[side][i] ? int64_t(count) : 0);
    }
    const bool tracks = !missing.empty() && missing[i];
    if (modes[i] < 0 || modes[i] > int(Forest::Member))
      return l.fail("the mode of a node does not exist");
    Forest::Branch branch{features[i], splits[i], Forest::Mode(int(modes[i])),
                          tracks,      to[0],     to[1]};
    if (branch.mode != Forest::Member) {
      forest.nodes[i] = branch;
      continue;
    }
    // One node for each member of the set, which ends with a NaN; none is equal to a NaN.
    SmallVector<double> set;
    for (; member < members.size() && !std::isnan(members[member]); ++member)
      set.push_back(members[member]);
    if (member++ >= members.size())
      return l.fail("membership_values has no set for a node");
    if (set.empty())
      set.push_back(std::numeric_limits<double>::quiet_NaN());
    branch.mode = Forest::Equal;
    size_t place = i;
    for (auto [k, value] : enumerate(set)) {
      branch.split = value;
      const bool last = k + 1 == set.size();
      const size_t following = forest.nodes.size();
      branch.other = last ? to[1] : int64_t(following);
      forest.nodes[place] = branch;
      if (!last) {
        forest.nodes.emplace_back();
        forest.weights.emplace_back();
        place = following;
      }
    }
  }
  forest.roots = intsOf(n, "tree_roots");
  if (std::string error = forest.check(TensorBuilder::dimsOf(x)[1]); !error.empty())
    return l.fail(error);
  static constexpr StringLiteral transforms[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO",
                                                 "PROBIT"};
  const int64_t transform = n.intAttr("post_transform", 0);
  if (transform < 0 || transform >= int64_t(std::size(transforms)))
    return l.fail("the post_transform does not exist");
  Value result = postTransformed(l, forest.lower(l, x), transforms[transform]);
  return result ? l.set(l.b.reshape(result, l.resultDims())) : failure();
}

/// The trees of the older ops, whose weights have the prefix `weight`. Why not, or an empty string.
std::string oldForest(const Node &n, StringRef weight, int64_t features, Forest &forest) {
  SmallVector<int64_t> trees = intsOf(n, "nodes_treeids"), ids = intsOf(n, "nodes_nodeids");
  SmallVector<int64_t> reads = intsOf(n, "nodes_featureids");
  SmallVector<int64_t> taken = intsOf(n, "nodes_truenodeids");
  SmallVector<int64_t> other = intsOf(n, "nodes_falsenodeids");
  SmallVector<int64_t> missing = intsOf(n, "nodes_missing_value_tracks_true");
  SmallVector<double> splits = numbers(n, "nodes_values");
  const auto *modes = n.attr("nodes_modes");
  const size_t count = trees.size();
  for (size_t size :
       {ids.size(), reads.size(), taken.size(), other.size(), splits.size(),
        modes ? size_t(modes->strings_size()) : 0, missing.empty() ? count : missing.size()})
    if (size != count)
      return "the lists of nodes have different lengths";
  std::map<std::pair<int64_t, int64_t>, int64_t> places;
  std::map<int64_t, int64_t> roots;
  for (size_t i = 0; i < count; ++i) {
    if (!places.try_emplace({trees[i], ids[i]}, i).second)
      return "a tree has two nodes of one number";
    roots.try_emplace(trees[i], i);
  }
  for (auto [tree, root] : roots)
    forest.roots.push_back(root);
  for (size_t i = 0; i < count; ++i) {
    const int64_t self = i;
    const std::string &name = modes->strings(int(i));
    if (name == "LEAF") {
      forest.addLeaf();
      continue;
    }
    const int mode = StringSwitch<int>(name)
                         .Case("BRANCH_LEQ", Forest::LessEqual)
                         .Case("BRANCH_LT", Forest::Less)
                         .Case("BRANCH_GTE", Forest::GreaterEqual)
                         .Case("BRANCH_GT", Forest::Greater)
                         .Case("BRANCH_EQ", Forest::Equal)
                         .Case("BRANCH_NEQ", Forest::NotEqual)
                         .Default(-1);
    auto yes = places.find({trees[i], taken[i]}), no = places.find({trees[i], other[i]});
    if (mode < 0 || yes == places.end() || no == places.end())
      return "a node has a mode that does not exist, or leads to one that does not exist";
    if (yes->second == self || no->second == self)
      return "the nodes of a tree lead in a circle";
    forest.nodes.push_back({reads[i], splits[i], Forest::Mode(mode),
                            !missing.empty() && missing[i] != 0, yes->second, no->second});
    forest.weights.emplace_back();
  }
  SmallVector<int64_t> weightTrees = intsOf(n, (weight + "_treeids").str());
  SmallVector<int64_t> weightNodes = intsOf(n, (weight + "_nodeids").str());
  SmallVector<int64_t> targets = intsOf(n, (weight + "_ids").str());
  SmallVector<double> values = numbers(n, weight + "_weights");
  if (weightTrees.size() != weightNodes.size() || targets.size() != weightNodes.size() ||
      values.size() != weightNodes.size())
    return "the lists of weights have different lengths";
  for (size_t i = 0; i < values.size(); ++i) {
    auto place = places.find({weightTrees[i], weightNodes[i]});
    if (place == places.end())
      return "a weight belongs to a node that does not exist";
    forest.weights[place->second].push_back({targets[i], values[i]});
  }
  return forest.check(features);
}

/// `scores` plus base_values: one for all, or one for each column. Null after l.fail.
Value withBase(Lowering &l, Value scores) {
  SmallVector<double> base = numbers(l.node, "base_values");
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(scores);
  if (base.empty())
    return scores;
  if (base.size() == 1)
    base.assign(dims[1], base[0]);
  if (int64_t(base.size()) != dims[1]) {
    (void)l.fail("base_values does not fit the scores");
    return {};
  }
  SmallVector<float> values(base.begin(), base.end());
  return l.b.elementwise(dims, l.b.getF32Type(),
                         {l.b.broadcast(scores, dims),
                          l.constantOperand(Constant::ofFloats(values, {dims[1]}), dims, 1)},
                         [](OpBuilder &b, Location loc, ValueRange v) {
                           return Scalars(b, loc, ElemClass::Float).add(v[0], v[1]);
                         });
}

LogicalResult treeRegressor(Lowering &l) {
  Value x = featureRows(l);
  if (!x)
    return failure();
  Forest forest;
  forest.targets = l.node.intAttr("n_targets", 0);
  const int aggregate = StringSwitch<int>(l.node.stringAttr("aggregate_function", "SUM"))
                            .Case("AVERAGE", Forest::Average)
                            .Case("SUM", Forest::Sum)
                            .Case("MIN", Forest::Min)
                            .Case("MAX", Forest::Max)
                            .Default(-1);
  if (aggregate < 0)
    return l.fail("the aggregate_function does not exist");
  forest.aggregate = Forest::Aggregate(aggregate);
  std::string error = oldForest(l.node, "target", TensorBuilder::dimsOf(x)[1], forest);
  if (!error.empty())
    return l.fail(error);
  Value scores = withBase(l, forest.lower(l, x));
  if (!scores)
    return failure();
  Value result = postTransformed(l, scores, l.node.stringAttr("post_transform", "NONE"));
  return result ? l.set(l.b.reshape(result, l.resultDims())) : failure();
}

LogicalResult treeClassifier(Lowering &l) {
  TensorBuilder &b = l.b;
  Value x = featureRows(l);
  if (!x)
    return failure();
  const int64_t classes = classCount(l.node, "classlabels_int64s");
  if (classes < 2)
    return l.fail("there must be at least two classes");
  Forest forest;
  forest.targets = classes;
  std::string error = oldForest(l.node, "class", TensorBuilder::dimsOf(x)[1], forest);
  if (!error.empty())
    return l.fail(error);
  // Weights of a single class of two are a score of which the other class has what is missing to 1,
  // or the negative if a function is to follow.
  bool single = classes == 2, negative = false;
  SmallVector<int64_t> ids = intsOf(l.node, "class_ids");
  single &= all_of(ids, [&](int64_t id) { return id == ids[0]; });
  for (const auto &own : forest.weights)
    for (const Forest::Weight &weight : own)
      negative |= weight.value < 0;
  StringRef transform = l.node.stringAttr("post_transform", "NONE");
  Value scores = forest.lower(l, x);
  Value places;
  if (single) {
    Dims column{TensorBuilder::dimsOf(scores)[0], 1};
    SliceSpec spec{{0, ids.empty() ? 0 : ids[0]}, {1, 1}, column};
    Value score = b.slice(scores, spec);
    SmallVector<double> base = numbers(l.node, "base_values");
    if (base.size() > 2)
      return l.fail("base_values does not fit the scores");
    const double shift = base.empty() ? 0 : base.back();
    const bool complement = transform == "NONE" || transform == "PROBIT";
    auto column1 = [&](function_ref<Value(Scalars &, Value)> fn) {
      return mapElements(b, ElemClass::Float, score,
                         [&](Scalars &s, ValueRange v) { return fn(s, v[0]); });
    };
    if (shift != 0)
      score =
          column1([&](Scalars &s, Value v) { return s.add(v, s.constant(v.getType(), shift)); });
    Value rest = column1([&](Scalars &s, Value v) {
      return complement && !negative ? s.sub(s.constant(v.getType(), 1), v) : s.neg(v);
    });
    scores = b.concat({rest, score}, 1);
    // More than a half for a probability, more than nothing for a score.
    const double limit = negative ? 0 : 0.5;
    Value second = b.elementwise(column, b.getI32Type(), b.broadcast(score, column),
                                 [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                                   Scalars s(ob, loc, ElemClass::Float);
                                   Value above = s.less(s.constant(v[0].getType(), limit), v[0]);
                                   return arith::ExtUIOp::create(ob, loc, ob.getI32Type(), above);
                                 });
    places = b.reshape(second, {column[0]});
  } else {
    scores = withBase(l, scores);
    if (!scores)
      return failure();
    places = greatestPlace(b, scores);
  }
  Value result = postTransformed(l, scores, transform);
  if (!result)
    return failure();
  setLabels(l, places, "classlabels_int64s");
  if (l.node.outputUsed(1))
    (void)l.set(b.reshape(result, l.resultDims(1)), 1);
  return success();
}

} // namespace

ArrayRef<OpEntry> treeOps() {
  static const OpEntry entries[] = {
      {"TreeEnsemble", 5, 5, treeEnsemble, kMachineLearning},
      {"TreeEnsembleRegressor", 1, 5, treeRegressor, kMachineLearning},
      {"TreeEnsembleClassifier", 1, 5, treeClassifier, kMachineLearning},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
