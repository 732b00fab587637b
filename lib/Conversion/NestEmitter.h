// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a nest into scf loops around 16-lane vector code (or scalar code) on flat memrefs.

#ifndef DOJO_LIB_CONVERSION_NESTEMITTER_H
#define DOJO_LIB_CONVERSION_NESTEMITTER_H

#include "LaneChoice.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

#include <map>

namespace mlir::dojo {

/// One-dimensional views of the kernel's arguments, made once at the top of the kernel.
class FlatViews {
public:
  Value get(OpBuilder &b, BlockArgument root);

private:
  DenseMap<Value, Value> views;
};

/// Emits one nest. Loops over parallel dimensions are outside, those over reduction dimensions
/// inside with the accumulators in registers. One parallel dimension is *jammed*: several of its
/// indices (instances) are computed side by side, which hides latencies and shares loads.
class NestEmitter {
public:
  NestEmitter(OpBuilder &b, const Nest &nest, const Lanes &lanes, FlatViews &views);
  void emit();

private:
  /// One of the points that are computed side by side.
  struct Instance {
    int64_t shift;
    int usedLanes;
  };
  struct Segment {
    int64_t start, trips;
    SmallVector<Instance> instances;
  };
  struct ReductionDim {
    unsigned dim;
    int64_t step, trips;
    bool unrolled;
    /// Steps written out in the body of a loop.
    int64_t factor = 1;
  };
  /// Loop whose body holds a loaded value, operand, constant parts of its indices, lanes used.
  using Key = std::tuple<Operation *, unsigned, std::vector<int64_t>, int>;

  void planJam();
  void planReduction();
  void emitOuter(unsigned level);
  void emitSegment(const Segment &segment);
  void emitPoint(ArrayRef<Instance> instances);
  SmallVector<Value> emitReduction(unsigned level, SmallVector<Value> accs,
                                   ArrayRef<Instance> instances);
  SmallVector<Value> emitBody(SmallVector<Value> accs, ArrayRef<Instance> instances);
  void emitBodyOp(Operation &op, IRMapping &map, const Instance &inst);
  Value emitIndex(unsigned originalDim, const Instance &inst);
  /// The comparison, or true where it holds in all of the loops that are open.
  Value emitBound(const IndexBound &bound, const Instance &inst);
  /// The index at lane 0.
  Value emitFirstIndex(unsigned originalDim, const Instance &inst);
  /// Lane 0 of an index that counts the lanes.
  Value firstLane(Value index, IRMapping &map, const Instance &inst);
  /// A load whose index differs from lane to lane.
  Value emitLoad(memref::LoadOp load, IRMapping &map, const Instance &inst);
  Value finishLanes(unsigned output, Value acc, const Instance &inst);

  /// Runs `body` in a loop of `trips` iterations over a dimension, or once with constant index.
  SmallVector<Value> loop(unsigned dim, int64_t start, int64_t step, int64_t trips,
                          SmallVector<Value> inits,
                          llvm::function_ref<SmallVector<Value>(SmallVector<Value>)> body);

  Value address(const Access &a, int64_t shift);
  Value loadInput(unsigned input, const Instance &inst);
  Value load(const Access &a, const Instance &inst);
  Value initialValue(unsigned output, const Instance &inst);
  void store(const Access &a, const Instance &inst, int usedLanes, Value v);
  Value laneOffsetVector(const LaneOffsets &offsets, const Instance &inst);
  Value laneMask(int usedLanes);
  Value splat(TypedAttr scalar);
  Value toLanes(Value v);
  VectorType laneType(Type element) { return VectorType::get({numLanes}, element); }

  OpBuilder &b;
  Location loc;
  const Nest &nest;
  Lanes lanes;
  FlatViews &views;
  std::optional<LaneVariance> variance;

  bool laneReduced = false, emptyReduction = false;
  int jamDim = -1;
  int64_t jamStep = 1;
  int fullLanes = 1;
  SmallVector<unsigned> outer;
  SmallVector<Segment> segments;
  SmallVector<ReductionDim> reduction;
  int reductionTail = 0;

  SmallVector<std::pair<unsigned, scf::ForOp>> loops;
  SmallVector<Value> iv;
  SmallVector<int64_t> base;
  /// The last index of each dimension that the open loops come to.
  SmallVector<int64_t> last;
  /// Lanes that the current step of a reduction over lanes adds; all but in its last step.
  int stepLanes = numLanes;
  /// Only looked up, never iterated: the pointers in the keys do not reach the output.
  std::map<Key, Value> cache;
  unsigned hoisted = 0;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_NESTEMITTER_H
