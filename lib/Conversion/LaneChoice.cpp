// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LaneChoice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <set>

using namespace mlir;
using namespace mlir::dojo;

LaneOffsets mlir::dojo::laneOffsets(const Access &access, const Lanes &lanes) {
  LaneOffsets offsets{};
  for (int l = 0; l < numLanes; ++l) {
    offsets[l] = access.strides[lanes.inner] * (l % lanes.innerCount);
    if (lanes.outer >= 0)
      offsets[l] += access.strides[lanes.outer] * (l / lanes.innerCount);
  }
  return offsets;
}

LanePattern mlir::dojo::classify(const LaneOffsets &offsets, int usedLanes) {
  bool uniform = true, contiguous = true;
  for (int l = 0; l < usedLanes; ++l) {
    uniform &= offsets[l] == 0;
    contiguous &= offsets[l] == l;
  }
  if (uniform)
    return LanePattern::Uniform;
  return contiguous ? LanePattern::Contiguous : LanePattern::Irregular;
}

Operation *mlir::dojo::getCombiner(const Nest &nest, unsigned i) {
  BlockArgument out = nest.body->getArgument(nest.numInputs() + i);
  Operation *op = nest.body->getTerminator()->getOperand(i).getDefiningOp();
  if (!op || !out.hasOneUse() || *out.user_begin() != op || !op->getResult(0).hasOneUse())
    return nullptr;
  if (!isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
           arith::MinNumFOp, arith::AddIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
           arith::MaxUIOp, arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op))
    return nullptr;
  return op;
}

static bool hasLaneForm(Type t) {
  return t.isF32() || t.isBF16() || t.isF16() || t.isIndex() || t.isInteger(1) || t.isInteger(8) ||
         t.isInteger(16) || t.isInteger(32);
}

LaneVariance::LaneVariance(const Nest &nest, const Lanes &lanes) : nest(nest), lanes(lanes) {
  if (!lanes.isVector())
    return;
  auto inLanes = [&](const Access &a) {
    return a.strides[lanes.inner] != 0 || (lanes.outer >= 0 && a.strides[lanes.outer] != 0);
  };
  for (auto [i, in] : llvm::enumerate(nest.inputs)) {
    if (!in.root || !inLanes(in))
      continue;
    varying.insert(nest.body->getArgument(i));
    possible &= hasLaneForm(in.element) && !in.element.isIndex();
  }
  for (auto [i, out] : llvm::enumerate(nest.outputs)) {
    varying.insert(nest.body->getArgument(nest.numInputs() + i));
    possible &= hasLaneForm(out.element) && !out.element.isIndex();
  }
  for (Operation &op : nest.body->without_terminator()) {
    bool differs = false;
    if (nest.ends.onlyForBounds.contains(&op))
      continue;
    if (const IndexBound *bound = nest.getBound(&op))
      differs = bound->strides[lanes.inner] != 0 ||
                (lanes.outer >= 0 && bound->strides[lanes.outer] != 0);
    else if (auto index = dyn_cast<linalg::IndexOp>(op))
      differs = lanes.contains(nest.indices[index.getDim()].dim);
    op.walk([&](Operation *inner) {
      differs |= llvm::any_of(inner->getOperands(), [&](Value v) { return varies(v); });
    });
    if (!differs)
      continue;
    varying.insert(op.getResults().begin(), op.getResults().end());
    possible &= hasForm(op);
  }
}

bool LaneVariance::hasForm(Operation &op) const {
  if (isa<linalg::IndexOp>(op))
    return true;
  if (!llvm::all_of(op.getResultTypes(), hasLaneForm))
    return false;
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return getRootArgument(load.getMemRef()) == load.getMemRef() && !load.getType().isIndex() &&
           (isContiguous(load) || !load.getType().isF16());
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::MulSIExtendedOp, arith::MulUIExtendedOp,
          arith::AddUIExtendedOp>(op))
    return false;
  return OpTrait::hasElementwiseMappableTraits(&op) &&
         llvm::all_of(op.getOperandTypes(), hasLaneForm);
}

bool LaneVariance::counts(Value index) const {
  if (auto op = index.getDefiningOp<linalg::IndexOp>())
    return lanes.outer < 0 && nest.indices[op.getDim()].dim == lanes.inner;
  auto sum = index.getDefiningOp<arith::AddIOp>();
  return sum && sum.getType().isIndex() &&
         ((counts(sum.getLhs()) && !varies(sum.getRhs())) ||
          (counts(sum.getRhs()) && !varies(sum.getLhs())));
}

bool LaneVariance::isContiguous(memref::LoadOp load) const {
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  // Vector accesses need even addresses, which bytes do not have by themselves.
  if (failed(load.getMemRefType().getStridesAndOffset(strides, offset)) ||
      load.getType().getIntOrFloatBitWidth() < 16)
    return false;
  bool found = false;
  for (auto [index, stride] : llvm::zip(load.getIndices(), strides)) {
    if (!varies(index))
      continue;
    if (found || stride != 1 || !counts(index))
      return false;
    found = true;
  }
  return found;
}

int64_t mlir::dojo::spanOf(memref::LoadOp load) {
  return getArgumentSpan(cast<BlockArgument>(load.getMemRef()));
}

bool mlir::dojo::isGatherable(memref::LoadOp load) {
  Type type = load.getType();
  int64_t bits = type.getIntOrFloatBitWidth();
  return (bits == 32 || type.isBF16() || type.isInteger(16)) && spanOf(load) * (bits / 8) <= 65536;
}

static int64_t bytesOf(Type t) { return (t.getIntOrFloatBitWidth() + 7) / 8; }

/// Vector accesses need even addresses, which bytes do not have by themselves.
static bool alwaysEven(const Access &a, const Lanes &lanes) {
  if (bytesOf(a.element) > 1)
    return true;
  int64_t base = getArgumentAddress(a.root).value_or(0);
  if (a.residual || (a.offset + base) % 2 != 0)
    return false;
  for (auto [d, stride] : llvm::enumerate(a.strides))
    if (!lanes.contains(d) && stride % 2 != 0)
      return false;
  int chunk = lanes.chunkDim();
  return a.strides[chunk] * lanes.chunkSize() % 2 == 0;
}

/// Instructions for loading one vector, or a negative number if there is no way.
static int loadCost(const Access &a, const Lanes &lanes, int used) {
  if (!a.root)
    return 0;
  LaneOffsets offsets = laneOffsets(a, lanes);
  LanePattern pattern = classify(offsets, used);
  if (pattern == LanePattern::Uniform)
    return 1;
  if (!alwaysEven(a, lanes))
    return -1;
  if (pattern == LanePattern::Contiguous)
    return 1;
  auto [lo, hi] = std::minmax_element(offsets.begin(), offsets.begin() + used);
  int64_t span = *hi - *lo + 1;
  if (span <= numLanes)
    return 2;
  if (span <= 2 * numLanes)
    return 3;
  std::set<int64_t> shifts;
  for (int l = 0; l < used; ++l) {
    if (bytesOf(a.element) == 1 && (offsets[l] - l) % 2 != 0)
      return -1;
    shifts.insert(offsets[l] - l);
  }
  return 2 * shifts.size() - 1;
}

/// Instructions for storing one vector, or a negative number if there is no way.
static int storeCost(const Access &a, const Lanes &lanes, int used) {
  LaneOffsets offsets = laneOffsets(a, lanes);
  if (!alwaysEven(a, lanes))
    return -1;
  std::set<int64_t> places(offsets.begin(), offsets.begin() + used), shifts;
  if (static_cast<int>(places.size()) != used)
    return -1;
  for (int l = 0; l < used; ++l) {
    if (bytesOf(a.element) == 1 && (offsets[l] - l) % 2 != 0)
      return -1;
    shifts.insert(offsets[l] - l);
  }
  return shifts.size() == 1 ? 1 : 2 * shifts.size();
}

/// Estimated instructions of the whole nest, or a negative number if the choice is not possible.
static double estimate(const Nest &nest, const Lanes &lanes, unsigned bodyOps) {
  LaneVariance variance(nest, lanes);
  if (!variance.hasVectorForm())
    return -1;
  const NestDim &inner = nest.dims[lanes.inner];
  bool reduced = nest.dims[lanes.chunkDim()].reduction;
  int used = lanes.outer >= 0 ? numLanes : std::min<int64_t>(lanes.innerCount, inner.extent);
  if (lanes.outer >= 0 && nest.dims[lanes.outer].extent * lanes.innerCount < numLanes)
    used = nest.dims[lanes.outer].extent * lanes.innerCount;
  int in = 0, out = 0;
  for (const Access &a : nest.inputs) {
    int cost = loadCost(a, lanes, used);
    if (cost < 0)
      return -1;
    in += cost;
  }
  for (unsigned i = 0; i < nest.outputs.size(); ++i) {
    const Access &a = nest.outputs[i];
    if (reduced) {
      if (!getCombiner(nest, i) || a.strides[lanes.chunkDim()] != 0)
        return -1;
      if (lanes.outer >= 0 && (inner.reduction || a.strides[lanes.inner] != 1))
        return -1;
      if (bytesOf(a.element) == 1)
        return -1;
      out += 10;
      continue;
    }
    int cost = storeCost(a, lanes, used);
    if (cost < 0)
      return -1;
    out += cost + (nest.readsOutput(i) && !nest.inits[i] ? loadCost(a, lanes, used) : 0);
  }
  for (Operation &op : nest.body->without_terminator())
    if (auto load = dyn_cast<memref::LoadOp>(op);
        load && variance.varies(load) && !variance.isContiguous(load))
      in += isGatherable(load) ? 7 : 3 * numLanes;
  double steps = 1, ends = 1;
  for (auto [d, dim] : llvm::enumerate(nest.dims)) {
    double n = dim.extent;
    if (static_cast<int>(d) == lanes.chunkDim())
      n = llvm::divideCeil(dim.extent, lanes.chunkSize());
    else if (lanes.contains(d))
      n = 1;
    steps *= n;
    if (!dim.reduction)
      ends *= n;
  }
  return steps * (in + bodyOps) + ends * out;
}

Lanes mlir::dojo::chooseLanes(const Nest &nest) {
  Lanes best;
  unsigned bodyOps = llvm::count_if(nest.body->without_terminator(),
                                    [&](Operation &op) { return !nest.isRare(&op); });
  // A scalar step costs its body, an access for each operand and its part of the loop.
  double bestCost = double(nest.points(false)) * (nest.inputs.size() + bodyOps + 1.0) +
                    2.0 * double(nest.points(true)) * nest.outputs.size();
  auto consider = [&](Lanes lanes) {
    auto isFree = [&](int d) {
      auto residual = [&](const Access &a) { return a.residual && a.residual.isFunctionOfDim(d); };
      return d < 0 ||
             (llvm::none_of(nest.inputs, residual) && llvm::none_of(nest.outputs, residual));
    };
    if (!isFree(lanes.inner) || !isFree(lanes.outer))
      return;
    double cost = estimate(nest, lanes, bodyOps);
    if (cost >= 0 && cost < bestCost) {
      best = lanes;
      bestCost = cost;
    }
  };
  // Innermost first: on equal cost the usual order of memory wins.
  for (int d = nest.dims.size() - 1; d >= 0; --d) {
    int64_t extent = nest.dims[d].extent;
    consider({d, static_cast<int>(std::min<int64_t>(extent, numLanes)), -1});
    if (extent >= numLanes || numLanes % extent != 0 || nest.dims[d].reduction)
      continue;
    for (int o = nest.dims.size() - 1; o >= 0; --o)
      if (o != d)
        consider({d, static_cast<int>(extent), o});
  }
  return best;
}
