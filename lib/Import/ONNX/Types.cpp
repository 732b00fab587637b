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

bool takesDouble(StringRef domain, StringRef op) {
  static constexpr StringLiteral names =
      "Abs Add Bernoulli Ceil Celu Clip CumProd CumSum Div Einsum Elu Equal Exp Floor "
      "Gemm Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN LeakyRelu Less "
      "LessOrEqual Log LogSoftmax MatMul Max Mean Min Mod Mul Neg PRelu RandomNormal "
      "RandomNormalLike RandomUniform RandomUniformLike Reciprocal ReduceL1 ReduceL2 "
      "ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
      "ReduceSumSquare Relu Round Selu Shrink Sigmoid Sign Softmax Softsign Sqrt Sub "
      "Sum Swish ThresholdedRelu";
  static const StringSet<> ops = [] {
    SmallVector<StringRef> list;
    names.split(list, ' ');
    StringSet<> set;
    set.insert_range(list);
    return set;
  }();
  return domain.empty() ? ops.contains(op) : domain == "ai.onnx.ml" && op == "TreeEnsemble";
}

static bool hasDouble(const Node &node) {
  auto isDouble = [](int32_t elem) { return elem == TensorProto::DOUBLE; };
  return any_of(node.inputs, [&](const ValueInfo *v) { return v && isDouble(v->type.elem); }) ||
         any_of(node.outputs, [&](const TensorType &type) { return isDouble(type.elem); });
}

/// Scatters that do not reduce are moves too.
static TypeUse declaredUse(const Node &node) {
  if (node.proto.domain().empty() && node.op().starts_with("Scatter") &&
      node.stringAttr("reduction", "none") == "none")
    return TypeUse::Moves;
  return typeUse(node.proto.domain(), node.op());
}

TypeUse typeUse(const Node &node, bool demoteDoubles) {
  const TypeUse use = declaredUse(node);
  return demoteDoubles && hasDouble(node) && node.op() != "BitCast" ? TypeUse::Arithmetic : use;
}

bool isCoded(int32_t elem) {
  ElemInfo info = elemInfo(elem);
  return elem == TensorProto::DOUBLE || info.codeBits;
}

std::string refusedType(const Node &node, bool demoteDoubles) {
  const TypeUse use = declaredUse(node);
  auto check = [&](int32_t elem) -> std::string {
    if (elem == TensorProto::UNDEFINED)
      return "";
    const std::string name = elemInfo(elem).name.str();
    if (elemInfo(elem).bytes == 0)
      return "the element type " + name + " is not supported";
    const bool isDouble = elem == TensorProto::DOUBLE;
    if (use != TypeUse::Arithmetic || !isCoded(elem) ||
        (isDouble && (demoteDoubles || takesDouble(node.proto.domain(), node.op()))))
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

bool FloatNode::isConverted(int32_t elem, bool demoteDoubles) {
  return elem == TensorProto::FLOAT16 || elem == TensorProto::BFLOAT16 ||
         (demoteDoubles && elem == TensorProto::DOUBLE);
}

bool FloatNode::isNeeded(const Node &node, bool demoteDoubles) {
  auto is = [&](int32_t elem) { return isConverted(elem, demoteDoubles); };
  return any_of(node.inputs, [&](const ValueInfo *v) { return v && is(v->type.elem); }) ||
         any_of(node.outputs, [&](const TensorType &type) { return is(type.elem); });
}

Value FloatNode::converted(Value value, int32_t from, int32_t to) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(value);
  return b.elementwise(
      dims, runtimeType(b.getContext(), to), b.broadcast(value, dims),
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        // The machine rounds to bfloat16 when it stores.
        if (to == TensorProto::BFLOAT16)
          return arith::TruncFOp::create(ob, loc, ob.getBF16Type(), v[0]).getResult();
        return castScalar(ob, loc, v[0], from, to);
      });
}

FloatNode::FloatNode(Node &original, TensorBuilder &b, bool demoteDoubles)
    : original(original), b(b), demoteDoubles(demoteDoubles), node(original.proto, original.since) {
  for (ValueInfo *input : original.inputs) {
    node.inputs.push_back(input);
    if (!input || !isConverted(input->type.elem))
      continue;
    ValueInfo &wide = operands.emplace_back(*input);
    node.inputs.back() = &wide;
    wide.type.elem = TensorProto::FLOAT;
    wide.value = input->inFloat;
    if (input->constant)
      wide.constant = toFloat(*input->constant);
    else if (!wide.value)
      wide.value = converted(input->value, input->type.elem, TensorProto::FLOAT);
    if (input->type.elem == TensorProto::DOUBLE)
      input->inFloat = wide.value;
  }
  node.outputs = original.outputs;
  node.leftOut = original.leftOut;
  for (TensorType &type : node.outputs)
    if (isConverted(type.elem))
      type.elem = TensorProto::FLOAT;
}

ValueInfo FloatNode::result(Value value, unsigned i) {
  const int32_t elem = original.outputs[i].elem;
  // Lowerings may know the dimensions better than inference.
  original.outputs[i].dims = node.outputs[i].dims;
  ValueInfo info{original.outputs[i], true, std::nullopt, value};
  if (!value || !isConverted(elem) || !TensorBuilder::elementOf(value).isF32())
    return info;
  info.value = converted(value, TensorProto::FLOAT, elem);
  if (elem == TensorProto::DOUBLE)
    info.inFloat = value;
  return info;
}

} // namespace mlir::dojo::onnximport
