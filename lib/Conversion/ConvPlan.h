// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How one thread's part of a dojo.conv is cut into matrix steps.
//
// The product is computed in units of `pixelBlocks` blocks of 8 pixels by `groups` groups of 8
// output channels, one accumulator for each pair. A unit runs over all of the reduction with its
// sums in the accumulators, then drains them through the epilogue.

#ifndef DOJO_LIB_CONVERSION_CONVPLAN_H
#define DOJO_LIB_CONVERSION_CONVPLAN_H

#include "dialects/D1/D1Dialect.h"
#include "dialects/Dojo/DojoDialect.h"

namespace mlir::dojo {

constexpr int blockPixels = 8;
constexpr int64_t blockBytes = 64;
constexpr int64_t pixelBytes = 8; // 4 channels of bf16

/// An operand of the epilogue. Strides in bytes, for steps of one in the dimensions of the pixels
/// (as in ConvGeometry::pixels), the group of four channels and the channel.
struct ConvExtra {
  enum Kind { Scalar, PerChannel, PerPixel } kind;
  int64_t address;
  d1::EType type;
  int64_t bytes;
  int64_t groupStride = 0;
  SmallVector<int64_t> pixelStrides;
  int region = -1;
};

struct PixelDim {
  int64_t extent;
  int64_t inStride, outStride;
};

/// A dimension of the reduction; steps of it move the input by `stride` bytes. The weights of
/// consecutive steps (last dimension fastest) are consecutive blocks.
struct ReductionDim {
  int64_t extent, stride;
};

struct ConvGeometry {
  SmallVector<PixelDim> pixels; // outermost first; the last one's pixels are adjacent in the output
  SmallVector<ReductionDim> reduction;
  int64_t inAddress, weightAddress, outAddress;
  int64_t weightStride; // bytes from one group of 8 output channels to the next
  int64_t outStride;    // bytes from one group of 4 output channels to the next
  int64_t fours;        // groups of 4 output channels that are stored
  d1::EType outType;
  int64_t outBytes; // of an element
  SmallVector<ConvExtra> extras;
  int inRegion, weightRegion, outRegion;

  int64_t eights() const { return (fours + 1) / 2; }
  int64_t steps() const;
};

/// Reads the operands' types. Reports what the kernel cannot handle.
FailureOr<ConvGeometry> readConv(ConvOp op, llvm::function_ref<int(Value)> regionOf);

struct ConvPlan {
  /// Output pixels of the last two dimensions are taken as one row; the input is gathered with
  /// offsets that follow from the position.
  bool linear = false;
  /// Blocks are loaded by a gather, pixels not being adjacent in the input.
  bool gather = false;
  int pixelBlocks = 1, groups = 1;
  /// The blocks of a unit lie side by side in the last pixel dimension, or (false) in the one
  /// before.
  bool blocksInRow = true;
  /// The threads share the groups of channels, or (false) the pixels.
  bool splitGroups = false;
  double cycles = 0;
};

/// Iterations of the loops over a plan's units of pixels, outermost first; the last one runs along
/// the rows.
SmallVector<int64_t> unitLoops(const ConvGeometry &geometry, const ConvPlan &plan);

/// The loop whose iterations divide most evenly between threads.
unsigned bestSplit(ArrayRef<int64_t> loops, unsigned threads);

/// The plan with the least estimated cycles. `accumulators` of the node, shared by `threads`;
/// `epilogueOps` SIMD operations for each vector of results.
ConvPlan planConv(const ConvGeometry &geometry, unsigned threads, unsigned accumulators,
                  unsigned epilogueOps);

/// Steps written out in the body of the loop over the reduction: a divisor of the steps that ends
/// where a dimension ends or divides it.
int64_t chooseUnroll(const ConvGeometry &geometry);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_CONVPLAN_H
