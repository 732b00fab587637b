// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Node.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

const onnx::AttributeProto *Node::attr(StringRef name) const {
  for (const auto &attribute : proto.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

int64_t Node::intAttr(StringRef name, int64_t otherwise) const {
  const auto *attribute = attr(name);
  return attribute && attribute->has_i() ? attribute->i() : otherwise;
}

float Node::floatAttr(StringRef name, float otherwise) const {
  const auto *attribute = attr(name);
  return attribute && attribute->has_f() ? attribute->f() : otherwise;
}

StringRef Node::stringAttr(StringRef name, StringRef otherwise) const {
  const auto *attribute = attr(name);
  return attribute && attribute->has_s() ? StringRef(attribute->s()) : otherwise;
}

std::optional<SmallVector<int64_t>> Node::intsAttr(StringRef name) const {
  const auto *attribute = attr(name);
  if (!attribute)
    return std::nullopt;
  return SmallVector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<SmallVector<int64_t>> Node::ints(StringRef name, unsigned i) const {
  if (auto values = intsAttr(name))
    return values;
  const Constant *operand = constant(i);
  ElemClass kind = operand ? elemInfo(operand->elem()).kind : ElemClass::Other;
  if (kind != ElemClass::Signed && kind != ElemClass::Unsigned)
    return std::nullopt;
  return operand->ints();
}

std::optional<int64_t> normaliseAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

std::optional<SmallVector<int64_t>> normaliseAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    auto normal = normaliseAxis(axis, rank);
    if (!normal || is_contained(result, *normal))
      return std::nullopt;
    result.push_back(*normal);
  }
  return result;
}

std::optional<Dims> broadcastDims(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims result(a.begin(), a.end());
  const size_t lead = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t &d = result[lead + i];
    if (d == 1)
      d = b[i];
    else if (b[i] != 1 && b[i] != d)
      return std::nullopt;
  }
  return result;
}

std::optional<SliceSpec> sliceSpec(const Node &node) {
  ArrayRef<int64_t> dims = node.dims(0);
  const int64_t rank = dims.size();
  auto starts = node.ints("starts", 1);
  auto ends = node.ints("ends", 2);
  auto axes = node.ints("axes", 3);
  auto steps = node.ints("steps", 4);
  if (!starts || !ends || starts->size() != ends->size() || node.isDynamic(3) || node.isDynamic(4))
    return std::nullopt;
  if (!axes)
    axes = llvm::to_vector(seq<int64_t>(0, starts->size()));
  if (!steps)
    steps = SmallVector<int64_t>(starts->size(), 1);
  auto normal = normaliseAxes(*axes, rank);
  if (!normal || normal->size() != starts->size() || steps->size() != starts->size())
    return std::nullopt;
  SliceSpec spec{Dims(rank, 0), Dims(rank, 1), Dims(dims.begin(), dims.end())};
  for (auto [axis, start, end, step] : zip(*normal, *starts, *ends, *steps)) {
    if (step == 0)
      return std::nullopt;
    const int64_t d = dims[axis];
    spec.starts[axis] = 0;
    spec.sizes[axis] = 0;
    if (d == 0)
      continue;
    // Far negative values are clamped before the dimension is added, so that nothing overflows.
    auto place = [&](int64_t at, int64_t low, int64_t high) {
      if (at < 0)
        at = at < -d ? -1 : at + d;
      return std::clamp(at, low, high);
    };
    int64_t size = 0;
    if (step > 0) {
      start = place(std::max(start, -d), 0, d);
      end = place(std::max(end, -d), 0, d);
      if (end > start)
        size = (end - start - 1) / step + 1;
    } else {
      start = place(std::max(start, -d), 0, d - 1);
      end = place(end, -1, d - 1);
      if (start > end)
        size = (start - end - 1) / -std::max(step, -d - 1) + 1;
    }
    spec.starts[axis] = size ? start : 0;
    spec.steps[axis] = size > 1 ? step : 1;
    spec.sizes[axis] = size;
  }
  return spec;
}

Dims stridesOf(ArrayRef<int64_t> dims) {
  Dims strides(dims.size(), 1);
  for (int i = int(dims.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * dims[i + 1];
  return strides;
}

} // namespace mlir::dojo::onnximport
