// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Fold.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

// Results up to this size are always folded; larger ones only if they are not much larger than the
// operands, so that a broadcast of a weight is done on the chip and not stored.
constexpr int64_t kAlwaysFoldBytes = 64 << 10;

std::optional<Constant> foldConstantNode(const Node &node, FileStore &files, StringRef modelPath) {
  for (const auto &attribute : node.proto.attribute()) {
    StringRef name = attribute.name();
    if (name == "value" && attribute.has_t()) {
      auto constant = Constant::fromTensor(attribute.t(), files, modelPath);
      if (constant)
        return *constant;
      consumeError(constant.takeError());
      return std::nullopt;
    }
    if (name == "value_int")
      return Constant::ofInts(attribute.i(), /*scalar=*/true);
    if (name == "value_ints")
      return Constant::ofInts(ArrayRef<int64_t>(attribute.ints().data(), attribute.ints_size()));
    if (name == "value_float")
      return Constant::ofFloats(attribute.f(), {});
    if (name == "value_floats")
      return Constant::ofFloats(ArrayRef<float>(attribute.floats().data(), attribute.floats_size()),
                                {attribute.floats_size()});
  }
  return std::nullopt;
}

std::optional<Constant> foldConstantOfShape(const Node &node) {
  const TensorType &type = node.outputs[0];
  const unsigned size = elemInfo(type.elem).bytes;
  std::string element(size, '\0');
  if (const auto *value = node.attr("value")) {
    FileStore none;
    auto constant = Constant::fromTensor(value->t(), none, "");
    if (!constant) {
      consumeError(constant.takeError());
      return std::nullopt;
    }
    if (constant->count() != 1 || constant->elem() != type.elem)
      return std::nullopt;
    element = constant->bytes().str();
  }
  std::string bytes;
  for (int64_t i = 0, e = *elementCount(type.dims); i < e; ++i)
    bytes += element;
  return Constant(type, std::move(bytes));
}

std::optional<Constant> foldShape(const Node &node) {
  const int64_t rank = node.rank(0);
  if (node.op() == "Size") {
    auto count = elementCount(node.dims(0));
    return count ? std::optional(Constant::ofInts(*count, /*scalar=*/true)) : std::nullopt;
  }
  auto clampIndex = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
  int64_t start = clampIndex(node.intAttr("start", 0));
  int64_t end = clampIndex(node.intAttr("end", rank));
  return Constant::ofInts(node.dims(0).slice(start, std::max<int64_t>(end - start, 0)));
}

std::optional<Constant> foldRange(const Node &node) {
  const TensorType &type = node.outputs[0];
  for (unsigned i = 0; i < 3; ++i)
    if (!node.constant(i) || node.constant(i)->count() != 1)
      return std::nullopt;
  std::string bytes;
  const bool isFloat = elemInfo(type.elem).kind == ElemClass::Float;
  for (int64_t i = 0, e = *elementCount(type.dims); i < e; ++i) {
    if (isFloat)
      appendElement(bytes, type.elem,
                    node.constant(0)->asDouble(0) + double(i) * node.constant(2)->asDouble(0));
    else
      appendElement(bytes, type.elem,
                    int64_t(uint64_t(node.constant(0)->asInt(0)) +
                            uint64_t(i) * uint64_t(node.constant(2)->asInt(0))));
  }
  return Constant(type, std::move(bytes));
}

/// True if every result has a complete numeric type and is worth storing.
bool resultsAreSmall(const Node &node) {
  int64_t operandBytes = 0;
  for (const ValueInfo *input : node.inputs)
    if (input && input->constant)
      operandBytes += int64_t(input->constant->bytes().size());
  for (const TensorType &type : node.outputs) {
    auto count = elementCount(type.dims);
    ElemInfo info = elemInfo(type.elem);
    if (!count || info.kind == ElemClass::Other)
      return false;
    const int64_t bytes = *count * info.bytes;
    if (bytes > std::max(kAlwaysFoldBytes, 4 * operandBytes))
      return false;
  }
  return true;
}

} // namespace

std::optional<SmallVector<Constant>> foldNode(const Node &node, FileStore &files,
                                              StringRef modelPath) {
  auto one = [](std::optional<Constant> constant) -> std::optional<SmallVector<Constant>> {
    if (!constant)
      return std::nullopt;
    return SmallVector<Constant>{*constant};
  };
  if (!node.proto.domain().empty() || node.outputs.empty())
    return std::nullopt;
  StringRef op = node.op();
  if (op == "Constant")
    return one(foldConstantNode(node, files, modelPath));
  if ((op == "Shape" || op == "Size") && node.has(0))
    return one(foldShape(node));
  // A tensor is always there.
  if (op == "OptionalHasElement")
    return one(Constant({TensorProto::BOOL, {}}, std::string(1, char(node.has(0)))));
  // Only the type of its second operand counts.
  if (op == "CastLike" && node.constant(0) && resultsAreSmall(node))
    return one(foldElementwise(node));
  for (const ValueInfo *input : node.inputs)
    if (input && !input->constant)
      return std::nullopt;
  if (!resultsAreSmall(node))
    return std::nullopt;
  if (op == "ConstantOfShape")
    return one(foldConstantOfShape(node));
  if (op == "Range" && node.inputs.size() == 3)
    return one(foldRange(node));
  if (!node.has(0) || node.info(0).kind == ElemClass::Other)
    return std::nullopt;
  if (auto result = foldMovement(node))
    return result;
  if (node.proto.output_size() != 1)
    return std::nullopt;
  if (auto result = foldElementwise(node))
    return one(result);
  return one(foldReduction(node));
}

} // namespace mlir::dojo::onnximport
