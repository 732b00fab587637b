// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "WireFormat.h"
#include "onnx/checker.h"
#include "onnx/common/constants.h"
#include "onnx/defs/schema.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

// Raw data up to this size stays in the parsed model, where shape inference can read it.
constexpr size_t kInlineBytes = 1024;

/// Swallows what protobuf would print to stderr about bad input.
void ignoreProtobufLog(google::protobuf::LogLevel, const char *, int, const std::string &) {}

bool parseModel(StringRef bytes, onnx::ModelProto &model) {
  auto *previous = google::protobuf::SetLogHandler(ignoreProtobufLog);
  google::protobuf::io::ArrayInputStream stream(bytes.data(), int(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  bool ok = model.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
  google::protobuf::SetLogHandler(previous);
  return ok;
}

/// Replaces each tensor whose data were left in the file by an empty one, for the checker, which
/// would look for a file of that name.
void dropFileData(onnx::AttributeProto &attribute) {
  auto drop = [](onnx::TensorProto &tensor) {
    for (const auto &entry : tensor.external_data())
      if (entry.key() == "location" && entry.value() == kModelFileLocation) {
        onnx::TensorProto empty;
        empty.set_data_type(tensor.data_type());
        empty.add_dims(0);
        tensor.Swap(&empty);
        return;
      }
  };
  if (attribute.has_t())
    drop(*attribute.mutable_t());
  for (auto &t : *attribute.mutable_tensors())
    drop(t);
  auto dropInGraph = [&](onnx::GraphProto &graph) {
    for (auto &init : *graph.mutable_initializer())
      drop(init);
    for (auto &node : *graph.mutable_node())
      for (auto &inner : *node.mutable_attribute())
        dropFileData(inner);
  };
  if (attribute.has_g())
    dropInGraph(*attribute.mutable_g());
  for (auto &g : *attribute.mutable_graphs())
    dropInGraph(g);
}

bool hasFileData(const onnx::NodeProto &node) {
  return any_of(node.attribute(), [](const onnx::AttributeProto &attribute) {
    return attribute.has_t() || attribute.tensors_size() || attribute.has_g() ||
           attribute.graphs_size();
  });
}

bool checkOpsets(Model &model, ImportReport &report) {
  auto &proto = model.proto;
  if (proto.ir_version() < 3) {
    // Such models name no opset.
    if (proto.ir_version() <= 0)
      report.errors.push_back("the model has no IR version; it is not an ONNX model");
    else
      report.errors.push_back("the model's IR version " + std::to_string(proto.ir_version()) +
                              " is too old; 3 is the oldest that is read");
    return false;
  }
  if (proto.ir_version() > onnx::IR_VERSION) {
    report.errors.push_back("the model's IR version " + std::to_string(proto.ir_version()) +
                            " is newer than " + std::to_string(int(onnx::IR_VERSION)) +
                            ", the newest this ONNX library knows");
    return false;
  }
  StringMap<int64_t> seen;
  for (auto &import : *proto.mutable_opset_import()) {
    if (import.domain() == onnx::AI_ONNX_DOMAIN)
      import.set_domain("");
    const int64_t version = import.version();
    const auto &ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
    auto range = ranges.find(import.domain());
    std::string domain = import.domain().empty() ? "ai.onnx" : import.domain();
    if (!seen.try_emplace(domain, version).second)
      report.errors.push_back("the model imports the opset of domain '" + domain + "' twice");
    else if (version < 1 || (range != ranges.end() && version > range->second.second))
      report.errors.push_back("the model uses version " + std::to_string(version) +
                              " of the opset '" + domain + "'; this ONNX library knows " +
                              (range == ranges.end()
                                   ? std::string("versions from 1 on")
                                   : "1 to " + std::to_string(range->second.second)));
  }
  if (proto.opset_import().empty())
    report.errors.push_back("the model imports no opset");
  return report.errors.empty();
}

} // namespace

std::string libraryMessage(StringRef text) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, false);
  std::string out;
  for (StringRef line : lines) {
    line = line.trim();
    if (line.empty() || line.starts_with("==> Context"))
      continue;
    if (!out.empty())
      out += ' ';
    out += line.str();
  }
  return out;
}

void normaliseNames(onnx::GraphProto &graph, StringRef where) {
  int index = 0;
  for (auto &node : *graph.mutable_node()) {
    if (node.domain() == onnx::AI_ONNX_DOMAIN)
      node.set_domain("");
    if (node.name().empty())
      node.set_name((where + node.op_type() + "_" + Twine(index)).str());
    ++index;
    for (auto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        normaliseNames(*attribute.mutable_g(), node.name() + "/");
      for (auto &g : *attribute.mutable_graphs())
        normaliseNames(g, node.name() + "/");
    }
  }
}

bool checkModel(Model &model, ImportReport &report) {
  using namespace onnx::checker;
  CheckerContext context;
  context.set_ir_version(int(model.proto.ir_version()));
  std::unordered_map<std::string, int> imports;
  for (const auto &import : model.proto.opset_import())
    imports[import.domain()] = int(import.version());
  context.set_opset_imports(imports);
  StringRef directory = sys::path::parent_path(model.path);
  context.set_model_dir(directory.empty() ? "." : directory.str());

  auto guarded = [&](const Twine &what, auto check) {
    try {
      check();
    } catch (const std::exception &error) {
      report.errors.push_back((what + ": " + libraryMessage(error.what())).str());
    }
  };
  LexicalScopeContext scope;
  const auto &graph = model.proto.graph();
  for (const auto &input : graph.input())
    scope.add(input.name());
  for (const auto &init : graph.initializer()) {
    // Constant::fromTensor checks the data left in the file against the dimensions.
    bool inFile = any_of(init.external_data(), [](const auto &entry) {
      return entry.key() == "location" && entry.value() == kModelFileLocation;
    });
    if (!inFile)
      guarded("initializer '" + init.name() + "'", [&] { check_tensor(init, context); });
    scope.add(init.name());
  }
  if (graph.sparse_initializer_size())
    report.errors.push_back("the model has sparse initializers, which are not supported");
  for (const auto &node : graph.node()) {
    try {
      if (hasFileData(node)) {
        onnx::NodeProto copy = node;
        for (auto &attribute : *copy.mutable_attribute())
          dropFileData(attribute);
        check_node(copy, context, scope);
      } else {
        check_node(node, context, scope);
      }
    } catch (const std::exception &error) {
      StringRef key = node.output_size() ? node.output(0) : node.name();
      model.refused.try_emplace(key, libraryMessage(error.what()));
    }
    for (const auto &output : node.output())
      if (!output.empty())
        scope.add(output);
  }
  if (model.proto.functions_size())
    guarded("functions", [&] { check_model_local_functions(model.proto, context, scope); });
  return report.errors.empty();
}

int Model::opset(StringRef domain) const {
  for (const auto &import : proto.opset_import())
    if (import.domain() == domain)
      return int(import.version());
  return 0;
}

int Model::since(const onnx::NodeProto &node) const {
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(node.op_type(), opset(node.domain()), node.domain());
  return schema ? schema->since_version() : 0;
}

bool loadModel(StringRef path, FileStore &files, Model &model, ImportReport &report) {
  model.path = path.str();
  auto bytes = files.open(path);
  if (!bytes) {
    report.errors.push_back("cannot read the model: " + toString(bytes.takeError()));
    return false;
  }
  auto stripped = moveRawDataOut(*bytes, kInlineBytes);
  if (!stripped) {
    report.errors.push_back("'" + model.path +
                            "' is not an ONNX model: " + toString(stripped.takeError()));
    return false;
  }
  if (stripped->size() > size_t(std::numeric_limits<int>::max())) {
    report.errors.push_back("'" + model.path +
                            "' holds more than 2 GB besides raw data; "
                            "store its weights as raw data or as external data");
    return false;
  }
  if (!parseModel(*stripped, model.proto) || !model.proto.has_graph()) {
    report.errors.push_back("'" + model.path + "' is not an ONNX model" +
                            (bytes->empty() ? ": the file is empty" : ""));
    return false;
  }
  if (!checkOpsets(model, report))
    return false;
  normaliseNames(*model.proto.mutable_graph(), "");
  model.proto.clear_training_info();
  if (model.proto.graph().output().empty()) {
    report.errors.push_back("the model has no outputs");
    return false;
  }
  return orderGraph(*model.proto.mutable_graph(), report) && checkModel(model, report);
}

} // namespace mlir::dojo::onnximport
