// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes that `dojo.weight` ops stand for.

#ifndef DOJO_SUPPORT_WEIGHTDATA_H
#define DOJO_SUPPORT_WEIGHTDATA_H

#include "dialects/Dojo/DojoDialect.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <vector>

namespace mlir::dojo {

/// Reads weights. Files are mapped once and stay mapped as long as the reader lives.
class WeightReader {
public:
  /// The row-major array of the op's result type, little endian, booleans one byte each. On a file
  /// that cannot be read or is too short emits an error at the op.
  FailureOr<std::vector<uint8_t>> read(WeightOp op);

private:
  FailureOr<ArrayRef<char>> map(WeightOp op, FileBlobAttr blob);

  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

} // namespace mlir::dojo

#endif // DOJO_SUPPORT_WEIGHTDATA_H
