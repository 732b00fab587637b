// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of constants: model files stay mapped, a transformed array is kept while slices of it are
// taken one after another.

#ifndef DOJO_CONVERSION_MESH_CONSTANTDATA_H
#define DOJO_CONVERSION_MESH_CONSTANTDATA_H

#include "dialects/Dojo/DojoDialect.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <vector>

namespace mlir::dojo {

class ConstantCache {
public:
  /// The bytes that `place` puts on its nodes: the box of the transformed constant under the
  /// place's strides, gaps zero. Fails with an error on the op if the file cannot be read, is too
  /// short, or a step does not fit.
  LogicalResult slice(PlaceOp place, std::vector<uint8_t> &out);

private:
  LogicalResult transformed(PlaceOp place);
  LogicalResult source(PlaceOp place, llvm::ArrayRef<uint8_t> &bytes,
                       std::vector<uint8_t> &storage);

  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
  Attribute blob, transform, sourceType;
  std::vector<uint8_t> array;
};

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_CONSTANTDATA_H
