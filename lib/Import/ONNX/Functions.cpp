// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that ONNX defines by other ops: their bodies are imported in place of the node. That is done
// node by node and not before, because some bodies depend on the types of the operands.

#include "Importer.h"
#include "Infer.h"
#include "onnx/defs/function.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/attribute_binder.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

const onnx::OpSchema *schemaOf(const Model &model, const onnx::NodeProto &proto) {
  return onnx::OpSchemaRegistry::Schema(proto.op_type(), model.opset(proto.domain()),
                                        proto.domain());
}

/// The body of `proto`'s op with the node's attributes, and the defaults of those it does not have,
/// in place of references to them.
std::optional<onnx::FunctionProto> bodyOf(const Model &model, const onnx::NodeProto &proto,
                                          const Node &node) {
  const onnx::OpSchema *schema = schemaOf(model, proto);
  if (!schema)
    return std::nullopt;
  const int version = model.opset(proto.domain());
  onnx::NodeProto call = proto;
  for (const auto &[name, attribute] : schema->attributes())
    if (attribute.default_value.has_type() && !node.hasAttr(name)) {
      *call.add_attribute() = attribute.default_value;
      call.mutable_attribute()->rbegin()->set_name(name);
    }
  onnx::FunctionProto body;
  try {
    if (const onnx::FunctionProto *fixed =
            schema->HasFunction() ? schema->GetFunction(version) : nullptr) {
      body = *fixed;
    } else if (schema->HasContextDependentFunction()) {
      std::vector<onnx::TypeProto> types(node.inputs.size());
      for (auto [input, type] : zip(node.inputs, types))
        if (input)
          setType(input->type, type);
      onnx::FunctionBodyBuildContextImpl context(proto, types);
      if (!schema->BuildContextDependentFunction(context, body, version))
        return std::nullopt;
    } else {
      return std::nullopt;
    }
    onnx::internal::AttributeBinder::BindAttributes(call, body);
  } catch (const std::exception &) {
    return std::nullopt;
  }
  return body;
}

/// Makes `name` an absent operand of the nodes of `graph`.
void removeInput(onnx::GraphProto &graph, StringRef name) {
  for (auto &node : *graph.mutable_node()) {
    for (auto &input : *node.mutable_input())
      if (input == name)
        input.clear();
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        removeInput(*attribute.mutable_g(), name);
  }
}

} // namespace

bool Model::hasFunction(const onnx::NodeProto &node) const {
  const onnx::OpSchema *schema = schemaOf(*this, node);
  return schema && (schema->HasFunction() || schema->HasContextDependentFunction());
}

bool Importer::importBody(ArrayRef<const onnx::NodeProto *> nodes, ArrayRef<StringRef> outputs,
                          Scope &scope) {
  StringSet<> needed;
  for (StringRef output : outputs)
    needed.insert(output);
  std::vector<bool> live(nodes.size(), false);
  for (size_t i = nodes.size(); i-- > 0;) {
    live[i] = any_of(nodes[i]->output(), [&](const auto &name) { return needed.contains(name); });
    if (!live[i])
      continue;
    SmallVector<StringRef> reads;
    collectReads(*nodes[i], reads);
    for (StringRef name : reads)
      needed.insert(name);
  }
  for (auto [i, node] : enumerate(nodes))
    if (live[i])
      importNode(*node, scope);
  return all_of(outputs, [&](StringRef name) { return scope.find(name.str()).known; });
}

void Importer::handOut(Scope &inner, const std::string &from, Scope &scope, const std::string &to) {
  const ValueInfo &value = scope.values[to] = inner.find(from);
  Operation *op = value.value ? value.value.getDefiningOp() : nullptr;
  auto name = op ? op->getAttrOfType<StringAttr>("dojo.value") : StringAttr();
  if (name && name.getValue() == inner.prefix + from)
    op->setAttr("dojo.value", b.getStringAttr(scope.prefix + to));
}

bool Importer::expandFunction(const onnx::NodeProto &proto, Node &node, Scope &scope) {
  auto body = bodyOf(model, proto, node);
  if (!body)
    return false;
  // The body is in the opsets of the model; where that does not use one, in the function's.
  for (const auto &import : body->opset_import())
    if (model.opset(import.domain()) == 0)
      *model.proto.add_opset_import() = import;
  onnx::GraphProto graph;
  graph.mutable_node()->Swap(body->mutable_node());
  normaliseNames(graph, "");
  Scope inner;
  inner.prefix = scope.nameOf(proto) + "/";
  for (int i = 0; i < body->input_size(); ++i)
    if (node.has(i))
      inner.values[body->input(i)] = *node.inputs[i];
    else
      removeInput(graph, body->input(i));
  SmallVector<StringRef> outputs;
  for (int i = 0; i < body->output_size(); ++i)
    if (node.outputUsed(i))
      outputs.push_back(body->output(i));
  SmallVector<const onnx::NodeProto *> nodes;
  for (const auto &inside : graph.node())
    nodes.push_back(&inside);
  importBody(nodes, outputs, inner);
  for (int i = 0; i < body->output_size(); ++i)
    if (node.outputUsed(i))
      handOut(inner, body->output(i), scope, proto.output(i));
  return true;
}

} // namespace mlir::dojo::onnximport
