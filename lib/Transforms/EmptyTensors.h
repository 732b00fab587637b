// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LIB_TRANSFORMS_EMPTYTENSORS_H
#define LIB_TRANSFORMS_EMPTYTENSORS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {

/// Removes what has no element, in a function of linalg.generic, views and weights: an op whose
/// result is empty becomes a dojo.assemble of nothing, one that reduces over nothing the constant
/// its result starts from, and pieces without elements leave the views they stand in. Afterwards
/// only arguments and results of the function are empty.
void removeEmptyTensors(RewriterBase &rewriter, func::FuncOp function);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_EMPTYTENSORS_H
