// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Constant.h"
#include "WireFormat.h"
#include "onnx/checker.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <cstring>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

ElemInfo elemInfo(int32_t elem) {
  auto other = [](StringLiteral name) { return ElemInfo{name, name, ElemClass::Other, 0, ""}; };
  auto coded = [](StringLiteral name, StringLiteral shortName, unsigned bits) {
    return ElemInfo{name, shortName, ElemClass::Other, 1, "V1", bits};
  };
  switch (elem) {
  case TensorProto::FLOAT:
    return {"float", "f32", ElemClass::Float, 4, "f4"};
  case TensorProto::DOUBLE:
    return {"double", "f64", ElemClass::Float, 8, "f8"};
  case TensorProto::FLOAT16:
    return {"float16", "f16", ElemClass::Float, 2, "f2"};
  case TensorProto::BFLOAT16:
    return {"bfloat16", "bf16", ElemClass::Float, 2, "V2"};
  case TensorProto::INT8:
    return {"int8", "i8", ElemClass::Signed, 1, "i1"};
  case TensorProto::INT16:
    return {"int16", "i16", ElemClass::Signed, 2, "i2"};
  case TensorProto::INT32:
    return {"int32", "i32", ElemClass::Signed, 4, "i4"};
  case TensorProto::INT64:
    return {"int64", "i64", ElemClass::Signed, 8, "i8"};
  case TensorProto::UINT8:
    return {"uint8", "u8", ElemClass::Unsigned, 1, "u1"};
  case TensorProto::UINT16:
    return {"uint16", "u16", ElemClass::Unsigned, 2, "u2"};
  case TensorProto::UINT32:
    return {"uint32", "u32", ElemClass::Unsigned, 4, "u4"};
  case TensorProto::UINT64:
    return {"uint64", "u64", ElemClass::Unsigned, 8, "u8"};
  case TensorProto::BOOL:
    return {"bool", "bool", ElemClass::Bool, 1, "b1"};
  case TensorProto::STRING:
    return other("string");
  case TensorProto::COMPLEX64:
    return other("complex64");
  case TensorProto::COMPLEX128:
    return other("complex128");
  case TensorProto::FLOAT8E4M3FN:
    return coded("float8e4m3fn", "f8e4m3fn", 8);
  case TensorProto::FLOAT8E4M3FNUZ:
    return coded("float8e4m3fnuz", "f8e4m3fnuz", 8);
  case TensorProto::FLOAT8E5M2:
    return coded("float8e5m2", "f8e5m2", 8);
  case TensorProto::FLOAT8E5M2FNUZ:
    return coded("float8e5m2fnuz", "f8e5m2fnuz", 8);
  case TensorProto::FLOAT8E8M0:
    return coded("float8e8m0", "f8e8m0", 8);
  case TensorProto::FLOAT4E2M1:
    return coded("float4e2m1", "f4e2m1", 4);
  case TensorProto::FLOAT6E2M3:
    return coded("float6e2m3", "f6e2m3", 6);
  case TensorProto::FLOAT6E3M2:
    return coded("float6e3m2", "f6e3m2", 6);
  case TensorProto::INT2:
    return coded("int2", "i2", 2);
  case TensorProto::UINT2:
    return coded("uint2", "u2", 2);
  case TensorProto::INT4:
    return coded("int4", "i4", 4);
  case TensorProto::UINT4:
    return coded("uint4", "u4", 4);
  default:
    return other("unknown");
  }
}

std::string TensorType::str() const {
  std::string text = elemInfo(elem).name.str() + "[";
  interleave(dims, [&](int64_t d) { text += std::to_string(d); }, [&] { text += ","; });
  return text + "]";
}

std::optional<int64_t> elementCount(ArrayRef<int64_t> dims) {
  constexpr int64_t limit = int64_t(1) << 32;
  if (any_of(dims, [](int64_t d) { return d < 0 || d > limit; }))
    return std::nullopt;
  if (is_contained(dims, 0))
    return 0;
  int64_t product = 1;
  for (int64_t d : dims) {
    if (product > limit / d)
      return std::nullopt;
    product *= d;
  }
  return product;
}

int64_t saturatedProduct(ArrayRef<int64_t> factors) {
  uint64_t product = 1;
  for (int64_t factor : factors)
    product = SaturatingMultiply<uint64_t>(product, factor);
  return int64_t(std::min<uint64_t>(product, std::numeric_limits<int64_t>::max()));
}

Constant::Constant(TensorType t, std::string bytes)
    : type(std::move(t)), elements(*elementCount(type.dims)),
      owned(std::make_shared<const std::string>(std::move(bytes))), view(*owned) {
  assert(view.size() == size_t(elements) * elemInfo(type.elem).bytes);
}

Constant Constant::ofInts(ArrayRef<int64_t> values, bool scalar) {
  TensorType type{TensorProto::INT64, {}};
  if (!scalar)
    type.dims.push_back(values.size());
  return Constant(type, std::string(reinterpret_cast<const char *>(values.data()),
                                    values.size() * sizeof(int64_t)));
}

Constant Constant::ofFloats(ArrayRef<float> values, Dims dims) {
  return Constant(
      {TensorProto::FLOAT, std::move(dims)},
      std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float)));
}

Constant Constant::reshaped(ArrayRef<int64_t> dims) const {
  assert(elementCount(dims) == elements);
  Constant result = *this;
  result.type.dims.assign(dims.begin(), dims.end());
  return result;
}

//===----------------------------------------------------------------------===//
// From a TensorProto
//===----------------------------------------------------------------------===//

namespace {

Error tensorError(const TensorProto &tensor, const Twine &what) {
  return createStringError("tensor '" + Twine(tensor.name()) + "': " + what);
}

template <typename Element, typename Values>
Expected<std::string> narrowed(const TensorProto &tensor, const Values &values, int64_t count) {
  if (values.size() != count)
    return tensorError(tensor, "has " + Twine(values.size()) + " values; its dimensions need " +
                                   Twine(count));
  std::string bytes;
  bytes.reserve(count * sizeof(Element));
  for (auto value : values) {
    auto element = static_cast<Element>(value);
    bytes.append(reinterpret_cast<const char *>(&element), sizeof element);
  }
  return bytes;
}

Expected<std::string> fieldBytes(const TensorProto &tensor, int64_t count) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    return narrowed<float>(tensor, tensor.float_data(), count);
  case TensorProto::DOUBLE:
    return narrowed<double>(tensor, tensor.double_data(), count);
  case TensorProto::INT64:
    return narrowed<int64_t>(tensor, tensor.int64_data(), count);
  case TensorProto::UINT64:
    return narrowed<uint64_t>(tensor, tensor.uint64_data(), count);
  case TensorProto::UINT32:
    return narrowed<uint32_t>(tensor, tensor.uint64_data(), count);
  case TensorProto::INT32:
    return narrowed<int32_t>(tensor, tensor.int32_data(), count);
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return narrowed<uint16_t>(tensor, tensor.int32_data(), count);
  case TensorProto::INT8:
  case TensorProto::UINT8:
  case TensorProto::FLOAT8E4M3FN:
  case TensorProto::FLOAT8E4M3FNUZ:
  case TensorProto::FLOAT8E5M2:
  case TensorProto::FLOAT8E5M2FNUZ:
  case TensorProto::FLOAT8E8M0:
  case TensorProto::FLOAT6E2M3:
  case TensorProto::FLOAT6E3M2:
  case TensorProto::FLOAT4E2M1:
  case TensorProto::INT4:
  case TensorProto::UINT4:
  case TensorProto::INT2:
  case TensorProto::UINT2:
    return narrowed<uint8_t>(tensor, tensor.int32_data(), count);
  case TensorProto::BOOL:
    return narrowed<bool>(tensor, tensor.int32_data(), count);
  default:
    return tensorError(tensor, "has the element type " + elemInfo(tensor.data_type()).name +
                                   ", which is not supported");
  }
}

/// One byte a code from codes side by side, the first in the lowest bits.
std::string unpacked(StringRef bytes, unsigned bits, int64_t count) {
  std::string codes;
  codes.reserve(count);
  unsigned window = 0, held = 0;
  for (size_t next = 0; codes.size() < size_t(count); held -= bits, window >>= bits) {
    for (; held < bits; held += 8)
      window |= unsigned(uint8_t(bytes[next++])) << held;
    codes.push_back(char(window & ((1u << bits) - 1)));
  }
  return codes;
}

std::string packed(StringRef codes, unsigned bits) {
  std::string bytes;
  unsigned window = 0, held = 0;
  for (char code : codes) {
    window |= (uint8_t(code) & ((1u << bits) - 1)) << held;
    for (held += bits; held >= 8; held -= 8, window >>= 8)
      bytes.push_back(char(window & 0xFF));
  }
  if (held)
    bytes.push_back(char(window));
  return bytes;
}

struct ExternalRegion {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

Expected<ExternalRegion> externalRegion(const TensorProto &tensor) {
  ExternalRegion region;
  for (const auto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location")
      region.location = value.str();
    else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number))
        return tensorError(tensor, "the " + key + " of its external data, '" + value +
                                       "', is not a number");
      if (key == "offset")
        region.offset = number;
      else
        region.length = number;
    }
  }
  return region;
}

} // namespace

Expected<Constant> Constant::fromTensor(const TensorProto &tensor, FileStore &files,
                                        StringRef modelPath) {
  Constant result;
  result.type.elem = tensor.data_type();
  result.type.dims.assign(tensor.dims().begin(), tensor.dims().end());
  ElemInfo info = elemInfo(tensor.data_type());
  if (info.bytes == 0)
    return tensorError(tensor, "has the element type " + info.name + ", which is not supported");
  auto count = elementCount(result.type.dims);
  if (!count)
    return tensorError(tensor, "the dimensions " + result.type.str() + " are not possible");
  result.elements = *count;
  const bool isPacked = info.bits() < 8;
  const uint64_t size = isPacked ? divideCeil(*count * info.bits(), 8) : *count * info.bytes;

  if (tensor.data_location() == TensorProto::EXTERNAL) {
    auto region = externalRegion(tensor);
    if (!region)
      return region.takeError();
    result.path = modelPath.str();
    if (region->location != kModelFileLocation) {
      StringRef parent = sys::path::parent_path(modelPath);
      try {
        result.path = onnx::checker::resolve_external_data_location(
                          parent.empty() ? "." : parent.str(), region->location, tensor.name())
                          .string();
      } catch (const std::exception &error) {
        return createStringError(error.what());
      }
    }
    auto file = files.open(result.path);
    if (!file)
      return tensorError(tensor, "external data: " + toString(file.takeError()));
    const uint64_t length = region->length.value_or(size);
    if (length != size)
      return tensorError(tensor, "has " + Twine(length) + " bytes of data; " + result.type.str() +
                                     " needs " + Twine(size));
    if (region->offset > file->size() || size > file->size() - region->offset)
      return tensorError(tensor, "its data, " + Twine(size) + " bytes at offset " +
                                     Twine(region->offset) + " of '" + result.path +
                                     "', run past the end of the file");
    result.offset = region->offset;
    result.view = file->substr(region->offset, size);
  } else {
    std::string bytes;
    if (tensor.has_raw_data()) {
      bytes = tensor.raw_data();
      if (bytes.size() != size)
        return tensorError(tensor, "has " + Twine(bytes.size()) + " bytes of data; " +
                                       result.type.str() + " needs " + Twine(size));
    } else {
      // Codes of 6 bits have an entry each, others as many bytes as in raw data.
      const bool codesApart = info.bits() == 6;
      auto fields = fieldBytes(tensor, isPacked && !codesApart ? size : *count);
      if (!fields)
        return fields.takeError();
      bytes = std::move(*fields);
      if (codesApart)
        return Constant(result.type, std::move(bytes));
    }
    result.owned = std::make_shared<const std::string>(std::move(bytes));
    result.view = *result.owned;
  }
  if (isPacked)
    return Constant(result.type, unpacked(result.view, info.bits(), *count));
  // Any nonzero byte of a bool tensor means true; everything after this relies on 0 and 1.
  if (tensor.data_type() == TensorProto::BOOL &&
      any_of(result.view, [](char c) { return uint8_t(c) > 1; })) {
    std::string bytes;
    for (char c : result.view)
      bytes.push_back(c != 0);
    return Constant(result.type, std::move(bytes));
  }
  return result;
}

onnx::TensorProto Constant::toTensor() const {
  TensorProto tensor;
  tensor.set_data_type(type.elem);
  for (int64_t d : type.dims)
    tensor.add_dims(d);
  if (unsigned bits = elemInfo(type.elem).bits(); bits < 8)
    tensor.set_raw_data(packed(view, bits));
  else
    tensor.set_raw_data(view.data(), view.size());
  return tensor;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

namespace {
template <typename T> T load(StringRef bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

const fltSemantics &halfSemantics(int32_t elem) {
  return elem == TensorProto::FLOAT16 ? APFloat::IEEEhalf() : APFloat::BFloat();
}

template <typename T> void append(std::string &bytes, T value) {
  bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

template <typename T> T saturated(double value) {
  if (std::isnan(value))
    return 0;
  if (value <= double(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  // The maximum of a 64-bit type is not a double; the next one above it is.
  if (value >= double(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}
} // namespace

double Constant::asDouble(int64_t i) const {
  switch (type.elem) {
  case TensorProto::FLOAT:
    return load<float>(view, i);
  case TensorProto::DOUBLE:
    return load<double>(view, i);
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return APFloat(halfSemantics(type.elem), APInt(16, load<uint16_t>(view, i))).convertToDouble();
  case TensorProto::UINT64:
    return double(load<uint64_t>(view, i));
  default:
    return double(asInt(i));
  }
}

int64_t Constant::asInt(int64_t i) const {
  switch (type.elem) {
  case TensorProto::INT8:
    return load<int8_t>(view, i);
  case TensorProto::INT16:
    return load<int16_t>(view, i);
  case TensorProto::INT32:
    return load<int32_t>(view, i);
  case TensorProto::INT64:
  case TensorProto::UINT64:
    return load<int64_t>(view, i);
  case TensorProto::UINT8:
  case TensorProto::BOOL:
    return load<uint8_t>(view, i);
  case TensorProto::UINT16:
    return load<uint16_t>(view, i);
  case TensorProto::UINT32:
    return load<uint32_t>(view, i);
  default:
    return saturated<int64_t>(asDouble(i));
  }
}

SmallVector<int64_t> Constant::ints() const {
  SmallVector<int64_t> values;
  values.reserve(elements);
  for (int64_t i = 0; i < elements; ++i)
    values.push_back(asInt(i));
  return values;
}

bool Constant::isSplat() const {
  const size_t bytes = elemInfo(type.elem).bytes;
  return elements > 0 && view.drop_front(bytes) == view.drop_back(bytes);
}

void appendElement(std::string &bytes, int32_t elem, double value) {
  switch (elem) {
  case TensorProto::FLOAT:
    return append(bytes, static_cast<float>(value));
  case TensorProto::DOUBLE:
    return append(bytes, value);
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16: {
    APFloat narrow(value);
    bool inexact;
    narrow.convert(halfSemantics(elem), APFloat::rmNearestTiesToEven, &inexact);
    return append(bytes, static_cast<uint16_t>(narrow.bitcastToAPInt().getZExtValue()));
  }
  case TensorProto::INT8:
    return append(bytes, saturated<int8_t>(value));
  case TensorProto::INT16:
    return append(bytes, saturated<int16_t>(value));
  case TensorProto::INT32:
    return append(bytes, saturated<int32_t>(value));
  case TensorProto::INT64:
    return append(bytes, saturated<int64_t>(value));
  case TensorProto::UINT8:
    return append(bytes, saturated<uint8_t>(value));
  case TensorProto::UINT16:
    return append(bytes, saturated<uint16_t>(value));
  case TensorProto::UINT32:
    return append(bytes, saturated<uint32_t>(value));
  case TensorProto::UINT64:
    return append(bytes, saturated<uint64_t>(value));
  case TensorProto::BOOL:
    return append(bytes, uint8_t(value != 0));
  default:
    llvm_unreachable("not a numeric element type");
  }
}

void appendElement(std::string &bytes, int32_t elem, int64_t value) {
  ElemInfo info = elemInfo(elem);
  if (elem == TensorProto::FLOAT)
    return append(bytes, static_cast<float>(value));
  if (info.kind == ElemClass::Float)
    return appendElement(bytes, elem, double(value));
  if (info.kind == ElemClass::Bool)
    return append(bytes, uint8_t(value != 0));
  // Two's complement: the low bytes, which is how every integer type wraps.
  bytes.append(reinterpret_cast<const char *>(&value), info.bytes);
}

} // namespace mlir::dojo::onnximport
