// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gradient (ai.onnx.preview.training): derivatives of a value of the graph by others, by the chain
// rule from the last node to the first (reverse accumulation). Only nodes between the two count.

#include "Importer.h"
#include "Ops/MatMul.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// Derivatives of one node's operands. v: the operands, the result, and the derivative of the
/// result.
using RuleFn = Value (*)(Scalars &, ValueRange v);

struct Rule {
  StringLiteral op;
  /// For each operand: its derivative, of an element.
  RuleFn operands[2];
};

Value one(Scalars &s, ValueRange v) { return s.constant(v[0].getType(), 1); }

const Rule rules[] = {
    {"Add",
     {[](Scalars &, ValueRange v) { return v[3]; }, [](Scalars &, ValueRange v) { return v[3]; }}},
    {"Sub",
     {[](Scalars &, ValueRange v) { return v[3]; },
      [](Scalars &s, ValueRange v) { return s.neg(v[3]); }}},
    {"Mul",
     {[](Scalars &s, ValueRange v) { return s.mul(v[3], v[1]); },
      [](Scalars &s, ValueRange v) { return s.mul(v[3], v[0]); }}},
    {"Div",
     {[](Scalars &s, ValueRange v) { return s.div(v[3], v[1]); },
      [](Scalars &s, ValueRange v) { return s.neg(s.div(s.mul(v[3], v[2]), v[1])); }}},
    {"Identity", {[](Scalars &, ValueRange v) { return v[2]; }, nullptr}},
    {"Neg", {[](Scalars &s, ValueRange v) { return s.neg(v[2]); }, nullptr}},
    {"Exp", {[](Scalars &s, ValueRange v) { return s.mul(v[2], v[1]); }, nullptr}},
    {"Log", {[](Scalars &s, ValueRange v) { return s.div(v[2], v[0]); }, nullptr}},
    {"Sqrt",
     {[](Scalars &s, ValueRange v) {
        return s.div(s.mul(v[2], s.constant(v[0].getType(), 0.5)), v[1]);
      },
      nullptr}},
    {"Reciprocal",
     {[](Scalars &s, ValueRange v) { return s.neg(s.mul(v[2], s.mul(v[1], v[1]))); }, nullptr}},
    {"Sin",
     {[](Scalars &s, ValueRange v) { return s.mul(v[2], s.math<math::CosOp>(v[0])); }, nullptr}},
    {"Cos",
     {[](Scalars &s, ValueRange v) { return s.neg(s.mul(v[2], s.math<math::SinOp>(v[0]))); },
      nullptr}},
    {"Tanh",
     {[](Scalars &s, ValueRange v) { return s.mul(v[2], s.sub(one(s, v), s.mul(v[1], v[1]))); },
      nullptr}},
    {"Sigmoid",
     {[](Scalars &s, ValueRange v) { return s.mul(v[2], s.mul(v[1], s.sub(one(s, v), v[1]))); },
      nullptr}},
    {"Relu",
     {[](Scalars &s, ValueRange v) {
        Value zero = s.constant(v[0].getType(), 0);
        return s.select(s.less(zero, v[0]), v[2], zero);
      },
      nullptr}},
};

Value plus(TensorBuilder &b, Value x, Value y) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(x);
  return b.elementwise(dims, TensorBuilder::elementOf(x),
                       {b.broadcast(x, dims), b.broadcast(y, dims)},
                       [](OpBuilder &ob, Location loc, ValueRange v) {
                         return Scalars(ob, loc, ElemClass::Float).add(v[0], v[1]);
                       });
}

/// The sum of `value` over the dimensions along which a tensor of dimensions `dims` was broadcast.
Value summedTo(TensorBuilder &b, Value value, ArrayRef<int64_t> dims) {
  const Dims own(TensorBuilder::dimsOf(value));
  const size_t lead = own.size() - dims.size();
  SmallVector<int64_t> axes;
  for (size_t d = 0; d < own.size(); ++d)
    if (d < lead || dims[d - lead] != own[d])
      axes.push_back(d);
  if (!axes.empty())
    value = b.reduce(own, axes, b.broadcast(value, own),
                     scalarAttr(TensorBuilder::elementOf(value), int64_t(0)),
                     [](OpBuilder &ob, Location loc, ValueRange v) {
                       return Scalars(ob, loc, ElemClass::Float).add(v[1], v[0]);
                     });
  return b.reshape(value, dims);
}

} // namespace

std::string Importer::differentiate(const onnx::NodeProto &node, Value slope, Scope &scope,
                                    function_ref<void(const std::string &, Value)> add) {
  SmallVector<Value> values;
  for (const auto &input : node.input())
    values.push_back(materialise(scope.find(input)));
  StringRef op = node.domain().empty() ? StringRef(node.op_type()) : StringRef();
  if (op == "MatMul" && TensorBuilder::dimsOf(values[0]).size() == 2 &&
      TensorBuilder::dimsOf(values[1]).size() == 2) {
    std::string error;
    Value left =
        multiplyMatrices(b, slope, b.transpose(values[1], {1, 0}), ElemClass::Float, error);
    Value right =
        multiplyMatrices(b, b.transpose(values[0], {1, 0}), slope, ElemClass::Float, error);
    if (!left || !right)
      return error;
    add(node.input(0), left);
    add(node.input(1), right);
    return "";
  }
  const Rule *rule = find_if(rules, [&](const Rule &r) { return r.op == op; });
  if (rule == std::end(rules) ||
      size_t(node.input_size()) != 1 + size_t(rule->operands[1] != nullptr))
    return "there is no derivative of " + node.op_type() + " of these operands";
  const Dims dims(TensorBuilder::dimsOf(slope));
  SmallVector<Operand> operands;
  for (Value value : values)
    operands.push_back(b.broadcast(value, dims));
  operands.push_back(b.broadcast(materialise(scope.find(node.output(0))), dims));
  operands.push_back(b.broadcast(slope, dims));
  for (int i = 0; i < node.input_size(); ++i) {
    Value product = b.elementwise(dims, b.getF32Type(), operands,
                                  [&](OpBuilder &ob, Location loc, ValueRange v) {
                                    Scalars s(ob, loc, ElemClass::Float);
                                    return rule->operands[i](s, v);
                                  });
    add(node.input(i), summedTo(b, product, TensorBuilder::dimsOf(values[i])));
  }
  return "";
}

std::string Importer::importGradient(const onnx::NodeProto &proto, const Node &node, Scope &scope) {
  if (&scope != &main)
    return "it is supported in the main graph only";
  SmallVector<std::string> sources, named;
  if (const auto *xs = node.attr("xs"))
    sources.assign(xs->strings().begin(), xs->strings().end());
  named = sources;
  if (const auto *zs = node.attr("zs"))
    named.append(zs->strings().begin(), zs->strings().end());
  const std::string target = node.stringAttr("y", "").str();
  if (named.size() != size_t(proto.input_size()) || sources.size() != size_t(proto.output_size()) ||
      !std::equal(named.begin(), named.end(), proto.input().begin()))
    return "its operands must be the tensors that xs and zs name";
  for (const std::string &name : named)
    if (scope.find(name).type.elem != TensorProto::FLOAT)
      return "only float is supported";
  ValueInfo &result = scope.find(target);
  if (!result.known || result.type.elem != TensorProto::FLOAT)
    return "y must be a float tensor of the graph before it";

  // Values that change with the sources.
  StringSet<> varying;
  for (const std::string &name : sources)
    varying.insert(name);
  SmallVector<const onnx::NodeProto *> nodes;
  for (const auto &other : model.proto.graph().node()) {
    if (other.output_size() && proto.output_size() && other.output(0) == proto.output(0))
      break;
    if (none_of(other.input(), [&](const auto &name) { return varying.contains(name); }))
      continue;
    nodes.push_back(&other);
    for (const auto &name : other.output())
      varying.insert(name);
  }
  // A source that other nodes make is a variable of its own.
  StringSet<> isSource;
  for (const std::string &name : sources)
    isSource.insert(name);
  std::map<std::string, Value> slopes;
  slopes[target] = b.filled(result.type.dims, b.getF32FloatAttr(1));
  for (const onnx::NodeProto *other : reverse(nodes)) {
    if (other->output_size() == 0 || isSource.contains(other->output(0)))
      continue;
    for (int i = 1; i < other->output_size(); ++i)
      if (slopes.count(other->output(i)))
        return "there is no derivative of the second output of " + other->op_type();
    auto slope = slopes.find(other->output(0));
    if (slope == slopes.end())
      continue;
    std::string error =
        differentiate(*other, slope->second, scope, [&](const std::string &name, Value part) {
          if (!varying.contains(name))
            return;
          Value &sum = slopes[name];
          sum = sum ? plus(b, sum, part) : part;
        });
    if (!error.empty())
      return error;
  }
  for (auto [i, name] : enumerate(sources)) {
    if (!node.outputUsed(i))
      continue;
    const TensorType &type = scope.find(name).type;
    auto slope = slopes.find(name);
    Value value = slope == slopes.end() ? b.filled(type.dims, b.getF32FloatAttr(0)) : slope->second;
    scope.values[proto.output(int(i))] = info(value, type.elem);
  }
  return "";
}

} // namespace mlir::dojo::onnximport
