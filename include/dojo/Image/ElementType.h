// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types of tensors at the edge of the machine: ONNX's numeric types. Types narrower than a
// byte occupy one byte an element, here as in .npy files.
#ifndef DOJO_IMAGE_ELEMENTTYPE_H
#define DOJO_IMAGE_ELEMENTTYPE_H

#include <cstdint>
#include <span>
#include <string_view>

namespace dojo::image {

enum class ElementKind : uint8_t { Float, Signed, Unsigned, Boolean };

struct ElementType {
  const char *name; // as in TensorRef::type
  int64_t bytes;    // of one element in SRAM and in a .npy file
  int64_t bits;     // of its value
  ElementKind kind;
  const char *numpy; // descr without byte order: "f4"; bfloat16 "V2", float8 "V1"
};

/// All types, in a fixed order.
std::span<const ElementType> elementTypes();

/// The type of this name, or null.
const ElementType *findElementType(std::string_view name);

} // namespace dojo::image

#endif
