// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Import/ONNX.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace mlir::dojo {

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
  json::Array nodes;
  for (const UnsupportedNode &node : unsupported)
    nodes.push_back(json::Object{{"node", text(node.name)},
                                 {"op", text(node.op)},
                                 {"domain", text(node.domain)},
                                 {"since_version", node.since},
                                 {"inputs", list(node.inputs)},
                                 {"outputs", list(node.outputs)},
                                 {"attributes", list(node.attributes)},
                                 {"reason", text(node.reason)}});
  return json::Object{{"errors", list(errors)}, {"unsupported", std::move(nodes)}};
}

} // namespace mlir::dojo
