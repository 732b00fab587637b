// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantData.h"

#include "MeshLowering.h"
#include <cstring>

using namespace mlir;
using namespace mlir::dojo;

/// Little-endian row-major bytes of an elements attribute, booleans one byte each.
static std::vector<uint8_t> bytesOf(DenseElementsAttr elements) {
  int64_t width = storageBytes(elements.getElementType());
  std::vector<uint8_t> bytes(elements.getNumElements() * width);
  auto put = [&, i = int64_t(0)](const APInt &value) mutable {
    uint64_t word = value.getZExtValue();
    std::memcpy(bytes.data() + width * i++, &word, width);
  };
  if (elements.isSplat() && !elements.empty()) {
    put(isa<FloatType>(elements.getElementType())
            ? elements.getSplatValue<APFloat>().bitcastToAPInt()
            : elements.getSplatValue<APInt>());
    for (size_t i = width; i < bytes.size(); ++i)
      bytes[i] = bytes[i - width];
    return bytes;
  }
  if (isa<FloatType>(elements.getElementType()))
    for (const APFloat &value : elements.getValues<APFloat>())
      put(value.bitcastToAPInt());
  else
    for (const APInt &value : elements.getValues<APInt>())
      put(value);
  return bytes;
}

LogicalResult ConstantCache::source(PlaceOp place, ArrayRef<uint8_t> &bytes,
                                    std::vector<uint8_t> &storage) {
  if (auto elements = dyn_cast<DenseElementsAttr>(place.getBlob());
      elements && isStorable(elements.getElementType())) {
    storage = bytesOf(elements);
    bytes = storage;
    return success();
  }
  auto blob = dyn_cast<FileBlobAttr>(place.getBlob());
  if (!blob)
    return place.emitError("holds data of an unknown kind");
  auto &file = files[blob.getFile()];
  if (!file) {
    auto opened = llvm::MemoryBuffer::getFile(blob.getFile(), /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened)
      return place.emitError("cannot read constants from '")
             << blob.getFile() << "': " << opened.getError().message();
    file = std::move(*opened);
  }
  StringRef content = file->getBuffer();
  if (blob.getOffset() > content.size() || blob.getBytes() > content.size() - blob.getOffset())
    return place.emitError("wants bytes ")
           << blob.getOffset() << " to " << blob.getOffset() + blob.getBytes() << " of '"
           << blob.getFile() << "', which has " << content.size();
  bytes = ArrayRef(reinterpret_cast<const uint8_t *>(content.data()) + blob.getOffset(),
                   blob.getBytes());
  return success();
}

LogicalResult ConstantCache::transformed(PlaceOp place) {
  Attribute step = place.getTransform().value_or(Attribute());
  if (blob == place.getBlob() && transform == step && sourceType == place.getSourceAttr())
    return success();
  ArrayRef<uint8_t> bytes;
  std::vector<uint8_t> storage;
  if (failed(source(place, bytes, storage)))
    return failure();
  auto type = getArrayType(cast<RankedTensorType>(place.getSource()));
  if (!type)
    return place.emitError("has elements of a type that no array in memory has");
  SmallVector<::dojo::TransformStep> steps;
  if (auto attr = dyn_cast_or_null<TransformAttr>(step))
    steps = attr.getSteps();
  std::string error;
  auto result = ::dojo::applyTransform(bytes.data(), bytes.size(), *type, steps, error);
  if (!result)
    return place.emitError("cannot transform the constant: ") << error;
  array = std::move(*result);
  blob = place.getBlob();
  transform = step;
  sourceType = place.getSourceAttr();
  return success();
}

LogicalResult ConstantCache::slice(PlaceOp place, std::vector<uint8_t> &out) {
  if (failed(transformed(place)))
    return failure();
  auto type = cast<RankedTensorType>(place.getType());
  int64_t width = storageBytes(type.getElementType());
  ArrayRef<int64_t> shape = type.getShape(), lo = place.getLo(), size = place.getSize(),
                    strides = place.getStrides();
  unsigned rank = shape.size();
  if (int64_t(array.size()) != type.getNumElements() * width)
    return place.emitError("is transformed to ")
           << array.size() << " bytes, but its type has " << type.getNumElements() * width;
  int64_t end = width;
  for (unsigned d = 0; d < rank; ++d) {
    if (lo[d] < 0 || size[d] < 1 || lo[d] + size[d] > shape[d])
      return place.emitError("takes a box outside of the constant");
    end += (size[d] - 1) * strides[d];
  }
  out.assign(end, 0);
  // Rows of the innermost dimension are contiguous on both sides.
  int64_t row = rank ? size[rank - 1] * width : width;
  SmallVector<int64_t> index(rank, 0);
  while (true) {
    int64_t from = 0, to = 0;
    for (unsigned d = 0; d < rank; ++d) {
      from = from * shape[d] + lo[d] + index[d];
      to += index[d] * strides[d];
    }
    std::memcpy(out.data() + to, array.data() + from * width, row);
    int64_t d = int64_t(rank) - 2;
    for (; d >= 0 && ++index[d] == size[d]; --d)
      index[d] = 0;
    if (d < 0)
      return success();
  }
}
