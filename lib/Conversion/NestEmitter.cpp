// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NestEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// Points computed side by side: as many as hide the latency of an operation.
constexpr int64_t maxJammed = 4;
/// Body operations of all of them, and of all the steps of a reduction that are written out.
constexpr int64_t maxJammedOps = 48, maxStraightOps = 64;
/// The same where a loop over the reduction stays.
constexpr int64_t maxLoopedOps = 48;
/// Steps of a reduction that are written out instead of looped over.
constexpr int64_t maxUnrolledSteps = 12;
} // namespace

Value FlatViews::get(OpBuilder &b, BlockArgument root) {
  Value &view = views[root];
  if (view)
    return view;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(root.getOwner());
  auto type =
      MemRefType::get({getArgumentSpan(root)}, cast<MemRefType>(root.getType()).getElementType());
  view = memref::ReinterpretCastOp::create(b, root.getLoc(), type, root, int64_t(0),
                                           type.getShape(), ArrayRef<int64_t>{1});
  return view;
}

NestEmitter::NestEmitter(OpBuilder &b, const Nest &nest, const Lanes &lanes, FlatViews &views)
    : b(b), loc(nest.source->getLoc()), nest(nest), lanes(lanes), views(views) {
  iv.resize(nest.dims.size());
  base.resize(nest.dims.size());
  for (const NestDim &d : nest.dims)
    last.push_back(d.extent - 1);
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

/// Instructions that a body takes, about: conversions are part of loads and stores, a product that
/// is only added to something is part of the sum.
static int64_t bodyCost(const Nest &nest) {
  // Loops and branches of several points would only follow each other.
  if (llvm::any_of(*nest.body, [](Operation &op) { return op.getNumRegions() != 0; }))
    return maxJammedOps;
  int64_t cost = llvm::count_if(nest.body->without_terminator(), [&](Operation &op) {
    bool fused = isa<arith::MulFOp>(op) && op.hasOneUse() && isa<arith::AddFOp>(*op.user_begin());
    return !fused && !nest.isRare(&op) &&
           !isa<arith::ExtFOp, arith::TruncFOp, arith::ConstantOp, linalg::IndexOp>(op);
  });
  return std::max<int64_t>(cost, 1);
}

/// The parallel dimension along which most inputs stay the same.
static int bestSharedDim(const Nest &nest, const Lanes &lanes) {
  int best = -1, bestShared = -1;
  for (int d = nest.dims.size() - 1; d >= 0; --d) {
    if (nest.dims[d].reduction || lanes.contains(d) || nest.dims[d].extent == 1)
      continue;
    int shared =
        llvm::count_if(nest.inputs, [&](const Access &a) { return !a.root || !a.usesDim(d); });
    if (shared > bestShared) {
      best = d;
      bestShared = shared;
    }
  }
  return best;
}

void NestEmitter::planJam() {
  int chunk = lanes.chunkDim();
  bool chunkParallel = lanes.isVector() && !laneReduced;
  int tail = 0, onlyLanes = fullLanes;
  if (chunkParallel) {
    int64_t full = nest.dims[chunk].extent / lanes.chunkSize();
    tail = nest.dims[chunk].extent % lanes.chunkSize() * lanes.lanesPerIndex();
    if (full + (tail != 0) > 1) {
      jamDim = chunk;
      jamStep = lanes.chunkSize();
    } else if (tail) {
      onlyLanes = tail;
    }
  }
  if (jamDim < 0) {
    jamDim = bestSharedDim(nest, lanes);
    tail = 0;
  }
  if (jamDim < 0) {
    segments.push_back({0, 1, {{0, onlyLanes}}});
    return;
  }
  int64_t most = std::clamp<int64_t>(maxJammedOps / bodyCost(nest), 1, maxJammed);
  int64_t full = nest.dims[jamDim].extent / jamStep, total = full + (tail != 0);
  int64_t groups = llvm::divideCeil(total, most), size = llvm::divideCeil(total, groups);
  auto add = [&](int64_t start, int64_t trips, int64_t count, bool withTail) {
    Segment s{start * jamStep, trips, {}};
    for (int64_t i = 0; i < count; ++i)
      s.instances.push_back({i * jamStep, onlyLanes});
    if (withTail)
      s.instances.push_back({count * jamStep, tail});
    if (!s.instances.empty())
      segments.push_back(std::move(s));
  };
  if (groups == 1) {
    add(0, 1, full, tail != 0);
    return;
  }
  int64_t trips = full / size;
  add(0, trips, size, false);
  add(trips * size, 1, full % size, tail != 0);
}

void NestEmitter::planReduction() {
  int64_t width = 1, bodyOps = bodyCost(nest);
  for (const Segment &s : segments)
    width = std::max<int64_t>(width, s.instances.size());
  for (unsigned d = 0; d < nest.dims.size(); ++d) {
    if (!nest.dims[d].reduction)
      continue;
    bool chunk = laneReduced && static_cast<int>(d) == lanes.chunkDim();
    int64_t step = chunk ? lanes.chunkSize() : 1;
    reduction.push_back({d, step, nest.dims[d].extent / step, false});
    if (chunk)
      reductionTail = nest.dims[d].extent % step * lanes.lanesPerIndex();
  }
  int64_t unrolled = 1;
  for (ReductionDim &r : llvm::reverse(reduction)) {
    int64_t steps = unrolled * std::max<int64_t>(r.trips, 1);
    if (steps > maxUnrolledSteps || steps * width * bodyOps > maxStraightOps) {
      // Several steps in a row, so that the next ones' loads run ahead.
      int64_t most = maxLoopedOps / (width * bodyOps * unrolled);
      r.factor = std::clamp<int64_t>(most, 1, std::max<int64_t>(r.trips / 2, 1));
      break;
    }
    r.unrolled = true;
    unrolled = steps;
  }
}

void NestEmitter::emit() {
  for (const NestDim &d : nest.dims) {
    if (d.extent == 0 && !d.reduction)
      return;
    emptyReduction |= d.extent == 0;
  }
  if (emptyReduction)
    lanes = Lanes();
  variance.emplace(nest, lanes);
  laneReduced = lanes.isVector() && nest.dims[lanes.chunkDim()].reduction;
  fullLanes = lanes.isVector() ? lanes.chunkSize() * lanes.lanesPerIndex() : 1;
  if (laneReduced)
    fullLanes = lanes.lanesPerIndex();
  planJam();
  planReduction();
  for (unsigned d = 0; d < nest.dims.size(); ++d)
    if (!nest.dims[d].reduction && !lanes.contains(d) && static_cast<int>(d) != jamDim)
      outer.push_back(d);
  emitOuter(0);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value>
NestEmitter::loop(unsigned dim, int64_t start, int64_t step, int64_t trips,
                  SmallVector<Value> inits,
                  llvm::function_ref<SmallVector<Value>(SmallVector<Value>)> body) {
  auto lastOf = [&](int64_t n) { return std::min(start + n * step, nest.dims[dim].extent) - 1; };
  int64_t outside = std::exchange(last[dim], lastOf(trips));
  llvm::scope_exit restore([&] { last[dim] = outside; });
  if (trips == 1) {
    base[dim] = start;
    SmallVector<Value> results = body(inits);
    base[dim] = 0;
    return results;
  }
  // What lies before an end needs no comparison with it.
  for (const IndexBound &bound : nest.ends.bounds) {
    if (bound.holdsUpTo(last))
      continue;
    int64_t before = trips;
    while (before > 0 && !bound.holdsUpTo(last))
      last[dim] = lastOf(--before);
    last[dim] = lastOf(trips);
    if (before == 0)
      continue;
    inits = loop(dim, start, step, before, std::move(inits), body);
    return loop(dim, start + before * step, step, trips - before, std::move(inits), body);
  }
  auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
  Value lo = constant(start), hi = constant(start + trips * step), by = constant(step);
  auto op = scf::ForOp::create(b, loc, lo, hi, by, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  loops.push_back({dim, op});
  iv[dim] = op.getInductionVar();
  SmallVector<Value> results = body(SmallVector<Value>(op.getRegionIterArgs()));
  if (!inits.empty())
    scf::YieldOp::create(b, loc, results);
  iv[dim] = {};
  base[dim] = 0;
  loops.pop_back();
  return SmallVector<Value>(op.getResults());
}

void NestEmitter::emitOuter(unsigned level) {
  if (level == outer.size()) {
    for (const Segment &s : segments)
      emitSegment(s);
    return;
  }
  loop(outer[level], 0, 1, nest.dims[outer[level]].extent, {}, [&](SmallVector<Value>) {
    emitOuter(level + 1);
    return SmallVector<Value>();
  });
}

void NestEmitter::emitSegment(const Segment &segment) {
  if (jamDim < 0) {
    emitPoint(segment.instances);
    return;
  }
  int64_t step = jamStep * segment.instances.size();
  loop(jamDim, segment.start, step, segment.trips, {}, [&](SmallVector<Value>) {
    emitPoint(segment.instances);
    return SmallVector<Value>();
  });
}

void NestEmitter::emitPoint(ArrayRef<Instance> instances) {
  SmallVector<Value> accs;
  unsigned numOutputs = nest.outputs.size();
  if (nest.hasReduction()) {
    for (const Instance &inst : instances) {
      for (unsigned i = 0; i < numOutputs; ++i) {
        if (laneReduced) {
          TypedAttr neutral = arith::getNeutralElement(getCombiner(nest, i)).value();
          accs.push_back(splat(neutral));
        } else if (!nest.readsOutput(i) && !emptyReduction) {
          accs.push_back(splat(b.getZeroAttr(nest.outputs[i].element)));
        } else {
          accs.push_back(toLanes(initialValue(i, inst)));
        }
      }
    }
  }
  accs = emitReduction(0, accs, instances);
  auto result = accs.begin();
  for (const Instance &inst : instances) {
    for (unsigned i = 0; i < numOutputs; ++i) {
      Value v = laneReduced ? finishLanes(i, *result, inst) : *result;
      store(nest.outputs[i], inst, inst.usedLanes, v);
      ++result;
    }
  }
}

SmallVector<Value> NestEmitter::emitReduction(unsigned level, SmallVector<Value> accs,
                                              ArrayRef<Instance> instances) {
  if (emptyReduction)
    return accs;
  if (level == reduction.size())
    return emitBody(std::move(accs), instances);
  const ReductionDim &r = reduction[level];
  bool chunk = laneReduced && static_cast<int>(r.dim) == lanes.chunkDim();
  if (chunk)
    stepLanes = lanes.chunkSize() * lanes.lanesPerIndex();
  auto inner = [&](SmallVector<Value> inits) {
    return emitReduction(level + 1, std::move(inits), instances);
  };
  if (r.unrolled) {
    for (int64_t i = 0; i < r.trips; ++i)
      accs = loop(r.dim, i * r.step, r.step, 1, accs, inner);
  } else if (r.trips > 0) {
    int64_t rounds = r.trips / r.factor;
    accs = loop(r.dim, 0, r.step * r.factor, rounds, accs, [&](SmallVector<Value> inits) {
      for (int64_t i = 0; i < r.factor; ++i, base[r.dim] += r.step)
        inits = inner(std::move(inits));
      return inits;
    });
    for (int64_t i = rounds * r.factor; i < r.trips; ++i)
      accs = loop(r.dim, i * r.step, r.step, 1, accs, inner);
  }
  if (chunk && reductionTail) {
    stepLanes = reductionTail;
    accs = loop(r.dim, r.trips * r.step, r.step, 1, accs, inner);
  }
  return accs;
}

//===----------------------------------------------------------------------===//
// Body
//===----------------------------------------------------------------------===//

SmallVector<Value> NestEmitter::emitBody(SmallVector<Value> accs, ArrayRef<Instance> instances) {
  unsigned numInputs = nest.inputs.size(), numOutputs = nest.outputs.size();
  SmallVector<IRMapping> maps(instances.size());
  for (auto [u, inst] : llvm::enumerate(instances)) {
    for (unsigned i = 0; i < numInputs; ++i)
      if (!nest.body->getArgument(i).use_empty())
        maps[u].map(nest.body->getArgument(i), loadInput(i, inst));
    for (unsigned i = 0; i < numOutputs; ++i) {
      if (!nest.readsOutput(i))
        continue;
      Value out = accs.empty() ? initialValue(i, inst) : accs[u * numOutputs + i];
      maps[u].map(nest.body->getArgument(numInputs + i), out);
    }
  }
  // Operation by operation over all instances: neighbours are independent of each other.
  for (Operation &op : nest.body->without_terminator())
    for (auto [u, inst] : llvm::enumerate(instances))
      emitBodyOp(op, maps[u], inst);

  SmallVector<Value> results;
  for (unsigned u = 0; u < instances.size(); ++u) {
    for (unsigned i = 0; i < numOutputs; ++i) {
      Value v = maps[u].lookupOrDefault(nest.body->getTerminator()->getOperand(i));
      if (!accs.empty() || lanes.isVector())
        v = toLanes(v);
      int full = numLanes;
      if (laneReduced && stepLanes < full)
        v = arith::SelectOp::create(b, loc, laneMask(stepLanes), v, accs[u * numOutputs + i]);
      results.push_back(v);
    }
  }
  return results;
}

Value NestEmitter::emitBound(const IndexBound &bound, const Instance &inst) {
  if (bound.holdsUpTo(last))
    return arith::ConstantIntOp::create(b, loc, 1, 1);
  Access index;
  index.offset = bound.offset;
  index.strides = bound.strides;
  Value value = address(index, inst.shift);
  if (variance->varies(bound.compare)) {
    LaneOffsets offsets = laneOffsets(index, lanes);
    auto perLane = llvm::map_to_vector(offsets, [](int64_t o) { return APInt(64, o); });
    auto type = laneType(b.getIndexType());
    Value lane = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, perLane));
    value = arith::AddIOp::create(b, loc, toLanes(value), lane);
  }
  Value limit = arith::ConstantIndexOp::create(b, loc, bound.limit);
  if (isa<VectorType>(value.getType()))
    limit = toLanes(limit);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, value, limit);
}

void NestEmitter::emitBodyOp(Operation &op, IRMapping &map, const Instance &inst) {
  if (nest.ends.onlyForBounds.contains(&op))
    return;
  if (const IndexBound *bound = nest.getBound(&op)) {
    map.map(op.getResult(0), emitBound(*bound, inst));
    return;
  }
  if (auto select = dyn_cast<arith::SelectOp>(op))
    if (matchPattern(map.lookupOrDefault(select.getCondition()), m_One())) {
      map.map(select.getResult(), map.lookupOrDefault(select.getTrueValue()));
      return;
    }
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    map.map(index.getResult(), emitIndex(index.getDim(), inst));
    return;
  }
  bool anyLanes = llvm::any_of(
      op.getOperands(), [&](Value v) { return isa<VectorType>(map.lookupOrDefault(v).getType()); });
  if (!anyLanes) {
    b.clone(op, map);
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    map.map(load.getResult(), emitLoad(load, map, inst));
    return;
  }
  SmallVector<Value> operands;
  for (Value v : op.getOperands())
    operands.push_back(toLanes(map.lookupOrDefault(v)));
  SmallVector<Type> types;
  for (Type t : op.getResultTypes())
    types.push_back(laneType(t));
  Operation *cloned = mlir::clone(b, &op, types, operands);
  map.map(op.getResults(), cloned->getResults());
}

Value NestEmitter::emitFirstIndex(unsigned originalDim, const Instance &inst) {
  IndexSource source = nest.indices[originalDim];
  auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
  if (source.dim < 0)
    return constant(source.constant);
  int64_t shift = nest.dims[source.dim].origin + base[source.dim];
  if (source.dim == jamDim)
    shift += inst.shift;
  Value scalar = iv[source.dim];
  if (scalar && shift != 0)
    scalar = arith::AddIOp::create(b, loc, scalar, constant(shift));
  else if (!scalar)
    scalar = constant(shift);
  return scalar;
}

Value NestEmitter::emitIndex(unsigned originalDim, const Instance &inst) {
  IndexSource source = nest.indices[originalDim];
  Value scalar = emitFirstIndex(originalDim, inst);
  if (source.dim < 0 || !lanes.contains(source.dim))
    return scalar;
  SmallVector<APInt> perLane;
  for (int l = 0; l < numLanes; ++l)
    perLane.push_back(
        APInt(64, source.dim == lanes.inner ? l % lanes.innerCount : l / lanes.innerCount));
  auto type = laneType(b.getIndexType());
  Value lane = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, perLane));
  return arith::AddIOp::create(b, loc, toLanes(scalar), lane);
}

/// Combines the lanes that stand for different indices of the reduction, and the value that the
/// output had before.
Value NestEmitter::finishLanes(unsigned output, Value acc, const Instance &inst) {
  Operation *combiner = getCombiner(nest, output);
  auto combine = [&](Value x, Value y) {
    return mlir::clone(b, combiner, {x.getType()}, {x, y})->getResult(0);
  };
  for (int s = numLanes / 2; s >= lanes.lanesPerIndex(); s /= 2) {
    SmallVector<int64_t> rotate;
    for (int l = 0; l < numLanes; ++l)
      rotate.push_back((l + s) % numLanes);
    acc = combine(acc, vector::ShuffleOp::create(b, loc, acc, acc, rotate));
  }
  return combine(toLanes(initialValue(output, inst)), acc);
}
