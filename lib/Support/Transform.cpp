// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Support/Transform.h"

#include "Convert.h"

#include <cstring>

using namespace dojo;

namespace {
struct ElementInfo {
  std::string_view name;
  unsigned bytes;
};
constexpr ElementInfo elementInfos[] = {{"i1", 1},  {"i8", 1},  {"u8", 1},  {"i16", 2}, {"u16", 2},
                                        {"i32", 4}, {"u32", 4}, {"i64", 8}, {"u64", 8}, {"bf16", 2},
                                        {"f16", 2}, {"f32", 4}, {"f64", 8}};
} // namespace

unsigned dojo::elementBytes(ElementType type) { return elementInfos[unsigned(type)].bytes; }

std::string_view dojo::elementName(ElementType type) { return elementInfos[unsigned(type)].name; }

std::optional<ElementType> dojo::elementByName(std::string_view name) {
  for (unsigned i = 0; i < std::size(elementInfos); ++i)
    if (elementInfos[i].name == name)
      return ElementType(i);
  return std::nullopt;
}

int64_t ArrayType::elements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

uint64_t ArrayType::bytes() const { return uint64_t(elements()) * elementBytes(element); }

std::string dojo::toString(const ArrayType &type) {
  std::string text;
  for (int64_t size : type.shape)
    text += std::to_string(size) + "x";
  return text + std::string(elementName(type.element));
}

namespace {

bool allNonNegative(const std::vector<int64_t> &values) {
  for (int64_t value : values)
    if (value < 0)
      return false;
  return true;
}

/// Number of elements if it is below 2^48, so that no size computed from it overflows.
std::optional<int64_t> boundedElements(const std::vector<int64_t> &shape) {
  constexpr int64_t limit = int64_t(1) << 48;
  int64_t count = 1;
  bool empty = false;
  for (int64_t size : shape) {
    empty |= size == 0;
    if (size > 0 && count > limit / size)
      return std::nullopt;
    count *= size > 0 ? size : 1;
  }
  return empty ? 0 : count;
}

std::optional<ArrayType> stepType(const ArrayType &source, const TransformStep &step,
                                  std::string &error) {
  using Kind = TransformStep::Kind;
  ArrayType result = source;
  size_t rank = source.shape.size();
  auto fail = [&](const std::string &what) -> std::optional<ArrayType> {
    error = what + " of an array " + toString(source);
    return std::nullopt;
  };
  if (!allNonNegative(step.values))
    return fail("a negative number in a transform step");
  switch (step.kind) {
  case Kind::Pad:
    if (step.values.size() != rank)
      return fail("pad to another rank");
    for (size_t i = 0; i < rank; ++i)
      if (step.values[i] < source.shape[i])
        return fail("pad to a smaller size");
    result.shape = step.values;
    break;
  case Kind::Reshape:
    result.shape = step.values;
    if (boundedElements(result.shape) != boundedElements(source.shape))
      return fail("reshape to another number of elements");
    break;
  case Kind::Transpose: {
    if (step.values.size() != rank)
      return fail("transpose with another rank");
    std::vector<bool> seen(rank);
    for (size_t i = 0; i < rank; ++i) {
      size_t from = step.values[i];
      if (from >= rank || seen[from])
        return fail("transpose by what is not a permutation");
      seen[from] = true;
      result.shape[i] = source.shape[from];
    }
    break;
  }
  case Kind::Slice:
    if (step.values.size() != 2 * rank)
      return fail("slice with another rank");
    for (size_t i = 0; i < rank; ++i) {
      int64_t offset = step.values[2 * i], size = step.values[2 * i + 1];
      if (offset > source.shape[i] || size > source.shape[i] - offset)
        return fail("slice outside");
      result.shape[i] = size;
    }
    break;
  case Kind::Cast:
    result.element = step.element;
    break;
  }
  if (!boundedElements(result.shape))
    return fail("transform to too many elements");
  return result;
}

/// Copies elements of an array of shape `shape` between strided arrays; strides in bytes.
void copyStrided(const uint8_t *in, const std::vector<int64_t> &inStrides, uint8_t *out,
                 const std::vector<int64_t> &outStrides, const std::vector<int64_t> &shape,
                 unsigned bytes, size_t dim) {
  if (dim == shape.size()) {
    std::memcpy(out, in, bytes);
    return;
  }
  int64_t count = shape[dim], inStride = inStrides[dim], outStride = outStrides[dim];
  if (dim + 1 < shape.size()) {
    for (int64_t i = 0; i < count; ++i)
      copyStrided(in + i * inStride, inStrides, out + i * outStride, outStrides, shape, bytes,
                  dim + 1);
    return;
  }
  if (inStride == bytes && outStride == bytes) {
    std::memcpy(out, in, count * bytes);
    return;
  }
  // A constant size lets the copy of an element become one move.
  auto copy = [&](auto size) {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(out + i * outStride, in + i * inStride, decltype(size)::value);
  };
  switch (bytes) {
  case 1:
    return copy(std::integral_constant<size_t, 1>());
  case 2:
    return copy(std::integral_constant<size_t, 2>());
  case 4:
    return copy(std::integral_constant<size_t, 4>());
  default:
    return copy(std::integral_constant<size_t, 8>());
  }
}

std::vector<int64_t> rowMajorStrides(const ArrayType &type) {
  std::vector<int64_t> strides(type.shape.size());
  int64_t stride = elementBytes(type.element);
  for (size_t i = type.shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= type.shape[i];
  }
  return strides;
}

void applyStep(const uint8_t *in, const ArrayType &from, uint8_t *out, const ArrayType &to,
               const TransformStep &step) {
  using Kind = TransformStep::Kind;
  unsigned bytes = elementBytes(from.element);
  std::vector<int64_t> inStrides = rowMajorStrides(from), outStrides = rowMajorStrides(to);
  switch (step.kind) {
  case Kind::Pad:
    return copyStrided(in, inStrides, out, outStrides, from.shape, bytes, 0);
  case Kind::Reshape:
    if (from.bytes() != 0)
      std::memcpy(out, in, from.bytes());
    return;
  case Kind::Transpose: {
    std::vector<int64_t> permuted(inStrides.size());
    for (size_t i = 0; i < permuted.size(); ++i)
      permuted[i] = inStrides[step.values[i]];
    return copyStrided(in, permuted, out, outStrides, to.shape, bytes, 0);
  }
  case Kind::Slice:
    for (size_t i = 0; i < inStrides.size(); ++i)
      in += step.values[2 * i] * inStrides[i];
    return copyStrided(in, inStrides, out, outStrides, to.shape, bytes, 0);
  case Kind::Cast:
    return convertElements(in, from.element, out, to.element, from.elements());
  }
}

} // namespace

std::optional<ArrayType> dojo::transformedType(const ArrayType &source,
                                               std::span<const TransformStep> steps,
                                               std::string &error) {
  ArrayType type = source;
  if (!allNonNegative(source.shape) || !boundedElements(source.shape)) {
    error = "an array of impossible size " + toString(source);
    return std::nullopt;
  }
  for (const TransformStep &step : steps) {
    std::optional<ArrayType> next = stepType(type, step, error);
    if (!next)
      return std::nullopt;
    type = std::move(*next);
  }
  return type;
}

std::optional<std::vector<uint8_t>> dojo::applyTransform(const uint8_t *data, uint64_t bytes,
                                                         const ArrayType &source,
                                                         std::span<const TransformStep> steps,
                                                         std::string &error) {
  if (!transformedType(source, steps, error))
    return std::nullopt;
  if (bytes != source.bytes()) {
    error = "an array " + toString(source) + " takes " + std::to_string(source.bytes()) +
            " bytes, " + std::to_string(bytes) + " are given";
    return std::nullopt;
  }
  ArrayType type = source;
  std::vector<uint8_t> current;
  const uint8_t *in = data;
  for (const TransformStep &step : steps) {
    ArrayType next = *stepType(type, step, error);
    std::vector<uint8_t> out(next.bytes());
    if (next.elements() != 0 && type.elements() != 0)
      applyStep(in, type, out.data(), next, step);
    current = std::move(out);
    in = current.data();
    type = std::move(next);
  }
  if (steps.empty() && bytes != 0)
    current.assign(data, data + bytes);
  return current;
}
