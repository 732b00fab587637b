// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays in memory and the steps that rearrange them: how constant data in a model file becomes
// the blocked, padded, rounded arrays of an image. Knows nothing of MLIR.

#ifndef DOJO_SUPPORT_TRANSFORM_H
#define DOJO_SUPPORT_TRANSFORM_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo {

/// Type of an array's elements. Booleans are one byte, 0 or 1. All are little endian.
enum class ElementType : uint8_t { I1, I8, U8, I16, U16, I32, U32, I64, U64, BF16, F16, F32, F64 };

/// Bytes of one element in memory.
unsigned elementBytes(ElementType type);

/// Spelling in transforms, manifests and messages: "i1", "u8", "bf16", ...
std::string_view elementName(ElementType type);
std::optional<ElementType> elementByName(std::string_view name);

/// A dense row-major array.
struct ArrayType {
  ElementType element = ElementType::F32;
  std::vector<int64_t> shape;

  int64_t elements() const;
  uint64_t bytes() const;
  bool operator==(const ArrayType &) const = default;
};

/// Text for messages: "64x3x7x7xf32".
std::string toString(const ArrayType &type);

/// One step. `values` by kind: Pad and Reshape: the new sizes; Transpose: dimension i of the result
/// is dimension values[i] of the operand; Slice: offset and size of each dimension in turn;
/// Cast: none.
struct TransformStep {
  enum class Kind : uint8_t { Pad, Reshape, Transpose, Slice, Cast };
  Kind kind = Kind::Reshape;
  std::vector<int64_t> values;
  ElementType element = ElementType::F32;

  static TransformStep pad(std::vector<int64_t> sizes) { return {Kind::Pad, std::move(sizes), {}}; }
  static TransformStep reshape(std::vector<int64_t> sizes) {
    return {Kind::Reshape, std::move(sizes), {}};
  }
  static TransformStep transpose(std::vector<int64_t> permutation) {
    return {Kind::Transpose, std::move(permutation), {}};
  }
  static TransformStep slice(std::vector<int64_t> offsetsAndSizes) {
    return {Kind::Slice, std::move(offsetsAndSizes), {}};
  }
  static TransformStep cast(ElementType element) { return {Kind::Cast, {}, element}; }

  bool operator==(const TransformStep &) const = default;
};

/// Type of the array after the steps; nothing, with a sentence in `error`, if a step does not fit
/// the type it meets.
std::optional<ArrayType> transformedType(const ArrayType &source,
                                         std::span<const TransformStep> steps, std::string &error);

/// Applies the steps to the array of type `source` at `data`, `bytes` long. Returns the bytes of
/// the result, whose type is transformedType(source, steps); nothing, with a sentence in `error`,
/// if `bytes` is not the size of `source` or a step does not fit.
///
/// Conversions are those of the machine: fp32 to bf16 and fp16 by round to nearest even, denormal
/// bf16 results and inputs become zero with their sign, every NaN the canonical one; floating point
/// to integer truncates and saturates, NaN becomes 0; integers wrap.
std::optional<std::vector<uint8_t>> applyTransform(const uint8_t *data, uint64_t bytes,
                                                   const ArrayType &source,
                                                   std::span<const TransformStep> steps,
                                                   std::string &error);

/// fp32 to bf16 by round to nearest even; denormals become zero, NaN becomes 0x7FC0.
uint16_t toBF16(float value);

/// bf16 to fp32, exact.
float fromBF16(uint16_t bits);

/// fp32 to fp16 by round to nearest even with gradual denormals; NaN becomes 0x7E00.
uint16_t toF16(float value);

/// fp16 to fp32, exact.
float fromF16(uint16_t bits);

} // namespace dojo

#endif // DOJO_SUPPORT_TRANSFORM_H
