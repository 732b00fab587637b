// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the user can do about a node that cannot be imported.

#ifndef DOJO_LIB_IMPORT_ONNX_SUGGEST_H
#define DOJO_LIB_IMPORT_ONNX_SUGGEST_H

#include "Node.h"
#include "dojo/Import/ONNX.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::dojo::onnximport {

/// The nearest form of `node` that could be imported, or an empty string if none is known.
/// `isInput` tells the graph inputs that are given at run time.
std::string suggestion(const Node &node, Category category,
                       llvm::function_ref<bool(llvm::StringRef name)> isInput);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_SUGGEST_H
