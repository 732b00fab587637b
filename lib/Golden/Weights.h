// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data of weights that dojo-hoist-weights made arguments.

#ifndef DOJO_LIB_GOLDEN_WEIGHTS_H
#define DOJO_LIB_GOLDEN_WEIGHTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <vector>

namespace mlir::dojo {

/// Maps the files that weights name, each once.
class WeightReader {
public:
  /// The bytes of argument `index` of `main`, its transform applied.
  llvm::Expected<std::vector<uint8_t>> read(func::FuncOp main, unsigned index);

private:
  llvm::Expected<llvm::StringRef> open(llvm::StringRef path);
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_GOLDEN_WEIGHTS_H
