// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Suggest.h"
#include "Lowering.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

StringRef shownDomain(StringRef domain) { return domain.empty() ? "ai.onnx" : domain; }

/// Operands that are not known at compile time: graph inputs can be bound.
std::string bindOperands(const Node &node, function_ref<bool(StringRef)> isInput) {
  std::string options, others;
  for (auto [i, name] : enumerate(node.proto.input())) {
    // The first operand of most ops is data; where it alone could decide, it is named.
    const bool isData = i == 0 && node.proto.input_size() > 1;
    if (name.empty() || isData || !node.isDynamic(unsigned(i)) || node.rank(unsigned(i)) > 1)
      continue;
    if (isInput(name))
      options += " --const " + name + "=FILE.npy";
    else
      others += (others.empty() ? "'" : ", '") + name + "'";
  }
  if (!options.empty())
    return "fix the operand at compile time:" + options;
  if (!others.empty())
    return "compute " + others + " from constants and shapes alone, so that the compiler knows it";
  return "cut the model before this node, or replace the op by one whose result has a fixed shape";
}

std::string otherForms(const Node &node) {
  std::string versions, domains;
  for (const OpEntry &entry : allLowerings()) {
    if (entry.op != node.op())
      continue;
    if (entry.domain != node.proto.domain()) {
      domains += (domains.empty() ? "'" : ", '") + shownDomain(entry.domain).str() + "'";
      continue;
    }
    versions += versions.empty() ? "" : ", ";
    versions += std::to_string(entry.first);
    if (entry.last != entry.first)
      versions += " to " + std::to_string(entry.last);
  }
  if (!versions.empty() && !findLowering(node.proto.domain(), node.op(), node.since))
    return "convert the model to an opset whose " + node.op().str() + " is of version " + versions;
  if (versions.empty() && !domains.empty())
    return "use the op of this name of the domain " + domains;
  return "";
}

bool hasDouble(const Node &node) {
  auto isDouble = [](int32_t elem) { return elem == onnx::TensorProto::DOUBLE; };
  return any_of(node.inputs, [&](auto *info) { return info && isDouble(info->type.elem); }) ||
         any_of(node.outputs, [&](const TensorType &type) { return isDouble(type.elem); });
}

/// What a node without those of its outputs that are strings would be; empty if it has none.
std::string withoutStrings(const Node &node) {
  std::string names;
  bool others = false;
  for (auto [i, type] : enumerate(node.outputs)) {
    if (!node.outputUsed(unsigned(i)))
      continue;
    if (type.elem == onnx::TensorProto::STRING)
      names += (names.empty() ? "'" : ", '") + node.proto.output(int(i)) + "'";
    else
      others = true;
  }
  if (names.empty() || !others)
    return "";
  return "remove what reads " + names + ": the other outputs can be computed without";
}

} // namespace

std::string suggestion(const Node &node, Category category, function_ref<bool(StringRef)> isInput) {
  switch (category) {
  case Category::Op:
    return otherForms(node);
  case Category::DataDependentShape:
    return bindOperands(node, isInput);
  case Category::Type:
    if (std::string other = withoutStrings(node); !other.empty())
      return other;
    if (hasDouble(node))
      return "compute float64 in float32 with --demote-f64";
    return "cast to a type that the device computes, or cut the model here";
  case Category::Decoder:
    return "decode images before the model runs, and give it their pixels";
  case Category::TooLarge:
    return "divide the tensors, or give the model more nodes";
  }
  llvm_unreachable("a category");
}

} // namespace mlir::dojo::onnximport
