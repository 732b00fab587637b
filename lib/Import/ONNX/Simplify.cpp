// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/version_converter/convert.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

/// Inputs and outputs as one text: names, types and order.
std::string signatureOf(const onnx::GraphProto &graph) {
  std::string text;
  for (const auto &input : graph.input())
    text += input.name() + '\0';
  text += '\1';
  for (const auto &output : graph.output())
    text += output.name() + '\0';
  return text;
}

int newestOpset() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().LastReleaseVersionMap().at("");
}

void convertVersion(Model &model) {
  const int version = model.opset("");
  if (version == 0 || version >= newestOpset())
    return;
  try {
    onnx::ModelProto converted =
        onnx::version_conversion::ConvertVersion(model.proto, newestOpset());
    // The adapters work on another representation of the graph; keep the model as it was if that
    // changed what the user sees of it.
    if (signatureOf(converted.graph()) != signatureOf(model.proto.graph()))
      return;
    // What the library infers for outputs is not what the model declares.
    *converted.mutable_graph()->mutable_output() = model.proto.graph().output();
    normaliseNames(*converted.mutable_graph(), "");
    ImportReport quiet;
    if (!orderGraph(*converted.mutable_graph(), quiet))
      return;
    Model candidate;
    candidate.path = model.path;
    candidate.proto = std::move(converted);
    if (checkModel(candidate, quiet) && candidate.refused.empty())
      model.proto.Swap(&candidate.proto);
  } catch (const std::exception &) {
    // There is no adapter for one of the nodes: each is read in the version the model has.
  }
}

/// The library's adapters of Upsample 9 and Resize 10 drop the mapping of coordinates, which
/// changed in version 11.
bool adaptersAreExact(const Model &model) {
  return none_of(model.proto.graph().node(), [&](const onnx::NodeProto &node) {
    return node.domain().empty() && (node.op_type() == "Upsample" || node.op_type() == "Resize") &&
           model.since(node) <= 10;
  });
}

/// Whether a node has a form that `lowers` does not accept and its op has a newer one that it does.
bool conversionHelps(const Model &model, LowersNode lowers) {
  return any_of(model.proto.graph().node(), [&](const onnx::NodeProto &node) {
    const onnx::OpSchema *newest =
        onnx::OpSchemaRegistry::Schema(node.op_type(), newestOpset(), node.domain());
    return newest && !lowers(node.domain(), node.op_type(), model.since(node)) &&
           lowers(node.domain(), node.op_type(), newest->since_version());
  });
}

/// Ops that are defined by other ops and that the importer does not lower as they are.
onnx::inliner::FunctionIdVector compositeOps(const Model &model, LowersNode lowers) {
  onnx::inliner::FunctionIdVector ops;
  for (const auto &node : model.proto.graph().node()) {
    const onnx::OpSchema *schema =
        onnx::OpSchemaRegistry::Schema(node.op_type(), model.opset(node.domain()), node.domain());
    if (schema && (schema->HasFunction() || schema->HasContextDependentFunction()) &&
        !lowers(node.domain(), node.op_type(), schema->since_version()) &&
        !is_contained(ops, std::pair(node.domain(), node.op_type())))
      ops.push_back({node.domain(), node.op_type()});
  }
  return ops;
}

/// States the types of initialisers among the graph's values, where the inliner looks for them.
void stateInitializerTypes(onnx::GraphProto &graph) {
  StringSet<> stated;
  for (const auto &input : graph.input())
    stated.insert(input.name());
  for (const auto &value : graph.value_info())
    stated.insert(value.name());
  for (const auto &init : graph.initializer()) {
    if (!stated.insert(init.name()).second)
      continue;
    auto *value = graph.add_value_info();
    value->set_name(init.name());
    auto *tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(init.data_type());
    auto *shape = tensor->mutable_shape();
    for (int64_t d : init.dims())
      shape->add_dim()->set_dim_value(d);
  }
}

} // namespace

void stateDefaults(onnx::NodeProto &node, const onnx::OpSchema &schema) {
  for (const auto &[name, attribute] : schema.attributes())
    if (attribute.default_value.has_name() &&
        none_of(node.attribute(), [&](const auto &own) { return own.name() == name; }))
      *node.add_attribute() = attribute.default_value;
}

bool simplifyModel(Model &model, VersionConversion conversion, LowersNode lowers,
                   ImportReport &report) {
  auto graph = [&]() -> onnx::GraphProto & { return *model.proto.mutable_graph(); };
  if (model.proto.functions_size()) {
    try {
      onnx::inliner::InlineLocalFunctions(model.proto, /*convert_version=*/true);
    } catch (const std::exception &error) {
      report.errors.push_back("the model's functions cannot be inlined: " +
                              libraryMessage(error.what()));
      return false;
    }
    normaliseNames(graph(), "");
    if (!orderGraph(graph(), report))
      return false;
  }
  if (model.refused.empty() && adaptersAreExact(model) &&
      (conversion == VersionConversion::Always ||
       (conversion == VersionConversion::WhereNeeded && conversionHelps(model, lowers))))
    convertVersion(model);
  // A body may use composite ops in turn; ONNX's own are at most a few levels deep.
  for (int level = 0; level < 8; ++level) {
    auto ops = compositeOps(model, lowers);
    if (ops.empty())
      break;
    for (auto &node : *graph().mutable_node())
      if (is_contained(ops, std::pair(node.domain(), node.op_type())))
        stateDefaults(node, *onnx::OpSchemaRegistry::Schema(
                                node.op_type(), model.opset(node.domain()), node.domain()));
    onnx::ModelProto inlined = model.proto;
    stateInitializerTypes(*inlined.mutable_graph());
    try {
      auto set = onnx::inliner::FunctionIdSet::Create(std::move(ops));
      onnx::inliner::InlineSelectedFunctions(inlined, *set, onnx::OpSchemaRegistry::Instance());
    } catch (const std::exception &) {
      // The nodes stay as they are and will be listed as unsupported.
      break;
    }
    const bool changed = inlined.graph().node_size() != graph().node_size();
    model.proto.Swap(&inlined);
    normaliseNames(graph(), "");
    if (!changed)
      break;
  }
  return orderGraph(graph(), report);
}

} // namespace mlir::dojo::onnximport
