// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"
#include "WireFormat.h"
#include "onnx/checker.h"
#include "onnx/common/constants.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/version_converter/convert.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
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

/// The message of the ONNX library without its line breaks and its source locations.
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

void normaliseDomains(onnx::GraphProto &graph, StringRef where) {
  int index = 0;
  for (auto &node : *graph.mutable_node()) {
    if (node.domain() == onnx::AI_ONNX_DOMAIN)
      node.set_domain("");
    if (node.name().empty())
      node.set_name((where + node.op_type() + "_" + Twine(index)).str());
    ++index;
    for (auto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        normaliseDomains(*attribute.mutable_g(), node.name() + "/");
      for (auto &g : *attribute.mutable_graphs())
        normaliseDomains(g, node.name() + "/");
    }
  }
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

/// Runs the ONNX checker piece by piece, so that all findings are reported, not only the first.
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

} // namespace

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
  normaliseDomains(*model.proto.mutable_graph(), "");
  model.proto.clear_training_info();
  if (model.proto.graph().output().empty()) {
    report.errors.push_back("the model has no outputs");
    return false;
  }
  return orderGraph(*model.proto.mutable_graph(), report) && checkModel(model, report);
}

//===----------------------------------------------------------------------===//
// Conversion and inlining
//===----------------------------------------------------------------------===//

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

void convertVersion(Model &model) {
  const auto &ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance();
  const int newest = ranges.LastReleaseVersionMap().at("");
  const int version = model.opset("");
  if (version == 0 || version >= newest)
    return;
  try {
    onnx::ModelProto converted = onnx::version_conversion::ConvertVersion(model.proto, newest);
    // The adapters work on another representation of the graph; keep the model as it was if that
    // changed what the user sees of it.
    if (signatureOf(converted.graph()) != signatureOf(model.proto.graph()))
      return;
    normaliseDomains(*converted.mutable_graph(), "");
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

/// Whether a node has a form that a later version of its op may not have.
bool hasUnreadForm(const Model &model, LowersNode lowers) {
  return any_of(model.proto.graph().node(), [&](const onnx::NodeProto &node) {
    return node.op_type() != "Constant" &&
           !lowers(node.domain(), node.op_type(), model.since(node));
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
    normaliseDomains(graph(), "");
    if (!orderGraph(graph(), report))
      return false;
  }
  if (model.refused.empty() && adaptersAreExact(model) &&
      (conversion == VersionConversion::Always ||
       (conversion == VersionConversion::WhereNeeded && hasUnreadForm(model, lowers))))
    convertVersion(model);
  // A body may use composite ops in turn; ONNX's own are at most a few levels deep.
  for (int level = 0; level < 8; ++level) {
    auto ops = compositeOps(model, lowers);
    if (ops.empty())
      break;
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
    normaliseDomains(graph(), "");
    if (!changed)
      break;
  }
  return orderGraph(graph(), report);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

namespace {

/// Names a node reads: its inputs and whatever its graphs read, which includes names they define.
void collectReads(const onnx::NodeProto &node, SmallVectorImpl<StringRef> &names) {
  for (const auto &input : node.input())
    if (!input.empty())
      names.push_back(input);
  auto collect = [&](const onnx::GraphProto &graph) {
    for (const auto &inner : graph.node())
      collectReads(inner, names);
    for (const auto &output : graph.output())
      names.push_back(output.name());
  };
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      collect(attribute.g());
    for (const auto &graph : attribute.graphs())
      collect(graph);
  }
}

} // namespace

bool orderGraph(onnx::GraphProto &graph, ImportReport &report) {
  const int count = graph.node_size();
  StringMap<int> producers; // -1: an input or initialiser
  for (const auto &init : graph.initializer())
    if (!producers.try_emplace(init.name(), -1).second)
      report.errors.push_back("two initializers have the name '" + init.name() + "'");
  StringMap<bool> inputs;
  for (const auto &input : graph.input()) {
    if (!inputs.try_emplace(input.name(), true).second)
      report.errors.push_back("two inputs have the name '" + input.name() + "'");
    producers.try_emplace(input.name(), -1);
  }
  for (int i = 0; i < count; ++i)
    for (const auto &output : graph.node(i).output())
      if (!output.empty() && !producers.try_emplace(output, i).second)
        report.errors.push_back("node '" + graph.node(i).name() + "' defines '" + output +
                                "', which is already defined");
  if (!report.errors.empty())
    return false;

  std::vector<SmallVector<int>> needs(count);
  for (int i = 0; i < count; ++i) {
    SmallVector<StringRef> names;
    collectReads(graph.node(i), names);
    for (StringRef name : names) {
      auto it = producers.find(name);
      if (it != producers.end() && it->second >= 0)
        needs[i].push_back(it->second);
    }
    for (const auto &input : graph.node(i).input())
      if (!input.empty() && !producers.count(input))
        report.errors.push_back("node '" + graph.node(i).name() + "' reads '" + input +
                                "', which nothing defines");
  }

  // Depth first from the outputs: what is never reached is unused, a node met again while it is
  // still open closes a cycle.
  enum class State : char { New, Open, Done };
  std::vector<State> state(count, State::New);
  std::vector<bool> live(count, false);
  std::vector<int> order;
  auto visit = [&](int root) {
    std::vector<std::pair<int, size_t>> stack{{root, 0}};
    while (!stack.empty()) {
      auto &[node, next] = stack.back();
      if (next == 0) {
        if (state[node] == State::Done) {
          stack.pop_back();
          continue;
        }
        state[node] = State::Open;
      }
      if (next == needs[node].size()) {
        state[node] = State::Done;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      int need = needs[node][next++];
      if (state[need] == State::Open) {
        std::string cycle;
        auto first = find_if(stack, [&](const auto &entry) { return entry.first == need; });
        for (auto it = first; it != stack.end(); ++it)
          cycle += "'" + graph.node(it->first).name() + "' needs ";
        report.errors.push_back("the graph has a cycle: " + cycle + "'" + graph.node(need).name() +
                                "'");
        return false;
      }
      if (state[need] == State::New)
        stack.push_back({need, 0});
    }
    return true;
  };
  // Cycles are errors even where no output needs them. Visiting in the order of the file leaves a
  // sorted graph as it is.
  for (int i = 0; i < count; ++i)
    if (state[i] == State::New && !visit(i))
      return false;

  SmallVector<int> pending;
  for (const auto &output : graph.output()) {
    auto it = producers.find(output.name());
    if (it == producers.end())
      report.errors.push_back("nothing defines the output '" + output.name() + "'");
    else if (it->second >= 0)
      pending.push_back(it->second);
  }
  if (!report.errors.empty())
    return false;
  while (!pending.empty()) {
    int node = pending.pop_back_val();
    if (live[node])
      continue;
    live[node] = true;
    pending.append(needs[node].begin(), needs[node].end());
  }

  google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
  for (int i : order)
    if (live[i])
      sorted.Add()->Swap(graph.mutable_node(i));
  graph.mutable_node()->Swap(&sorted);
  return true;
}

} // namespace mlir::dojo::onnximport
