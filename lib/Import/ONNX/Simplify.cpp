// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/version_converter/convert.h"

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
/// changed in version 11, that of Scan 8 drops the batch, and that of Hardmax 11 that all
/// dimensions from the axis on are one.
bool adaptersAreExact(const Model &model) {
  return none_of(model.proto.graph().node(), [&](const onnx::NodeProto &node) {
    const int since = model.since(node);
    return node.domain().empty() &&
           (((node.op_type() == "Upsample" || node.op_type() == "Resize") && since <= 10) ||
            (node.op_type() == "Scan" && since <= 8) ||
            (node.op_type() == "Hardmax" && since <= 11));
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
  return orderGraph(graph(), report);
}

} // namespace mlir::dojo::onnximport
