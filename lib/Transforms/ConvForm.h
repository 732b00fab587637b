// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions as convolutions of the matrix unit: which loop plays which part, the layouts of
// image and result, the arrangement of the kernel.

#ifndef LIB_TRANSFORMS_CONVFORM_H
#define LIB_TRANSFORMS_CONVFORM_H

#include "PhysicalGeneric.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Layout.h"
#include <array>

namespace mlir::dojo {

/// A dimension of pixels of the image: index = row loop * stride + tap loop * dilation. Either loop
/// may be missing, and for a matrix product the dimension itself.
struct SpatialDim {
  std::optional<unsigned> imageDim, rowLoop, tapLoop;
  int64_t stride = 1, dilation = 1;
};

/// A contraction with one loop over output channels and one over input channels. The other loops
/// outside of the pixels count images, or batches: convolutions with kernels of their own.
struct ConvForm {
  Contraction roles;
  unsigned channel, column;
  SmallVector<unsigned> outer;       ///< loops over images and batches, in the image's order
  std::array<SpatialDim, 2> spatial; ///< rows and columns of pixels
  bool hasWindow = false;            ///< a spatial dimension has taps or strides
  /// Layouts with the channels blocked: [outer.., C/b, H, W, b].
  Layout imageLayout, resultLayout;

  int64_t range(unsigned loop) const { return ranges[loop]; }
  bool isBatch(unsigned loop) const { return llvm::is_contained(roles.batch, loop); }
  /// Product of the ranges of some loops.
  int64_t product(ArrayRef<unsigned> loops) const;
  SmallVector<int64_t> ranges;
};

/// The convolution that `op` is; nothing if it is none, say for three dimensions of pixels.
/// `block` is that of the layouts.
std::optional<ConvForm> matchConvForm(linalg::GenericOp op, int64_t block);

/// The convolution that becomes a `dojo.conv`: of bf16 operands, with channels of batches in whole
/// blocks, a kernel that can be rearranged, and not too many batches.
std::optional<ConvForm> matchMatrixUnitConv(linalg::GenericOp op);

/// The operand of an elementwise op that is the sum of a convolution for the matrix unit whose
/// epilogue the op can be; null if there is none. Of several it is the one computed last.
OpOperand *findFusedSum(linalg::GenericOp user);

/// The layout of a tensor read through `map` by loops that run in the order `loopOrder` in memory
/// (slowest first), `blockLoop` in blocks: dimensions follow the order of their loops, those
/// without one stay behind the dimension before them.
Layout layoutFollowing(AffineMap map, ArrayRef<unsigned> loopOrder,
                       std::optional<unsigned> blockLoop, int64_t block);

/// The loops in the order of the dimensions of an operand with this layout.
SmallVector<unsigned> loopsInMemoryOrder(AffineMap map, const Layout &layout);

/// The loop that runs over the blocked dimension alone, if there is one.
std::optional<unsigned> blockLoopOf(AffineMap map, const Layout &layout);

} // namespace mlir::dojo

#endif // LIB_TRANSFORMS_CONVFORM_H
