// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Import/ONNX.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace mlir::dojo {

StringRef toString(Category category) {
  switch (category) {
  case Category::Op:
    return "op";
  case Category::DataDependentShape:
    return "data-dependent shape";
  case Category::Type:
    return "type";
  case Category::Decoder:
    return "decoder";
  case Category::TooLarge:
    return "too large";
  }
  llvm_unreachable("a category");
}

std::string ImportReport::text() const {
  std::string out;
  raw_string_ostream os(out);
  for (const std::string &error : errors)
    os << "error: " << error << '\n';
  for (const UnsupportedNode &node : unsupported) {
    os << "error: node '" << node.name << "' cannot be compiled: " << node.reason << '\n';
    os << "  op:         " << node.op << " (" << node.domain;
    if (node.since)
      os << ", as of version " << node.since;
    os << ")\n";
    auto line = [&](StringRef what, const std::vector<std::string> &entries) {
      if (!entries.empty())
        os << "  " << left_justify(what, 12) << join(entries, ", ") << '\n';
    };
    line("inputs:", node.inputs);
    line("outputs:", node.outputs);
    line("attributes:", node.attributes);
    if (!node.suggestion.empty())
      os << "  suggestion: " << node.suggestion << '\n';
  }
  return out;
}

json::Value ImportReport::json() const {
  // Names and messages may quote bytes of a damaged file.
  auto text = [](StringRef bytes) {
    return json::isUTF8(bytes) ? bytes.str() : json::fixUTF8(bytes);
  };
  auto list = [&](const std::vector<std::string> &entries) {
    json::Array array;
    for (const std::string &entry : entries)
      array.push_back(text(entry));
    return array;
  };
  std::set<Category> found = limits;
  json::Array nodes;
  for (const UnsupportedNode &node : unsupported) {
    found.insert(node.category);
    nodes.push_back(json::Object{{"node", text(node.name)},
                                 {"op", text(node.op)},
                                 {"domain", text(node.domain)},
                                 {"since_version", node.since},
                                 {"inputs", list(node.inputs)},
                                 {"outputs", list(node.outputs)},
                                 {"attributes", list(node.attributes)},
                                 {"reason", text(node.reason)},
                                 {"category", toString(node.category)},
                                 {"suggestion", text(node.suggestion)}});
  }
  json::Array categories;
  for (Category category : found)
    categories.push_back(toString(category));
  return json::Object{{"errors", list(errors)},
                      {"unsupported", std::move(nodes)},
                      {"categories", std::move(categories)}};
}

} // namespace mlir::dojo
