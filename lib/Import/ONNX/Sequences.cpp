// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences of tensors. Their lengths are known at compile time, so a sequence is a list of values
// and its ops are done while importing; only tensors are left.

#include "Importer.h"
#include "Infer.h"
#include "Ops/Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

/// A node on sequences: its operands by position, null if absent.
struct Importer::SequenceNode {
  Node &node;
  SmallVector<ValueInfo *> operands;

  bool has(unsigned i) const { return i < operands.size() && operands[i]; }
  /// The sequence that is operand `i`; an error if it is none.
  const std::vector<ValueInfo> &sequence(unsigned i) const { return *operands[i]->elements; }
  bool isSequence(unsigned i) const { return has(i) && operands[i]->elements; }
  /// The number that operand `i` holds, `otherwise` if it is absent.
  std::optional<int64_t> position(unsigned i, int64_t otherwise) const {
    if (!has(i))
      return otherwise;
    const auto &constant = operands[i]->constant;
    if (!constant || constant->count() != 1)
      return std::nullopt;
    return constant->asInt(0);
  }
};

std::string Importer::splitToSequence(const SequenceNode &n, std::vector<ValueInfo> &parts) {
  ValueInfo &from = *n.operands[0];
  const Dims dims = from.type.dims;
  auto axis = normaliseAxis(n.node.intAttr("axis", 0), dims.size());
  if (!axis)
    return "axis is outside the dimensions of the input";
  SmallVector<int64_t> sizes;
  const bool single = !n.has(1);
  if (single) {
    sizes.assign(dims[*axis], 1);
  } else if (const auto &split = n.operands[1]->constant) {
    sizes = split->ints();
    if (split->dims().empty()) {
      const int64_t size = sizes[0];
      if (size <= 0)
        return "the parts must have positive sizes";
      sizes.clear();
      for (int64_t at = 0; at < dims[*axis]; at += size)
        sizes.push_back(std::min(size, dims[*axis] - at));
    }
  } else if (n.operands[1]->type.dims.size() == 1) {
    // Parts of unknown sizes: their number is known.
    parts.resize(n.operands[1]->type.dims[0]);
    return "";
  } else {
    return "a size of the parts that is not constant is not supported";
  }
  int64_t at = 0;
  Value whole = materialise(from);
  for (int64_t size : sizes) {
    if (size < 0 || at + size > dims[*axis])
      return "the parts do not fit the input";
    Value part = sliceAlong(b, whole, *axis, at, size);
    at += size;
    if (single && !n.node.intAttr("keepdims", 1)) {
      Dims rest(TensorBuilder::dimsOf(part));
      rest.erase(rest.begin() + *axis);
      part = b.reshape(part, rest);
    }
    parts.push_back(info(part, from.type.elem));
  }
  return at == dims[*axis] ? "" : "the parts do not fit the input";
}

std::string Importer::concatFromSequence(const SequenceNode &n, ValueInfo &result) {
  std::vector<ValueInfo> parts = n.sequence(0);
  if (parts.empty())
    return "the sequence is empty";
  const bool fresh = n.node.intAttr("new_axis", 0);
  const TensorType first = parts[0].type;
  const int64_t rank = int64_t(first.dims.size()) + fresh;
  auto axis = normaliseAxis(n.node.intAttr("axis", 0), rank);
  if (!axis)
    return "axis is outside the dimensions of the result";
  SmallVector<Value> values;
  for (ValueInfo &part : parts) {
    Dims dims = part.type.dims;
    if (!fresh && dims.size() == first.dims.size())
      dims[*axis] = first.dims[*axis];
    if (part.type.elem != first.elem || dims != first.dims)
      return "the elements' types do not fit together";
    dims = part.type.dims;
    if (fresh)
      dims.insert(dims.begin() + *axis, 1);
    values.push_back(b.reshape(materialise(part), dims));
  }
  result = info(b.concat(values, *axis), first.elem);
  return "";
}

std::string Importer::sequenceAt(const SequenceNode &n, ValueInfo &result) {
  std::vector<ValueInfo> elements = n.sequence(0);
  const int64_t length = elements.size();
  if (auto position = n.position(1, 0)) {
    auto place = normaliseAxis(*position, length);
    if (!place)
      return "the position is outside the sequence";
    result = elements[*place];
    return "";
  }
  // A position at run time chooses among elements of one type.
  if (length == 0 || any_of(elements, [&](const ValueInfo &element) {
        return !(element.type == elements[0].type);
      }))
    return "a position that is not constant needs elements of one type";
  result = elements[0];
  for (int64_t i = 1; i < length; ++i) {
    ValueInfo position[] = {*n.operands[1]};
    ValueInfo here =
        scalar(TensorProto::BOOL, position, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Scalars s(b, loc, ElemClass::Signed);
          return arith::OrIOp::create(
              b, loc, s.equal(v[0], s.constant(v[0].getType(), double(i))),
              s.equal(v[0], s.constant(v[0].getType(), double(i - length))));
        });
    result = select(here, elements[i], result);
  }
  return "";
}

bool Importer::importSequence(const onnx::NodeProto &proto, Node &node, Scope &scope) {
  StringRef op = proto.domain().empty() ? StringRef(proto.op_type()) : StringRef();
  SequenceNode n{node, {}};
  bool reads = false, known = true;
  for (const auto &input : proto.input()) {
    ValueInfo *value = input.empty() ? nullptr : &scope.find(input);
    reads |= value && value->elements;
    known &= !value || value->known || value->elements;
    n.operands.push_back(value);
  }
  const bool makes = is_contained({"SequenceEmpty", "SequenceConstruct", "SplitToSequence"}, op);
  if (!reads && !makes)
    return false;
  if (!known)
    return true;
  std::vector<ValueInfo> elements;
  std::optional<ValueInfo> result;
  std::string error;
  if (op == "SequenceConstruct") {
    for (ValueInfo *operand : n.operands)
      elements.push_back(*operand);
  } else if (op == "SplitToSequence") {
    error = splitToSequence(n, elements);
  } else if (op == "SequenceInsert" && n.isSequence(0) && n.has(1)) {
    elements = n.sequence(0);
    const int64_t length = elements.size();
    auto position = n.position(2, length);
    if (!position || *position < -length || *position > length)
      error = "the position must be constant and lie in the sequence";
    else
      elements.insert(elements.begin() + (*position < 0 ? *position + length : *position),
                      *n.operands[1]);
  } else if (op == "SequenceErase" && n.isSequence(0)) {
    elements = n.sequence(0);
    auto position = n.position(1, -1);
    auto place = position ? normaliseAxis(*position, elements.size()) : std::nullopt;
    if (!place)
      error = "the position must be constant and lie in the sequence";
    else
      elements.erase(elements.begin() + *place);
  } else if (op == "SequenceAt" && n.isSequence(0) && n.has(1)) {
    error = sequenceAt(n, result.emplace());
  } else if (op == "SequenceLength" && n.isSequence(0)) {
    result = info(Constant::ofInts(int64_t(n.sequence(0).size()), /*scalar=*/true));
  } else if (op == "ConcatFromSequence" && n.isSequence(0)) {
    error = concatFromSequence(n, result.emplace());
  } else if (op == "Identity") {
    elements = n.sequence(0);
  } else if (op != "SequenceEmpty") {
    error = "a sequence as operand is not supported";
  }
  if (error.empty() && result && !result->known)
    error = "its result has a shape that depends on values known only at run time";
  if (!error.empty()) {
    unsupported(proto, node, scope, error);
    return true;
  }
  ValueInfo &output = scope.values[proto.output(0)];
  if (result)
    output = *result;
  else
    output.elements = std::make_shared<std::vector<ValueInfo>>(std::move(elements));
  return true;
}

} // namespace mlir::dojo::onnximport
