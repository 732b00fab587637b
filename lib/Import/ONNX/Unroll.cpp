// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pieces of unrolled loops: constants stay constants, the rest becomes tensor ops.

#include "Importer.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

// Rows of constants that are put together at compile time.
static constexpr int64_t kMaxStackedBytes = 1 << 20;

ValueInfo Importer::select(ValueInfo &condition, ValueInfo &chosen, ValueInfo &other) {
  const TensorType &type = chosen.type;
  if (chosen.constant && other.constant && chosen.constant->bytes() == other.constant->bytes())
    return chosen;
  if (chosen.value && chosen.value == other.value)
    return chosen;
  Operand operands[] = {b.broadcast(b.reshape(materialise(condition), {}), type.dims),
                        b.broadcast(materialise(chosen), type.dims),
                        b.broadcast(materialise(other), type.dims)};
  return info(b.elementwise(type.dims, runtimeType(b.getContext(), type.elem), operands,
                            [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                              return arith::SelectOp::create(b, loc, v[0], v[1], v[2]);
                            }),
              type.elem);
}

ValueInfo Importer::takeIndex(ValueInfo &from, int64_t axis, int64_t index) {
  ArrayRef<int64_t> dims = from.type.dims;
  Dims rest(dims.take_front(axis));
  append_range(rest, dims.drop_front(axis + 1));
  if (const auto &constant = from.constant) {
    const int64_t outer = *elementCount(dims.take_front(axis));
    const size_t row = *elementCount(dims.drop_front(axis + 1)) * elemInfo(from.type.elem).bytes;
    std::string bytes;
    for (int64_t o = 0; o < outer; ++o)
      bytes += constant->bytes().substr((o * dims[axis] + index) * row, row);
    return info(Constant({from.type.elem, rest}, std::move(bytes)));
  }
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts[axis] = index;
  spec.sizes[axis] = 1;
  return info(b.reshape(b.slice(from.value, spec), rest), from.type.elem);
}

ValueInfo Importer::stack(MutableArrayRef<ValueInfo> parts, TensorType type, int64_t axis) {
  TensorType whole = type;
  whole.dims.insert(whole.dims.begin() + axis, parts.size());
  const int64_t outer = *elementCount(ArrayRef(type.dims).take_front(axis));
  const size_t row =
      *elementCount(ArrayRef(type.dims).drop_front(axis)) * elemInfo(type.elem).bytes;
  if (all_of(parts, [](const ValueInfo &part) { return part.constant.has_value(); }) &&
      outer * int64_t(row * parts.size()) <= kMaxStackedBytes) {
    std::string bytes;
    for (int64_t o = 0; o < outer; ++o)
      for (const ValueInfo &part : parts)
        bytes += part.constant->bytes().substr(o * row, row);
    return info(Constant(whole, std::move(bytes)));
  }
  Dims one = type.dims;
  one.insert(one.begin() + axis, 1);
  SmallVector<Value> rows;
  for (ValueInfo &part : parts)
    rows.push_back(b.reshape(materialise(part), one));
  return info(b.concat(rows, axis), type.elem);
}

std::optional<ValueInfo> Importer::stackResults(MutableArrayRef<ValueInfo> parts,
                                                const onnx::ValueInfoProto &stated, int64_t axis) {
  TensorType type;
  if (!parts.empty()) {
    type = parts[0].type;
  } else {
    const auto &tensor = stated.type().tensor_type();
    type.elem = tensor.elem_type();
    if (!tensor.has_shape() || !runtimeType(b.getContext(), type.elem))
      return std::nullopt;
    for (const auto &dim : tensor.shape().dim()) {
      if (!dim.has_dim_value() || dim.dim_value() < 0)
        return std::nullopt;
      type.dims.push_back(dim.dim_value());
    }
  }
  auto place = normaliseAxis(axis, int64_t(type.dims.size()) + 1);
  if (!place || any_of(parts, [&](const ValueInfo &part) { return !(part.type == type); }))
    return std::nullopt;
  return stack(parts, type, *place);
}

} // namespace mlir::dojo::onnximport
