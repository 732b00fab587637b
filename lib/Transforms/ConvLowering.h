// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes `dojo.conv` of contractions.

#ifndef LIB_TRANSFORMS_CONVLOWERING_H
#define LIB_TRANSFORMS_CONVLOWERING_H

#include "ConvForm.h"

namespace mlir::dojo {

/// An elementwise op that becomes the epilogue of a convolution.
struct Epilogue {
  linalg::GenericOp op;
  unsigned sum; ///< number of the operand that is the convolution's result
  /// All inputs of `op` in memory; that of `sum` is not used. Blocked dimensions are those of the
  /// output channels, in blocks of four.
  SmallVector<PhysicalValue> inputs;
};

/// The layout that the result of `user`, an epilogue of `form` through operand `sum`, gets.
Layout epilogueLayout(const ConvForm &form, linalg::GenericOp user, OpOperand &sum);

/// Makes the `dojo.conv` ops of `form` (one a batch) and the views around them at the insertion
/// point. `image` is in form.imageLayout; `kernel` is a weight in logical form, or a tensor in
/// memory. Returns the result in form.resultLayout, or with an epilogue in its layout.
Value lowerConv(RewriterBase &rewriter, const ConvForm &form, Value image, PhysicalValue kernel,
                const Epilogue *epilogue);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_CONVLOWERING_H
