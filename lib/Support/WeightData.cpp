// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Support/WeightData.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::dojo;

FailureOr<ArrayRef<char>> WeightReader::map(WeightOp op, FileBlobAttr blob) {
  std::unique_ptr<llvm::MemoryBuffer> &file = files[blob.getFile()];
  if (!file) {
    llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> opened = llvm::MemoryBuffer::getFile(
        blob.getFile(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (std::error_code error = opened.getError())
      return op.emitError() << "cannot read weights from '" << blob.getFile()
                            << "': " << error.message();
    file = std::move(*opened);
  }
  uint64_t size = file->getBufferSize();
  if (blob.getOffset() > size || blob.getBytes() > size - blob.getOffset())
    return op.emitError() << "weights at byte " << blob.getOffset() << " of '" << blob.getFile()
                          << "', " << blob.getBytes() << " bytes long, are beyond its end at "
                          << size;
  return ArrayRef(file->getBufferStart() + blob.getOffset(), blob.getBytes());
}

/// Elements as bytes of an array; false if the attribute does not hold them.
static bool readElements(ElementsAttr elements, uint64_t size, std::vector<uint8_t> &bytes) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != size)
      return false;
    bytes.assign(blob->getData().begin(), blob->getData().end());
    return true;
  }
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return false;
  if (dense.getElementType().isInteger(1)) {
    for (bool value : dense.getValues<bool>())
      bytes.push_back(value);
    return true;
  }
  ArrayRef<char> raw = dense.getRawData();
  bytes.resize(size);
  if (size != 0 && (raw.empty() || size % raw.size() != 0))
    return false;
  for (uint64_t at = 0; at < size; at += raw.size())
    std::copy(raw.begin(), raw.end(), bytes.begin() + at);
  return true;
}

FailureOr<std::vector<uint8_t>> WeightReader::read(WeightOp op) {
  ::dojo::ArrayType source = *getArrayType(op.getSourceType());
  std::vector<uint8_t> inlined;
  const uint8_t *data;
  if (auto blob = dyn_cast<FileBlobAttr>(op.getData())) {
    FailureOr<ArrayRef<char>> mapped = map(op, blob);
    if (failed(mapped))
      return failure();
    data = reinterpret_cast<const uint8_t *>(mapped->data());
  } else {
    if (!readElements(cast<ElementsAttr>(op.getData()), source.bytes(), inlined))
      return op.emitError() << "the elements of this weight are not in the file";
    data = inlined.data();
  }
  SmallVector<::dojo::TransformStep> steps = op.getTransformSteps();
  std::string error;
  std::optional<std::vector<uint8_t>> result =
      ::dojo::applyTransform(data, source.bytes(), source, {steps.data(), steps.size()}, error);
  if (!result)
    return op.emitError() << error;
  return std::move(*result);
}
