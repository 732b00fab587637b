// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which loop dimensions of a nest become the 16 lanes of a vector.

#ifndef DOJO_LIB_CONVERSION_LANECHOICE_H
#define DOJO_LIB_CONVERSION_LANECHOICE_H

#include "KernelNest.h"

namespace mlir::dojo {

constexpr int numLanes = 16;

/// Lanes of a vector: lane l stands for index l % innerCount of `inner` and l / innerCount of
/// `outer`. `outer` is -1 if there is one lane dimension only; `inner` is -1 for scalar code.
struct Lanes {
  int inner = -1;
  int innerCount = 1;
  int outer = -1;

  bool isVector() const { return inner >= 0; }
  int chunkDim() const { return outer >= 0 ? outer : inner; }
  /// Indices of chunkDim() that one vector covers.
  int chunkSize() const { return outer >= 0 ? numLanes / innerCount : innerCount; }
  /// Lanes used by one index of chunkDim().
  int lanesPerIndex() const { return outer >= 0 ? innerCount : 1; }
  bool contains(int dim) const { return dim >= 0 && (dim == inner || dim == outer); }
};

/// Element offsets of the lanes of an operand, relative to lane 0.
using LaneOffsets = std::array<int64_t, numLanes>;
LaneOffsets laneOffsets(const Access &access, const Lanes &lanes);

enum class LanePattern { Uniform, Contiguous, Irregular };
LanePattern classify(const LaneOffsets &offsets, int usedLanes);

/// The combining operation of output `i` if the body has the form out = combine(out, value).
Operation *getCombiner(const Nest &nest, unsigned i);

/// Which values of a body differ from lane to lane. What does not is computed once, as a scalar.
class LaneVariance {
public:
  LaneVariance(const Nest &nest, const Lanes &lanes);

  /// True if operations and types of all that varies have vector forms.
  bool hasVectorForm() const { return possible; }
  bool varies(Value v) const { return varying.contains(v); }
  /// True if lane l of the index is that of lane 0 plus l.
  bool counts(Value index) const;
  /// True if the lanes of a load that varies lie one behind the other in memory.
  bool isContiguous(memref::LoadOp load) const;

private:
  bool hasForm(Operation &op) const;

  const Nest &nest;
  const Lanes &lanes;
  DenseSet<Value> varying;
  bool possible = true;
};

/// Elements from the first to the last that a load may read, and bytes of one.
int64_t spanOf(memref::LoadOp load);
/// Whether lanes anywhere in the memory of `load` are read by gathers: 16-bit offsets reach it, and
/// its elements may lie at any of their places.
bool isGatherable(memref::LoadOp load);

/// The cheapest lanes by an estimate of instructions; scalar if nothing else is possible.
Lanes chooseLanes(const Nest &nest);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_LANECHOICE_H
