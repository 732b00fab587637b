// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Weights.h"
#include "dialects/Dojo/DojoDialect.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace mlir::dojo {

Expected<StringRef> WeightReader::open(StringRef path) {
  auto it = files.find(path);
  if (it != files.end())
    return it->second->getBuffer();
  if (!sys::fs::is_regular_file(path))
    return createStringError("'" + path + "', which weights name, is not a file");
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("'" + path + "': " + buffer.getError().message());
  return (files[path] = std::move(*buffer))->getBuffer();
}

/// The bytes of an elements attribute as a row-major array, booleans as bytes.
static Expected<std::vector<uint8_t>> elementBytes(ElementsAttr attr) {
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense)
    return createStringError("a weight's data is not a dense elements attribute");
  std::vector<uint8_t> bytes;
  if (dense.getElementType().isInteger(1)) {
    for (bool value : dense.getValues<bool>())
      bytes.push_back(value);
    return bytes;
  }
  ArrayRef<char> raw = dense.getRawData();
  const int64_t copies = dense.isSplat() ? dense.getNumElements() : 1;
  for (int64_t i = 0; i < copies; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

Expected<std::vector<uint8_t>> WeightReader::read(func::FuncOp main, unsigned index) {
  std::vector<uint8_t> bytes;
  Attribute data = main.getArgAttr(index, "dojo.data");
  if (auto blob = dyn_cast<FileBlobAttr>(data)) {
    auto file = open(blob.getFile());
    if (!file)
      return file.takeError();
    if (blob.getOffset() > file->size() || blob.getBytes() > file->size() - blob.getOffset())
      return createStringError("'" + blob.getFile() + "' ends before the weight at offset " +
                               Twine(blob.getOffset()));
    StringRef part = file->substr(blob.getOffset(), blob.getBytes());
    bytes.assign(part.bytes_begin(), part.bytes_end());
  } else {
    auto elements = elementBytes(cast<ElementsAttr>(data));
    if (!elements)
      return elements.takeError();
    bytes = std::move(*elements);
  }
  auto transform = main.getArgAttrOfType<TransformAttr>(index, "dojo.transform");
  if (!transform)
    return bytes;
  auto type = cast<RankedTensorType>(main.getArgument(index).getType());
  if (auto source = main.getArgAttrOfType<TypeAttr>(index, "dojo.source"))
    type = cast<RankedTensorType>(source.getValue());
  SmallVector<::dojo::TransformStep> steps = transform.getSteps();
  std::string error;
  auto result = ::dojo::applyTransform(bytes.data(), bytes.size(), *getArrayType(type),
                                       {steps.data(), steps.size()}, error);
  if (!result)
    return createStringError("a weight cannot be transformed: " + error);
  return std::move(*result);
}

} // namespace mlir::dojo
