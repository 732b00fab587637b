// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --shape, --dim and --const of command lines as ImportOptions.

#ifndef DOJO_TEST_TOOLS_BINDINGS_H
#define DOJO_TEST_TOOLS_BINDINGS_H

#include "dojo/Import/ONNX.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir::dojo {

/// Splits NAME=VALUE at the last '='. False if there is none or the name is empty.
bool splitBinding(llvm::StringRef text, std::string &name, std::string &value);

/// Adds each "NAME=1x3x224x224" of `shapes` ("NAME=" is a scalar), "NAME=N" of `dims` and
/// "NAME=FILE.npy" of `constants` to `options`. False, with a sentence in `error`, for other text.
bool parseBindings(llvm::ArrayRef<std::string> shapes, llvm::ArrayRef<std::string> dims,
                   llvm::ArrayRef<std::string> constants, ImportOptions &options,
                   std::string &error);

} // namespace mlir::dojo

#endif // DOJO_TEST_TOOLS_BINDINGS_H
