// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluation of nodes at compile time: computations of shapes, and of weights from weights.

#ifndef DOJO_LIB_IMPORT_ONNX_FOLD_H
#define DOJO_LIB_IMPORT_ONNX_FOLD_H

#include "Node.h"

namespace mlir::dojo::onnximport {

/// The results of `node` if they can be computed now: all needed operands are constant (Shape and
/// Size need only the type), the op is one that is evaluated here, and the results are not much
/// larger than the operands. Arithmetic is that of the element type: integers wrap, float32 rounds
/// once per operation.
std::optional<llvm::SmallVector<Constant>> foldNode(const Node &node, FileStore &files,
                                                    llvm::StringRef modelPath);

/// Parts of it, by family; each returns nothing for ops that are not its own.
std::optional<Constant> foldElementwise(const Node &node);
std::optional<Constant> foldReduction(const Node &node);
std::optional<llvm::SmallVector<Constant>> foldMovement(const Node &node);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_FOLD_H
