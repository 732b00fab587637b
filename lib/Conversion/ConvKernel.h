// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions of a dojo.conv for one thread.

#ifndef DOJO_LIB_CONVERSION_CONVKERNEL_H
#define DOJO_LIB_CONVERSION_CONVKERNEL_H

#include "ConvPlan.h"
#include "KernelLowering.h"

namespace mlir::dojo {

class ConvKernel {
public:
  ConvKernel(KernelLowering &lowering, ConvOp op, const ConvGeometry &geometry,
             const ConvPlan &plan, unsigned accumulators, unsigned epilogueOps);
  LogicalResult emit();

private:
  /// Pointers that move with the loops around a unit: weights, input, output, then the extras.
  enum { Weight, In, Out, FirstExtra };
  /// A loop around units; what one iteration moves the pointers by.
  struct Level {
    int64_t trips;
    SmallVector<int64_t> steps;
    bool alongRow = false;
  };
  /// A loop of the reduction around the unrolled body, in input bytes.
  struct Wheel {
    int64_t trips, stride;
  };
  /// What the loop over the reduction carries.
  struct Stream {
    SmallVector<Value> a, b; // operand blocks, [slot][block of pixels], [slot][group]
    Value aBase;
    SmallVector<Value> bBase, bStart; // [group]
    SmallVector<Value> counters;      // [wheel]
  };

  void emitDelay();
  LogicalResult emitGroups(int64_t first, int64_t last, int groupsOfUnit, bool half);
  LogicalResult emitLevel(unsigned depth);
  LogicalResult emitLoop(unsigned depth);
  int64_t advance(unsigned depth, unsigned pointer) const;
  int64_t rowStep() const { return blockPixels * (plan.blocksInRow ? plan.pixelBlocks : 1); }

  LogicalResult emitUnit();
  void makeMasks();
  void makeGatherOffsets();
  void hoistExtras();
  Value loadPerChannel(unsigned extra, int four);
  Value loadExtra(unsigned extra, int block, int four, int half);
  LogicalResult emitEpilogue();
  /// Bytes from a unit's first block to another in an operand with these strides.
  int64_t blockOffset(int block, int64_t rowStride, int64_t outerStride) const {
    return block * (plan.blocksInRow ? blockPixels * rowStride : outerStride);
  }
  int64_t outerStride(ArrayRef<int64_t> strides) const {
    return strides.size() > 1 ? strides[strides.size() - 2] : 0;
  }
  int accumulator(int block, int group) const { return firstAccumulator + block * groups + group; }
  bool isStored(int four) const { return !halfLast || four + 1 < 2 * groups; }

  // ConvReduction.cpp
  void planReduction();
  void emitReduction();
  void loadA(Stream &s, int64_t step, Value base);
  void loadB(Stream &s, int64_t step);
  void emitBody(Stream &s, bool first, bool last);
  Value nextBase(Stream &s, Value &more);

  KernelLowering &lowering;
  D1Builder &d;
  ConvOp op;
  const ConvGeometry &g;
  const ConvPlan &plan;
  int64_t epilogueCycles;
  int firstAccumulator;
  int64_t rowPixels;

  // The range of groups being emitted.
  int groups = 1;
  bool halfLast = false;
  SmallVector<Level> levels;
  SmallVector<Value> pointers;
  int64_t rowStart = 0;
  Value remaining; // pixels from the unit to the end of the row, where masks depend on it
  Value position;  // lanes: number of each pixel of the first block (linear plans)
  std::map<std::pair<unsigned, int>, Value> hoisted; // (extra, group of four)

  // The reduction.
  int64_t unroll = 1, bodies = 1;
  int slots = 1;
  SmallVector<int64_t> stepOffsets; // input bytes of the steps of a body
  SmallVector<Wheel> wheels;        // innermost first

  // The unit being emitted, for each block.
  SmallVector<Value> loadMask, gatherOffsets;
  SmallVector<std::array<Value, 2>> storeMask;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_CONVKERNEL_H
