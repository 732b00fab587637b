// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Types.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

TypeUse typeUse(StringRef domain, StringRef op) {
  static const StringSet<> moves = {"CenterCropPad", "Compress",
                                    "Concat",        "ConstantOfShape",
                                    "DepthToSpace",  "Expand",
                                    "EyeLike",       "Flatten",
                                    "Gather",        "GatherElements",
                                    "GatherND",      "Identity",
                                    "OneHot",        "Pad",
                                    "Reshape",       "ReverseSequence",
                                    "Shape",         "Size",
                                    "Slice",         "SpaceToDepth",
                                    "Split",         "Squeeze",
                                    "TensorScatter", "Tile",
                                    "Transpose",     "Trilu",
                                    "Unsqueeze",     "Where"};
  static const StringSet<> own = {"BitCast", "Cast", "CastLike",       "DequantizeLinear",
                                  "If",      "Loop", "QuantizeLinear", "Scan"};
  if (!domain.empty())
    return TypeUse::Arithmetic;
  return moves.contains(op) ? TypeUse::Moves
         : own.contains(op) ? TypeUse::Own
                            : TypeUse::Arithmetic;
}

static bool isNarrowFloat(int32_t elem) {
  return elem == TensorProto::FLOAT16 || elem == TensorProto::BFLOAT16;
}

bool isCoded(int32_t elem) {
  ElemInfo info = elemInfo(elem);
  return elem == TensorProto::DOUBLE || info.codeBits;
}

std::string refusedType(const Node &node, TypeUse use) {
  auto check = [&](int32_t elem) -> std::string {
    if (elem == TensorProto::UNDEFINED)
      return "";
    const std::string name = elemInfo(elem).name.str();
    if (elemInfo(elem).bytes == 0)
      return "the element type " + name + " is not supported";
    if (use != TypeUse::Arithmetic || !isCoded(elem))
      return "";
    return "the element type " + name + " is not supported for arithmetic, only moved and cast";
  };
  for (const ValueInfo *input : node.inputs)
    if (input)
      if (std::string error = check(input->type.elem); !error.empty())
        return error;
  for (const TensorType &type : node.outputs)
    if (std::string error = check(type.elem); !error.empty())
      return error;
  return "";
}

Constant toFloat(const Constant &constant) {
  std::string bytes;
  bytes.reserve(constant.count() * sizeof(float));
  for (int64_t i = 0; i < constant.count(); ++i)
    appendElement(bytes, TensorProto::FLOAT, constant.asDouble(i));
  return Constant({TensorProto::FLOAT, Dims(constant.dims())}, std::move(bytes));
}

bool FloatNode::isNeeded(const Node &node) {
  return any_of(node.inputs, [](const ValueInfo *v) { return v && isNarrowFloat(v->type.elem); }) ||
         any_of(node.outputs, [](const TensorType &type) { return isNarrowFloat(type.elem); });
}

FloatNode::FloatNode(Node &original, TensorBuilder &b)
    : original(original), b(b), node(original.proto, original.since) {
  for (ValueInfo *input : original.inputs) {
    node.inputs.push_back(input);
    if (!input || !isNarrowFloat(input->type.elem))
      continue;
    ValueInfo &wide = operands.emplace_back(*input);
    node.inputs.back() = &wide;
    wide.type.elem = TensorProto::FLOAT;
    wide.value = {};
    if (input->constant) {
      wide.constant = toFloat(*input->constant);
      continue;
    }
    ArrayRef<int64_t> dims = input->type.dims;
    wide.value = b.elementwise(dims, b.getF32Type(), b.broadcast(input->value, dims),
                               [](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                                 return arith::ExtFOp::create(ob, loc, ob.getF32Type(), v[0]);
                               });
  }
  node.outputs = original.outputs;
  for (TensorType &type : node.outputs)
    if (isNarrowFloat(type.elem))
      type.elem = TensorProto::FLOAT;
}

Value FloatNode::narrowed(Value value, unsigned i) {
  const int32_t elem = original.outputs[i].elem;
  // Lowerings may know the dimensions better than inference.
  original.outputs[i].dims = node.outputs[i].dims;
  if (!value || !isNarrowFloat(elem) || !TensorBuilder::elementOf(value).isF32())
    return value;
  Type type = runtimeType(b.getContext(), elem);
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(value);
  return b.elementwise(dims, type, b.broadcast(value, dims),
                       [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                         return arith::TruncFOp::create(ob, loc, type, v[0]);
                       });
}

} // namespace mlir::dojo::onnximport
