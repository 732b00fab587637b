// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Image/ElementType.h"

namespace dojo::image {

using enum ElementKind;

static const ElementType types[] = {
    {"f64", 8, 64, Float, "f8"},     {"f32", 4, 32, Float, "f4"},
    {"f16", 2, 16, Float, "f2"},     {"bf16", 2, 16, Float, "V2"},
    {"f8e4m3fn", 1, 8, Float, "V1"}, {"f8e4m3fnuz", 1, 8, Float, "V1"},
    {"f8e5m2", 1, 8, Float, "V1"},   {"f8e5m2fnuz", 1, 8, Float, "V1"},
    {"f8e8m0", 1, 8, Float, "V1"},   {"f6e2m3", 1, 6, Float, "V1"},
    {"f6e3m2", 1, 6, Float, "V1"},   {"f4e2m1", 1, 4, Float, "V1"},
    {"i64", 8, 64, Signed, "i8"},    {"i32", 4, 32, Signed, "i4"},
    {"i16", 2, 16, Signed, "i2"},    {"i8", 1, 8, Signed, "i1"},
    {"i4", 1, 4, Signed, "V1"},      {"i2", 1, 2, Signed, "V1"},
    {"u64", 8, 64, Unsigned, "u8"},  {"u32", 4, 32, Unsigned, "u4"},
    {"u16", 2, 16, Unsigned, "u2"},  {"u8", 1, 8, Unsigned, "u1"},
    {"u4", 1, 4, Unsigned, "V1"},    {"u2", 1, 2, Unsigned, "V1"},
    {"bool", 1, 1, Boolean, "b1"},
};

std::span<const ElementType> elementTypes() { return types; }

const ElementType *findElementType(std::string_view name) {
  for (const ElementType &type : types)
    if (name == type.name)
      return &type;
  return nullptr;
}

} // namespace dojo::image
